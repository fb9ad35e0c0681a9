"""A workspace that several of these tests begin with."""

from pathlib import Path

import pytest

from dlwa.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Ann's, with a model that has saved once."""
    folder = tmp_path / "models" / "ddsp" / "ann" / "violin"
    folder.mkdir(parents=True)
    (folder / "ckpt-7.index").touch()
    return Settings("ann", tmp_path, origins={"owner": "test"})
