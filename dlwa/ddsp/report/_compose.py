"""What the report says, section by section."""

import math
import time

from dlwa import runfiles
from dlwa.ddsp import pages
from dlwa.ddsp.pages import Card, Section
from dlwa.ddsp.report import _pictures
from dlwa.ddsp.report._config import configuration, setting
from dlwa.ddsp.report._dataset import dataset
from dlwa.words import counted, span

_TELLING = {
    "rollback": "went back to a good checkpoint",
    "bad_data": "left out faulty data",
    "plateau": "stands still",
    "silence": "fell silent",
    "noise_only": "plays only noise",
    "recovered": "recovered",
    "slow": "became slow",
    "out_of_memory": "memory was too small",
    "disk_full": "the disk was full",
    "damaged_checkpoint": "a damaged checkpoint was left out",
    "early_stop": "reached the loss it was to stop at",
    "stopped": "stopped",
    "failed": "failed",
}
EVAL_FILE = "eval.jsonl"
_GOOD_ENDS = ("finished", "stopped")
_MOST_EVENTS = 60


def compose(training, name, dataset_dir=None):
    """The page of a training, but for what is to be heard.

    Args:
        training: a Training.
        name: of the model.
        dataset_dir: where the data set lies; default: where the configuration says.

    Returns:
        pages.Page.
    """
    return pages.Page(
        title=name,
        summary=_summary(training),
        facts=_facts(training),
        sections=[
            _how_it_went(training),
            _evaluation(training.folder),
            dataset(training, dataset_dir),
            configuration(training),
        ],
    )


def listening(heard, why_not):
    """The section of sounds.

    Args:
        heard: a Heard, or None.
        why_not: why there is nothing to hear.
    """
    title = "Listen"
    if heard is None:
        return Section(title, pages.paragraph(f"There is nothing to hear: {why_not}."))
    known = (
        "The model has never heard these stretches."
        if heard.heldout
        else "The data set holds nothing back, so these are stretches the model learned from."
    )
    explained = (
        f"{known} It is given what it needs to know of them, such as pitch and loudness, and plays "
        f"the sound itself, as it was after {counted(heard.step, 'step')}."
    )
    shown = []
    for number, pair in enumerate(heard.pairs, 1):
        far = f"Loss of this stretch: {pair.loss:.2f}."
        for what, audio, words in (
            ("original", pair.original, ""),
            ("played by the model", pair.played, far),
        ):
            picture = pages.spectrogram(audio, pair.rate)
            heading = f"{number}: {what}"
            sound = pages.sound_uri(audio, pair.rate)
            shown.append(Card(heading, picture, f"Spectrogram of {heading}.", words, sound))
    return Section(title, pages.paragraph(explained), pages.cards(shown, pairs=True))


def _summary(training):
    total = f" of {training.total_steps}" if training.total_steps else ""
    done = f"after step {training.step}{total}"
    words = {
        "finished": f"The training is finished, {done}.",
        "stopped": f"The training was stopped {done}.",
        "failed": f"The training failed {done}.",
        "lost": f"The training was lost {done}.",
        "queued": "The training waits for its turn.",
        "starting": "The training is starting.",
        "running": f"The model is training; this is how it stood {done}.",
        "stalled": f"The training has not reported anything for a while, {done}.",
    }
    unknown = f"Nobody recorded how this training ended; it last reported {done}."
    return words.get(training.state, unknown)


def _facts(training):
    facts = [("state", training.state), ("steps", training.step)]
    if training.loss_names:
        values = training.losses(training.loss_names[0])[1]
        recent = [value for value in values[-20:] if math.isfinite(value)]
        if recent:
            facts.append(("loss", f"{values[0]:.2f} → {sum(recent) / len(recent):.2f}"))
    if training.heldout:
        step, loss = min(training.heldout, key=lambda point: point[1])
        facts.append(("best on held-out sounds", f"{loss:.2f} at step {step}"))
    if training.working_s:
        facts.append(("time spent", span(training.working_s)))
    rate = setting(training.folder, "sample_rate")
    if rate:
        facts.append(("sample rate", f"{float(rate) / 1000:g} kHz"))
    return facts


def _how_it_went(training):
    ended = None
    if training.reason and training.state not in ("running", "starting"):
        bad = training.state not in _GOOD_ENDS
        words = f"{training.state.capitalize()}: {training.reason}"
        words += f". What may help: {training.hint}" if bad and training.hint else ""
        ended = pages.verdict(words, bad)
    return Section(
        "How it went",
        ended,
        _curves(training),
        _remarks(training),
        _sessions(training),
    )


def _curves(training):
    if len(training.reports) < 2:
        return pages.paragraph("There are no steps to draw yet.")
    name = training.loss_names[0]
    steps, values = training.losses(name)
    caption = "The loss says how far the model's sound is from the recording's; lower is closer."
    if not training.heldout:
        caption += " No sounds were held out, so whether it only learns by heart cannot be seen."
    shown = [
        Card(
            "Loss",
            _pictures.training_curve(training),
            f"Curve of {name} from {values[0]:.2f} at step {steps[0]} to {values[-1]:.2f} at step "
            f"{steps[-1]}.",
            caption,
        )
    ]
    if len(training.loss_names) > 2:
        seen = "Curves of " + ", ".join(training.loss_names[1:]) + "."
        shown.append(Card("Its parts", _pictures.parts_curve(training), seen))
    speed = _speed(training)
    return pages.cards([*shown, speed] if speed else shown, pairs=True)


def _remarks(training):
    """What was worth telling, checkpoints left out."""
    rows = [
        [
            moment(event.get("time")),
            event.get("step", ""),
            _TELLING.get(event["event"], event["event"].replace("_", " ")),
            event.get("text") or event.get("reason") or "",
        ]
        for event in training.events
        if event["event"] != "checkpoint"
    ]
    if not rows:
        return pages.paragraph("Nothing remarkable happened.") if training.reports else None
    left_out = len(rows) - _MOST_EVENTS
    more = pages.paragraph(f"{left_out} earlier left out.") if left_out > 0 else ""
    return more + pages.table(["when", "step", "what", "why"], rows[-_MOST_EVENTS:])


def _sessions(training):
    if not training.sessions:
        return None
    rows = [
        [
            moment(record.get("started_at") or record.get("created_at")),
            moment(record.get("ended_at")),
            record.get("state", ""),
            record.get("reason", ""),
            record.get("host", ""),
        ]
        for record in training.sessions
    ]
    table = pages.table(["began", "ended", "state", "why", "machine"], rows)
    return pages.details(f"{counted(len(rows), 'session')} of training", table)


def _evaluation(folder):
    """What the last evaluation found, if there was one."""
    last = runfiles.last_line(folder / EVAL_FILE) or {}
    found = last.get("results")
    if not isinstance(found, dict) or not found:
        return None
    from dlwa.ddsp.training import eval_results

    rows = []
    for name, value in found.items():
        unit, words = eval_results.meaning(name)
        shown = f"{value:.4g}" if isinstance(value, int | float) else value
        rows.append([name.removeprefix("metrics/"), shown, unit, words])
    return Section(
        "Evaluation",
        pages.paragraph(f"Measured at step {last.get('step', '?')}, {moment(last.get('time'))}."),
        pages.table(["measure", "value", "unit", "what it says"], rows),
    )


def _speed(training):
    """The card of the speed, or None."""
    steps, speeds = training.speed
    if len(steps) < 2:
        return None
    middle = sorted(speeds)[len(speeds) // 2]
    words = [f"Usually {rate(middle)}"]
    batch, seconds = (setting(training.folder, name) for name in ("batch_size", "example_secs"))
    if batch and seconds:
        heard = middle * float(batch) * float(seconds)
        words.append(f"it listens to {heard:.3g} s of sound in a second")
    if training.live and training.total_steps:
        left = span((training.total_steps - training.step) / middle)
        words.append(f"about {left} left")
    seen = f"Steps a second, between {min(speeds):.2f} and {max(speeds):.2f}."
    return Card("Speed", _pictures.speed_curve(training), seen, "; ".join(words) + ".")


def rate(per_s):
    """A speed for people."""
    return f"{per_s:.2f} steps/s" if per_s >= 1 else f"{1 / per_s:.2f} s a step"


def moment(at):
    """A time of day for people, '' if unknown."""
    if not isinstance(at, int | float):
        return ""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
