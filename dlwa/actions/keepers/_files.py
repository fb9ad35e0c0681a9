"""Small files in `.dlwa` that whoever keeps runs has to have."""

from contextlib import suppress
from pathlib import Path

from dlwa import runfiles
from dlwa.errors import DlwaError
from dlwa.shell import quote


def keep_file(path: Path, text: str) -> None:
    """Make a file say exactly this, also one that another login of the group wrote.

    It is written aside and takes the old one's place: the folder is the group's even where the
    file is not. Raises `DlwaError`; then what was there is still there.
    """
    data = text.encode("utf-8")
    with suppress(OSError):
        if path.read_bytes() == data:
            return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with runfiles.written_aside(path) as aside:
            aside.write_bytes(data)
            aside.chmod(0o664)
    except OSError as error:
        raise DlwaError(
            f"{path} cannot be written: {error.strerror}",
            hint=f"look at the folder and the disk: ls -la {quote(str(path.parent))}; "
            f"df -h {quote(str(path.parent))}",
        ) from error
