"""FRR's bgpd.conf: what is read, what is skipped with a note, what stops the start."""

from __future__ import annotations

import contextlib
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

import pytest

from reflector.config.errors import ConfigError
from reflector.config.frr import parse_frr, read_frr
from reflector.config.frr_statements import COSMETIC, REFUSED, REFUSED_NO, UNDERSTOOD
from reflector.config.model import Config, LocalNetwork, PeerRange, PeerSettings, settings_for
from tests.support.course import COURSE_BGPD_CONF

USUAL = """\
frr version 8.4.4
frr defaults traditional
hostname rr1
log file /var/log/frr/bgpd.log informational
service integrated-vtysh-config
no ipv6 forwarding
!
router bgp 64512
 ! a comment
 bgp router-id 10.0.0.1
 bgp cluster-id 10.0.0.2
 no bgp default ipv4-unicast
 no bgp network import-check
 bgp listen limit 500
 timers bgp 10 30
 bgp listen range 10.0.0.0/8 peer-group NODES
 bgp listen range fd00::/8 peer-group NODES
 neighbor NODES peer-group
 neighbor NODES remote-as internal
 neighbor NODES description nodes of the class
 neighbor NODES password s3cret
 neighbor 192.0.2.7 peer-group NODES
 neighbor 192.0.2.7 description the other one
 neighbor 192.0.2.7 passive
 neighbor 192.0.2.8 remote-as 64512
 neighbor 192.0.2.8 port 1179
 neighbor 192.0.2.8 timers 3 9
 neighbor 192.0.2.9 remote-as 64512
 neighbor 192.0.2.9 shutdown
 !
 address-family ipv4 unicast
  network 1.0.0.2/32
  neighbor NODES activate
  neighbor NODES route-reflector-client
  neighbor NODES soft-reconfiguration inbound
  neighbor 192.0.2.8 activate
 exit-address-family
 !
 address-family ipv6 unicast
  network 2001:db8::/48
  neighbor NODES activate
  neighbor NODES route-reflector-client
 exit-address-family
exit
!
line vty
 exec-timeout 0 0
!
end
"""


def blamed(text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parse_frr(text, "bgpd.conf")
    return str(error.value).splitlines()


def within(*statements: str) -> str:
    return "router bgp 64512\n" + "".join(f" {each}\n" for each in statements)


def test_the_course_s_file_word_for_word() -> None:
    config, notes = parse_frr(COURSE_BGPD_CONF, "bgpd.conf")
    assert config == Config(
        ranges=(PeerRange(ip_network("0.0.0.0/0"), PeerSettings()),),
        networks=(LocalNetwork(ip_network("1.0.0.2/32")),),
    )
    assert [note.split(": ")[0:2] for note in notes] == [
        ["bgpd.conf:1", "hostname frr"],
        ["bgpd.conf:4", "bgp log-neighbor-changes"],
        ["bgpd.conf:9", "log stdout"],
    ]


def test_a_file_as_frr_writes_it() -> None:
    config, _ = parse_frr(USUAL, "bgpd.conf")
    assert config.router_id == IPv4Address("10.0.0.1")
    assert config.cluster_id == IPv4Address("10.0.0.2")
    assert config.hold_time_s == 30
    assert [str(each.prefix) for each in config.networks] == ["1.0.0.2/32", "2001:db8::/48"]
    assert [str(each.network) for each in config.ranges] == ["10.0.0.0/8", "fd00::/8"]
    nodes = config.ranges[0].settings
    assert (nodes.client, nodes.password, nodes.description) == (
        True,
        "s3cret",
        "nodes of the class",
    )
    assert nodes.families == ("ipv4", "ipv6")
    named = settings_for(config, ip_address("192.0.2.7"))
    assert named is not None
    assert (named.description, named.password, named.client) == ("the other one", "s3cret", True)
    assert [(str(n.address), n.port, n.passive) for n in config.neighbors] == [
        ("192.0.2.7", 179, True),
        ("192.0.2.8", 1179, False),
    ]
    assert config.neighbors[1].settings == PeerSettings(
        client=False, hold_time_s=9, families=("ipv4",)
    )


def test_a_group_may_be_described_after_it_is_used() -> None:
    lines = COURSE_BGPD_CONF.splitlines()
    shuffled = [lines[1], lines[7], lines[6], lines[5], lines[4], lines[2]]
    assert parse_frr("\n".join(shuffled), "f")[0] == parse_frr(COURSE_BGPD_CONF, "f")[0]


def test_a_group_that_is_no_client_group_has_non_clients() -> None:
    config, _ = parse_frr(
        COURSE_BGPD_CONF.replace("neighbor kube route-reflector-client\n", ""), "f"
    )
    assert config.ranges[0].settings.client is False


def test_a_cluster_id_may_be_a_number() -> None:
    assert parse_frr(within("bgp cluster-id 7"), "f")[0].cluster_id == IPv4Address("0.0.0.7")


def test_without_a_range_nobody_may_connect_unnamed() -> None:
    assert parse_frr(within("neighbor 10.0.0.1 remote-as 64512"), "f")[0].ranges == ()


def test_no_takes_back() -> None:
    config, _ = parse_frr(
        within("network 1.0.0.2/32", "no network 1.0.0.2/32", "bgp router-id 1.1.1.1",
               "no bgp router-id 1.1.1.1"),
        "f",
    )  # fmt: skip
    assert (config.networks, config.router_id) == ((), None)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("bgp ebgp-requires-policy", "accepted without a policy"),
        (
            "neighbor 10.0.0.1 route-map IN",
            "it needs the map's name and a direction, `in` or `out`",
        ),
        ("neighbor 10.0.0.1 maximum-prefix-out 10", "not supported yet"),
        ("neighbor 10.0.0.1 passive", "has no AS"),
        ("neighbor 10.0.0.1 peer-group none", "there is no peer group none"),
        ("neighbor kube remote-as 64512", "is no address"),
        ("bgp listen range 10.0.0.0/8 peer-group none", "there is no peer group none"),
        ("bgp listen range 10.0.0.0/33 peer-group none", "is not an IP prefix"),
        ("redistribute connected", "use `network`"),
        ("no bgp client-to-client reflection", "would not reach each other"),
        ("bgp bestpath as-path ignore", "would change which path is best"),
        ("address-family l2vpn evpn", "only ipv4 unicast and ipv6 unicast"),
        ("bgp router-id 0.0.0.0", "is not of the form"),
        ("timers bgp 1 2", "0, or 3 to 65535"),
        ("neighbor 10.0.0.1 frobnicate", "is no statement that is understood"),
        ("nonsense", "is no statement that is understood"),
    ],
)
def test_what_would_change_routing_stops_the_start(statement: str, says: str) -> None:
    found = blamed(within(statement))
    assert len(found) == 1
    assert found[0].startswith("bgpd.conf:2: ")
    assert says in found[0]


def test_all_that_is_wrong_comes_at_once_in_the_order_of_the_file() -> None:
    found = blamed(within("nonsense", "redistribute kernel", "neighbor 10.0.0.1 passive"))
    assert [each.split(": ")[0] for each in found] == [f"bgpd.conf:{n}" for n in (2, 3, 4)]


def test_statements_outside_of_router_bgp_are_told_where_they_belong() -> None:
    found = blamed("network 1.0.0.2/32\nrouter bgp 64512\n")
    assert found == ["bgpd.conf:1: network 1.0.0.2/32: belongs below a `router bgp` line"]


def test_a_file_without_bgp() -> None:
    assert blamed("hostname x\n") == ["bgpd.conf: there is no `router bgp` line in it"]


def example(entry: str, more: str = "x y z") -> str:
    """A statement that an entry of a table knows."""
    if "... interface" in entry.replace("*", "..."):
        more = ""  # whatever follows is an interface's name
    return f"{entry.replace('*', '10.0.0.1')} {more}".strip()


@pytest.mark.parametrize("entry", COSMETIC)
def test_every_cosmetic_statement_is_skipped_with_its_line(entry: str) -> None:
    _, notes = parse_frr(f"router bgp 64512\n{example(entry)}\n", "f")
    assert len(notes) == 1
    assert notes[0].startswith(f"f:2: {entry.replace('*', '10.0.0.1').split('password')[0]}")
    assert notes[0].endswith(f"skipped, {COSMETIC[entry]}")


@pytest.mark.parametrize("entry", REFUSED)
def test_every_refused_statement_stops_the_start(entry: str) -> None:
    assert blamed(within(example(entry))) == [f"bgpd.conf:2: {example(entry)}: {REFUSED[entry]}"]


@pytest.mark.parametrize("entry", [each for each in REFUSED if each != "router"])
def test_what_is_refused_may_be_switched_off(entry: str) -> None:
    _, notes = parse_frr(f"router bgp 64512\nno {example(entry)}\n", "f")
    assert notes == [f"f:2: no {example(entry)}: skipped, it is off here in any case"]


@pytest.mark.parametrize("entry", REFUSED_NO)
def test_what_is_always_on_can_t_be_switched_off(entry: str) -> None:
    assert blamed(within(f"no {example(entry)}")) == [
        f"bgpd.conf:2: no {example(entry)}: {REFUSED_NO[entry]}"
    ]


def test_an_entry_is_in_one_table() -> None:
    assert not UNDERSTOOD.keys() & COSMETIC.keys()
    assert not UNDERSTOOD.keys() & REFUSED.keys()
    assert not COSMETIC.keys() & REFUSED.keys()
    assert COSMETIC.keys() >= REFUSED_NO.keys()


@pytest.mark.parametrize("no", ["", "no "])
@pytest.mark.parametrize("entry", UNDERSTOOD)
def test_every_understood_statement_is_dealt_with(entry: str, no: str) -> None:
    """Not that it means the right thing, but that none is forgotten."""
    for words in range(1, len(entry.split()) + 1):
        text = " ".join(entry.split()[:words]).replace("*", "10.0.0.1").replace("...", "a b")
        for content in (text, f"{no}{text}", within(f"{no}{text}")):
            with contextlib.suppress(ConfigError):
                parse_frr(content, "f")


SECRET = "s3cret" * 20  # too long for TCP MD5


@pytest.mark.parametrize(
    "statement",
    [
        f"neighbor kube password {SECRET}",
        f"neighbor kube passw {SECRET}",
        f"neighbor kube pas {SECRET}",
        f"neighbor kube p {SECRET}",
        f"neighbor kube pasword {SECRET}",
        f"neighbor kube Password {SECRET}",
        f"neighbor kube password two {SECRET}",
        f"neigbor kube password {SECRET}",
    ],
)
def test_a_secret_is_not_repeated(statement: str) -> None:
    assert SECRET not in "".join(blamed(within(statement)))


@pytest.mark.parametrize(
    "statement", ["password zebra", "password 8 zebra", "enable password zebra", "passw zebra"]
)
def test_nor_in_a_note(statement: str) -> None:
    (note, *_) = parse_frr(f"{statement}\n{COURSE_BGPD_CONF}", "f")[1]
    assert "zebra" not in note


def test_a_message_is_one_line_whatever_the_file_holds() -> None:
    (found,) = blamed(within("nonsense \x1b[31m\u2028\x0b" + "x" * 1000))
    assert found.isprintable()
    assert len(found) < 400


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read: No such file"):
        read_frr(tmp_path / "no.conf")
    with pytest.raises(ConfigError, match="is a directory: name the file in it"):
        read_frr(tmp_path)
    (tmp_path / "bytes.conf").write_bytes(b"!\nrouter \xff")
    with pytest.raises(ConfigError, match="conf:2: the file is not UTF-8 text"):
        read_frr(tmp_path / "bytes.conf")
