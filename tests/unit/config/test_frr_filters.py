"""Prefix lists of bgpd.conf: what FRR lets through, passes here."""

from __future__ import annotations

import pytest

from reflector.config.errors import ConfigError
from reflector.config.frr import parse_frr
from reflector.config.intake import export, intake, policies
from tests.support import wire
from tests.support.classroom import Classroom, Student

PEER = "neighbor 10.0.0.1 remote-as 64512"
LISTS = """
ip prefix-list PODS seq 20 permit 10.244.0.0/16 le 26
ip prefix-list PODS description what nodes have
ip prefix-list PODS seq 5 deny 10.244.9.0/24
ip prefix-list PODS permit 10.50.0.0/16 le 26 ge 25
ipv6 prefix-list SIX permit any
ipv6 prefix-list NONE deny any
"""


def filtered(*statements: str) -> tuple[Classroom, Student, Student]:
    """A class whose first peer is filtered as a file says, and another one that is not."""
    text = "\n".join(["router bgp 64512", PEER, *statements]) + LISTS
    config, _ = parse_frr(text, "f")
    known, settings = policies(config), config.neighbors[0].settings
    classroom = Classroom()
    peer = classroom.join(
        "peer", "10.0.0.1", intake=intake(settings, known), export=export(settings, known)
    )
    return classroom, peer, classroom.join("other", "10.0.0.2")


def blamed(*statements: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parse_frr("\n".join(["router bgp 64512", PEER, *statements]), "f")
    return str(error.value).splitlines()


FOUR = wire.announce(
    *("10.244.1.0/24", "10.244.9.0/24", "10.244.1.0/28", "10.50.1.0/24", "10.50.1.0/25"),
    "192.168.0.0/24",
)
SIX = wire.announce6("2001:db8::/64")
PASSED = {"10.244.1.0/24", "10.50.1.0/25"}


def test_a_list_of_one_family_says_nothing_of_the_other() -> None:
    classroom, peer, other = filtered("neighbor 10.0.0.1 prefix-list PODS in")
    classroom.send(peer, FOUR, SIX)
    assert other.prefixes == PASSED | {"2001:db8::/64"}


def test_a_list_for_each_family_and_direction() -> None:
    six = ("address-family ipv6 unicast", "neighbor 10.0.0.1 activate")
    classroom, peer, other = filtered(
        "neighbor 10.0.0.1 prefix-list PODS out",
        *(*six, "neighbor 10.0.0.1 prefix-list NONE out"),
        "neighbor 10.0.0.1 prefix-list SIX in",
    )
    classroom.send(other, FOUR, SIX)
    assert peer.prefixes == PASSED
    classroom.send(peer, wire.announce("172.16.0.0/16"), wire.announce6("2001:db8:1::/64"))
    assert other.prefixes == {"172.16.0.0/16", "2001:db8:1::/64"}


def test_a_group_s_list_counts_for_its_members_and_may_be_taken_back() -> None:
    group = ("neighbor g peer-group", "neighbor g prefix-list PODS in")
    member = "neighbor 10.0.0.1 peer-group g"
    classroom, peer, other = filtered(*group, member)
    classroom.send(peer, FOUR)
    assert other.prefixes == PASSED
    classroom, peer, other = filtered(*group, member, "no neighbor g prefix-list PODS in")
    classroom.send(peer, FOUR)
    assert len(other.prefixes) == 6


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("neighbor 10.0.0.1 prefix-list X in", "there is no `ip prefix-list X`"),
        ("ip prefix-list X permit", "is not of the form"),
        ("ip prefix-list X allow 10.0.0.0/8", "is not of the form"),
        ("ip prefix-list X permit 10.0.0.0/8 le 4", "lets nothing in"),
        ("ip prefix-list X permit fd00::/8", "is no ipv4 prefix"),
        ("no ip prefix-list X seq 5 permit 10.0.0.0/8", "only a whole list"),
    ],
)
def test_what_can_not_be_read_is_blamed(statement: str, says: str) -> None:
    (found,) = blamed(statement)
    assert says in found


def test_a_default_route_is_let_in_by_name() -> None:
    for entry, passes in (("any", False), ("0.0.0.0/0", True)):
        classroom, peer, other = filtered(
            f"ip prefix-list D permit {entry}", "neighbor 10.0.0.1 prefix-list D in"
        )
        classroom.send(peer, wire.announce("0.0.0.0/0"))
        assert bool(other.prefixes) is passes
