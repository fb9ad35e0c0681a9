"""What the facts about a lab mean: one finding each, with the command that mends it."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping

from dlwa.actions.doctor import Finding, Level
from dlwa.actions.lab.far import is_newer, update_this
from dlwa.labs import Lab
from dlwa.shell import quote
from dlwa.version import __version__
from dlwa.words import span

RIGHT_PYTHONS = ("3.13", "3.12", "3.11")
_GB = 1e9
_LITTLE_GB, _TOO_LITTLE_GB = 10.0, 1.0
_CLOCK_SLACK_S = 60.0
_SOON_S = 2 * 3600.0
_DAY_MIN = 24 * 60

Facts = Mapping[str, list[str]]


def judge(lab: Lab, facts: Facts, now_s: float) -> Iterator[Finding]:
    """The findings in the order in which they have to be mended; `now_s` is our own clock."""
    yield _clock(facts, now_s)
    yield _folder(lab, facts)
    if "disk" in facts:
        yield _disk(lab, facts)
    if "root" in facts:
        yield _version(lab, facts)
        yield _environment(lab, facts)
    yield _python(facts)
    if lab.scheduler == "slurm":
        slurm = _slurm(lab, facts)
        yield slurm
        if slurm.level == "ok":
            yield _cluster_gpus(facts)
    else:
        yield _screen(facts)
        yield _gpu(facts)
    if facts.get("logins") == ["no"] and lab.scheduler == "screen":
        text = "runs may end at logout where KillUserProcesses is on"
        yield Finding("logout", "warn", text, "there: sudo loginctl enable-linger $USER")
    yield _shutdown(lab, facts, now_s)


def _clock(facts: Facts, now_s: float) -> Finding:
    off_s = _number(facts, "clock") - now_s
    if abs(off_s) > _CLOCK_SLACK_S:
        text = f"its clock is {span(abs(off_s))} {'ahead of' if off_s > 0 else 'behind'} this one"
        return Finding("clock", "warn", text, "on the one that is wrong: timedatectl set-ntp true")
    return Finding("clock", "ok", "agrees with this machine's")


def _folder(lab: Lab, facts: Facts) -> Finding:
    mend = f"./dlwa.py lab setup {lab.name}"
    if "root" not in facts:
        return Finding("folder", "fail", f"there is no folder {lab.root}", mend)
    if "write" not in facts:
        text = f"{lab.root} cannot be written to"
        return Finding("folder", "fail", text, f"there: sudo chown $USER {quote(lab.root or '.')}")
    return Finding("folder", "ok", f"{lab.root}")


def _disk(lab: Lab, facts: Facts) -> Finding:
    free_gb = _number(facts, "disk") * 1024 / _GB
    inodes = facts.get("inodes", [""])[0]
    text = f"{free_gb:.0f} GB free"
    mend = f"./dlwa.py user usage --lab {lab.name} shows who fills it"
    if "code" not in facts:
        mend = "there: df -h shows what is full; make room before lab setup"
    if inodes.isdigit() and 0 < int(inodes) < 1000:
        return Finding("disk", "fail", f"room for {inodes} files only", mend)
    if free_gb < _TOO_LITTLE_GB:
        return Finding("disk", "fail", f"{free_gb:.1f} GB free", mend)
    return Finding("disk", "warn" if free_gb < _LITTLE_GB else "ok", text, mend)


def _version(lab: Lab, facts: Facts) -> Finding:
    mend = f"./dlwa.py lab setup {lab.name}"
    there = facts.get("version", [""])[0]
    if "code" not in facts:
        return Finding("dlwa", "fail", f"there is no dlwa in {lab.root}", mend)
    if there == __version__:
        return Finding("dlwa", "ok", f"version {there}")
    same = there.rpartition(".")[0] == __version__.rpartition(".")[0]
    text = f"version {there or 'unknown'}, this is {__version__}"
    mend = update_this(there) if is_newer(there) else mend
    return Finding("dlwa", "warn" if same else "fail", text, mend)


def _environment(lab: Lab, facts: Facts) -> Finding:
    if "broken" in facts:
        place, text = quote(f"{lab.root}/.venv"), "the Python of .venv does not start"
        mend = f"there: rm -r {place}   then here: ./dlwa.py lab setup {lab.name}"
        return Finding("environment", "fail", text, mend)
    if "venv" not in facts:
        text = ".venv is not made yet"
        return Finding("environment", "warn", text, f"./dlwa.py lab setup {lab.name}")
    if "cut" in facts:
        text = "the installation of the DDSP half was cut short"
        return Finding("environment", "fail", text, f"./dlwa.py lab setup {lab.name}")
    if "ddsp" not in facts:
        text = "the DDSP half is not installed yet"
        return Finding("environment", "warn", text, f"./dlwa.py lab setup {lab.name}")
    extras = facts["ddsp"][0]
    has_gpus = "driver" in facts or (lab.scheduler == "slurm" and lab.limits.gpus_per_run > 0)
    if has_gpus and "ddsp-gpu" not in extras:
        text = f".venv with {extras}: without CUDA, trainings use the CPU"
        mend = "there: ./dlwa.py setup --gpu"
        return Finding("environment", "warn", text, mend)
    return Finding("environment", "ok", f".venv with {extras}")


def _python(facts: Facts) -> Finding:
    found = facts.get("python", [])
    right = [version for version in found if version in RIGHT_PYTHONS]
    if right:
        return Finding("python", "ok", f"Python {right[0]}")
    text = f"Python {found[0] if found else ''} is too old" if found else "no Python 3"
    return Finding("python", "fail", text, "there: sudo apt install python3.11 python3.11-venv")


def _screen(facts: Facts) -> Finding:
    if any(facts.get("screen", [])):
        return Finding("screen", "ok", facts["screen"][0])
    return Finding("screen", "fail", "GNU screen is missing", "there: sudo apt install screen")


def _slurm(lab: Lab, facts: Facts) -> Finding:
    if "sbatch" not in facts:
        text = "there is no sbatch: this is no login node of a Slurm cluster"
        return Finding("slurm", "fail", text, "in the lab file: host: LOGIN_NODE")
    partitions = facts.get("partitions", [""])[0].strip()
    if not partitions or "error" in partitions:
        reason = partitions.replace("sinfo: ", "").partition(" error:")[0][:100]
        text = f"the controller does not answer: {reason or 'it names no partitions'}"
        return Finding("slurm", "fail", text, "there: sinfo; then ask who runs the cluster")
    wanted = lab.slurm.partition
    if wanted and not set(wanted.split(",")) <= set(partitions.replace("*", "").split()):
        text = f"partition {wanted} is not there; partitions {partitions}"
        return Finding("slurm", "fail", text, "in the lab file: slurm: {partition: ...}")
    if "code" in facts and facts.get("scheduler") != ["slurm"]:
        text = "labs/local.yaml there does not say slurm: runs would start on the login node"
        return Finding("slurm", "fail", text, f"./dlwa.py lab setup {lab.name}")
    return Finding("slurm", "ok", f"{facts['sbatch'][0]}; partitions {partitions}")


def _cluster_gpus(facts: Facts) -> Finding:
    gpus = [word for word in facts.get("gres", [""])[0].split() if word.startswith("gpu")]
    if not gpus:
        text = "no partition offers GPUs: trainings would use the CPU"
        return Finding("gpu", "warn", text, "there: sinfo -o '%P %G' shows what nodes have")
    return Finding("gpu", "ok", ", ".join(gpus))


def _gpu(facts: Facts) -> Finding:
    if "smi" not in facts:
        text = "no nvidia-smi: trainings would use the CPU"
        return Finding("gpu", "warn", text, "there: sudo ubuntu-drivers install, then reboot")
    said = facts["smi"][0].strip(";")
    if "driver" not in facts:
        text = f"the GPU driver does not answer: {said.partition('. ')[0][:120]}"
        return Finding("gpu", "fail", text, "there: sudo reboot; then reinstall the driver")
    names = Counter(said.split(";"))
    text = ", ".join(name if many == 1 else f"{many} x {name}" for name, many in names.items())
    return Finding("gpu", "ok", text)


def _shutdown(lab: Lab, facts: Facts, now_s: float) -> Finding:
    planned_s = _number(facts, "shutdown") / 1e6
    if planned_s > now_s:
        clock = time.strftime("%Y-%m-%d %H:%M", time.localtime(planned_s))
        level: Level = "warn" if planned_s - now_s < _SOON_S else "ok"
        return Finding("shutdown", level, f"shuts down at {clock}", "there: sudo shutdown -c")
    if lab.stops_at:
        left_s = _until(lab.stops_at, facts.get("wall", [""])[0])
        text = f"stops at {lab.stops_at} each day, in {span(left_s)} (lab file)"
        if left_s < _SOON_S:
            mend = f"./dlwa.py status --all --lab {lab.name} shows what it would cut short"
            return Finding("shutdown", "warn", text, mend)
        return Finding("shutdown", "ok", text)
    return Finding("shutdown", "ok", "none planned that is known")


def _until(stops_at: str, wall: str) -> float:
    """Seconds from one time of day to the next `stops_at`, both as the lab's clock shows them."""
    minutes = [int(hours) * 60 + int(rest) for hours, rest in (stops_at.split(":"), _wall(wall))]
    return ((minutes[0] - minutes[1]) % _DAY_MIN or _DAY_MIN) * 60.0


def _wall(text: str) -> list[str]:
    parts = text.split(":")
    right = len(parts) == 2 and all(part.isdigit() for part in parts)
    return parts if right else time.strftime("%H:%M").split(":")


def _number(facts: Facts, key: str) -> float:
    try:
        return float(facts.get(key, ["0"])[0])
    except ValueError:
        return 0.0
