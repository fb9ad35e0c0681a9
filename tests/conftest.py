"""What holds for every test: nobody's own settings, locks or workspace are touched."""

import os
import signal
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's greeting helps no report
# What XLA compiles here runs once, on a few samples: whether it is right is asked, not how fast.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

# A background job starts with these ignored, and so would every program the tests start.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The fast tests first, then those with TensorFlow, then those with real programs."""
    items.sort(key=lambda item: 2 * _has(item, "integration") + _has(item, "ddsp"))


def _has(item: pytest.Item, mark: str) -> bool:
    return item.get_closest_marker(mark) is not None


@pytest.fixture(autouse=True)
def own_world(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the settings, the locks and the variables of whoever runs the tests out of them."""
    for name in [name for name in os.environ if name.startswith("DLWA_")]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "STY", "WINDOW"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("DLWA_LOCK_DIR", str(tmp_path_factory.mktemp("locks")))
    monkeypatch.setenv("DLWA_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def project() -> Path:
    """The folder of the project's sources."""
    return Path(__file__).resolve().parent.parent
