"""Where the configuration is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from reflector.config import locate
from reflector.config.errors import ConfigError
from reflector.config.locate import find_config, load_config, usual_places
from reflector.config.model import Config

SYSTEM = Path("/etc/bgp-reflector/reflector.yaml")


@pytest.mark.parametrize(
    ("environment", "first"),
    [
        ({"HOME": "/home/u"}, "/home/u/.config"),
        ({"HOME": "/home/u", "XDG_CONFIG_HOME": "/x"}, "/x"),
        ({"HOME": "/home/u", "XDG_CONFIG_HOME": ""}, "/home/u/.config"),
        ({"HOME": "/home/u", "XDG_CONFIG_HOME": "relative"}, "/home/u/.config"),
        ({"XDG_CONFIG_HOME": "/x"}, "/x"),
    ],
)
def test_the_user_s_file_comes_first(environment: dict[str, str], first: str) -> None:
    assert usual_places(environment) == [Path(first, "bgp-reflector", "reflector.yaml"), SYSTEM]


def test_a_user_without_a_home_has_the_system_s_file() -> None:
    assert usual_places({}) == [SYSTEM]


def test_what_is_named_wins_whether_it_is_there_or_not(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "BGP_REFLECTOR_CONFIG": "/from/environment"}
    assert find_config(Path("/named"), environment) == Path("/named")
    assert find_config(None, environment) == Path("/from/environment")


def test_the_usual_places_are_tried_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "etc.yaml"
    monkeypatch.setattr(locate, "_SYSTEM_FILE", system)
    environment = {"HOME": str(tmp_path), "BGP_REFLECTOR_CONFIG": ""}
    assert find_config(None, environment) is None
    system.touch()
    assert find_config(None, environment) == system
    user = tmp_path / ".config" / "bgp-reflector" / "reflector.yaml"
    user.parent.mkdir(parents=True)
    user.touch()
    assert find_config(None, environment) == user


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locate, "_SYSTEM_FILE", tmp_path / "none")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("BGP_REFLECTOR_CONFIG", raising=False)
    assert load_config(None) == Config()


def test_a_directory_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a directory: name the file in it"):
        load_config(tmp_path)
