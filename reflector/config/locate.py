"""Where the configuration is looked for."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from reflector.config.model import Config

VARIABLE: Final = "BGP_REFLECTOR_CONFIG"
_SYSTEM_FILE: Final = Path("/etc/bgp-reflector/reflector.yaml")


def usual_places(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Files that are tried in turn when none is named: the user's, then the system's.

    Not the working directory: a service should not run on what happens to lie where it starts.
    """
    base = Path(environment.get("XDG_CONFIG_HOME", ""))
    # The XDG specification has relative paths ignored. A container's user may have no home at all.
    if not base.is_absolute() and environment.get("HOME"):
        base = Path(environment["HOME"], ".config")
    user_files = [base / "bgp-reflector" / "reflector.yaml"] if base.is_absolute() else []
    return [*user_files, _SYSTEM_FILE]


def find_config(named: Path | None, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Find the configuration file: the named one, $BGP_REFLECTOR_CONFIG's, then the usual places.

    Returns:
        None if there is none anywhere, which means the defaults. A file that was named is returned
        whether it exists or not.
    """
    if named is not None:
        return named
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE])
    return next((place for place in usual_places(environment) if is_there(place)), None)


def is_there(path: Path) -> bool:
    """Whether there is a file. One that can't be looked at counts: reading it will say why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def load_config(named: Path | None) -> Config:
    """Read the configuration from where it is.

    Raises:
        ConfigError: With everything that is wrong with it.
    """
    path = find_config(named)
    if path is None:
        return Config()
    from reflector.config.yaml_loader import load_yaml  # noqa: PLC0415 - defaults need no YAML

    return load_yaml(path)
