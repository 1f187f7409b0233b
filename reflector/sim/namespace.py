"""Network namespaces by name, as `ip netns` has them: made, entered and removed."""

import ctypes
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from reflector.sim.errors import SimError

T = TypeVar("T")

_RUN: Final = Path("/run/netns")
# linux/sched.h
_CLONE_NEWNET: Final = 0x40000000
# Where `ip` is that a user's PATH may leave out, as sudo's may.
_SBIN: Final = ("/usr/sbin", "/sbin")


def require_namespaces(what: str) -> None:
    """See that namespaces can be made here.

    Args:
        what: What needs them, for the message.

    Raises:
        SimError: They can't; the message says what is missing.
    """
    if sys.platform != "linux":
        raise SimError(f"{what} needs Linux: it makes network namespaces")
    if os.geteuid() != 0:
        raise SimError(f"{what} needs root: it makes network namespaces (try sudo)")
    _find_ip()


def inside(name: str, call: Callable[[], T]) -> T:
    """Call something inside a namespace.

    Sockets that it makes and processes that it starts stay there. The thread that calls has a
    namespace of its own in Linux, so this one goes nowhere.

    Raises:
        SimError: There is no such namespace, or this process may not enter it.
    """

    def there() -> T:
        try:
            _enter(name)
        except OSError as error:
            raise SimError(f"can't enter the network namespace {name}: {error.strerror}") from None
        return call()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(there).result()


def new_socket(family: int, kind: int, protocol: int = 0, *, netns: str | None) -> socket.socket:
    """Make a socket, in a namespace if one is named.

    Raises:
        OSError: The system makes none.
        SimError: There is no such namespace, or this process may not enter it.
    """
    if netns is None:
        return socket.socket(family, kind, protocol)
    return inside(netns, lambda: socket.socket(family, kind, protocol))


def run_ip(lines: Iterable[str], *, netns: str | None = None, force: bool = False) -> None:
    """Have `ip` do some things, in a namespace if one is named.

    Args:
        lines: What would follow `ip` on a command line, each.
        netns: The namespace's name.
        force: Whether to go on after one that failed, and say nothing of it.

    Raises:
        SimError: One of them failed.
    """
    command = [_find_ip(), *(["-force"] if force else []), "-batch", "-"]
    text = "".join(f"{line}\n" for line in lines)

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - all words are ours
            command, input=text, capture_output=True, text=True, check=False
        )

    done = run() if netns is None else inside(netns, run)
    if done.returncode and not force:
        said = done.stderr.strip().splitlines() or [f"it exits {done.returncode}"]
        raise SimError(f"`ip` can't make the class's network: {said[0]}")


def names() -> list[str]:
    """The names of all namespaces."""
    return sorted(path.name for path in _RUN.iterdir()) if _RUN.is_dir() else []


def processes_in(name: str) -> list[int]:
    """The processes in a namespace."""
    here = None
    with suppress(OSError):
        here = (_RUN / name).stat()
    found = []
    for path in Path("/proc").glob("[0-9]*/ns/net"):
        with suppress(OSError):  # it has just ended
            there = path.stat()
            if here is not None and (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
                found.append(int(path.parts[2]))
    return found


def _enter(name: str) -> None:
    """Move this thread into a namespace, for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    with (_RUN / name).open("rb") as namespace:
        if libc.setns(namespace.fileno(), _CLONE_NEWNET):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))


def _find_ip() -> str:
    found = shutil.which("ip", path=os.pathsep.join((os.environ.get("PATH", os.defpath), *_SBIN)))
    if found is None:
        raise SimError(
            "there is no `ip` here to make namespaces with (Debian: apt install iproute2)"
        )
    return found
