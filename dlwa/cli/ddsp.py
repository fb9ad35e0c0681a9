"""`dlwa ddsp`: data sets and models. Later commands register from files of their own."""

import typer

from dlwa.cli import _words, options
from dlwa.errors import ExitCode

app = typer.Typer()


@app.command("make-dataset")
def make_dataset(
    asked: _words.Making, as_admin: options.AsAdmin = False, *, how: options.Manner
) -> int:
    """Make a data set of recordings: pitch, loudness and audio as TFRecords.

    Extra flags after -- go to ddsp_prepare_tfrecord. Ctrl-C leaves it running. Ends with 3 when
    there are no recordings, 6 when the name is taken.
    """
    from dlwa.cli import _datasets, _own

    if not _own.may_write(asked.dataset_name, "dataset_name", how, as_admin=as_admin):
        return ExitCode.FAILED
    return _datasets.make(asked, how, as_admin=as_admin)


@app.command("train")
def train(asked: _words.Training, as_admin: options.AsAdmin = False, *, how: options.Manner) -> int:
    """Train a model, detached; the same command again goes on where it stopped.

    Extra flags after -- go to ddsp_run, for instance
    -- --gin_param=train_util.train.num_steps=5000
    """
    from dlwa.cli import _own, _training

    if not _own.may_write(asked.model_name, "model_name", how, as_admin=as_admin):
        return ExitCode.FAILED
    return _training.train(asked, how)
