"""Take in a model trained elsewhere: the command behind `dlwa ddsp import-checkpoint`.

python -m dlwa.ddsp.training.import_checkpoint MODEL --target=models/ddsp/ann/violin
"""

import argparse
import signal
import sys
from pathlib import Path

from dlwa import runfiles
from dlwa.ddsp import quiet
from dlwa.ddsp.failures import fail

_OK, _FAILED, _NOT_FOUND, _TERMINATED = 0, 1, 3, 143


def main(argv=None):
    """Run the command and leave the process with its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # what is half done goes
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv):
    """Run the command; returns its exit code."""
    given = _parser().parse_args(argv)
    source = given.source
    if not source.exists() and not source.with_name(f"{source.name}.index").exists():
        return fail(f"source={source} does not exist", "name a model's folder", _NOT_FOUND)
    quiet.import_tensorflow()
    from dlwa.ddsp.timbre_transfer import TransferError
    from dlwa.ddsp.training.export import ExportError
    from dlwa.ddsp.training.export.importing import import_model

    try:
        told = import_model(source, given.target)
    except (TransferError, ExportError) as error:
        return fail(str(error), error.hint, getattr(error, "exit_code", _FAILED))
    except (ValueError, OSError) as error:
        return fail(str(error), "", _FAILED)
    except KeyboardInterrupt:
        return 130
    for warning in told["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    if given.report:
        runfiles.write_json(given.report, told)
    return _OK


def _parser():
    parser = argparse.ArgumentParser(
        prog="import_checkpoint", description="Take in a trained model.", allow_abbrev=False
    )
    parser.add_argument(
        "source", type=Path, help="Folder or zip of a model, a checkpoint, or a bundle."
    )
    parser.add_argument("--target", type=Path, required=True, help="Folder to make.")
    parser.add_argument("--report", type=Path, help="JSON file for what was found.")
    return parser


if __name__ == "__main__":
    main()
