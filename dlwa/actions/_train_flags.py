"""The flags of a training: the course's defaults, what was changed, what may change later."""

import re
from collections.abc import Sequence
from pathlib import Path

MODULE = "dlwa.ddsp.training.ddsp_run"
NUM_STEPS = 30000

_STEPS = re.compile(r"--?gin_param[= ]\s*(?:[\w.]*/)?(?:train_util\.)?train\.num_steps\s*=\s*(\d+)")
# How long and how often; what is learnt from what, and how, must stay.
_FREE = re.compile(
    r"--?(gin_param[= ]\s*(?:[\w.]*/)?(?:train_util\.)?train\."
    r"(num_steps|steps_per_save|steps_per_summary|early_stop_loss_value|hours)\s*=.*"
    r"|gin_param[= ]\s*(?:trainers\.)?Trainer\.checkpoints_to_keep\s*=.*"
    r"|(no)?alsologtostderr.*|(no)?logtostderr.*|verbosity.*|(no)?allow_memory_growth.*|v=.*)$"
)
# How long one session may take; the next one is asked anew.
_HOURS = re.compile(r"--?gin_param[= ]\s*(?:[\w.]*/)?(?:train_util\.)?train\.hours\s*=.*$")


def training_argv(
    dataset: Path,
    model: Path,
    extra: Sequence[str],
    *,
    custom: bool,
    hours: float | None = None,
) -> tuple[str, ...]:
    """The flags of ddsp_run; `custom` leaves only where things lie. Later flags win."""
    if hours is not None:
        extra = (f"--gin_param=train_util.train.hours={hours:g}", *extra)
    places = (
        "--mode=train",
        "--alsologtostderr",
        f"--save_dir={model}",
    )
    data = (f"--gin_param=TFRecordProvider.file_pattern={gin_path(dataset / 'data.tfrecord*')}",)
    if custom:
        return (*places, *data, *extra)
    defaults = (
        "--allow_memory_growth",
        "--gin_file=models/solo_instrument.gin",
        "--gin_file=datasets/tfrecord.gin",
        *data,
        "--gin_param=batch_size=16",
        f"--gin_param=train_util.train.num_steps={NUM_STEPS}",
        "--gin_param=train_util.train.steps_per_save=300",
        "--gin_param=trainers.Trainer.checkpoints_to_keep=10",
    )
    return (*places, *defaults, *extra)


def gin_path(path: Path) -> str:
    """A path as gin reads it."""
    text = str(path).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def steps_in(argv: Sequence[str]) -> int | None:
    """How many steps the flags ask for; the last one counts, None if none says so."""
    found = [match[1] for word in joined(argv) if (match := _STEPS.match(word))]
    return int(found[-1]) if found else None


def fixed(extra: Sequence[str]) -> list[str]:
    """The extra flags that must be the same when a training is resumed."""
    return [word for word in joined(extra) if not _FREE.match(word)]


def lasting(extra: Sequence[str]) -> list[str]:
    """The extra flags that hold for later sessions too."""
    return [word for word in joined(extra) if not _HOURS.match(word)]


def joined(argv: Sequence[str]) -> list[str]:
    """Flags as single words: `--gin_param X` becomes `--gin_param=X`."""
    words: list[str] = []
    for word in argv:
        if words and not word.startswith("-") and words[-1].startswith("-"):
            is_open = "=" not in words[-1]
            if is_open:
                words[-1] = f"{words[-1]}={word}"
                continue
        words.append(word)
    return words
