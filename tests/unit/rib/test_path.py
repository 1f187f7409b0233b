"""Paths as they are sent."""

from ipaddress import ip_address

import pytest

from reflector.bgp.judge import Judge
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST
from reflector.rib.audience import Audience
from reflector.rib.form import Form
from reflector.rib.path import Path, local_attributes
from reflector.rib.source import Source
from tests.support import wire

CLUSTER_ID = b"\x0a\0\0\xfe"
JUDGE = Judge(wire.ASN, b"\x0a\0\0\xfe", CLUSTER_ID)
HOP6 = ip_address("2001:db8::1").packed
FORM, OLD_FORM = Form(Audience.CLIENT), Form(Audience.CLIENT, as4=False)


def source(kind: int = Audience.CLIENT, *, local: bool = False) -> Source:
    """Return a source."""
    return Source("it", kind, b"\1\2\3\4", ip_address("10.0.0.1"), local=local)


def path(block: bytes = b"", kind: int = Audience.CLIENT) -> Path:
    """Return an IPv4 path."""
    attributes = JUDGE.judge(block or wire.usual())
    assert attributes is not None
    return Path(source(kind), IPV4_UNICAST, attributes, attributes.next_hop, CLUSTER_ID)


@pytest.mark.parametrize(
    ("kind", "audience"),
    [
        (Audience.CLIENT, Audience.ALL),
        (Audience.NON_CLIENT, Audience.CLIENT | Audience.OUTSIDE),
        (Audience.EXTERNAL, Audience.ALL),
        (Audience.SERVED, Audience.ALL),
    ],
)
def test_the_audience_depends_on_the_source(kind: int, audience: int) -> None:
    told = path(kind=kind).audience
    assert told & Audience.ALL == audience
    assert told == Audience.any_form(audience)


@pytest.mark.rfc("1997", "NO_ADVERTISE")
def test_nobody_is_told_what_must_not_be_advertised() -> None:
    block = wire.usual(more=wire.communities(0xFFFFFF02))
    assert path(block).audience == Audience.NOBODY


def test_a_path_alone_stands_for_its_candidates() -> None:
    alone = path()
    assert alone.best is alone
    assert alone.paths == (alone,)


@pytest.mark.rfc("4271", "5 order")
def test_a_reflected_path_is_written_in_the_order_of_codes() -> None:
    block = wire.usual(more=wire.med(1) + wire.attribute(0xC0, 16, bytes(8)))
    written = path(block).write([wire.prefix("10.1.0.0/24")], FORM)
    expected = (
        wire.origin()
        + wire.as_path()
        + wire.next_hop()
        + wire.med(1)
        + wire.local_pref()
        + wire.originator_id("1.2.3.4")
        + wire.cluster_list("10.0.0.254")
        + wire.attribute(0xC0, 16, bytes(8))
    )
    assert written == wire.update(wire.prefix("10.1.0.0/24"), expected)


def test_an_ipv6_path_is_written_without_next_hop() -> None:
    attributes = JUDGE.judge(wire.usual())
    assert attributes is not None
    six = Path(source(), IPV6_UNICAST, attributes, HOP6, CLUSTER_ID)
    written = six.write([wire.prefix("2001:db8::/32")], FORM)
    block = (
        wire.mp_reach(wire.IPV6, HOP6, wire.prefix("2001:db8::/32"))
        + wire.usual(next_hop=b"")
        + wire.originator_id("1.2.3.4")
        + wire.cluster_list("10.0.0.254")
    )
    assert written == wire.update(attributes=block)


def test_a_path_is_written_in_both_widths_of_as_numbers() -> None:
    block = wire.usual(as_path=wire.as_path(wire.sequence(1, 70000)))
    both = path(block)
    prefixes = [wire.prefix("10.1.0.0/24")]
    assert wire.as_path(wire.sequence(1, 70000)) in both.write(prefixes, FORM)
    old = both.write(prefixes, OLD_FORM)
    assert wire.as_path(wire.sequence(1, 23456, width=2)) in old
    assert wire.attribute(0xC0, 17, wire.sequence(1, 70000)) in old
    assert both.write(prefixes, OLD_FORM) == old


def test_our_own_path_is_written_for_each_receiver() -> None:
    ours = Path(
        source(Audience.ALL, local=True), IPV4_UNICAST, local_attributes(100), b"", CLUSTER_ID
    )
    for form in (FORM, OLD_FORM, FORM):
        for hop in ("10.0.0.1", "10.5.0.1"):
            packed = ip_address(hop).packed
            written = ours.write([wire.prefix("1.0.0.2/32")], form, packed)
            expected = wire.usual(next_hop=wire.next_hop(hop))
            assert written == wire.update(wire.prefix("1.0.0.2/32"), expected)


def test_the_last_tie_breaks_are_the_sources() -> None:
    one, two = path(), path()
    expected = (True, b"\1\2\3\4", 0, 4, b"\x0a\0\0\1", b"\1\2\3\4", one.next_hop, 0)
    assert one.tie_break == two.tie_break == expected
    more = wire.originator_id("9.9.9.9") + wire.cluster_list("1.1.1.1", "2.2.2.2")
    assert path(wire.usual(more=more)).tie_break[:3] == (True, b"\x09\x09\x09\x09", 8)
