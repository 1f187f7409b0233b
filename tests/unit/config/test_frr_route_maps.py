"""Route maps of bgpd.conf: what FRR lets through and changes, passes and is changed here."""

from __future__ import annotations

import pytest

from reflector.config.errors import ConfigError
from reflector.config.frr import parse_frr
from reflector.config.intake import export, intake, policies
from tests.support import wire
from tests.support.classroom import Classroom, Student

HEAD = ("router bgp 64512", "neighbor 10.0.0.1 remote-as 64512")
LISTS = """
ip prefix-list PODS permit 10.244.0.0/16 le 26
ip prefix-list PODS deny any
ip prefix-list HOLES deny 10.244.9.0/24
ip prefix-list HOLES permit 10.244.0.0/16 le 32
ipv6 prefix-list SIX permit 2001:db8::/32 le 64
bgp community-list standard BLUE seq 5 permit 64512:1
bgp community-list BLUE permit 64512:2
bgp community-list BOTH permit 64512:1 64512:2
bgp community-list expanded REGEX permit ^64512:
bgp large-community-list standard BIG permit 64512:1:1
bgp as-path access-list FAR permit _65001_
bgp as-path access-list FAR permit _65002_
bgp as-path access-list LOCAL permit ^$
bgp as-path access-list NOT deny _65001_
bgp as-path access-list ODD permit 65.*1
"""


def written(*statements: str, way: str = "in") -> str:
    use = f"neighbor 10.0.0.1 route-map MAP {way}"
    return "\n".join([*HEAD, use, *statements]) + LISTS


def filtered(*statements: str, way: str = "in") -> tuple[Classroom, Student, Student]:
    """A class whose first peer has a route map, and another one that has none."""
    config, _ = parse_frr(written(*statements, way=way), "f")
    known, settings = policies(config), config.neighbors[0].settings
    classroom = Classroom()
    peer = classroom.join(
        "peer", "10.0.0.1", intake=intake(settings, known), export=export(settings, known)
    )
    return classroom, peer, classroom.join("other", "10.0.0.2")


def blamed(*statements: str, way: str = "in") -> str:
    with pytest.raises(ConfigError) as error:
        parse_frr(written(*statements, way=way), "f")
    [line] = str(error.value).splitlines()
    return line


def announce(prefix: str, *, communities: bytes = b"", path: tuple[int, ...] = ()) -> bytes:
    segments = (wire.sequence(*path),) if path else ()
    return wire.announce(
        prefix, attributes=wire.usual(as_path=wire.as_path(*segments), more=communities)
    )


def test_the_first_entry_whose_conditions_all_hold_decides() -> None:
    classroom, peer, other = filtered(
        *("route-map MAP deny 10", " match ip address prefix-list PODS", " match community BLUE"),
        *("route-map MAP permit 30", " match as-path FAR"),
        *("route-map MAP permit 20", " match ip address prefix-list PODS"),
    )
    classroom.send(
        peer,
        announce("10.244.1.0/24"),
        announce("10.244.2.0/24", communities=wire.communities(64512 << 16 | 2)),
        announce("10.245.1.0/24"),
        announce("10.246.1.0/24", path=(65009, 65002)),
        announce("10.247.1.0/24", communities=wire.communities(64512 << 16 | 2)),
    )
    assert other.prefixes == {"10.244.1.0/24", "10.246.1.0/24"}


def test_a_map_of_one_family_says_nothing_of_the_other() -> None:
    classroom, peer, other = filtered("route-map MAP permit 10", " match community BLUE")
    classroom.send(peer, announce("10.1.0.0/24"), wire.announce6("2001:db8::/64"))
    assert other.prefixes == {"2001:db8::/64"}


def test_a_list_of_the_other_family_never_matches() -> None:
    classroom, peer, other = filtered(
        *("route-map MAP permit 10", " match ipv6 address prefix-list SIX"),
        *("route-map MAP permit 20", " match as-path LOCAL"),
    )
    classroom.send(peer, announce("10.1.0.0/24"), announce("10.2.0.0/24", path=(65001,)))
    assert other.prefixes == {"10.1.0.0/24"}


def test_what_is_set() -> None:
    config, _ = parse_frr(
        written(
            "route-map MAP permit 10",
            " set local-preference 250",
            " set metric 7",
            " set community 64512:8 64512:9 additive",
            " set large-community 64512:1:1 additive",
            " description what a map may say of itself",
        ),
        "f",
    )
    rule = config.policies[0].rules[0]
    assert (rule.set_local_pref, rule.set_med) == (250, 7)
    assert rule.add_communities == (
        (8, bytes.fromhex("fc000008")),
        (8, bytes.fromhex("fc000009")),
        (32, bytes.fromhex("0000fc00 00000001 00000001")),
    )


def test_a_map_decides_what_a_neighbor_is_sent() -> None:
    entry = ("route-map MAP permit 10", " match ip address prefix-list PODS")
    classroom, peer, other = filtered(*entry, way="out")
    classroom.send(other, announce("10.244.1.0/24"), announce("10.1.0.0/24"))
    assert peer.prefixes == {"10.244.1.0/24"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (" match ip address PODS", "f:5: 10.0.0.1: match ip address PODS: of conditions there are"),
        (" match ip address prefix-list HOLES", "HOLES` denies before it permits"),
        (" match ip address prefix-list NONE", "there is no `ip prefix-list NONE`"),
        (" match community NONE", "there is no `bgp community-list NONE`"),
        (" match community BLUE exact-match", "of conditions there are"),
        (" match community BOTH", "'64512:1 64512:2': an entry must be one community"),
        (" match community REGEX", "may hold plain `permit` entries alone"),
        (" match as-path NOT", "may hold plain `permit` entries alone"),
        (" match as-path ODD", "'65.*1': of expressions for AS paths there are"),
        (" match community BLUE\n match large-community BIG", "either communities or large ones"),
        (" set community 64512:1", "communities can be added (`additive`), and not replaced"),
        (" set local-preference +10", "is not a whole number"),
        (" set ip next-hop 10.0.0.9", "of changes there are"),
        (" on-match next", "only `match` and `set` are supported"),
        (" cal OTHER", "only `match` and `set` are supported"),
        (" no match community BLUE", "only `match` and `set` are supported"),
        (" mach community BLUE", "is no statement that is understood"),
    ],
)
def test_what_policies_can_not_say_stops_the_start_at_its_line(entry: str, said: str) -> None:
    assert said in blamed("route-map MAP permit 10", entry)


def test_a_map_that_nobody_names_does_nothing() -> None:
    text = "\n".join([*HEAD, "route-map MAP permit 10", " on-match next"]) + LISTS
    config, _ = parse_frr(text, "f")
    assert config.policies == ()


def test_a_map_that_is_not_there() -> None:
    assert blamed().endswith("10.0.0.1: there is no `route-map MAP`")


def test_what_is_reflected_is_not_changed_on_its_way_out() -> None:
    found = blamed("route-map MAP permit 10", " set metric 5", way="out")
    assert found.startswith("f:5: 10.0.0.1: FRR sets nothing on routes that it reflects")


def test_a_list_and_a_map_in_one_direction() -> None:
    more = "router bgp 64512\nneighbor 10.0.0.1 prefix-list PODS in"
    assert "name the list in the map" in blamed("route-map MAP permit 10", more)
