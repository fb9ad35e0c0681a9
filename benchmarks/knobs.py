"""docs/knobs.md: what each knob of timbre transfer does, shown and measured.

    python -m benchmarks.knobs --model_dir=models/ddsp/demo/violin     (after ./dlwa.py demo)

The flute that comes with dlwa is played at rest and with one knob turned; the page says what
changed in numbers, the pictures show it.
"""

import argparse
import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "dlwa" / "demo_data" / "flute_to_transfer.flac"
ROOM = "The demo's model has no room; one of half a second was put behind it."


@dataclass(frozen=True)
class Case:
    """A knob turned: where it rests, where it goes, what is measured and drawn."""

    knob: str
    before: dict
    after: dict
    measured: str
    unit: str
    measure: object
    draw: str


class Sound:
    """A sound the model made, and what may be measured in it."""

    def __init__(self, result, audio, rate):
        self.result, self.audio, self.rate = result, audio, rate
        self.notes = result.conditioned.mask_on

    def level_db(self, low_hz=0.0, high_hz=1e9, mask=None):
        """Mean level of a band in dB, over the frames of a mask."""
        power, hz = self.spectra()
        if mask is not None:
            power = power[np.interp(*self._times(len(power)), mask.astype(float)) > 0.5]
        band = (hz >= low_hz) & (hz <= high_hz)
        return float(10 * np.log10(np.maximum(1e-12, power[:, band].sum(1).mean())))

    def _times(self, n_frames):
        return np.arange(n_frames) * 512 / self.rate, np.arange(len(self.notes)) / 250

    def spectra(self):
        """(power `[n_frames, n_bins]`, frequencies)."""
        frames = np.lib.stride_tricks.sliding_window_view(self.audio, 1024)[::512]
        power = np.abs(np.fft.rfft(frames * np.hanning(1024), axis=1) / 512) ** 2
        return power, np.fft.rfftfreq(1024, 1 / self.rate)

    def pitch_hz(self):
        """The median pitch played."""
        return float(np.median(self.result.conditioned.f0_hz[self.notes]))

    def cents_off(self):
        """How far the notes lie from the nearest semitone, on average."""
        midi = 69 + 12 * np.log2(self.result.conditioned.f0_hz[self.notes] / 440)
        return float(100 * np.mean(np.abs(midi - np.round(midi))))

    def tone_share(self):
        """Share of the time in which a tone sounds at all."""
        return 100.0 * float(np.mean(self.result.conditioned.tone))

    def note_share(self):
        """Share of the time that counts as notes."""
        return 100.0 * float(np.mean(self.notes))

    def loudness_off_db(self):
        """How far the loudness of the notes lies from what the model has learned, in dB."""
        told = self.result.explanation
        return abs(told.played_loudness_db - told.trained_loudness_db)

    def rest_db(self):
        """Loudness asked of the model between the notes, in dB."""
        return float(np.mean(self.result.conditioned.loudness_db[~self.notes]))


CASES = (
    Case(
        "adjust",
        {"adjust": False},
        {"adjust": True},
        "distance from the loudness the model knows",
        "dB",
        Sound.loudness_off_db,
        "level",
    ),
    Case("octave_shift", {}, {"octave_shift": 1}, "median pitch", "Hz", Sound.pitch_hz, "pitch"),
    Case(
        "loudness_shift_db",
        {},
        {"loudness_shift_db": 12.0},
        "level",
        "dB",
        Sound.level_db,
        "spectrum",
    ),
    Case(
        "confidence",
        {},
        {"confidence": 0.9},
        "time in which a tone sounds",
        "%",
        Sound.tone_share,
        "level",
    ),
    Case(
        "note_threshold",
        {},
        {"note_threshold": 0.3},
        "time that counts as notes",
        "%",
        Sound.note_share,
        "level",
    ),
    Case(
        "quiet_db",
        {"quiet_db": 0.0},
        {"quiet_db": 40.0},
        "loudness between the notes",
        "dB",
        Sound.rest_db,
        "level",
    ),
    Case(
        "autotune",
        {},
        {"autotune": 1.0},
        "distance from the nearest semitone",
        "cents",
        Sound.cents_off,
        "pitch",
    ),
    Case(
        "harmonics_db",
        {},
        {"harmonics_db": -24.0},
        "level below 2 kHz",
        "dB",
        lambda sound: sound.level_db(high_hz=2000),
        "spectrum",
    ),
    Case(
        "noise_db",
        {},
        {"noise_db": 24.0},
        "level above 6 kHz",
        "dB",
        lambda sound: sound.level_db(low_hz=6000),
        "spectrum",
    ),
    Case(
        "reverb",
        {"reverb": 0.0},
        {"reverb": 1.0},
        "level between the notes",
        "dB",
        lambda sound: sound.level_db(mask=~sound.notes),
        "level",
    ),
    Case("seed", {}, {"seed": 1}, "difference from the sound at rest", "dB", None, "level"),
)


def in_a_room():
    """While this context lasts, models play in a room of half a second: the demo's has none."""
    from dlwa.ddsp.timbre_transfer import Player, _streams, _transfer

    class PlayerInARoom(Player):
        """A player with one part more at the end."""

        def _nodes(self):
            nodes = super()._nodes()
            length = self._sample_rate() // 2
            fading = np.exp(-6.9 * np.arange(length) / length)
            response = np.random.default_rng(0).normal(0.0, 0.03, length) * fading
            room = _streams.Room((response.astype(np.float32), True), self._reverb)
            return [*nodes, ("room", room, [nodes[-1][0]])]

    return mock.patch.object(_transfer, "Player", PlayerInARoom)


def play(model, source, turned):
    """A Sound with some knobs turned."""
    from dlwa.ddsp import timbre_transfer as tt
    from dlwa.ddsp.audio_io import read_audio

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "made.wav"
        result = tt.transfer(source, model, target, tt.Knobs(**turned), subtype="FLOAT")
        return Sound(result, *read_audio(target))


def measure(case, before, after):
    """The two numbers of a case."""
    if case.knob != "seed":
        return case.measure(before), case.measure(after)
    apart = np.mean((before.audio - after.audio) ** 2) / np.mean(before.audio**2)
    return float("-inf"), float(10 * np.log10(max(1e-12, apart)))


def draw(case, before, after, path):
    """The picture of a case."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 1.9), layout="constrained")
    axes = figure.add_subplot()
    for label, sound, colour in (("before", before, "#8a8f98"), ("after", after, "#b3261e")):
        axes.plot(*_curve(case.draw, sound), label=label, color=colour, linewidth=1.1)
    across = {"pitch": "seconds", "level": "seconds", "spectrum": "kHz"}[case.draw]
    axes.set(xlabel=across, ylabel="Hz" if case.draw == "pitch" else "dB")
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=90, metadata={"Software": None})


def _curve(kind, sound):
    if kind == "pitch":
        f0_hz = np.where(sound.notes, sound.result.conditioned.f0_hz, np.nan)
        return np.arange(len(f0_hz)) / 250, f0_hz
    power, hz = sound.spectra()
    if kind == "spectrum":
        smooth = np.convolve(power.mean(0), np.ones(5) / 5, mode="same")
        return hz / 1000, 10 * np.log10(np.maximum(1e-12, smooth))
    level = 10 * np.log10(np.maximum(1e-10, power.sum(1)))
    return np.arange(len(level)) * 512 / sound.rate, level


def page(rows):
    """The page as Markdown; rows are (case, before, after)."""
    from dlwa.ddsp.timbre_transfer._knobs import EFFECTS, RANGES, Knobs

    resting = Knobs()
    lines = [
        "# The knobs of timbre transfer",
        "",
        "Every knob, shown on the flute that comes with dlwa, played by the violin that",
        "`./dlwa.py demo` trains. No knob needs to be touched: at rest the recording and the",
        "training decide, and `--explain` says what was chosen. Numbers and pictures are made by",
        "`python -m benchmarks.knobs`.",
        "",
    ]
    for case, before, after in rows:
        low, high = RANGES.get(case.knob, ("off", "on"))
        rest = getattr(resting, case.knob)
        rest = {True: "on", False: "off"}.get(rest, rest) if isinstance(rest, bool) else rest
        lines += [
            f"## {case.knob}",
            "",
            f"{EFFECTS[case.knob]} {low} to {high}, at rest {rest}.",
            "",
            f"{_turned(case)}: {case.measured} {_number(before, case.unit)} → "
            f"{_number(after, case.unit)}.",
            "",
            *([ROOM, ""] if case.knob == "reverb" else []),
            f"![{case.knob} before and after](figures/knob_{case.knob}.png)",
            "",
        ]
    return "\n".join(lines)


def _turned(case):
    where = {**{case.knob: None}, **case.before}[case.knob], case.after[case.knob]
    words = {None: "at rest", True: "on", False: "off"}
    names = [words[v] if v is None or isinstance(v, bool) else str(v) for v in where]
    return f"From {names[0]} to {names[1]}"


def _number(value, unit):
    if value == float("-inf"):
        return "none"
    digits = 0 if unit in ("%", "Hz") else 1
    return f"{value:.{digits}f} {unit}"


def main():
    """Make the page and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model_dir", type=Path, required=True, help="A trained model.")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="Where the page goes.")
    given = parser.parse_args()
    from dlwa.ddsp import quiet, timbre_transfer

    quiet.import_tensorflow()
    model = timbre_transfer.load_model(given.model_dir)
    (given.docs / "figures").mkdir(exist_ok=True)
    rows = []
    for case in CASES:
        with in_a_room() if case.knob == "reverb" else contextlib.nullcontext():
            before, after = (play(model, SOURCE, turned) for turned in (case.before, case.after))
        rows.append((case, *measure(case, before, after)))
        draw(case, before, after, given.docs / "figures" / f"knob_{case.knob}.png")
        print(case.knob, *rows[-1][1:], flush=True)
    (given.docs / "knobs.md").write_text(page(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
