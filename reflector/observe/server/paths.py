"""Where the control socket is, for the server and for those who look for one. Costs no import."""

import os
from pathlib import Path
from typing import Final

_NAME: Final = Path("bgp-reflector") / "control.sock"
_SYSTEM: Final = Path("/run") / _NAME


def default_socket() -> Path:
    """Where this user's reflector listens unless it is told otherwise."""
    user_id = os.geteuid()
    return _SYSTEM if user_id == 0 else _of_user(user_id, os.environ.get("XDG_RUNTIME_DIR"))


def likely_sockets() -> list[Path]:
    """Where a reflector may be listening: this user's, the system's, and with sudo the caller's."""
    likely = [default_socket(), _SYSTEM]
    sudo_user_id = os.environ.get("SUDO_UID", "")
    if sudo_user_id.isdecimal():
        user_id = int(sudo_user_id)
        likely += [_of_user(user_id, f"/run/user/{user_id}"), _of_user(user_id, None)]
    return list(dict.fromkeys(likely))


def _of_user(user_id: int, runtime_directory: str | None) -> Path:
    if runtime_directory:
        return Path(runtime_directory) / _NAME
    return Path("/tmp") / f"bgp-reflector-{user_id}" / _NAME.name  # noqa: S108 - owner is checked
