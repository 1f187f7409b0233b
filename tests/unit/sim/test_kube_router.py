"""kube-router's GoBGP, version by version.

The OPENs of GoBGP 3.10 and 3.36 below were recorded from Debian's gobgpds; `tests/interop` compares
with the one that is installed.
"""

from __future__ import annotations

import pytest

from reflector.bgp.codec import decode_open
from reflector.sim import Profile, kube_router
from reflector.sim.kube_router import Timers, gobgp, gobgp_of, timers

RECORDED_3_10 = (
    "04 fc 00 00 5a 0a 00 00 02 24 02 22 02 00 49 04 02 76 6d 00 01 04 00 01 00 01"
    " 01 04 00 02 00 01 41 04 00 00 fc 00 05 06 00 01 00 01 00 02"
)
RECORDED_3_36_RESTARTING = (
    "04 fc 00 00 5a 0a 00 00 02 3f 02 3d 02 00 49 04 02 76 6d 00"
    " 4b 0d 0c 47 6f 42 47 50 2f 33 2e 33 36 2e 30 01 04 00 01 00 01 01 04 00 02 00 01"
    " 41 04 00 00 fc 00 40 0a 80 5a 00 01 01 80 00 02 01 80 05 06 00 01 00 01 00 02"
)
BOTH = ("ipv4", "ipv6")


def opening(profile: Profile) -> bytes:
    return profile.located("127.0.0.2").opening()[19:]


def codes(profile: Profile) -> list[int]:
    return [each.code for each in profile.offered()]


def test_the_open_of_gobgp_3_10_octet_by_octet() -> None:
    profile = gobgp("3.10.0", host_name="vm", families=BOTH)
    assert opening(profile).hex(" ") == RECORDED_3_10


def test_the_open_of_gobgp_3_36_after_a_restart_octet_by_octet() -> None:
    profile = gobgp("3.36.0", host_name="vm", families=BOTH, graceful_restart=True)
    assert profile.restarting
    restarted = profile.after_restart(forwarding=True)
    assert opening(restarted).hex(" ") == RECORDED_3_36_RESTARTING


@pytest.mark.parametrize(
    ("version", "embedded"),
    [
        ("1.1.0", "2.19.0"),
        ("1.2.2", "2.19.0"),
        ("v1.3", "2.29.0"),
        ("1.5.4", "2.34.0"),
        ("1.6.1", "3.14.0"),
        ("2.0.1", "3.19.0"),
        ("2.1.0", "3.23.0"),
        ("2.5.0", "3.29.0"),
        ("2.6.3", "3.37.0"),
        ("2.9.0", "4.2.0"),
        ("2.11.1", "4.8.0"),
        ("3.0.0", "4.8.0"),
    ],
)
def test_which_gobgp_is_in_which_kube_router(version: str, embedded: str) -> None:
    assert gobgp_of(version) == embedded


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.2.0", [2, 1, 65, 5]),
        ("1.5.0", [2, 73, 1, 65, 5]),
        ("2.0.0", [2, 73, 75, 1, 65, 5]),
        ("2.7.0", [2, 73, 75, 1, 1, 65, 5]),
        ("2.11.0", [2, 73, 75, 6, 1, 1, 65, 5]),
    ],
)
def test_the_capabilities_of_each_version_in_order(version: str, expected: list[int]) -> None:
    assert codes(kube_router(version, families=BOTH)) == expected


def test_graceful_restart_brings_the_second_family_from_2_0_on() -> None:
    assert codes(kube_router("1.6.0", families=BOTH, graceful_restart=True)).count(1) == 1
    assert codes(kube_router("2.0.0", families=BOTH, graceful_restart=True)).count(1) == 2
    assert codes(kube_router("2.0.0", families=BOTH)).count(1) == 1


def test_the_software_version_is_only_for_who_is_believed_internal() -> None:
    assert 75 in codes(kube_router("2.5.0"))
    assert 75 not in codes(kube_router("2.5.0", peer_asn=65001))


def test_the_node_s_name_and_software_arrive() -> None:
    said = decode_open(opening(kube_router("2.5.0", node_name="worker-3"))).capabilities
    assert said.host_name == "worker-3"
    assert said.software_version == "GoBGP/3.29.0"


def test_timers() -> None:
    assert timers("2.5.0") == Timers(5.0, (5, 10))
    assert timers("2.6.0").first_dial_s == (1, 2)
    assert timers("2.7.0").first_dial_s == (2, 4)


@pytest.mark.parametrize("text", ["", "2", "2.x", "latest", "1.2.3.4"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no version"):
        kube_router(text)


def test_older_ones_are_not_known() -> None:
    with pytest.raises(ValueError, match=r"1\.1\.0 and later are known"):
        kube_router("1.0.1")
