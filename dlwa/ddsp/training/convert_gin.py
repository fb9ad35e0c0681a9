"""Translate a gin file written for an older version of the field's package.

    python -m dlwa.ddsp.training.convert_gin OLD.gin --report=FOUND.json

The report holds the new text, what was changed, and what is still not right. The old file stays as
it is.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from dlwa import runfiles
from dlwa.ddsp import quiet


def convert(path):
    """The report on a file: {"text", "changes", "problem", "hint"}; no problem is an empty one.

    Raises:
        OSError: the file cannot be read.
        UnicodeDecodeError: it is no text.
    """
    from dlwa.ddsp.training import gin_util

    text, changes = gin_util.convert_text(Path(path).read_text(encoding="utf-8-sig"))
    problem, hint = _what_is_wrong(text, Path(path))
    return {"text": text, "changes": changes, "problem": problem, "hint": hint}


def _what_is_wrong(text, path):
    """The first thing a strict reader would refuse, and what was probably meant."""
    import gin

    from dlwa.ddsp.training import gin_util

    gin.clear_config()
    config = gin_util.Config([str(path.resolve().parent)])
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder) / path.name
        aside.write_text(text, encoding="utf-8")
        try:
            # Alone a file is often incomplete; macros it leaves to others are no mistake.
            config.add_file(str(aside))
        except gin_util.GinError as error:
            place = error.place.replace(str(aside), str(path))
            return f"{place}: {error.problem}" if place else error.problem, error.hint
        finally:
            gin.clear_config()
    return "", ""


def main(argv=None):
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(description="Translate an older gin file.")
    parser.add_argument("old", help="the file")
    parser.add_argument("--report", required=True, help="JSON file to write")
    given = parser.parse_args(argv)
    quiet.import_tensorflow()
    try:
        report = convert(given.old)
    except UnicodeDecodeError:
        print(f"error: {given.old} is not a text file", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {given.old}: {error.strerror}", file=sys.stderr)
        return 3
    runfiles.write_json(Path(given.report), report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
