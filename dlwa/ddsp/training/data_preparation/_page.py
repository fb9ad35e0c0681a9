"""The page of a data set: report.html, to look at and listen to what a model will learn from."""

from pathlib import Path

from dlwa import runfiles
from dlwa.ddsp import pages
from dlwa.ddsp.audit import SetAudit
from dlwa.ddsp.notes import note_name, to_midi
from dlwa.ddsp.training.data_preparation._analysis import features_key
from dlwa.ddsp.training.data_preparation._cache import Cache
from dlwa.ddsp.training.data_preparation._clean_road import Material, Prepared
from dlwa.ddsp.training.data_preparation._keys import key
from dlwa.words import counted

PAGE_FILE = "report.html"
_MOST_CARDS = 10
_EXCERPT_S = 12.0


def write_page(prepared: Prepared, judged: SetAudit, folder: Path, cache: Cache) -> Path:
    """Write the page beside the records; pictures of unchanged recordings come from the cache."""
    shown = prepared.materials[:_MOST_CARDS]
    page = pages.Page(
        title=f"Data set {_name(folder)}",
        summary="What a model will learn from: "
        f"{counted(len(prepared.materials), 'recording')}, cut into "
        f"{counted(len(prepared.train.windows), 'overlapping example')}.",
        facts=_facts(prepared, judged),
        sections=[
            _verdict(judged),
            _map(judged, cache),
            pages.Section(
                "The recordings",
                _how_many(prepared, shown),
                pages.cards([_card(m, prepared, judged, cache) for m in shown]),
            ),
            pages.Section("Every recording in numbers", _table(prepared, judged)),
            _refused(prepared),
            pages.Section("How it was made", pages.definitions(_settings(prepared))),
        ],
    )
    return page.write(folder / PAGE_FILE)


def _name(folder: Path) -> str:
    """The data set's name in the workspace, if it is made by a run; else that of its folder."""
    own = runfiles.run_dir()
    record = runfiles.read_json(own / runfiles.RECORD_FILE) if own else None
    named = record or {}
    if named.get("owner") and named.get("name"):
        name = str(named["name"])
        return name if name.startswith(f"{named['owner']}/") else f"{named['owner']}/{name}"
    return folder.resolve().name


def _facts(prepared: Prepared, judged: SetAudit) -> list[tuple[str, str]]:
    train, heldout = prepared.train, prepared.heldout
    facts = [
        ("verdict", judged.verdict),
        ("to learn from", f"{train.seconds / 60:.1f} min"),
        ("held out", f"{heldout.seconds / 60:.1f} min"),
        ("examples", f"{len(train.windows)} of {prepared.settings.example_secs:g} s"),
        ("silence in them", f"{100 * train.silent_share:.0f} %"),
        ("loud to soft", f"{judged.dynamic_range_db:.0f} dB"),
    ]
    if judged.coverage:
        named = judged.coverage.as_dict()
        facts.append(("notes", f"{named['from_note'][0]} to {named['to_note'][-1]}"))
    return facts


def _verdict(judged: SetAudit) -> pages.Section:
    missing = [f"missing: {words}" for words in judged.missing]
    return pages.Section(
        "Is it good enough?",
        pages.verdict(f"{judged.verdict}: {judged.summary}", bad=judged.verdict == "poor"),
        pages.bullets([*missing, *judged.advice]),
    )


def _map(judged: SetAudit, cache: Cache) -> pages.Section | None:
    if not judged.coverage:
        return None

    def draw() -> dict:
        from dlwa.ddsp.training.data_preparation._pictures import coverage_picture

        return {"picture": coverage_picture(judged.coverage)}

    kept = _drawn(cache, draw, what="map", coverage=judged.coverage.as_dict())
    card = pages.Card(
        "Seconds by note and loudness",
        kept["picture"],
        "Map of notes and loudness: how many seconds of each were recorded.",
        "A model plays well where this map is dark, and guesses where it is empty.",
    )
    return pages.Section("Which notes, how loud", pages.cards([card], pairs=True))


def _card(material: Material, prepared: Prepared, judged: SetAudit, cache: Cache) -> pages.Card:
    recording, frame_rate = material.recording, prepared.settings.frame_rate
    excerpt = _excerpt(material, frame_rate)

    def draw() -> dict:
        from dlwa.ddsp.training.data_preparation._pictures import recording_picture

        rate = prepared.settings.sample_rate
        heard = recording.audio[int(excerpt[0] * rate) : int(excerpt[1] * rate)]
        picture = recording_picture(recording, material.strip, frame_rate, excerpt)
        return {"picture": picture, "sound": pages.sound_uri(heard, rate)}

    kept = _drawn(
        cache,
        draw,
        features=features_key(recording.hash, prepared.settings),
        sample_rate=prepared.settings.sample_rate,
        strip=[[piece.start, piece.stop] for piece in material.strip],
    )
    held = recording.source.name in prepared.heldout.names
    about = ["held out" if held else "to learn from"]
    about += judged.remarks.get(recording.source.name, [])
    return pages.Card(
        recording.source.name,
        kept["picture"],
        "Waveform of the whole recording; spectrogram of an excerpt with its pitch as a line; "
        "loudness of the excerpt.",
        f"{', '.join(about)}; heard and seen: {excerpt[0]:.0f} to {excerpt[1]:.0f} s (underlined "
        "above). Pale is not used.",
        kept["sound"],
    )


def _excerpt(material: Material, frame_rate: int) -> tuple[float, float]:
    """Where the first long stretch of sound begins, and 12 s later at most."""
    longest = max(material.strip, key=lambda piece: piece.n_frames)
    start = longest.start / frame_rate
    end = (material.recording.n_frames - 1) / frame_rate
    return start, max(min(start + _EXCERPT_S, end), start + 0.05)


def _drawn(cache: Cache, draw, **made_from) -> dict:
    name = key("page", **made_from)
    kept = cache.document(name)
    if kept is None:
        kept = draw()
        cache.put_document(name, kept)
    return kept


def _how_many(prepared: Prepared, shown: list[Material]) -> str | None:
    count = len(prepared.materials)
    if count == len(shown):
        return None
    return pages.paragraph(f"The first {len(shown)} of {count}; all are in the table below.")


def _table(prepared: Prepared, judged: SetAudit) -> str:
    heldout = set(prepared.heldout.names)
    rows = [
        [
            file.file,
            round(file.seconds, 1),
            file.sample_rate,
            file.peak_db,
            file.noise_floor_db,
            round(100 * file.silent_share),
            round(100 * file.voiced_share),
            " to ".join(note_name(to_midi(hz)) for hz in file.f0_hz),
            "held out" if file.file in heldout else "training",
            ", ".join(judged.remarks.get(file.file, [])),
        ]
        for file in judged.files
    ]
    columns = ["recording", "seconds", "rate Hz", "peak dB", "noise dB", "silent %", "pitched %"]
    return pages.table([*columns, "notes", "part", "remarks"], rows)


def _refused(prepared: Prepared) -> pages.Section | None:
    if not prepared.refused:
        return None
    rows = [[refusal.name, refusal.reason] for refusal in prepared.refused]
    return pages.Section("Not used", pages.table(["file", "because it"], rows))


def _settings(prepared: Prepared) -> list[tuple[str, str]]:
    settings = prepared.settings
    return [
        ("pitch", settings.pitch_title()),
        ("sample rate", f"{settings.sample_rate} Hz"),
        ("frames", f"{settings.frame_rate} a second"),
        ("example", f"{settings.example_secs:g} s every {settings.hop_secs:g} s"),
        ("held out", prepared.how_split),
        ("left out", f"{counted(prepared.train.dropped, 'example')}, too silent"),
    ]
