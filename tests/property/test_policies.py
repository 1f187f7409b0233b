"""However policies are changed under way, all ends as if it had always been so."""

from __future__ import annotations

from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from reflector.bgp.nlri import pack_prefix
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib.intake import Intake
from reflector.rib.policy import Change, Policy, Rule, Verdict
from reflector.rib.prefix_set import PrefixRange, PrefixSet
from tests.support import wire
from tests.support.classroom import Classroom, Student

PREFIXES = ["10.1.0.0/16", "10.1.1.0/24", "10.2.0.0/24", "10.2.0.1/32", "0.0.0.0/0"]
PEERS = ["10.0.0.1", "10.0.0.2", "10.0.1.1"]
COMMUNITIES = [64512 << 16 | 1, 64512 << 16 | 2]

# By peer its import and its export policy.
Plan = tuple[tuple[Policy | None, Policy | None], ...]
# Who, which prefixes, communities, LOCAL_PREF, and whether it is a withdrawal.
Said = tuple[int, list[str], set[int], int, bool]

ranges = st.builds(
    lambda text, bounds: PrefixRange(
        IPV4_UNICAST, pack_prefix(ip_network(text)), min(bounds), max(bounds)
    ),
    st.sampled_from(PREFIXES),
    st.tuples(st.integers(0, 32), st.integers(0, 32)),
)
rules = st.builds(
    Rule,
    name=st.just("r"),
    verdict=st.sampled_from(Verdict),
    prefixes=st.lists(ranges, max_size=2).map(
        lambda found: (PrefixSet(tuple(found)),) * bool(found)
    ),
    communities=st.sets(
        st.sampled_from(COMMUNITIES).map(lambda number: (8, number.to_bytes(4))), max_size=1
    ).map(frozenset),
    peers=st.lists(st.sampled_from([ip_network("10.0.0.0/24")]), max_size=1).map(tuple),
    change=st.builds(
        Change,
        local_pref=st.none() | st.integers(90, 110),
        med=st.none() | st.integers(0, 3),
        communities=st.sampled_from([(), ((8, COMMUNITIES[0].to_bytes(4)),)]),
    ),
)
policies = st.none() | st.builds(
    Policy,
    name=st.just("p"),
    rules=st.lists(rules, max_size=3).map(tuple),
    otherwise=st.sampled_from([Verdict.ACCEPT, Verdict.REJECT]),
)
announcements = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=4, unique=True),
        st.sets(st.sampled_from(COMMUNITIES)),
        st.integers(95, 105),
        st.booleans(),
    ),
    max_size=6,
)
plans = st.tuples(*[st.tuples(policies, policies) for _ in PEERS])


def seats(plan: Plan) -> tuple[Classroom, list[Student]]:
    """A class with these import and export policies."""
    classroom = Classroom()
    return classroom, [
        classroom.join(address, address, intake=Intake(policy=taken), export=told)
        for address, (taken, told) in zip(PEERS, plan, strict=True)
    ]


def body(said: Said) -> bytes:
    _, prefixes, communities, local_pref, withdrawn = said
    if withdrawn:
        return wire.withdraw(*prefixes)
    more = wire.communities(*sorted(communities)) if communities else b""
    attributes = wire.usual(local_pref=wire.local_pref(local_pref), more=more)
    return wire.announce(*prefixes, attributes=attributes)


@given(before=plans, after=plans, said=announcements, later=announcements, reads=st.booleans())
def test_a_change_of_policies_ends_as_if_they_had_always_been(
    before: Plan,
    after: Plan,
    said: list[Said],
    later: list[Said],
    *,
    reads: bool,
) -> None:
    changed, students = seats(before)
    always, others = seats(after)
    # What is said, and said again by those who are asked.
    spoken: list[list[bytes]] = [[] for _ in PEERS]
    students[1].outlet.reads = reads
    for each in said:
        index, update = each[0], body(each)
        spoken[index].append(update)
        changed.send(students[index], update)
        always.send(others[index], update)
    for index, (taken, told) in enumerate(after):
        asked = changed.speaker.reconfigure(students[index].peer, Intake(policy=taken), told)
        if asked:
            changed.send(students[index], *spoken[index], turn=False)
    for each in later:
        index, update = each[0], body(each)
        changed.send(students[index], update, turn=False)
        always.send(others[index], update)
    students[1].outlet.reads = True
    changed.turn()
    for student, other in zip(students, others, strict=True):
        assert student.table == other.table
