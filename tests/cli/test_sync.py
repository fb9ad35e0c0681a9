"""What `push` and `fetch` say, on one machine."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlwa.actions.sync import near
from dlwa.cli import _carried, main, options, output
from dlwa.cli._sync_told import tell
from dlwa.errors import NetworkError
from dlwa.locks import FileLock


@pytest.fixture
def flute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of recordings beside a workspace."""
    (tmp_path / ".dlwa").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLWA_OWNER", "ann")
    folder = tmp_path / "flute"
    folder.mkdir()
    for name in ("a.wav", "b.wav"):
        (folder / name).write_bytes(name.encode())
    yield folder
    output.use_json(False)
    options.remember(lab=None)


def test_a_file_that_has_grown_since_it_was_listed_arrives_as_it_is_by_now(flute, monkeypatch):
    sends = near.push

    def grows(*words, **more):
        with (flute / "a.wav").open("ab") as stream:
            stream.write(b" and more")
        monkeypatch.setattr(near, "push", sends)
        return sends(*words, **more)

    monkeypatch.setattr(near, "push", grows)
    assert main(["push", "flute"]) == 0
    assert Path("inputs/ann/flute/a.wav").read_bytes() == b"a.wav and more"


def test_a_line_that_breaks_often_is_gone_on_with_as_long_as_something_arrives(
    flute, tmp_path, monkeypatch
):
    """A laptop on a train: more cuts than are borne without progress."""
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs/vm.yaml").write_text("{host: vm, root: /data}")
    tries: list[float] = []

    def breaks(wire, folder, listed, request, shown, **more):
        shown.total(99 << 20, 1)
        shown.moved(min(len(tries), 20) << 20)
        raise NetworkError("the connection was lost")

    monkeypatch.setattr(near, "push", breaks)
    monkeypatch.setattr(_carried, "open_wire", lambda *words, **more: contextlib.nullcontext())
    monkeypatch.setattr(_carried.time, "sleep", tries.append)
    assert main(["--lab", "vm", "push", "flute"]) == 5
    assert tries == [1.0] * 20 + [1.0, 2.0, 4.0, 8.0, 15.0, 30.0]


def test_what_was_sent_before_the_line_broke_is_told_as_sent(flute, tmp_path, monkeypatch, capsys):
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs/vm.yaml").write_text("{host: vm, root: /data}")
    tries = []

    def breaks_once(wire, folder, listed, request, shown, *, result, **more):
        tries.append(result)
        if len(tries) == 1:
            result.sent, result.deleted, result.bytes = ["a.wav"], ["old.wav"], 100
            raise NetworkError("the connection was lost")
        result.sent, result.same, result.bytes = ["b.wav"], ["a.wav", "c.wav"], 10
        return result

    monkeypatch.setattr(near, "push", breaks_once)
    monkeypatch.setattr(_carried, "open_wire", lambda *words, **more: contextlib.nullcontext())
    monkeypatch.setattr(_carried.time, "sleep", lambda seconds: None)
    assert main(["--lab", "vm", "push", "flute", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sent"] == ["a.wav", "b.wav"] and told["same"] == ["c.wav"]
    assert told["deleted"] == ["old.wav"] and told["bytes"] == 110


def test_a_dry_run_writes_nothing_at_all(flute, tmp_path):
    assert main(["push", "flute"]) == 0
    shutil.rmtree(tmp_path / ".dlwa/locks")
    before = sorted(tmp_path.rglob("*"))
    assert main(["push", "flute", "--delete", "--dry-run"]) == 0
    assert main(["fetch", "ann/flute", "down", "--from", "inputs", "--dry-run"]) == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_who_has_not_said_who_they_are_is_asked_to_before_anything(flute, monkeypatch, capsys):
    """The login of a laptop says nothing about who somebody is in a lab."""
    Path("labs").mkdir()
    Path("labs/vm.yaml").write_text("{host: vm, root: /data}")
    monkeypatch.delenv("DLWA_OWNER")
    assert main(["--lab", "vm", "push", "flute"]) == 2
    assert "lab use vm --owner your_name" in capsys.readouterr().err


def test_a_dry_run_tells_what_would_be_removed(flute, capsys):
    assert main(["push", "flute"]) == 0
    (flute / "a.wav").unlink()
    assert main(["push", "flute", "--delete", "--dry-run"]) == 0
    told = capsys.readouterr().err
    assert "would remove 1 file there\n  a.wav" in told
    assert main(["push", "flute", "--dry-run"]) == 0
    assert "remove" not in capsys.readouterr().err
    assert Path("inputs/ann/flute/a.wav").exists()


def test_what_came_after_the_question_is_not_removed(flute, monkeypatch):
    assert main(["push", "flute"]) == 0
    there = Path("inputs/ann/flute")
    (flute / "a.wav").unlink()

    def yes(question, **more):
        assert "Remove 1 file from inputs/ann/flute" in question
        (there / "late.wav").write_bytes(b"came meanwhile")
        return True

    monkeypatch.setattr(output, "confirm", yes)
    assert main(["push", "flute", "--delete"]) == 0
    assert {path.name for path in there.iterdir()} == {"b.wav", "late.wav"}


def test_what_lies_here_is_not_removed_there_though_it_is_not_sent(flute, capsys):
    (flute / "notes.txt").write_text("not audio")
    assert main(["push", "flute", "--all"]) == 0
    (flute / "A.wav").write_text("twin")
    (flute / "b.wav").unlink()
    assert main(["push", "flute", "--delete", "--yes"]) == 8
    there = {path.name for path in Path("inputs/ann/flute").iterdir()}
    assert there == {"A.wav", "a.wav", "notes.txt"}


def test_where_nothing_could_be_sent_nothing_is_called_verified(tmp_path, flute, capsys):
    links = tmp_path / "links"
    links.mkdir()
    (links / "a.wav").symlink_to(flute / "a.wav")
    assert main(["push", "links"]) == 1
    told = capsys.readouterr().err
    assert "a.wav' was left out: it is a link" in told and "verified" not in told


def test_what_a_lab_writes_steers_no_terminal(capsys):
    hostile = near.Result(refused={"a": "\x1b[2Jgone"}, extras=["b\x07\u202e"])
    assert tell(hostile, ("sent", "vm:inputs/ann/x", 1.0), dry_run=True, delete=True) == 1
    assert not {"\x1b", "\x07", "\u202e"} & set(capsys.readouterr().err)


def test_nothing_is_fetched_into_the_folder_of_a_living_run(flute, tmp_path, capsys):
    (tmp_path / "models/ddsp/ann/violin").mkdir(parents=True)
    (tmp_path / "models/ddsp/ann/violin/notes.txt").write_text("mine")
    target = tmp_path / "down/violin"
    target.mkdir(parents=True)
    with FileLock(target / ".run.lock"):
        assert main(["fetch", "ann/violin", "down", "--all"]) == 6
    assert "a run goes on in" in capsys.readouterr().err
    assert main(["fetch", "ann/violin", "down", "--all"]) == 0


@pytest.mark.parametrize("in_the_way", ["down", "down/flute"])
def test_a_file_in_the_place_of_a_folder_is_told(flute, tmp_path, capsys, in_the_way):
    assert main(["push", "flute"]) == 0
    place = tmp_path / in_the_way
    place.parent.mkdir(exist_ok=True)
    place.touch()
    assert main(["fetch", "ann/flute", "down", "--from", "inputs"]) == 2
    assert f"{in_the_way} is a file, expected a folder" in capsys.readouterr().err


def test_the_same_in_two_windows_is_refused(flute, capsys):
    place = Path(".dlwa/locks/push.inputs+ann+flute.lock")
    place.parent.mkdir()
    with FileLock(place):
        assert main(["push", "flute"]) == 6
    assert "a push of inputs/ann/flute goes on in another window" in capsys.readouterr().err


def test_long_lists_say_how_much_more_there_is(flute, capsys):
    for number in range(30):
        (flute / f"{number:02}.wav").write_text(str(number))
    assert main(["push", "flute", "--dry-run"]) == 0
    assert "  19.wav\n  ... and 12 more\n" in capsys.readouterr().err


def test_who_fetched_the_latest_checkpoint_is_told_how_to_hear_it(flute, tmp_path, capsys):
    model = tmp_path / "models/ddsp/ann/flute"
    model.mkdir(parents=True)
    for step in (100, 200):
        for ending in ("index", "data-00000-of-00001"):
            (model / f"ckpt-{step}.{ending}").write_text(str(step))
    (model / "checkpoints.json").write_text(json.dumps({"best_step": 100}))
    assert main(["fetch", "ann/flute", "down"]) == 0
    assert "--model_name ./down/flute\n" in capsys.readouterr().err
    assert main(["fetch", "ann/flute", "down", "--latest"]) == 0
    assert "--model_name ./down/flute --checkpoint latest\n" in capsys.readouterr().err


def test_a_model_that_cannot_come_whole_leaves_what_is_here(flute, tmp_path, capsys, monkeypatch):
    model = tmp_path / "models/ddsp/ann/flute"
    model.mkdir(parents=True)
    for name in ("ckpt-1.index", "ckpt-1.data-00000-of-00001", "operative_config-0.gin"):
        (model / name).write_text("x")
    there = tmp_path / "down/flute"
    there.mkdir(parents=True)
    (there / "operative_config-0.gin").symlink_to(flute)
    assert main(["fetch", "ann/flute", "down"]) == 1
    told = capsys.readouterr().err
    assert "is a link there" in told and "taken whole or not at all" in told
    assert [path.name for path in there.glob("[!.]*")] == ["operative_config-0.gin"]


def test_a_dry_fetch_writes_nothing_and_what_is_left_out_ends_with_eight(flute, tmp_path, capsys):
    there = tmp_path / "outputs/ann/mix"
    there.mkdir(parents=True)
    for name in ("good.wav", "CON.wav", "a:b.wav", "Twin.wav", "twin.wav", "esc\x1b[31m.wav"):
        (there / name).write_text(name)
    words = ["fetch", "ann/mix", "down", "--from", "outputs", "--json"]
    assert main([*words, "--dry-run"]) == 8
    assert not (tmp_path / "down").exists()
    dry = json.loads(capsys.readouterr().out)
    assert main(words) == 8
    done = json.loads(capsys.readouterr().out)
    assert done["sent"] == dry["sent"] == ["Twin.wav", "good.wav"]
    assert done["refused"].keys() == {"CON.wav", "a:b.wav", "twin.wav", "esc\x1b[31m.wav"}
    assert {path.name for path in (tmp_path / "down/mix").iterdir()} == {"Twin.wav", "good.wav"}
