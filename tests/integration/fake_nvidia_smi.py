"""Answers like nvidia-smi --format=csv,noheader,nounits from gpus.json beside it."""

import json
import sys
from pathlib import Path

state = json.loads((Path(sys.argv[0]).resolve().parent / "gpus.json").read_text())
if state.get("error") == "driver":
    print("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.")
    sys.exit(9)
if not state["gpus"]:
    print("No devices were found")
    sys.exit(6)
for word in sys.argv[1:]:
    what, _, fields = word.partition("=")
    rows = {"--query-gpu": state["gpus"], "--query-compute-apps": state["apps"]}.get(what, [])
    for row in rows:
        print(", ".join(str(row[field]) for field in fields.split(",")))
