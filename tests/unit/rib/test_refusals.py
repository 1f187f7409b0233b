"""What is remembered of routes that are refused, and for how long."""

from ipaddress import ip_network

from reflector.bgp.nlri import pack_prefix
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST
from reflector.rib.refusals import Refusals, Refused

ONE, OTHER, V6 = (
    pack_prefix(ip_network(each)) for each in ("10.1.0.0/24", "10.2.0.0/24", "fd00:1::/64")
)


def test_the_last_one_is_told_until_it_is_lifted() -> None:
    refusals = Refusals()
    assert (refusals.wrong(), refusals.had_wrong, refusals.standing) == (None, False, 0)
    refusals.note(IPV6_UNICAST, [V6], "six")
    refusals.note(IPV4_UNICAST, [ONE, OTHER], "four")
    assert refusals.wrong() == Refused(IPV4_UNICAST, OTHER, "four", 2)
    refusals.note(IPV6_UNICAST, [V6], "six again")
    assert refusals.wrong() == Refused(IPV6_UNICAST, V6, "six again", 2)
    refusals.lift(IPV6_UNICAST, [V6])
    refusals.lift(IPV4_UNICAST, [V6, OTHER])
    assert refusals.wrong() == Refused(IPV4_UNICAST, ONE, "four", 0)
    assert refusals.reason(IPV4_UNICAST, OTHER) == ""
    refusals.lift(IPV4_UNICAST, [ONE])
    assert (refusals.wrong(), refusals.had_wrong, refusals.standing) == (None, True, 0)


def test_what_a_policy_rejects_breaks_no_rule() -> None:
    refusals = Refusals()
    refusals.note(IPV4_UNICAST, [ONE], "not wanted", by_policy=True)
    assert (refusals.wrong(), refusals.had_wrong, refusals.standing) == (None, False, 1)
    assert refusals.reason(IPV4_UNICAST, ONE) == "not wanted"
    # The last word counts.
    refusals.note(IPV4_UNICAST, [ONE], "wrong")
    assert (refusals.reason(IPV4_UNICAST, ONE), refusals.standing) == ("wrong", 1)


def test_a_flood_is_remembered_in_part() -> None:
    refusals = Refusals()
    flood = [pack_prefix(ip_network((number << 8, 24))) for number in range(3000)]
    refusals.note(IPV4_UNICAST, flood[:2000], "many")
    for prefix in flood[2000:]:
        refusals.note(IPV4_UNICAST, [prefix], "one by one")
    assert refusals.standing == 1024
    assert refusals.reason(IPV4_UNICAST, flood[1975]) == ""
    assert refusals.reason(IPV4_UNICAST, flood[1976]) == "many"
    assert refusals.reason(IPV4_UNICAST, flood[2999]) == "one by one"
