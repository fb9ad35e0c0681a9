"""`python -m dlwa.cli`."""

import sys

from dlwa.cli import main

sys.exit(main())
