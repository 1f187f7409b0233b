"""What a file says of peers in other ASes, in YAML and as FRR has it."""

from __future__ import annotations

import pytest

from reflector.bgp.remote_as import RemoteAs
from reflector.config.errors import ConfigError
from reflector.config.frr import parse_frr
from reflector.config.model import PeerSettings
from reflector.config.remote_as import remote_as
from reflector.config.yaml_loader import parse_yaml


def of_range(more: str) -> PeerSettings:
    config = parse_yaml(f"ranges: [{{network: 10.0.0.0/8{more}}}]".encode(), "f")
    return config.ranges[0].settings


def of_neighbor(*statements: str) -> PeerSettings:
    lines = ["router bgp 64512", *(f"neighbor 10.0.0.1 {each}" for each in statements)]
    return parse_frr("\n".join(lines), "f")[0].neighbors[0].settings


def blamed_frr(*statements: str) -> str:
    with pytest.raises(ConfigError) as error:
        parse_frr("\n".join(["router bgp 64512", *statements]), "f")
    return str(error.value)


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ("", RemoteAs()),
        (", remote-as: internal", RemoteAs()),
        (", remote-as: external", RemoteAs(internal=False, external=True)),
        (", remote-as: any", RemoteAs(external=True)),
        (", remote-as: 65001", RemoteAs(internal=False, numbers=frozenset({65001}))),
        (", remote-as: '65001'", RemoteAs(internal=False, numbers=frozenset({65001}))),
        (
            ", remote-as: [4200000000, 65001]",
            RemoteAs(internal=False, numbers=frozenset({65001, 4200000000})),
        ),
        (", remote-as: [internal, 65001]", RemoteAs(numbers=frozenset({65001}))),
    ],
)
def test_the_as_of_a_peer(more: str, rule: RemoteAs) -> None:
    assert remote_as(of_range(more)) == rule


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("0", "'0' is neither an AS number nor one of any, internal, external"),
        ("4294967295", "is neither an AS number"),
        ("23456", "ranges[0].remote-as: '23456' stands for numbers beyond 65535 (RFC 6793)"),
        ("[65001, here]", "ranges[0].remote-as[1]: 'here' is neither"),
        ("[65001, 65001]", "is there twice"),
        ("[]", "needs at least one item"),
        ("{a: b}", "must be a list"),
        ("", "must be a list"),
    ],
)
def test_what_is_no_as(value: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        of_range(f", remote-as: {value}")
    assert says in str(error.value)


def test_our_own_as_is_not_the_one_that_is_nobodys() -> None:
    """RFC 6793 9: every peer of AS_TRANS would be refused. A path may be looked through for it."""
    with pytest.raises(ConfigError, match="asn: '23456' stands for numbers beyond 65535"):
        parse_yaml(b"asn: 23456", "f")
    with pytest.raises(ConfigError, match="'23456' stands for numbers beyond 65535"):
        parse_frr("router bgp 23456", "f")
    rule = "{name: a, otherwise: accept, rules: [{as-path: 23456, then: reject}]}"
    assert parse_yaml(f"policies: [{rule}]".encode(), "f").policies


def test_roles_of_external_peers() -> None:
    settings = of_range(", remote-as: any, route-server: true, enforce-first-as: false")
    assert (settings.route_server, settings.enforce_first_as) == (True, False)


def test_a_route_server_without_external_peers_is_a_mistake() -> None:
    with pytest.raises(
        ConfigError, match=r"f:1:10: ranges\[0\]: route-server is for peers in other"
    ):
        of_range(", route-server: true")
    said = blamed_frr("neighbor 10.0.0.1 remote-as 64512", "neighbor 10.0.0.1 route-server-client")
    assert said.startswith("f:2: route-server is for peers in other ASes")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("remote-as 65001", (65001,)),
        ("remote-as 1.10", (65546,)),
        ("remote-as 64512", ("internal",)),
        ("remote-as internal", ("internal",)),
        ("remote-as external", ("external",)),
        ("remote-as auto", ("any",)),
        ("rem ext", ("external",)),
    ],
)
def test_the_as_as_frr_has_it(statement: str, said: tuple[object, ...]) -> None:
    assert of_neighbor(statement).remote_as == said


def test_a_group_s_as_is_its_members_and_ranges() -> None:
    config, _ = parse_frr(
        """\
router bgp 64512
 neighbor kube peer-group
 neighbor kube remote-as external
 neighbor kube route-server-client
 no neighbor kube enforce-first-as
 neighbor 10.0.0.1 peer-group kube
 neighbor 10.0.0.1 remote-as 65001
 bgp listen range 10.0.0.0/8 peer-group kube
""",
        "f",
    )
    (of_the_range,) = [each.settings for each in config.ranges]
    (named,) = [each.settings for each in config.neighbors]
    assert (of_the_range.remote_as, named.remote_as) == (("external",), (65001,))
    for settings in (of_the_range, named):
        assert (settings.route_server, settings.enforce_first_as) == (True, False)


@pytest.mark.parametrize(
    ("statements", "enforced"),
    [
        ([], True),
        (["no bgp enforce-first-as"], False),
        (["no bgp enforce-first-as", "bgp enforce-first-as"], True),
        (["no bgp enforce-first-as", "neighbor 10.0.0.1 enforce-first-as"], True),
        (["no neighbor 10.0.0.1 enforce-first-as"], False),
    ],
)
def test_the_check_of_the_first_as_as_frr_has_it(statements: list[str], *, enforced: bool) -> None:
    lines = ["router bgp 64512", "neighbor 10.0.0.1 remote-as 65001", *statements]
    (neighbor,) = parse_frr("\n".join(lines), "f")[0].neighbors
    assert neighbor.settings.enforce_first_as is enforced


def test_a_route_server_in_one_family_of_two_is_refused() -> None:
    said = blamed_frr(
        "neighbor 10.0.0.1 remote-as 65001",
        "address-family ipv6",
        "neighbor 10.0.0.1 activate",
        "neighbor 10.0.0.1 route-server-client",
    )
    assert "10.0.0.1 is a route-server-client for ipv6 and not for ipv4" in said


def test_a_link_local_neighbor_as_frr_has_it() -> None:
    lines = ["neighbor fe80::1 remote-as 64512", "neighbor fe80::1 interface eth0"]
    (neighbor,) = parse_frr("\n".join(["router bgp 64512", *lines]), "f")[0].neighbors
    assert str(neighbor.address) == "fe80::1%eth0"
    assert (
        blamed_frr(lines[0])
        == "f:2: fe80::1 is on every link: say `neighbor fe80::1 interface IFNAME`"
    )
    other = ["router bgp 64512", "neighbor 10.0.0.1 remote-as 64512"]
    other.append("neighbor 10.0.0.1 interface eth0")
    assert str(parse_frr("\n".join(other), "f")[0].neighbors[0].address) == "10.0.0.1"


@pytest.mark.parametrize(("said", "hops"), [("1", 1), ("254", 254)])
def test_how_far_away_a_peer_may_be(said: str, hops: int) -> None:
    assert of_range(f", ttl-security: {said}").ttl_security == hops
    peer = ("remote-as 65001", f"ttl-security hops {said}")
    assert of_neighbor(*peer).ttl_security == hops
    assert of_neighbor(*peer, "description no other").ttl_security == hops


@pytest.mark.parametrize("said", ["0", "255", "near"])
def test_what_is_no_number_of_hops(said: str) -> None:
    with pytest.raises(ConfigError, match="1 to 254"):
        of_range(f", ttl-security: {said}")


def test_next_hop_self_is_harmless_among_internal_peers_only() -> None:
    own = ("neighbor 10.0.0.1 remote-as 64512", "neighbor 10.0.0.1 next-hop-self")
    assert parse_frr("\n".join(["router bgp 64512", *own]), "f")[0].neighbors
    said = blamed_frr(*own, "neighbor 10.0.0.2 remote-as 65001")
    assert said.startswith("f:2: 10.0.0.1: next-hop-self with external peers")
