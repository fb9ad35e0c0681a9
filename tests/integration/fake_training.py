"""Behaves like a training, as far as the lab half looks: steps, checkpoints, SIGTERM.

usage: fake_training.py --save_dir=DIR ... --gin_param=train_util.train.num_steps=N
"""

import re
import signal
import sys
import time
from pathlib import Path

from dlwa import runfiles

words = " ".join(sys.argv[1:])
(save_dir,) = (word for word in sys.argv if word.startswith("--save_dir="))
folder = Path(save_dir.partition("=")[2])
total = int(re.findall(r"num_steps=(\d+)", words)[-1])
asked: list[int] = []
signal.signal(signal.SIGTERM, lambda signum, _: asked.append(signum))

if "wrong_binding" in words:
    hint = "did you mean batch_size?"
    runfiles.report_event(folder, "failed", reason="wrong_binding is unknown", hint=hint)
    sys.exit(2)

saved = [int(path.stem.split("-")[1]) for path in folder.glob("ckpt-*.index")]
step = max(saved, default=0)
while step < total and not asked:
    step += 1
    print(f"step: {step}\tspectral_loss: 5.92\ttotal_loss: 5.92", flush=True)
    runfiles.report_step(folder, step, total, {"total_loss": 5.92}, steps_per_s=50.0)
    time.sleep(0.02)
(folder / f"ckpt-{step}.index").touch()
if asked:
    runfiles.report_event(folder, "stopped", step=step)
