"""Behaves like ddsp_prepare_tfrecord, as far as the lab half looks."""

import json
import os
import re
import sys
import time
from pathlib import Path

from dlwa import runfiles

words = " ".join(sys.argv[1:])
(output,) = (word for word in sys.argv if word.startswith("--output_tfrecord_path="))
prefix = Path(output.partition("=")[2])
run_dir = Path(os.environ["DLWA_RUN_DIR"])
seconds = float((re.findall(r"--seconds=(\S+)", words) or ["0.3"])[-1])
prefix.with_name("data.tfrecord-00000-of-00001").write_text("records")
for tenth in range(10):
    runfiles.report_progress(run_dir, tenth * 9, 90, "s of audio", "take1.wav")
    time.sleep(seconds / 10)
if "--fail" in words:
    runfiles.report_event(run_dir, "failed", reason="no usable recording", hint="record more")
    sys.exit(3)
prefix.with_name("dataset.json").write_text(
    json.dumps({"used": [{}], "refused": [{"file": "bad.wav", "reason": "is empty"}]})
)
