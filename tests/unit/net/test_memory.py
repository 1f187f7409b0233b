"""Which peers are remembered over a restart, and the file that they are kept in."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest

from reflector.net import memory
from reflector.net.memory import Known, Remembered, StateError, decode, encode, renew

NOW_S = 1_800_000_000.0
DAY_S = 24 * 3600


def peer(address: str, *router_ids: str, seen_s: float = NOW_S) -> Remembered:
    ids = frozenset(map(IPv4Address, router_ids or ("10.0.0.9",)))
    return Remembered(ip_address(address), ip_address("10.0.0.254"), ids, int(seen_s))


def known(*peers: Remembered) -> Known:
    return {each.address: each for each in peers}


def renewed(before: Known, *present: Remembered) -> list[Remembered]:
    return list(renew(before, present, NOW_S, lambda _: True).values())


# What is remembered.


def test_who_is_here_was_seen_now() -> None:
    assert renewed({}, peer("10.0.0.1", seen_s=0)) == [peer("10.0.0.1")]


def test_who_is_gone_stays_remembered_as_it_was() -> None:
    gone = peer("10.0.0.1", seen_s=NOW_S - DAY_S)
    assert renewed(known(gone), peer("10.0.0.2")) == [peer("10.0.0.2"), gone]


def test_who_has_not_been_seen_for_a_week_is_forgotten() -> None:
    just = peer("10.0.0.1", seen_s=NOW_S - 7 * DAY_S)
    assert renewed(known(just, peer("10.0.0.2", seen_s=NOW_S - 7 * DAY_S - 1))) == [just]


def test_a_clock_that_went_back_forgets_nobody() -> None:
    later = peer("10.0.0.1", seen_s=NOW_S + 1000 * DAY_S)
    assert renewed(known(later)) == [later]


def test_who_may_not_peer_any_more_is_forgotten() -> None:
    before = known(peer("10.0.0.1"), peer("10.0.0.2"))
    kept = renew(before, [], NOW_S, lambda address: str(address) == "10.0.0.2")
    assert list(kept.values()) == [peer("10.0.0.2")]


def test_the_newest_4096_are_kept_the_newest_first() -> None:
    old = [peer(f"10.1.{n >> 8}.{n & 255}", seen_s=NOW_S - 60 - n) for n in range(5000)]
    kept = renewed(known(*reversed(old)), peer("10.0.0.1"))
    assert kept == [peer("10.0.0.1"), *old[:4095]]


def test_nodes_behind_one_address_are_told_from_a_node_with_a_new_router_id() -> None:
    """Only what is up at a time counts."""
    (shared,) = renewed({}, peer("10.0.0.1", "10.9.0.1"), peer("10.0.0.1", "10.9.0.2"))
    assert shared == peer("10.0.0.1", "10.9.0.1", "10.9.0.2")
    assert not shared.worth_dialling
    (alone,) = renewed(known(shared), peer("10.0.0.1", "10.9.0.3"))
    assert alone == peer("10.0.0.1", "10.9.0.3")
    assert alone.worth_dialling


@pytest.mark.parametrize(
    ("address", "worth"),
    [
        ("10.0.0.1", True),
        ("127.0.0.2", True),
        ("169.254.0.1", True),  # IPv4's is routed in some labs
        ("2001:db8::1", True),
        ("fe80::1%eth0", True),
        ("fe80::1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
    ],
)
def test_what_is_worth_dialling(address: str, worth: bool) -> None:  # noqa: FBT001 - a table
    assert peer(address).worth_dialling is worth


# The file's content.


def test_what_is_written_is_read() -> None:
    all_kinds = known(
        peer("10.0.0.1"), replace(peer("fe80::1%eth0", "10.0.0.1", "10.0.0.2"), port=1179)
    )
    assert decode(encode(all_kinds)) == all_kinds


def test_the_file_is_versioned_and_readable() -> None:
    assert json.loads(encode(known(peer("10.0.0.1")))) == {
        "version": 1,
        "peers": [
            {
                "address": "10.0.0.1",
                "port": 179,
                "local": "10.0.0.254",
                "router-ids": ["10.0.0.9"],
                "seen": int(NOW_S),
                "graceful": False,
            }
        ],
    }


WHOLE = encode(known(peer("10.0.0.1")))


@pytest.mark.parametrize(
    "data",
    [
        *(WHOLE[:length] for length in (0, 1, 30, len(WHOLE) // 2, len(WHOLE) - 3)),
        b"\0" * 100,
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"version": 1}',
        b'{"version": 1, "peers": 7}',
        b'{"version": 1, "peers": ["10.0.0.1"]}',
        *(
            WHOLE.replace(old, new)
            for old, new in [
                (b'"10.0.0.1"', b'"ten"'),
                (b'"10.0.0.254"', b"null"),
                (b"179", b'"179"'),
                (b"179", b"0"),
                (b"179", b"65536"),
                (b"1800000000", b"1e999"),
                (b"1800000000", b"9" * 400),
                (b"1800000000", b"-1"),
                (b'"10.0.0.9"', b'"::1"'),
                (b'"router-ids"', b'"ids"'),
            ]
        ),
    ],
)
def test_what_is_damaged_is_said_to_be(data: bytes) -> None:
    with pytest.raises(StateError, match="damaged"):
        decode(data)


def test_another_version_is_not_guessed_at() -> None:
    with pytest.raises(StateError, match="version 2, not 1"):
        decode(WHOLE.replace(b'"version": 1', b'"version": 2'))


# The file.


def test_a_file_that_is_not_there_names_nobody(tmp_path: Path) -> None:
    assert memory.read(tmp_path / "none" / "peers.json") == {}


def test_its_folder_is_made_and_others_cannot_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "peers.json"
    memory.write(path, known(peer("10.0.0.1")))
    assert memory.read(path) == known(peer("10.0.0.1"))
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_write_that_fails_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "peers.json"
    memory.write(path, known(peer("10.0.0.1")))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        memory.write(path, known(peer("10.0.0.2")))
    assert memory.read(path) == known(peer("10.0.0.1"))
    monkeypatch.undo()
    memory.write(path, known(peer("10.0.0.3")))  # over what was left behind
    assert memory.read(path) == known(peer("10.0.0.3"))
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_in_the_place_of_the_new_file_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "peers.json.new").symlink_to(precious)
    memory.write(tmp_path / "peers.json", known(peer("10.0.0.1")))
    assert precious.read_text() == "mine"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    path.write_bytes(b" " * (5 << 20))
    with pytest.raises(StateError, match="larger"):
        memory.read(path)


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    os.mkfifo(path)
    with pytest.raises(StateError, match="no file"):
        memory.read(path)


@pytest.mark.parametrize(
    ("environment", "user_id", "path"),
    [
        ({}, 0, "/var/lib/bgp-reflector/peers.json"),
        ({"STATE_DIRECTORY": "/s:/t"}, 0, "/s/peers.json"),
        ({"STATE_DIRECTORY": "/s", "XDG_STATE_HOME": "/x"}, 1000, "/s/peers.json"),
        ({"XDG_STATE_HOME": "/x"}, 1000, "/x/bgp-reflector/peers.json"),
        ({"HOME": "/h"}, 1000, "/h/.local/state/bgp-reflector/peers.json"),
    ],
)
def test_the_usual_place(
    environment: dict[str, str], user_id: int, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "geteuid", lambda: user_id)
    assert str(memory.default_path()) == path
