"""The real command line, with small programs in the place of the DDSP half."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from dlwa.actions import datasets, launch, training  # noqa: E402
from dlwa.cli import main, needs  # noqa: E402

FAKES = {training.MODULE: "fake_training.py", datasets.MODULE: "fake_preparation.py"}
launch.module_argv = lambda module, words: (sys.executable, str(HERE / FAKES[module]), *words)
needs.ddsp = lambda how: None
sys.exit(main())
