"""Sending to a laptop what it lacks."""

from typing import Any

from dlwa.actions.sync import bundle, files
from dlwa.actions.sync.far._places import folder_of
from dlwa.actions.sync.files import Entry
from dlwa.actions.sync.wire import Wire
from dlwa.workspace import Workspace


def fetch(wire: Wire, request: dict[str, Any], workspace: Workspace) -> None:
    name, folder = folder_of(request, workspace)
    offered = bundle.offer(folder, str(request["what"]), str(name))
    try:
        listed = [entry.document() for entry in offered.entries]
        wire.send(files=listed, refused=offered.refused, step=offered.step)
        for number, blocks, sha256 in wire.message()["want"]:
            entry = offered.entries[number]
            _send(wire, offered, number, entry, (blocks, sha256))
        wire.send(finished=True)
    finally:
        offered.close()


def _send(
    wire: Wire, offered: bundle.Offer, number: int, entry: Entry, has: tuple[list[str], str]
) -> None:
    blocks, sha256 = has
    try:
        with offered.opened(entry) as stream:
            if sha256:
                if files.digest_of_stream(stream) == sha256:
                    wire.send(same=number)
                    return
                stream.seek(0)
            files.send_file(wire, stream, number, entry, blocks, lambda count: None)
    except ConnectionError:
        raise
    except OSError:  # gone, or its disk is broken: the others can come all the same
        wire.send(gone=number)
