"""What a model learned from: the papers of its data set and the statistics kept beside it."""

from pathlib import Path

from dlwa import runfiles
from dlwa.ddsp import pages
from dlwa.ddsp.pages import Card, Section
from dlwa.ddsp.report import _pictures
from dlwa.ddsp.report._config import setting

PAPER = "dataset.json"
_MOST_FILES = 200
_DESCRIBED = (
    ("pitch of the notes", "pitch_note", "MIDI"),
    ("loudness of the notes", "loudness_note", "dB"),
    ("power of the notes", "power_note", "dB"),
)


def dataset(training, dataset_dir=None):
    """The section about the data set.

    Args:
        training: a Training.
        dataset_dir: where it lies; default: where the configuration says.
    """
    folder = Path(dataset_dir) if dataset_dir else _configured(training.folder)
    paper = runfiles.read_json(folder / PAPER) if folder else None
    parts = []
    if folder is not None and not folder.is_dir():
        parts.append(pages.verdict(f"The data set is gone: there is no {folder}.", bad=True))
    elif paper is None:
        where = f" ({folder})" if folder else ""
        parts.append(pages.paragraph(f"The data set{where} has no {PAPER}."))
    else:
        parts += [_judgement(paper), pages.definitions(_numbers(paper)), _files(paper)]
    return Section("Data set", *parts, *_statistics(training.folder, folder))


def _configured(model_folder):
    pattern = setting(model_folder, "file_pattern")
    if not pattern or pattern == "None":
        return None
    folder = str(Path(pattern.strip("'\"")).parent)
    return Path(folder.replace("[[]", "[").replace("[*]", "*").replace("[?]", "?"))


def _judgement(paper):
    """What was thought of the recordings when the data set was made."""
    found = paper.get("audit")
    if not isinstance(found, dict) or not found.get("verdict"):
        return None
    words = f"Found {found['verdict']}: {found.get('summary', '')}".rstrip(": ")
    said = [*(found.get("missing") or []), *(found.get("advice") or [])]
    return pages.paragraph(words) + pages.bullets(said)


def _numbers(paper):
    numbers = [("recordings used", len(paper.get("used") or []))]
    if paper.get("refused"):
        numbers.append(("recordings refused", len(paper["refused"])))
    for name, words in (("train", "to learn from"), ("heldout", "held out")):
        part = paper.get(name) or {}
        if "seconds" in part:
            numbers.append((words, length(float(part["seconds"]))))
    settings = paper.get("settings") or {}
    for name, unit in (("sample_rate", "Hz"), ("frame_rate", "frames/s"), ("pitch_model", "")):
        if settings.get(name):
            numbers.append((name.replace("_", " "), f"{settings[name]} {unit}".strip()))
    return numbers


def length(seconds):
    """How much sound there is, for people."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def _files(paper):
    used, refused = paper.get("used") or [], paper.get("refused") or []
    heldout = set((paper.get("heldout") or {}).get("files") or [])
    rows = [
        [
            entry.get("file", ""),
            entry.get("seconds", ""),
            _share(entry.get("clear_pitch_share")),
            "–".join(f"{hz:.0f}" for hz in entry.get("pitch_hz") or []),
            "held out" if entry.get("file") in heldout else "",
        ]
        for entry in used
    ]
    rows += [[entry.get("file", ""), "", "", "", entry.get("reason", "")] for entry in refused]
    left_out = len(rows) - _MOST_FILES
    columns = ["recording", "seconds", "clear pitch", "Hz", "remark"]
    more = pages.paragraph(f"{left_out} more left out.") if left_out > 0 else ""
    return pages.details("The recordings", pages.table(columns, rows[:_MOST_FILES]), more)


def _share(value):
    return f"{value:.0%}" if isinstance(value, int | float) else ""


def _statistics(*folders):
    """A table and a picture of the statistics; the model folder keeps them if the set is gone."""
    from dlwa.ddsp.training import postprocessing

    for folder in folders:
        try:
            statistics = postprocessing.load_statistics(folder) if folder else None
        except ValueError as error:
            return [pages.verdict(f"The statistics cannot be read: {error}", bad=True)]
        if statistics:
            return _described(statistics)
    return [pages.paragraph("There are no statistics of the data set.")]


def _described(statistics):
    rows = []
    for words, name, unit in _DESCRIBED:
        keys = [f"{kind}_{name}" for kind in ("min", "mean", "max", "std")]
        if all(key in statistics for key in keys):
            rows.append([words, *(round(float(statistics[key]), 1) for key in keys), unit])
    card = Card(
        "Loudness",
        _pictures.loudness_spread(statistics),
        "Histogram of the loudness of the notes.",
        "What the model has learned to play soft and loud.",
    )
    return [
        pages.table(["over all recordings", "lowest", "mean", "highest", "spread", "unit"], rows),
        pages.cards([card], pairs=True),
    ]
