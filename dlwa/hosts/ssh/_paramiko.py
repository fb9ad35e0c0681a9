"""Loads paramiko without invoke, a quarter of its time: it wants it only to read `Match exec`.

OpenSSH itself reads the configuration for us (`ssh -G`), and paramiko does without invoke where it
is not installed. Imported before anything that imports paramiko.
"""

import sys

if "invoke" not in sys.modules:
    sys.modules["invoke"] = None  # type: ignore[assignment]  # "there is none"
    try:
        import paramiko as paramiko
    finally:
        del sys.modules["invoke"]
