"""How TensorFlow is imported: what is left out for speed works all the same afterwards."""

import importlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from dlwa.ddsp import quiet

pytestmark = pytest.mark.ddsp

_AFTERWARDS = """
import gc, json, sys
from dlwa.ddsp import quiet
quiet.import_tensorflow()
told = {"left_out": [name for name in ("matplotlib", "pandas") if name not in sys.modules]}
told["frozen"], told["collecting"] = gc.get_freeze_count() > 100_000, gc.isenabled()
import keras, matplotlib.pyplot, numpy
told["drawn"] = len(matplotlib.pyplot.plot([1, 2])[0].get_xdata())
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
told["learned"] = len(model.fit(numpy.ones([8, 2]), numpy.ones(8), verbose=0).history["loss"])
print(json.dumps(told))
"""


def test_pictures_and_training_work_though_keras_was_told_there_are_none():
    done = subprocess.run(
        [sys.executable, "-c", _AFTERWARDS], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "left_out": ["matplotlib", "pandas"],
        "frozen": True,
        "collecting": True,
        "drawn": 2,
        "learned": 1,
    }
    assert done.stderr == ""


def test_what_seems_absent_is_there_for_other_threads_and_afterwards(tmp_path, monkeypatch):
    for name in ("pictures", "tables"):
        (tmp_path / f"{name}.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with quiet._as_if_absent(("pictures", "tables")):
        with pytest.raises(ModuleNotFoundError, match="No module named 'pictures'"):
            importlib.import_module("pictures")
        with ThreadPoolExecutor(1) as aside:
            assert aside.submit(importlib.import_module, "tables").result().__name__ == "tables"
    assert importlib.import_module("pictures").__name__ == "pictures"
    for name in ("pictures", "tables"):
        monkeypatch.delitem(sys.modules, name)
