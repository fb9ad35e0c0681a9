"""Fixtures of the tests that talk to real programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.far_lab import FarLab, far_lab
from tests.integration.lab import Lab, opened


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A workspace with screen sessions of its own."""
    yield from opened(tmp_path, monkeypatch)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarLab]:
    """A laptop, and a lab behind a real sshd."""
    with far_lab(tmp_path, monkeypatch) as opened_world:
        yield opened_world
