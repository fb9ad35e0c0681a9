"""Settings: which place wins, what is refused, where a value came from."""

from pathlib import Path

import pytest

from dlwa import settings
from dlwa.errors import AccessError, UsageError


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """A workspace, a configuration folder, and a folder to be in."""
    made = {name: tmp_path / name for name in ("workspace", "config", "elsewhere")}
    for folder in made.values():
        folder.mkdir()
    (made["workspace"] / ".dlwa").mkdir()
    (made["config"] / "dlwa").mkdir()
    return made


def load(places: dict[str, Path], flags: dict[str, str | None] | None = None, **env: str):
    env = {"XDG_CONFIG_HOME": str(places["config"]), **env}
    return settings.load(flags, env, places["workspace"])


def write(places: dict[str, Path], place: str, text: str) -> None:
    folder = places["workspace"] / ".dlwa" if place == "project" else places["config"] / "dlwa"
    (folder / "settings.yaml").write_text(text)


def test_each_place_overrules_the_one_before(places) -> None:
    assert load(places).origins["owner"].startswith("default")
    write(places, "user", "owner: from_user\n")
    assert load(places).owner == "from_user"
    write(places, "project", "owner: from_project\n")
    assert load(places).owner == "from_project"
    assert load(places, DLWA_OWNER="from_env").owner == "from_env"
    assert load(places, {"owner": "from_flag"}, DLWA_OWNER="from_env").owner == "from_flag"


def test_every_value_knows_where_it_came_from(places) -> None:
    write(places, "project", "lab: azure\n")
    loaded = load(places, {"root": None}, DLWA_OWNER="ann")
    assert loaded.origins["owner"] == "DLWA_OWNER"
    assert loaded.origins["lab"].endswith(".dlwa/settings.yaml")
    assert loaded.owner_is_known and not load(places).owner_is_known


def test_who_the_key_says_one_is_holds(places) -> None:
    write(places, "user", "owner: somebody\n")
    loaded = load(places, DLWA_KEY_OWNER="ann")
    assert (loaded.owner, loaded.owner_is_known) == ("ann", True)
    assert "key" in loaded.origins["owner"]
    assert load(places, DLWA_KEY_OWNER="ann", DLWA_OWNER="ann").owner == "ann"
    with pytest.raises(AccessError, match="key you came in with is ann's") as refused:
        load(places, DLWA_KEY_OWNER="ann", DLWA_OWNER="ben")
    assert "--owner ann" in refused.value.hint
    with pytest.raises(UsageError):
        load(places, DLWA_KEY_OWNER="../etc")


def test_an_empty_variable_and_an_absent_flag_say_nothing(places) -> None:
    write(places, "user", "owner: ann\n")
    assert load(places, {"owner": None}, DLWA_OWNER="").owner == "ann"


@pytest.mark.parametrize("place", ["user", "project"])
def test_an_unknown_key_is_refused_with_the_nearest(places, place: str) -> None:
    write(places, place, "ownr: ann\n")
    with pytest.raises(UsageError) as caught:
        load(places)
    assert "ownr" in caught.value.message and "settings.yaml" in caught.value.message
    assert caught.value.hint == "did you mean owner?"


@pytest.mark.parametrize(
    "text", ["owner: [", "- owner\n", "owner: ../x\n", "owner: 7\n", "stalled_after_s: -1\n"]
)
def test_what_cannot_be_right_is_refused_with_the_file(places, text: str) -> None:
    write(places, "user", text)
    with pytest.raises(UsageError, match=r"settings\.yaml"):
        load(places)


def test_the_root_is_found_above_the_current_folder(places) -> None:
    deep = places["workspace"] / "inputs" / "ann"
    deep.mkdir(parents=True)
    loaded = settings.load({}, {"XDG_CONFIG_HOME": str(places["config"])}, deep)
    assert loaded.root == places["workspace"]


def test_a_named_root_must_be_a_folder(places) -> None:
    assert load(places, DLWA_ROOT=str(places["elsewhere"])).root == places["elsewhere"]
    with pytest.raises(UsageError, match="not a folder"):
        load(places, {"root": str(places["elsewhere"] / "no")})


def test_a_workspace_cannot_name_another_root(places) -> None:
    write(places, "project", "root: /tmp\n")
    with pytest.raises(UsageError, match="no effect"):
        load(places)
