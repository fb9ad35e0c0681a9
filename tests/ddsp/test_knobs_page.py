"""The page that explains the knobs is about the knobs there are."""

import re
from pathlib import Path

from dlwa.ddsp.timbre_transfer._knobs import EFFECTS, RANGES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_knob_has_its_sentence_a_number_and_a_picture():
    text = (DOCS / "knobs.md").read_text(encoding="utf-8")
    parts = dict(zip(re.findall(r"^## (\w+)$", text, re.M), text.split("\n## ")[1:], strict=True))
    assert list(parts) == list(EFFECTS)
    for name, part in parts.items():
        assert EFFECTS[name] in part
        low, high = RANGES.get(name, ("off", "on"))
        assert f"{low} to {high}, at rest" in part
        before, after = re.search(r"(\S+)(?: \S+)? → (\S+) ", part).groups()
        assert before != after
        picture = DOCS / re.search(r"\((figures/\S+\.png)\)", part)[1]
        assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size < 60_000
