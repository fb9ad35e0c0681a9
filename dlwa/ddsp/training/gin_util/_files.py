"""Where gin files are looked for."""

import difflib
from pathlib import Path

from ._errors import GinError

PACKAGE_FOLDER = Path(__file__).resolve().parent.parent / "gin"


class SearchPath:
    """The folders in which a gin file may lie.

    In this order: beside the file that includes it, the current folder, the files that come with
    dlwa, then the user's folders.
    """

    def __init__(self, folders=()):
        self.folders = [Path(), PACKAGE_FOLDER, *(Path(f).expanduser() for f in folders)]

    def find(self, name, beside=None, place=""):
        """The path of a gin file.

        Args:
            name: as written in --gin_file or in an include.
            beside: the file that includes it.
            place: where it is asked for, for the error.

        Raises:
            GinError: if there is no such file; lists the folders and the nearest names.
        """
        name = str(name)
        if "://" in name:
            raise GinError(
                f"gin_file={name!r} must be a local file", place, f"Download it: gsutil cp {name} ."
            )
        wanted = Path(name).expanduser()
        folders = ([Path(beside).parent] if beside else []) + self.folders
        for folder in folders:
            if (folder / wanted).is_file():
                return folder / wanted
        searched = ", ".join(dict.fromkeys(str(f.resolve()) for f in folders))
        raise GinError(
            f"gin_file={name!r} not found; searched in {searched}", place, self._nearest(name)
        )

    def known_files(self):
        """The names by which the files of the package and the user's folders can be asked for."""
        return sorted(
            {
                path.relative_to(folder).as_posix()
                for folder in self.folders[1:]
                for path in folder.rglob("*.gin")
            }
        )

    def _nearest(self, name):
        known = self.known_files()
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        stem = Path(name).stem
        close += [k for k in known if Path(k).stem == stem and k not in close]
        if close:
            return f"Did you mean {' or '.join(close[:3])}?"
        return "Give the path of the file, or its folder as --gin_search_path."


def is_shipped(path):
    """Whether a gin file came with dlwa."""
    return Path(path).resolve().is_relative_to(PACKAGE_FOLDER)
