"""Which checkpoint of a model folder is played."""

from dlwa.ddsp.timbre_transfer._errors import TransferError
from dlwa.ddsp.training import checkpoints


def choose_checkpoint(folder, wanted, notes):
    """The path, without ending, of the checkpoint that is meant.

    Args:
        folder: of the model.
        wanted: "best", "latest" or a step.
        notes: list to which sentences about damaged ones are added.

    Raises:
        TransferError: if there is none that can be read.
    """
    steps = checkpoints.saved_steps(folder)
    if not steps:
        raise TransferError(
            f"model_dir={folder} holds no checkpoint (ckpt-*.index)",
            "train first, or name the folder of a trained model",
        )
    if wanted not in ("best", "latest"):
        if not str(wanted).isdigit() or int(wanted) not in steps:
            raise TransferError(
                f"checkpoint={wanted} must be best, latest or one of {steps}", "--checkpoint=best"
            )
        return _readable(folder, int(wanted))
    best = checkpoints.best_step(folder) if wanted == "best" else None
    damaged = []
    for step in [*([] if best is None else [best]), *reversed(steps)]:
        prefix = checkpoints.prefix_of(folder, step)
        if checkpoints.is_readable(prefix):
            if damaged:
                told = " and ".join(f"ckpt-{number}" for number in damaged)
                verb = "is" if len(damaged) == 1 else "are"
                notes.append(f"{told} {verb} damaged: ckpt-{step} plays instead")
            return prefix
        if step not in damaged:
            damaged.append(step)
    raise TransferError(
        f"every checkpoint in {folder} is damaged: {', '.join(f'ckpt-{s}' for s in steps)}",
        "copy the model folder again, or train anew",
    )


def _readable(folder, step):
    prefix = checkpoints.prefix_of(folder, step)
    if not checkpoints.is_readable(prefix):
        raise TransferError(f"checkpoint {prefix} is damaged", "--checkpoint=best")
    return prefix
