"""Draw the five figures of docs/explanation/synthesizer.md from what the synthesizer does.

make figures      or      python -m benchmarks.figures --folder docs/explanation/figures
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from dlwa.ddsp.quiet import import_tensorflow

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "explanation" / "figures"
NAMES = ("harmonic_distribution", "noise_filter", "reverb", "loss_spectrograms", "wavetable")
_COLOURS = 48  # a palette keeps the files small
_BLUE, _RED, _GREY = "#2066a8", "#c0392b", "#8a8a8a"


def harmonic_distribution(figure, data: dict) -> None:
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.4])
    left.bar(data["numbers"], 100 * data["shares"], color=_GREY)
    left.set(xlabel="harmonic", ylabel="share in %", title="The same shares ...")
    for (f0_hz, note), colour in zip(data["notes"].items(), (_BLUE, _RED), strict=True):
        right.plot(note["hz"], note["spectrum_db"], color=colour, lw=1, label=f"{f0_hz:.0f} Hz")
        k = np.arange(1, len(note["measured"]) + 1)
        asked = note["asked"][: len(k)]
        right.plot(k * f0_hz, 20 * np.log10(asked), "o", mfc="none", color=colour, ms=5)
    right.axvline(8000, color=_GREY, ls=":")
    right.set(xlabel="Hz", ylabel="dB", ylim=(-90, 0), title="... played at two pitches")
    right.legend(loc="upper right", frameon=False)


def noise_filter(figure, data: dict) -> None:
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.4])
    left.plot(1000 * np.arange(800) / 16000, data["audio"][:800], color=_GREY, lw=0.8)
    left.set(xlabel="milliseconds", title="Noise through the filter")
    right.plot(data["hz"], data["measured"], color=_BLUE, lw=1, label="measured in the noise")
    right.plot(data["bands_hz"], data["asked"], "o", color=_RED, ms=3, label="asked for, 65 bands")
    right.set(xlabel="Hz", ylabel="magnitude", title="Its spectrum")
    right.legend(loc="upper right", frameon=False)


def reverb(figure, data: dict) -> None:
    left, right = figure.subplots(1, 2, width_ratios=[1.4, 1])
    at = np.arange(len(data["wet"])) / 16000
    left.plot(at, data["wet"], color=_BLUE, lw=0.5, label="in the room")
    left.plot(at[:1600], data["dry"][:1600], color=_RED, lw=0.5, label="the note itself")
    left.set(xlabel="seconds", xlim=(0, 1), title="A tenth of a second of 440 Hz")
    for line in left.legend(loc="upper right", frameon=False).legend_handles:
        line.set_linewidth(2)
    right.plot(np.arange(len(data["curve_db"])) / 16000, data["curve_db"], color=_BLUE, lw=3)
    asked = data["asked_seconds_to_60_db"]
    right.plot([0, asked], [0, -60], color=_RED, lw=1, label=f"asked: 60 dB in {asked:.2f} s")
    right.set(
        xlabel="seconds", ylabel="dB", xlim=(0, 1), ylim=(-70, 3), title="Energy still to come"
    )
    right.legend(loc="upper right", frameon=False)


def loss_spectrograms(figure, data: dict) -> None:
    grid = figure.subplots(2, len(data["views"]), sharex=True, sharey=True)
    for column, (size, view) in zip(grid.T, data["views"].items(), strict=True):
        for axes, which in zip(column, ("target", "imitation"), strict=True):
            axes.imshow(
                view[which].T,
                origin="lower",
                aspect="auto",
                extent=(0, 2, 0, 8000),
                vmin=-9,
                vmax=4,
            )
            axes.set_ylim(0, 4000)
        column[0].set_title(f"{size} samples: loss {view['loss']:.2f}")
        column[1].set_xlabel("seconds")
    for axes, name in zip(grid[:, 0], ("target, Hz", "imitation, Hz"), strict=True):
        axes.set_ylabel(name)


def wavetable(figure, data: dict) -> None:
    left, middle, right = figure.subplots(1, 3)
    left.plot(data["table"], color=_GREY)
    left.set(xlabel="sample of 512", title="One period")
    looks = ((0.0, _BLUE, "o"), (-1.2, _RED, "x"))
    for (f0_hz, sound), (offset, colour, mark) in zip(data["sounds"].items(), looks, strict=True):
        at = 1000 * np.arange(480) / 16000
        middle.plot(at, sound["audio"][4000:4480] + offset, color=colour, label=f"{f0_hz:.0f} Hz")
        right.plot(
            data["numbers"], 20 * np.log10(sound["measured"]), mark, color=colour, mfc="none"
        )
    middle.set(xlabel="milliseconds", yticks=[], title="Read at two pitches")
    middle.legend(loc="center right", bbox_to_anchor=(1.0, 0.47), frameon=False)
    right.plot(data["numbers"], 20 * np.log10(data["asked"]), color=_GREY, lw=0.8)
    right.set(xlabel="harmonic", ylabel="dB", title="Harmonics, drawn and heard")


def draw(name: str, folder: Path) -> Path:
    """Compute and draw one figure; return the PNG file."""
    import io

    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure
    from PIL import Image

    from benchmarks import figure_numbers

    data = getattr(figure_numbers, name)()
    figure = Figure(figsize=(9, 4.6 if name == "loss_spectrograms" else 3.2), layout="constrained")
    globals()[name](figure, data)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=100)
    path = folder / f"{name}.png"
    picture = Image.open(drawn).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)
    return path


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help=", ".join(NAMES))
    given = parser.parse_args(argv)
    if unknown := sorted(set(given.names) - set(NAMES)):
        parser.error(f"NAME={unknown[0]!r} must be one of {', '.join(NAMES)}")
    import_tensorflow()
    given.folder.mkdir(parents=True, exist_ok=True)
    for name in given.names:
        path = draw(name, given.folder)
        print(f"{path} ({path.stat().st_size / 1024:.0f} KB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
