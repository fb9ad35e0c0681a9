"""Push and fetch against a real sshd: cuts, flipped bits, names, other clients."""

import hashlib
import json
import os
import signal
import subprocess
import threading
import wave
from pathlib import Path

import pytest

from dlwa.actions.sync.names import PARTS
from tests.integration.far_lab import FarLab
from tests.integration.lab import wait_for
from tests.integration.sshd import needs_sshd, random_bytes

pytestmark = [pytest.mark.integration, needs_sshd]
BIG = 8 << 20


def recording(path: Path, seconds: float = 1.0, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(16000)
        stream.writeframes(random_bytes(int(seconds * 16000) * 2, seed))
    return path


def tree(folder: Path) -> dict[str, str]:
    """Relative path -> digest of every file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def answer(done) -> dict:
    return json.loads(done.stdout)


def test_push_brings_recordings_and_repeats_nothing(world: FarLab):
    violin = world.laptop / "violin"
    for number in range(5):
        recording(violin / f"take {number}.wav", 0.2, number)
    (violin / "notes.txt").write_text("not audio")
    done = world.dlwa("push", "violin", "--lab", "vm")
    assert done.returncode == 0, done.stderr
    assert "5 recordings" in done.stderr and "minutes are little" in done.stderr
    there = world.far.root / "inputs/ann/violin"
    assert sorted(tree(there)) == [f"take {number}.wav" for number in range(5)]
    again = world.dlwa("push", "violin", "--lab", "vm", "--json")
    assert answer(again)["sent"] == [] and len(answer(again)["same"]) == 5
    os.utime(violin / "take 1.wav")
    touched = answer(world.dlwa("push", "violin", "--lab", "vm", "--json"))
    assert touched["sent"] == [] and touched["bytes"] < 1000
    recording(violin / "take 1.wav", 0.2, 99)
    changed = answer(world.dlwa("push", "violin", "--lab", "vm", "--json"))
    assert changed["sent"] == ["take 1.wav"]
    assert tree(there)["take 1.wav"] == tree(violin)["take 1.wav"]
    assert not list(there.rglob(PARTS))


def test_nothing_is_deleted_unless_asked_and_agreed(world: FarLab):
    recording(world.laptop / "violin/a.wav")
    other = recording(world.far.root / "inputs/ann/violin/old/b.wav")
    assert world.dlwa("push", "violin", "--lab", "vm").returncode == 0
    assert other.exists()
    assert world.dlwa("push", "violin", "--lab", "vm", "--delete").returncode == 2
    shown = answer(world.dlwa("push", "violin", "--lab", "vm", "--delete", "--dry-run", "--json"))
    assert shown["extras"] == ["old/b.wav"] and other.exists()
    done = answer(world.dlwa("push", "violin", "--lab", "vm", "--delete", "--yes", "--json"))
    assert done["deleted"] == ["old/b.wav"] and not other.parent.exists()


def test_a_cut_push_goes_on_by_itself(world: FarLab):
    (world.laptop / "violin").mkdir()
    (world.laptop / "violin/long.wav").write_bytes(random_bytes(BIG))
    world.proxy.cut_after = BIG // 2
    done = world.dlwa("push", "violin", "--lab", "shaky")
    assert done.returncode == 0 and "going on in 1 s" in done.stderr
    assert tree(world.far.root / "inputs/ann/violin") == tree(world.laptop / "violin")


def test_a_laptop_takes_over_from_its_own_dead_line(world: FarLab):
    """The far end of a line that died without a word still holds the folder."""
    (world.laptop / "violin").mkdir()
    (world.laptop / "violin/long.wav").write_bytes(random_bytes(BIG))
    world.proxy.stall_after = BIG // 2
    running = world.start("push", "violin", "--lab", "shaky")
    wait_for(lambda: world.proxy.carried > BIG // 2)
    running.kill()
    running.communicate()
    holder = world.far.root / ".dlwa/locks/sync.inputs.ann+violin.json"
    assert holder.exists()
    other = world.dlwa("push", "violin", "--lab", "vm")
    assert other.returncode == 0, other.stderr
    assert tree(world.far.root / "inputs/ann/violin") == tree(world.laptop / "violin")


def test_who_leaves_a_push_is_told_that_it_can_go_on(world: FarLab):
    (world.laptop / "violin").mkdir()
    (world.laptop / "violin/a.wav").write_bytes(random_bytes(BIG, 1))
    world.proxy.stall_after = BIG // 2
    push = world.start("push", "violin", "--lab", "shaky")
    wait_for(lambda: world.proxy.carried > BIG // 2)
    push.send_signal(signal.SIGINT)
    told, _ = push.communicate(timeout=60)
    world.proxy.released.set()
    assert push.returncode == 130 and "the same command again goes on where it was" in told


def test_a_flipped_bit_never_arrives(world: FarLab):
    (world.laptop / "violin").mkdir()
    (world.laptop / "violin/long.wav").write_bytes(random_bytes(BIG))
    world.proxy.flip_at = BIG // 3
    done = world.dlwa("push", "violin", "--lab", "shaky")
    assert done.returncode == 0, done.stderr
    assert tree(world.far.root / "inputs/ann/violin") == tree(world.laptop / "violin")


def test_a_spoilt_part_is_found_and_sent_again(world: FarLab):
    """What lies there of an earlier try is believed only block by block."""
    (world.laptop / "violin").mkdir()
    data = random_bytes(BIG)
    (world.laptop / "violin/long.wav").write_bytes(data)
    part = (
        world.far.root / f"inputs/ann/violin/{PARTS}" / hashlib.sha256(b"long.wav").hexdigest()[:32]
    )
    part.parent.mkdir(parents=True)
    spoilt = bytearray(data[: 5 << 20])
    spoilt[(3 << 20) + 5] ^= 1
    part.write_bytes(spoilt)
    done = answer(world.dlwa("push", "violin", "--lab", "vm", "--json"))
    assert (world.far.root / "inputs/ann/violin/long.wav").read_bytes() == data
    assert 5 << 20 <= done["bytes"] < (5 << 20) + 20_000  # the three good blocks were kept


@pytest.fixture
def model(world: FarLab) -> Path:
    folder = world.far.root / "models/ddsp/ann/violin"
    folder.mkdir(parents=True)
    (folder / "operative_config-0.gin").write_text("a = 1\n")
    (folder / "dataset_statistics.json").write_text("{}")
    (folder / "run.json").write_text("{}")
    for step in (100, 200, 300):
        save(folder, step)
    (folder / "checkpoints.json").write_text('{"best_step": 200, "best_loss": 3.5}')
    return folder


def save(folder: Path, step: int, size: int = 1 << 20) -> None:
    (folder / f"ckpt-{step}.data-00000-of-00001").write_bytes(random_bytes(size, step))
    (folder / f"ckpt-{step}.index").write_text(f"index {step}")
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "ckpt-{step}"\n')


def test_fetch_brings_the_best_checkpoint_and_what_playing_needs(world: FarLab, model: Path):
    done = world.dlwa("fetch", "ann/violin", "--lab", "vm")
    assert done.returncode == 0, done.stderr
    here = world.laptop / "models/ddsp/ann/violin"
    assert sorted(tree(here)) == [
        "checkpoint",
        "checkpoints.json",
        "ckpt-200.data-00000-of-00001",
        "ckpt-200.index",
        "dataset_statistics.json",
        "operative_config-0.gin",
    ]
    assert 'model_checkpoint_path: "ckpt-200"' in (here / "checkpoint").read_text()
    latest = world.dlwa("fetch", "ann/violin", "down", "--latest", "--lab", "vm")
    assert latest.returncode == 0 and "ckpt-300.index" in tree(world.laptop / "down/violin")
    whole = world.dlwa("fetch", "ann/violin", "all", "--all", "--lab", "vm")
    assert whole.returncode == 0 and tree(world.laptop / "all/violin") == tree(model)
    again = answer(world.dlwa("fetch", "ann/violin", "--lab", "vm", "--json"))
    assert again["sent"] == [] and again["bytes"] == 0


def test_a_cut_fetch_leaves_the_old_good_model_and_goes_on(world: FarLab, model: Path):
    here = world.laptop / "models/ddsp/ann/violin"
    assert world.dlwa("fetch", "ann/violin", "--lab", "vm").returncode == 0
    before = tree(here)
    save(model, 400, BIG)
    (model / "checkpoints.json").write_text('{"best_step": 400, "best_loss": 3.0}')
    world.proxy.stall_after = BIG // 2  # after a cut it would go on by itself
    running = world.start("fetch", "ann/violin", "--lab", "shaky")
    parts = here / PARTS
    wait_for(lambda: any(part.stat().st_size >= BIG // 4 for part in parts.glob("*")))
    running.kill()
    running.communicate()
    world.proxy.released.set()
    assert {path: kind for path, kind in tree(here).items() if PARTS not in path} == before
    done = answer(world.dlwa("fetch", "ann/violin", "--lab", "vm", "--json"))
    assert done["bytes"] < BIG and done["step"] == 400  # what had come is not sent again
    for path in ("ckpt-400.index", "ckpt-400.data-00000-of-00001"):
        assert tree(here)[path] == tree(model)[path]
    assert 'model_checkpoint_path: "ckpt-400"' in (here / "checkpoint").read_text()


def test_fetching_while_a_training_saves_and_prunes_is_always_one_step(world: FarLab, model: Path):
    ended = threading.Event()

    def train() -> None:
        step = 300
        while not ended.is_set():
            step += 100
            save(model, step)
            (model / "checkpoints.json").write_text(f'{{"best_step": {step}, "best_loss": 1}}')
            for path in model.glob(f"ckpt-{step - 100}.*"):
                path.unlink()

    training = threading.Thread(target=train)
    training.start()
    try:
        for number in range(3):
            done = world.dlwa("fetch", "ann/violin", f"try{number}", "--lab", "vm", "--json")
            assert done.returncode == 0, done.stdout
            here = world.laptop / f"try{number}/violin"
            step = answer(done)["step"]
            pair = here / f"ckpt-{step}.data-00000-of-00001"
            assert pair.read_bytes() == random_bytes(1 << 20, step)
            assert (here / f"ckpt-{step}.index").read_text() == f"index {step}"
            assert f'"ckpt-{step}"' in (here / "checkpoint").read_text()
    finally:
        ended.set()
        training.join()


def test_no_checkpoint_yet_is_told(world: FarLab):
    (world.far.root / "models/ddsp/ann/new").mkdir(parents=True)
    done = world.dlwa("fetch", "ann/new", "--lab", "vm")
    assert done.returncode == 3 and "no checkpoint yet" in done.stderr
    assert world.dlwa("fetch", "ann/none", "--lab", "vm").returncode == 3


HOSTILE = [
    "$(touch PWNED).wav",
    "`touch PWNED`.wav",
    "; touch PWNED;.wav",
    "-rf.wav",
    "--help.wav",
    "&& touch PWNED.wav",
    "$IFS.wav",
    "~root.wav",
    "'; touch PWNED '.wav",
    "a\nb.wav",
    "\x1b[31mred.wav",
    "CON.wav",
    "dot.wav.",
    "tab\t.wav",
    'quote".wav',
    "back\\slash.wav",
    "Twin.wav",
    "twin.wav",
    "star*.wav",
    "| touch PWNED.wav",
    "\u202egnp.wav",
]


def test_hostile_names_run_nothing_and_write_nothing_outside(world: FarLab):
    """Names that are commands elsewhere arrive as names, or are left out with a reason."""
    violin = world.laptop / "violin"
    for name in HOSTILE:
        recording(violin / name, 0.01)
    (violin / "link.wav").symlink_to("/etc/passwd")
    (violin / "linked").symlink_to("/etc")
    outside = set(tree(world.far.root.parent)) - {path for path in tree(violin)}
    done = world.dlwa("push", "violin", "--lab", "vm", "--json")
    assert done.returncode == 8
    result = answer(done)
    assert {"$(touch PWNED).wav", "-rf.wav", "~root.wav", "'; touch PWNED '.wav"} <= set(
        result["sent"]
    )
    assert {"a\nb.wav", "CON.wav", "link.wav", "back\\slash.wav", "star*.wav"} <= set(
        result["refused"]
    )
    assert len({"Twin.wav", "twin.wav"} & set(result["sent"])) == 1
    assert not list(world.far.root.parent.rglob("PWNED*"))
    new = set(tree(world.far.root.parent)) - outside
    assert all("inputs/ann/violin/" in path or ".dlwa/locks/" in path for path in new), new
    told = world.dlwa("push", "violin", "--lab", "vm").stderr
    assert "\x1b[31m" not in told


def test_others_folders_need_a_word(world: FarLab):
    recording(world.laptop / "violin/a.wav", 0.01)
    words = ("push", "violin", "--name", "ben/violin", "--lab", "vm")
    assert world.dlwa(*words).returncode == 4
    assert world.dlwa(*words, "--as-admin").returncode == 2  # nobody can be asked
    assert not (world.far.root / "inputs/ben").exists()
    assert world.dlwa(*words, "--as-admin", "--yes").returncode == 0


def test_scp_sftp_and_rsync_work_in_the_same_folders(world: FarLab):
    recording(world.laptop / "violin/a.wav", 0.1)
    there = world.far.root / "inputs/ann/violin"
    there.mkdir(parents=True)
    config = ["-F", str(world.client.config)]
    local = str(world.laptop / "violin/a.wav")
    quiet = {"check": True, "capture_output": True}
    subprocess.run(["scp", *config, local, f"vm:{there}/by_scp.wav"], **quiet)
    subprocess.run(
        ["rsync", "-a", "-e", f"ssh -F {config[1]}", local, f"vm:{there}/by_rsync.wav"], **quiet
    )
    batch = f"put {local} {there}/by_sftp.wav\n"
    subprocess.run(["sftp", *config, "-b", "-", "vm"], input=batch.encode(), **quiet)
    assert world.dlwa("push", "violin", "--lab", "vm").returncode == 0
    assert sorted(tree(there)) == ["a.wav", "by_rsync.wav", "by_scp.wav", "by_sftp.wav"]
    assert len(set(tree(there).values())) == 1
    back = world.dlwa("fetch", "ann/violin", "down", "--from", "inputs", "--lab", "vm")
    assert back.returncode == 0 and tree(world.laptop / "down/violin") == tree(there)


def test_on_the_machine_itself_the_same_commands_work(world: FarLab):
    recording(world.laptop / "violin/a.wav", 0.1)
    assert world.dlwa("push", "violin").returncode == 0
    assert (world.laptop / "inputs/ann/violin/a.wav").exists()
    assert world.dlwa("fetch", "ann/violin", "--from", "inputs").returncode == 2
    done = world.dlwa("fetch", "ann/violin", "down", "--from", "inputs")
    assert done.returncode == 0 and (world.laptop / "down/violin/a.wav").exists()
