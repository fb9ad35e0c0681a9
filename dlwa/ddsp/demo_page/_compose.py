"""What the page says: from sounds and numbers to titles, captions and pictures."""

from dataclasses import dataclass

import numpy as np

from dlwa import runfiles
from dlwa.ddsp import pages
from dlwa.ddsp.audio_io import read_audio
from dlwa.ddsp.demo_page import _figures
from dlwa.ddsp.history import read_training
from dlwa.ddsp.pages import Card
from dlwa.words import counted


@dataclass(frozen=True)
class Played:
    """A resynthesis: after how many steps, its samples, its distance from the recording, its
    share of frames in tune.
    """

    step: int
    audio: np.ndarray
    distance: float
    in_tune: float | None


def compose(given, model, recording, target, played):
    """The Page of a demo.

    Args:
        given: the command's arguments.
        model: the trained PlayableModel.
        recording: (samples, rate) it learned from.
        target: the samples it never heard, at the model's rate.
        played: {'before': Played, 'after': Played}.
    """
    report = runfiles.read_json(given.transfer_report) or {}
    training = read_training(model.folder)
    minutes = training.working_s / 60.0
    took = f"{minutes:.1f} minutes" if minutes else "a few minutes"
    return pages.Page(
        title=f"A {given.instrument} model, trained in {took}",
        summary=f"dlwa listened to {len(recording[0]) / recording[1]:.0f} seconds of "
        f"{given.instrument}, learned to turn pitch and loudness into its sound, and then played "
        f"the melody of a {given.other}.",
        facts=_facts(model, recording, training, played),
        sections=[
            pages.Section("What it learned from", _learned(given, recording, training)),
            pages.Section(
                "Before and after",
                pages.paragraph(
                    "A stretch of the recording that was kept from the training. The model is "
                    "given only its pitch and loudness and plays the sound itself."
                ),
                _compared(model, target, played),
                pages.verdict(verdict(played)),
            ),
            pages.Section(
                "Another instrument, played by the model",
                _transferred(given, report),
                pages.bullets(report.get("explained", [])[1:]),
            ),
            pages.Section("The same with your own recordings", pages.steps(given.commands)),
        ],
    )


def verdict(played):
    """Before and after in one sentence."""
    before, after = played["before"], played["after"]
    better = 1.0 - after.distance / before.distance if before.distance else 0.0
    when = f"after {counted(before.step, 'step')}" if before.step else "before"
    text = (
        f"Distance from the recording (multi-scale spectral loss): {before.distance:.1f} {when}, "
        f"{after.distance:.1f} after the training, {better:.0%} less."
    )
    if after.in_tune is not None:
        share = _percent(after.in_tune)
        text += f" Its pitch lies within 50 cents of the recording's in {share} of the"
        text += " time in which notes sound."
    return text


def _facts(model, recording, training, played):
    facts = [("recording", f"{len(recording[0]) / recording[1]:.0f} s")]
    steps, values = training.losses("total_loss")
    if steps:
        facts.append(("training steps", str(steps[-1])))
        facts.append(("loss", f"{values[0]:.1f} → {values[-1]:.1f}"))
    if played["after"].in_tune is not None:
        facts.append(("in tune", _percent(played["after"].in_tune)))
    return [*facts, ("sample rate", f"{model.sample_rate / 1000:g} kHz")]


def _percent(share):
    """A share that says 100 % only when it is all."""
    return f"{int(100 * share)}%"


def _learned(given, recording, training):
    audio, rate = recording
    cards = [
        Card(
            f"The recording: a {given.instrument}",
            pages.spectrogram(audio[: 15 * rate], rate),
            f"Spectrogram of the first 15 seconds of the {given.instrument}: harmonics as "
            "parallel lines.",
            "The first 15 seconds as a picture: time to the right, frequency upwards.",
            pages.sound_uri(audio, rate),
        )
    ]
    steps, values = training.losses("total_loss")
    if len(steps) > 1:
        cards.append(
            Card(
                "The training",
                _figures.loss(steps, values, training.heldout),
                f"Loss curve: from {values[0]:.1f} at the start to {values[-1]:.1f} after "
                f"{counted(steps[-1], 'step')}.",
                "The spectral loss says how far the model's sound is from the recording's; lower "
                "is closer.",
            )
        )
    return pages.cards(cards, pairs=True)


def _compared(model, target, played):
    rate = model.sample_rate
    step = played["before"].step
    start = f"After {counted(step, 'step')}" if step else "Before the training"
    rows = (
        ("The recording", target, "What was really played."),
        (start, played["before"].audio, _distance(played["before"])),
        ("After the training", played["after"].audio, _distance(played["after"])),
    )
    return pages.cards(
        Card(
            title,
            pages.spectrogram(audio, rate),
            f"Spectrogram: {title.lower()}.",
            caption,
            pages.sound_uri(audio, rate),
        )
        for title, audio, caption in rows
    )


def _distance(played):
    return f"Spectral distance from the recording: {played.distance:.1f}."


def _transferred(given, report):
    cards = []
    for title, path in (
        (f"The {given.other}, as recorded", given.transfer_in),
        (f"The {given.instrument} model plays it", given.transfer_out),
    ):
        audio, rate = read_audio(path, 16000)
        cards.append(
            Card(
                title,
                pages.spectrogram(audio, rate),
                f"Spectrogram: {title}.",
                path.name,
                pages.sound_uri(*read_audio(path)),
            )
        )
    curves, frame_rate = report.get("curves"), report.get("frame_rate")
    if curves and frame_rate:
        cards += _curves(curves, frame_rate)
    return pages.cards(cards, pairs=True)


def _curves(curves, frame_rate):
    f0_hz = [("recorded", curves["f0_hz"]), ("played", curves["played_f0_hz"])]
    loudness_db = [("recorded", curves["loudness_db"]), ("played", curves["played_loudness_db"])]
    sounding = np.asarray(curves["f0_confidence"]) > 0.5
    return [
        Card(
            "Pitch",
            _figures.pitch(frame_rate, f0_hz, sounding),
            "Pitch over time, as recorded and as played.",
            "Where no note sounds there is no line.",
        ),
        Card(
            "Loudness",
            _figures.loudness(frame_rate, loudness_db),
            "Loudness over time, as recorded and as played.",
            "The model plays at the loudness it has learned; between notes it is softer.",
        ),
    ]
