"""Command audit: judge recordings, report how far it is, print one JSON document."""

import argparse
import contextlib
import json
import sys
from pathlib import Path

from dlwa import runfiles
from dlwa.ddsp.failures import fail

_NOT_FOUND = 3


def main(argv=None):
    """Run the command and leave the process with its exit code."""
    try:
        sys.exit(run(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:
        sys.exit(130)


def run(argv):
    """Run the command; returns its exit code: 0, or 3 where there are no recordings."""
    given = _parser().parse_args(argv)
    missing = _missing_libraries()
    if missing:
        return fail(f"auditing needs {', '.join(missing)}", "pip install 'dlwa[audio]'", 1)
    from dlwa.ddsp.audio_io import NoRecordingsError, is_audio_name, recordings_in
    from dlwa.ddsp.audit._folder import audit_files

    try:
        folder = given.path if given.path.is_dir() else None
        is_recording = given.path.is_file() and is_audio_name(given.path)
        paths = [given.path] if is_recording else recordings_in(given.path, "path")
    except NoRecordingsError as error:
        return fail(str(error), error.hint, _NOT_FOUND)
    found = audit_files(paths, folder, Teller(paths))
    if given.report:
        runfiles.write_json(given.report, found.as_dict())
    else:
        print(json.dumps(found.as_dict(), ensure_ascii=False))
    return 0


class Teller:
    """Writes how many seconds of audio are done into the folder of the run, if there is one."""

    def __init__(self, paths):
        self._total_s = _seconds(paths) if runfiles.run_dir() else 0.0
        self._done_s = 0.0

    def __call__(self, seconds, name):
        """Count seconds of audio as done."""
        self._done_s = min(self._done_s + seconds, self._total_s)
        done, total = round(self._done_s, 1), round(self._total_s, 1)
        runfiles.tell_progress(done, total, "s of audio", name)


def _seconds(paths):
    """What the headers of the readable ones say in all."""
    from dlwa.ddsp.audio_io import AudioFileError, probe

    total = 0.0
    for path in paths:
        with contextlib.suppress(AudioFileError):
            total += probe(path).seconds
    return total


def _missing_libraries():
    import importlib.util

    return [n for n in ("numpy", "soundfile", "soxr") if importlib.util.find_spec(n) is None]


def _parser():
    parser = argparse.ArgumentParser(prog="audit", description=__doc__, allow_abbrev=False)
    parser.add_argument("path", type=Path, help="Folder of recordings, or one recording.")
    parser.add_argument("--report", type=Path, help="Write the document here, not to stdout.")
    return parser
