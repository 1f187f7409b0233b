"""Rules and prefix sets by themselves."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflector.bgp.attributes import PathAttributes
from reflector.bgp.judge import Judge
from reflector.bgp.nlri import pack_prefix
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST
from reflector.rib.audience import Audience
from reflector.rib.policy import Change, Policy, Rule, Verdict
from reflector.rib.prefix_set import PrefixRange, PrefixSet
from reflector.rib.source import Source
from tests.support import wire

ACCEPT, REJECT, NEXT = Verdict.ACCEPT, Verdict.REJECT, Verdict.NEXT
TEN = pack_prefix(ip_network("10.1.2.0/24"))
SOURCE = Source("a", Audience.CLIENT, b"\x0a\0\0\1", ip_address("10.0.0.1"))
US = Source("us", Audience.ALL, b"\x0a\0\0\2", ip_address("10.0.0.2"), local=True)


def judged(**replaced: bytes) -> PathAttributes:
    judge = Judge(64512, IPv4Address("192.0.2.1").packed, IPv4Address("192.0.2.1").packed)
    found = judge.judge(wire.usual(**replaced))
    assert found is not None
    assert not found.refused
    return found


def one(text: str, least: int, most: int) -> PrefixSet:
    return PrefixSet((PrefixRange(IPV4_UNICAST, pack_prefix(ip_network(text)), least, most),))


def decides(rule: Rule, attributes: PathAttributes, source: Source = SOURCE) -> bool:
    """Whether a rule that rejects fits."""
    policy = Policy("p", (rule,), ACCEPT)
    outcome = policy.plan(attributes, source, heeded=True).outcome(IPV4_UNICAST, TEN)
    return outcome.attributes is None


@given(
    bits=st.integers(0, 32),
    number=st.integers(0, 2**32 - 1),
    own=st.integers(0, 32),
    base=st.integers(0, 2**32 - 1),
    least=st.integers(0, 32),
    most=st.integers(0, 32),
)
def test_a_prefix_set_holds_what_lies_in_it(
    bits: int, number: int, own: int, base: int, least: int, most: int
) -> None:
    network = ip_network((base, own), strict=False)
    wanted = ip_network((number, bits), strict=False)
    # Half of the time something in it.
    for prefix in (wanted, ip_network((base, bits), strict=False)):
        holds = prefix.subnet_of(network) and least <= bits <= most  # type: ignore[arg-type]
        found = one(str(network), least, most).holds(IPV4_UNICAST, pack_prefix(prefix))
        assert found is holds


def test_a_prefix_of_another_family_is_in_no_set() -> None:
    assert not one("0.0.0.0/0", 0, 32).holds(IPV6_UNICAST, pack_prefix(ip_network("::/0")))


CONDITIONS = {
    "a community": (Rule("r", REJECT, communities=frozenset({(8, b"\xfc\0\0\1")})), True),
    "another": (Rule("r", REJECT, communities=frozenset({(8, b"\xfc\0\0\2")})), False),
    "one across two": (Rule("r", REJECT, communities=frozenset({(8, b"\0\1\xfc\0")})), False),
    "a large one": (Rule("r", REJECT, communities=frozenset({(32, bytes(range(12)))})), True),
    "an extended one": (Rule("r", REJECT, communities=frozenset({(16, bytes(range(8)))})), True),
    "an AS": (Rule("r", REJECT, as_path=frozenset({65002})), True),
    "an AS in a set": (Rule("r", REJECT, as_path=frozenset({65009})), True),
    "another AS": (Rule("r", REJECT, as_path=frozenset({65003})), False),
    "length": (Rule("r", REJECT, as_path_length=(3, 3)), True),
    "too long": (Rule("r", REJECT, as_path_length=(0, 2)), False),
    "too short": (Rule("r", REJECT, as_path_length=(4, 9)), False),
    "from": (Rule("r", REJECT, peers=(ip_network("10.0.0.0/24"),)), True),
    "from elsewhere": (Rule("r", REJECT, peers=(ip_network("10.0.1.0/24"),)), False),
    "prefix": (Rule("r", REJECT, (one("10.0.0.0/8", 24, 24),)), True),
    "another prefix": (Rule("r", REJECT, (one("11.0.0.0/8", 24, 24),)), False),
    "one of two sets": (
        Rule("r", REJECT, (one("11.0.0.0/8", 8, 8), one("10.0.0.0/8", 8, 32))),
        True,
    ),
    "all": (Rule("r", REJECT), True),
    "two, of which one holds": (
        Rule("r", REJECT, as_path_length=(3, 3), peers=(ip_network("10.0.1.0/24"),)),
        False,
    ),
}


@pytest.mark.parametrize(("rule", "fits"), CONDITIONS.values(), ids=CONDITIONS)
def test_all_conditions_of_a_rule_must_hold(rule: Rule, *, fits: bool) -> None:
    attributes = judged(
        as_path=wire.as_path(wire.sequence(65001, 65002), wire.as_set(65009, 65010)),
        more=wire.communities(64512 << 16 | 1, 64512 << 16)
        + wire.attribute(0xC0, 16, bytes(range(8)))
        + wire.attribute(0xC0, 32, bytes(range(12))),
    )
    assert decides(rule, attributes) is fits


def test_our_own_routes_come_from_no_peer() -> None:
    rule = Rule("r", REJECT, peers=(ip_network("0.0.0.0/0"),))
    assert decides(rule, judged())
    assert not decides(rule, judged(), US)


def test_rules_are_asked_in_order_and_next_goes_on() -> None:
    policy = Policy(
        "p",
        (
            Rule("1", NEXT, change=Change(local_pref=200)),
            Rule("2", NEXT, (one("10.0.0.0/8", 8, 32),), change=Change(med=5)),
            Rule("3", REJECT, (one("10.1.0.0/16", 32, 32),)),
            Rule("4", ACCEPT, (one("10.0.0.0/8", 8, 32),), change=Change(local_pref=300)),
        ),
        REJECT,
    )
    plan = policy.plan(judged(), SOURCE, heeded=True)
    accepted = plan.outcome(IPV4_UNICAST, TEN)
    assert accepted.attributes is not None
    assert (accepted.rule, accepted.attributes.local_pref, accepted.attributes.med) == ("4", 300, 5)
    assert plan.outcome(IPV4_UNICAST, pack_prefix(ip_network("10.1.0.1/32"))).rule == "3"
    other = plan.outcome(IPV4_UNICAST, pack_prefix(ip_network("11.0.0.0/8")))
    assert (other.rule, other.attributes) == ("p, otherwise", None)


def test_prefixes_with_the_same_fate_share_it() -> None:
    policy = Policy("p", (Rule("1", ACCEPT, (one("10.0.0.0/8", 8, 32),)),), REJECT)
    plan = policy.plan(judged(), SOURCE, heeded=True)
    texts = ["10.1.0.0/16", "11.0.0.0/8", "10.2.0.0/16", "12.0.0.0/8"]
    packed = [pack_prefix(ip_network(text)) for text in texts]
    assert list(plan.sort(IPV4_UNICAST, packed).values()) == [packed[0::2], packed[1::2]]
    whole = Policy("p", (Rule("1", ACCEPT),), REJECT).plan(judged(), SOURCE, heeded=True)
    assert list(whole.sort(IPV4_UNICAST, packed).values()) == [packed]
