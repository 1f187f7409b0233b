"""FRR's bgpd.conf read as FRR reads it; what is compared here was seen with FRR's own bgpd."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from reflector.config.errors import ConfigError
from reflector.config.frr import parse_frr
from reflector.config.model import Config, PeerSettings
from reflector.config.yaml_loader import parse_yaml

GROUP = ("neighbor g peer-group", "neighbor g remote-as 64512")
RANGE = "bgp listen range 10.0.0.0/8 peer-group g"
PEER = "neighbor 10.0.0.1 remote-as 64512"


def read(*statements: str) -> Config:
    return parse_frr("\n".join(["router bgp 64512", *statements]), "f")[0]


def blamed(*statements: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        read(*statements)
    return str(error.value).splitlines()


def neighbor(*statements: str) -> PeerSettings:
    (only,) = read(PEER, *statements).neighbors
    return only.settings


# How lines are read.


def test_words_may_be_cut_short() -> None:
    short = read(
        *("nei kube peer-g", "nei kube rem 64512", "n 1.0.0.2/32", "bgp li li 20000"),
        *("nei kube route-ref", "bgp l r 0.0.0.0/0 p kube", "ti b 10 30", "addr ipv4 u", "exit-a"),
        *(
            "neig 10.0.0.1 rem int",
            "neig 10.0.0.1 d x",
            "neig 10.0.0.1 pass s",
            "ne 10.0.0.1 passi",
        ),
    )
    assert short == read(
        *("neighbor kube peer-group", "neighbor kube remote-as 64512", "network 1.0.0.2/32"),
        *("bgp listen limit 20000", "neighbor kube route-reflector-client"),
        *("bgp listen range 0.0.0.0/0 peer-group kube", "timers bgp 10 30"),
        *("address-family ipv4 unicast", "exit-address-family", PEER),
        *("neighbor 10.0.0.1 description x", "neighbor 10.0.0.1 password s"),
        "neighbor 10.0.0.1 passive",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("neighbor 10.0.0.1 route-r", None),
        ("neighbor 10.0.0.1 rout", "is cut too short: it may be `neighbor * route-reflector-client`, or `neighbor * route-server-client`, or `neighbor * route-map`"),
        ("neighbor 10.0.0.1 a", "is cut too short"),
        ("neighbor 10.0.0.1 activat", None),
        ("NEIGHBOR 10.0.0.1 activate", "is no statement that is understood; take the line out"),
        ("neighbor 10.0.0.1 route-reflecter-client", "did you mean `neighbor 10.0.0.1 route-reflector-client`?"),
        ("nieghbor 10.0.0.1 activate", "did you mean `neighbor`?"),
        ("bgp", "is not complete: there is `bgp router-id *`"),
        ("neighbor", "is not complete: there is `neighbor * peer-group`"),
        ("neighbor 10.0.0.1", "is not complete"),
        ("neighbor 10.0.0.1 description", "is not complete: there is `neighbor * description ...`"),
        ("no", "is no statement that is understood"),
        ("no network", "is not an IP prefix"),
        ("no neighbor", "is not complete"),
        ("no exit", "there is nothing to take back"),
        ("no address-family ipv4", "there is nothing to take back"),
        ("no router bgp 64512", "all would be taken back"),
        ("router bgp 64513", "we are in AS 64512 already"),
        ("router bgp 64512 vrf red", "only one `router bgp N`"),
        ("router ospf", "only one `router bgp N`, without a VRF or view, is spoken here: take the block out"),
        ("address-family l2vpn evpn", "are supported: take the block out"),
        ("rpki", "take the block out"),
        ("neighbor 10.0.0.1 activate now", "is no statement that is understood"),
        ("neighbor eth0 interface remote-as internal", "peers without an address are not supported"),
        ("neighbor eth0 interface", "peers without an address are not supported"),
        ("neighbor 10.0.0.1 interface eth0", None),
        ("neighbor 10.0.0.1 next-hop-self", None),
        ("neighbor 10.0.0.1 next-hop-self force", "would lead to the reflector"),
        ("bgp bestpath compare-routerid", None),
        ("bgp bestpath med missing-as-worst", "would change which path is best"),
        ("no bgp bestpath as-path ignore", None),
        ("neighbor 10.0.0.1 timers 60 2", "0, or 3 to 65535"),
        ("neighbor 10.0.0.1 timers sixty 180", "0 to 65535"),
        ("neighbor 10.0.0.1 timers 0 0", None),
        ("bgp cluster-id 0", "is not of the form"),
        ("bgp cluster-id 4294967296", "is not of the form"),
        ("bgp listen limit 65536", "1 to 65535"),
        ("neighbor 10.0.0.1 remote-as 70000000000", "is not a whole number"),
    ],
)  # fmt: skip
def test_a_statement_is_taken_or_told_why_not(statement: str, says: str | None) -> None:
    if says is None:
        read(PEER, statement)
    else:
        (found,) = blamed(PEER, statement)
        assert found.startswith(f"f:3: {statement}: ")
        assert says in found


def test_white_space_and_comments_are_as_in_frr() -> None:
    config, notes = parse_frr(
        "\n! c\n  # c\n \trouter\tbgp   64512 \r\n!\n\tneighbor 10.0.0.1 remote-as 64512\r\n"
        " neighbor 10.0.0.1 description a  # b ! c\n",
        "f",
    )
    assert notes == []
    assert config.neighbors[0].settings.description == "a # b ! c"


def test_only_a_line_feed_ends_a_line() -> None:
    found = blamed(PEER, "neighbor 10.0.0.1 description a\u2028b\x0bc", "nonsense")
    assert [each[:5] for each in found] == ["f:3: ", "f:4: "]


def test_an_as_number_may_be_in_two_halves() -> None:
    assert parse_frr("router bgp 1.10\nneighbor 10.0.0.1 remote-as 65546", "f")[0].asn == 65546


# Blocks.


@pytest.mark.parametrize(
    "block",
    [
        "line vty\n no login\n exec-timeout 0 0\nexit",
        "line vty\nno login\n!",
    ],
)
def test_a_block_that_is_skipped_goes_as_a_whole(block: str) -> None:
    config, notes = parse_frr(f"{block}\nrouter bgp 64512\n {PEER}\n{block}\nhostname x", "f")
    assert len(config.neighbors) == 1
    assert len(notes) == 3
    (found,) = blamed(PEER, block, "neighbor 10.0.0.2 remote-as 64512")
    assert found.endswith("neighbor 10.0.0.2 remote-as 64512: belongs below a `router bgp` line")


@pytest.mark.parametrize(
    "block",
    [
        "interface eth0\n ip address 10.0.0.1/24\n shutdown\nexit",
        "router ospf\n network 10.0.0.0/8 area 0\n redistribute bgp\nexit",
        "vrf red\n vni 5\nexit-vrf",
        "address-family l2vpn evpn\n neighbor 10.0.0.1 activate\n advertise-all-vni\nexit-address-family",
    ],
)
def test_a_block_that_is_refused_is_one_finding(block: str) -> None:
    (found,) = blamed(PEER, block)
    assert found.startswith(f"f:3: {block.splitlines()[0]}: ")


def test_after_a_refused_address_family_comes_the_router_again() -> None:
    found = blamed("address-family l2vpn evpn", "exit-address-family", PEER, "nonsense")
    assert [each[:5] for each in found] == ["f:2: ", "f:5: "]


def test_exit_leaves_the_address_family_and_then_the_router() -> None:
    assert read("address-family ipv6", "exit", PEER).neighbors
    assert "belongs below" in blamed("address-family ipv6", "exit", "exit", PEER)[0]
    assert "belongs below" in blamed("exit", "address-family ipv6")[0]
    assert "belongs below" in blamed("address-family ipv6", "end", PEER)[0]
    assert read("exit", "router bgp 64512", PEER).neighbors


# Values.


@pytest.mark.parametrize(
    ("statement", "prefix"),
    [
        ("network 10.1.2.3/8", "10.0.0.0/8"),
        ("network 1.0.0.2", "1.0.0.0/8"),
        ("network 172.16.5.1", "172.16.0.0/16"),
        ("network 192.168.1.1", "192.168.1.0/24"),
        ("network 0.0.0.0", "0.0.0.0/0"),
        ("network 10.1.2.3 mask 255.255.0.0", "10.1.0.0/16"),
        ("network 2001:db8::1/32", "2001:db8::/32"),
    ],
)
def test_networks_are_as_long_as_frr_takes_them(statement: str, prefix: str) -> None:
    (network,) = read("address-family ipv6", statement).networks
    assert str(network.prefix) == prefix


@pytest.mark.parametrize(
    "network",
    ["224.0.0.0/4", "239.1.1.1", "10.0.0.0/33", "1.0.0.0/", "/8", "x", "10.0.0.0 mask 255.0.255.0",
     "10.0.0.0/8 route-map X", "fe80::/64", "10.0.0.0/8 backdoor"],
)  # fmt: skip
def test_other_networks_are_refused(network: str) -> None:
    assert len(blamed(f"network {network}")) == 1


def test_without_a_word_the_hold_time_is_ours() -> None:
    """FRR's own would be 180 s, but peers propose theirs and the smaller counts."""
    assert read(PEER).hold_time_s == Config().hold_time_s
    assert neighbor().hold_time_s is None
    assert read(PEER, "timers bgp 60 180").hold_time_s == 180
    assert neighbor("timers bgp 60 180", "neighbor 10.0.0.1 timers 3 9").hold_time_s == 9


@pytest.mark.parametrize("timers", ["timers bgp", "neighbor 10.0.0.1 timers"])
@pytest.mark.parametrize(
    ("keepalive", "hold", "noted"),
    [(60, 180, False), (3, 10, False), (0, 0, False), (5, 90, True), (60, 90, True), (0, 90, True)],
)
def test_a_keepalive_that_is_no_third_of_the_hold_time_is_noted(
    timers: str, keepalive: int, hold: int, *, noted: bool
) -> None:
    """FRR keeps to it where it is less than a third; here it never matters."""
    text = f"router bgp 64512\n{PEER}\n{timers} {keepalive} {hold}\nno {timers}\n{timers} 3 9"
    note = f"f:3: a keepalive of {keepalive} s: skipped, it is a third of the hold time agreed on"
    assert parse_frr(text, "f")[1] == ([note] if noted else [])


def test_a_listen_limit_only_raises_ours() -> None:
    assert read("bgp listen limit 5").limits == Config().limits
    assert read("bgp listen limit 20000").limits.max_sessions == 20_000
    assert read("bgp listen limit 20000", "no bgp listen limit").limits == Config().limits


@pytest.mark.parametrize(
    ("set_", "unset"),
    [
        ("bgp router-id 1.1.1.1", "no bgp router-id"),
        ("bgp cluster-id 7", "no bgp cluster-id"),
        ("timers bgp 3 9", "no timers bgp"),
        ("timers bgp 3 9", "no timers bgp 3 9"),
        ("network 10.0.0.0/8", "no network 10.0.0.0/8"),
        (RANGE, f"no {RANGE}"),
        (RANGE, "no bgp listen range 10.0.0.0/8 peer-group"),
        ("neighbor 10.0.0.1 description a b", "no neighbor 10.0.0.1 description"),
        ("neighbor 10.0.0.1 password x", "no neighbor 10.0.0.1 password"),
        ("neighbor 10.0.0.1 port 5", "no neighbor 10.0.0.1 port"),
        ("neighbor 10.0.0.1 timers 3 9", "no neighbor 10.0.0.1 timers"),
        ("neighbor 10.0.0.1 passive", "no neighbor 10.0.0.1 passive"),
        ("neighbor 10.0.0.1 shutdown", "no neighbor 10.0.0.1 shutdown"),
        ("neighbor 10.0.0.1 shutdown message back soon", "no neighbor 10.0.0.1 shutdown"),
        ("neighbor 10.0.0.1 peer-group g", "no neighbor 10.0.0.1 peer-group g"),
        ("neighbor 10.0.0.1 route-reflector-client", "no neighbor 10.0.0.1 route-reflector-client"),
        ("neighbor 10.0.0.2 remote-as 64512", "no neighbor 10.0.0.2"),
        ("neighbor 10.0.0.2 remote-as 64512", "no neighbor 10.0.0.2 remote-as 64512"),
        ("neighbor h peer-group", "no neighbor h peer-group"),
        ("neighbor h peer-group\nneighbor 10.0.0.2 peer-group h", "no neighbor h peer-group"),
        ("neighbor h peer-group\nbgp listen range 11.0.0.0/8 peer-group h", "no neighbor h"),
    ],
)
def test_no_takes_back_what_was_said(set_: str, unset: str) -> None:
    before = (*GROUP, PEER)
    assert read(*before, set_, unset) == read(*before)


# Peers.


def test_a_member_has_what_its_group_has_and_it_does_not_say_itself() -> None:
    config = read(
        *(*GROUP, "neighbor g password s", "neighbor g timers 3 9", "neighbor g passive"),
        *("neighbor g route-reflector-client", "neighbor g description group"),
        *("neighbor 10.0.0.1 peer-group g", "neighbor 10.0.0.2 peer-group g"),
        *("no neighbor 10.0.0.2 passive", "neighbor 10.0.0.2 description own"),
        "neighbor 10.0.0.2 password t",
    )
    one, two = config.neighbors
    assert one.passive
    assert not two.passive
    assert one.settings == PeerSettings("group", client=True, hold_time_s=9, password="s")  # noqa: S106
    assert two.settings == PeerSettings("own", client=True, hold_time_s=9, password="t")  # noqa: S106


@pytest.mark.parametrize(
    ("statements", "families"),
    [
        ((), None),
        (("neighbor 10.0.0.1 activate",), ("ipv4",)),
        (("address-family ipv6", "neighbor 10.0.0.1 activate"), ("ipv4", "ipv6")),
        (
            ("no neighbor 10.0.0.1 activate", "address-family ipv6", "neighbor 10.0.0.1 activate"),
            ("ipv6",),
        ),
    ],
)
def test_families_are_those_that_are_active(
    statements: tuple[str, ...], families: tuple[str, ...] | None
) -> None:
    assert neighbor(*statements).families == families


def test_without_the_default_family_only_what_is_activated_counts() -> None:
    config = read(
        "no bgp default ipv4-unicast", PEER, "address-family ipv6", "neighbor 10.0.0.1 activate"
    )
    assert config.neighbors[0].settings.families == ("ipv6",)
    (found,) = blamed("no bgp default ipv4-unicast", PEER)
    assert found == ("f:3: 10.0.0.1 has no address family: say `neighbor 10.0.0.1 activate` in one")
    both = read("bgp default ipv6-unicast", PEER).neighbors[0]
    assert both.settings.families == ("ipv4", "ipv6")


def test_a_group_s_families_are_its_members() -> None:
    config = read(
        *(*GROUP, RANGE, "neighbor 10.0.0.1 peer-group g"),
        *("address-family ipv6", "neighbor g activate"),
    )
    assert config.ranges[0].settings.families == ("ipv4", "ipv6")
    assert config.neighbors[0].settings.families == ("ipv4", "ipv6")


def test_a_client_is_one_in_each_of_its_families() -> None:
    """FRR lets them differ, and would not reflect the IPv6 routes of such a class."""
    ipv6 = ("address-family ipv6", "neighbor 10.0.0.1 activate")
    client = "neighbor 10.0.0.1 route-reflector-client"
    assert neighbor(client, *ipv6, client).client
    assert not neighbor(*ipv6).client
    (found,) = blamed(PEER, client, *ipv6)
    assert "is a route-reflector-client for ipv4 and not for ipv6" in found
    (found,) = blamed(PEER, *ipv6, client)
    assert "is a route-reflector-client for ipv6 and not for ipv4" in found


def test_an_address_is_the_same_however_it_is_written() -> None:
    config = read("neighbor 2001:db8::1 remote-as 64512", "neighbor 2001:DB8:0::1 description x")
    assert [each.settings.description for each in config.neighbors] == ["x"]


def test_a_group_that_is_shut_down_is_left_out_with_its_range() -> None:
    config, notes = parse_frr(
        "\n".join(["router bgp 64512", *GROUP, RANGE, "neighbor 10.0.0.1 peer-group g",
                   "neighbor g shutdown"]),
        "f",
    )  # fmt: skip
    assert (config.ranges, config.neighbors) == ((), ())
    assert notes == [
        "f:4: 10.0.0.0/8 is left out: its group g is shut down",
        "f:5: neighbor 10.0.0.1 is left out: it is shut down",
    ]


def test_a_range_has_one_group() -> None:
    assert len(read(*GROUP, RANGE, RANGE).ranges) == 1
    (found,) = blamed(*GROUP, "neighbor h peer-group", "neighbor h remote-as 64512", RANGE,
                      "bgp listen range 10.1.0.0/8 peer-group h")  # fmt: skip
    assert found.endswith("is the range of peer group g already, by line 6")


def test_an_unused_group_may_be_in_any_as() -> None:
    assert read("neighbor upstream peer-group", "neighbor upstream remote-as 65001").ranges == ()


def test_a_peer_without_a_password_in_a_range_with_one_has_its_line() -> None:
    (found,) = blamed(*GROUP, "neighbor g password s", RANGE, PEER)
    assert found.startswith("f:6: 10.0.0.1/32 has no password and lies in 10.0.0.0/8")


def test_the_course_s_file_is_our_defaults_without_ipv6_peers() -> None:
    course = read(
        *("network 1.0.0.2/32", "neighbor kube peer-group", "neighbor kube remote-as 64512"),
        *("neighbor kube route-reflector-client", "bgp listen range 0.0.0.0/0 peer-group kube"),
    )
    assert course == parse_yaml(b"ranges: [{network: 0.0.0.0/0}]", "f")


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ("100", (100, "drop", 75, 60)),
        ("100 90", (100, "drop", 90, 60)),
        ("100 warning-only", (100, "warn", 75, 60)),
        ("100 90 restart 5", (100, "restart", 90, 300)),
    ],
)
def test_maximum_prefix(said: str, limit: tuple[int, str, int, int]) -> None:
    config = read(PEER, f"neighbor 10.0.0.1 maximum-prefix {said}")
    found = config.neighbors[0].settings.maximum_prefix
    assert astuple(found) == limit


@pytest.mark.parametrize("said", ["0", "x", "10 0", "10 restart", "10 restart 0", "10 force"])
def test_a_wrong_maximum_prefix_is_blamed(said: str) -> None:
    (found,) = blamed(PEER, f"neighbor 10.0.0.1 maximum-prefix {said}")
    assert found.startswith("f:3: neighbor 10.0.0.1 maximum-prefix")


def test_all_paths_are_told_where_frr_tells_them() -> None:
    tells = "neighbor 10.0.0.1 addpath-tx-all-paths"
    only = "neighbor 10.0.0.1 disable-addpath-rx"

    def of(*lines: str) -> str:
        return read(PEER, *lines).neighbors[0].settings.add_path

    assert [of(), of(only), of(tells), of(tells, only)] == ["off", "off", "both", "send"]
    assert of(tells, f"no {tells}") == of(tells, only, f"no {tells}") == "off"
    both = ("address-family ipv6 unicast", "neighbor 10.0.0.1 activate")
    assert of(tells, *both, tells) == "both"
    (found,) = blamed(PEER, tells, *both)
    assert "10.0.0.1 has addpath-tx-all-paths for ipv4 and not for ipv6" in found


def test_one_maximum_prefix_counts_for_each_family() -> None:
    family = ("address-family ipv6 unicast", "neighbor 10.0.0.1 maximum-prefix 11")
    (found,) = blamed(PEER, "neighbor 10.0.0.1 maximum-prefix 10", *family)
    assert "say the same in both" in found
    assert read(PEER, "no neighbor 10.0.0.1 maximum-prefix").neighbors[0].settings == PeerSettings(
        client=False
    )


def test_long_lived_graceful_restart_has_its_time() -> None:
    statement = "bgp long-lived-graceful-restart stale-time 3600"
    assert read(statement).long_lived_stale_time_s == 3600
    assert read(statement, f"no {statement}").long_lived_stale_time_s == 0
    [said] = blamed("bgp long-lived-graceful-restart stale-time 16777216")
    assert "16777216" in said


@pytest.mark.parametrize(
    ("statement", "key", "default", "too_many"),
    [
        ("bgp graceful-restart restart-time", "restart_time_s", 120, 4096),
        ("bgp graceful-restart select-defer-time", "select_defer_time_s", 30, 3601),
        ("bgp graceful-restart stalepath-time", "stale_path_time_s", 360, 4096),
    ],
)
def test_graceful_restart_has_its_times(
    statement: str, key: str, default: int, too_many: int
) -> None:
    assert getattr(read(f"{statement} 77"), key) == 77
    assert getattr(read(f"{statement} 77", f"no {statement} 77"), key) == default
    [said] = blamed(f"{statement} {too_many}")
    assert str(too_many) in said
