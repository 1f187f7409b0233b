"""The peers that there were: what outlives a restart, and the small file that it is kept in.

kube-router redials late, or a minute or two after a dial that failed, but takes one from its configured
peer at once. What to remember is a pure function; only `read` and `write` touch the disk.
"""

import json
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any, Final

from reflector.bgp.vocabulary import BGP_PORT
from reflector.rib.source import IPAddress

_VERSION: Final = 1

# A node that has been away for longer than a course week is dialled in vain.
_FORGET_AFTER_S: Final = 7 * 24 * 3600

# Past any clock, and few enough digits to calculate with.
_NEVER_S: Final = 1 << 40

# Of any class; a megabyte of file, and a few seconds of dialling.
_MOST: Final = 4096

# Far above what `_MOST` peers take; what is larger was not written by us.
_MAX_BYTES: Final = 4 << 20

_NAME: Final = "peers.json"
_SYSTEM: Final = Path("/var/lib/bgp-reflector")


class StateError(Exception):
    """The file holds nothing that could be read; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A peer that had a session.

    Args:
        address: Of the peer.
        local: Our address that it peers with. It takes a dial from no other.
        router_ids: Those that had sessions at a time; several are nodes behind one address.
        seen_s: When it was last known to be up, in seconds of Unix time.
        port: On which it is dialled.
        graceful: Whether it keeps our routes while we restart (RFC 4724).
    """

    address: IPAddress
    local: IPAddress
    router_ids: frozenset[IPv4Address]
    seen_s: int
    port: int = BGP_PORT
    graceful: bool = False

    @property
    def worth_dialling(self) -> bool:
        """Whether a dial can reach it: not a NAT with nodes behind it, nor half an address."""
        scoped = getattr(self.address, "scope_id", None) is not None
        return (
            len(self.router_ids) == 1
            and not self.address.is_unspecified
            and not self.address.is_multicast
            and (self.address.version == 4 or not self.address.is_link_local or scoped)  # noqa: PLR2004
        )


Known = dict[IPAddress, Remembered]


def renew(
    known: Known,
    present: Iterable[Remembered],
    now_s: float,
    may_peer: Callable[[IPAddress], bool],
) -> Known:
    """What to remember from now on, the newest first.

    Args:
        known: What was remembered.
        present: Who has a session, one entry for each session.
        now_s: Unix time.
        may_peer: Whether the configuration lets an address peer.
    """
    here: Known = {}
    for each in present:
        beside = here.get(each.address)
        ids = each.router_ids if beside is None else each.router_ids | beside.router_ids
        here[each.address] = replace(each, router_ids=ids, seen_s=int(now_s))
    merged = {**known, **here}.values()
    kept = [
        each for each in merged if now_s - each.seen_s <= _FORGET_AFTER_S and may_peer(each.address)
    ]
    kept.sort(key=lambda each: each.seen_s, reverse=True)
    return {each.address: each for each in kept[:_MOST]}


def encode(known: Known) -> bytes:
    """The file's content."""
    peers = [
        {
            "address": str(each.address),
            "port": each.port,
            "local": str(each.local),
            "router-ids": sorted(map(str, each.router_ids)),
            "seen": each.seen_s,
            "graceful": each.graceful,
        }
        for each in known.values()
    ]
    return json.dumps({"version": _VERSION, "peers": peers}, indent=1).encode() + b"\n"


def decode(data: bytes) -> Known:
    """Read the file's content.

    Raises:
        StateError: It is not ours, or was damaged.
    """
    try:
        document = json.loads(data)
        version = document["version"]
        if version == _VERSION:
            peers = map(_peer, document["peers"][:_MOST])
            return {each.address: each for each in peers}
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        raise StateError(f"it is damaged ({type(error).__name__})") from error
    raise StateError(f"it is of version {version!r:.20}, not {_VERSION}")


def _peer(entry: dict[str, Any]) -> Remembered:
    port, seen_s = entry["port"], entry["seen"]
    if not (isinstance(port, int) and 0 < port < 1 << 16):
        raise ValueError("port")
    if not (isinstance(seen_s, int) and 0 <= seen_s < _NEVER_S):
        raise ValueError("time")
    return Remembered(
        address=ip_address(str(entry["address"])),
        local=ip_address(str(entry["local"])),
        router_ids=frozenset(IPv4Address(str(each)) for each in entry["router-ids"]),
        seen_s=seen_s,
        port=port,
        graceful=entry.get("graceful") is True,
    )


def default_path() -> Path:
    """Where this user's reflector keeps it unless it is told otherwise."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]  # systemd.exec(5)
    if given:
        return Path(given) / _NAME
    if os.geteuid() == 0:
        return _SYSTEM / _NAME
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111 - never raises
    return Path(home) / "bgp-reflector" / _NAME


def read(path: Path) -> Known:
    """Read the file; nothing is remembered where there is none.

    Raises:
        StateError: It holds nothing that could be read.
        OSError: It can't be read at all.
    """
    try:
        # What is no file, such as a pipe that nobody writes, is not waited for.
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise StateError("it is no file")
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return {}
    if len(data) > _MAX_BYTES:
        raise StateError(f"it is larger than {_MAX_BYTES} octets")
    return decode(data)


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def write(path: Path, known: Known, *, durable: bool = True) -> None:
    """Put the file in the place of the old one; whoever reads finds the old or the new, whole.

    Args:
        path: Of the file; its folder is made.
        known: What to write.
        durable: Whether that holds for a power cut too, which may take the disk half a second.

    Raises:
        OSError: It can't be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    # Left behind by a write that was killed. Made anew, so that it is nobody's link elsewhere.
    with suppress(FileNotFoundError):
        beside.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(beside, flags, 0o600), "wb") as file:
        file.write(encode(known))
        if durable:
            file.flush()
            os.fsync(file.fileno())
    beside.replace(path)
