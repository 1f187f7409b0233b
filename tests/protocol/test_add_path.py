"""Several paths of a prefix on one session (RFC 7911): taken from peers, and told to them."""

from ipaddress import ip_address, ip_network

import pytest

from reflector.bgp.codec import decode_open
from reflector.bgp.errors import SessionError
from reflector.bgp.limits import MAX_PATHS_PER_PREFIX
from reflector.bgp.nlri import pack_prefix
from reflector.bgp.open import GracefulRestart
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST, AddPath
from reflector.rib import update_group
from reflector.rib.decision import explain
from reflector.rib.fate import Reason
from reflector.rib.intake import Intake
from reflector.rib.maximum import MaximumPrefix
from reflector.rib.originated import LocalRoute
from reflector.rib.policy import Change, Policy, Rule, Verdict
from reflector.rib.prefix_set import PrefixRange, PrefixSet
from tests.support import wire
from tests.support.classroom import Classroom, Student
from tests.support.talk import Talk, our_open

PREFIX, OTHER, PREFIX6 = "10.1.0.0/24", "10.2.0.0/24", "2001:db8:1::/64"
NO_FAMILIES = frozenset[object]()
BOTH_FAMILIES = frozenset({IPV4_UNICAST, IPV6_UNICAST})
KEPT = ((1, 1, True), (2, 1, True))
RESTART = GracefulRestart(restarting=False, restart_time_s=90, preserved=KEPT)
END_OF_RIB = b"\0\0\0\0"


def via(hop: str, *prefixes: str, path_id: int | None = None, **attributes: bytes) -> bytes:
    block = wire.usual(next_hop=wire.next_hop(hop), **attributes)
    return wire.announce(*prefixes or (PREFIX,), attributes=block, path_id=path_id)


def packed(prefix: str) -> bytes:
    return pack_prefix(ip_network(prefix))


@pytest.fixture
def classroom() -> Classroom:
    return Classroom()


@pytest.fixture
def sender(classroom: Classroom) -> Student:
    """A peer that may announce several paths of a prefix."""
    return classroom.join("sender", "10.0.0.1", add_path="receive")


@pytest.fixture
def all_told(classroom: Classroom) -> Student:
    """A peer that is told of every path."""
    return classroom.join("all told", "10.0.0.8", add_path="send")


@pytest.fixture
def plain(classroom: Classroom) -> Student:
    """A peer without add-path."""
    return classroom.join("plain", "10.0.0.9")


# The capability.


def negotiated(ours: int, theirs: bytes | None) -> tuple[frozenset[object], frozenset[object]]:
    """Return in which families a session receives and sends several paths."""
    talk = Talk(our_open(add_path=ours))
    offered = b"" if theirs is None else wire.capability(69, theirs)
    parameters = wire.parameter(2, wire.capabilities() + offered)
    talk.hear(wire.open_message(parameters=parameters) + wire.keepalive())
    assert talk.established
    found = talk.session.negotiated
    assert found is not None
    return found.add_path_receive, found.add_path_send


@pytest.mark.rfc("7911", "4", "5 both")
@pytest.mark.parametrize(
    ("ours", "theirs", "receives", "sends"),
    [
        (AddPath.BOTH, AddPath.BOTH, True, True),
        (AddPath.BOTH, AddPath.SEND, True, False),
        (AddPath.BOTH, AddPath.RECEIVE, False, True),
        (AddPath.RECEIVE, AddPath.BOTH, True, False),
        (AddPath.SEND, AddPath.SEND, False, False),
        (AddPath.RECEIVE, AddPath.RECEIVE, False, False),
        (0, AddPath.BOTH, False, False),
    ],
)
def test_one_side_must_send_and_the_other_receive(
    ours: int, theirs: int, *, receives: bool, sends: bool
) -> None:
    """RFC 7911 5: 2 or 3 from who sends, and 1 or 3 from who receives."""
    value = bytes((0, 1, 1, theirs)) + bytes((0, 2, 1, theirs))
    expected = (
        BOTH_FAMILIES if receives else NO_FAMILIES,
        BOTH_FAMILIES if sends else NO_FAMILIES,
    )
    assert negotiated(ours, value) == expected


@pytest.mark.rfc("7911", "4", "5 both")
def test_each_family_is_negotiated_by_itself() -> None:
    """RFC 7911 4: a direction for each AFI and SAFI; others than the session's don't matter."""
    value = bytes((0, 2, 1, AddPath.SEND, 0, 1, 128, AddPath.BOTH))
    assert negotiated(AddPath.BOTH, value) == (frozenset({IPV6_UNICAST}), NO_FAMILIES)


@pytest.mark.rfc("7911", "4 unknown")
@pytest.mark.parametrize(
    "value", [b"\0\1\1\0", b"\0\1\1\4", b"\0\1\1\3\0\2\1\xff", b"\0\1\1", b"\0\1\1\3\0\2", None]
)
def test_a_capability_that_makes_no_sense_is_ignored(value: bytes | None) -> None:
    """RFC 7911 4: "the capability SHOULD be treated as not understood and ignored"."""
    assert negotiated(AddPath.BOTH, value) == (NO_FAMILIES, NO_FAMILIES)


@pytest.mark.rfc("7911", "4")
def test_we_offer_it_in_one_capability() -> None:
    """RFC 7911 4: "by including the information in a single instance"."""
    talk = Talk(our_open(add_path=AddPath.RECEIVE))
    ((kind, body),) = talk.sent
    assert kind == wire.OPEN
    assert body.count(b"\x45\x08\0\1\1\1\0\2\1\1") == 1
    assert decode_open(body).capabilities.codes.count(69) == 1
    assert 69 not in decode_open(Talk(our_open()).sent[0][1]).capabilities.codes


# Receiving.


@pytest.mark.rfc("7911", "3 encoding", "5 replace")
def test_paths_are_told_apart_by_their_identifiers(
    classroom: Classroom, sender: Student, plain: Student
) -> None:
    """RFC 7911 5: the same prefix and identifier replace, another identifier adds."""
    classroom.send(sender, via("10.9.0.2", path_id=7), via("10.9.0.1", path_id=8))
    assert str(plain.route(PREFIX).next_hop) == "10.9.0.1"
    assert classroom.speaker.held_by(sender.peer) == 2
    classroom.send(sender, via("10.9.0.3", path_id=8))
    assert str(plain.route(PREFIX).next_hop) == "10.9.0.2"
    assert classroom.speaker.held_by(sender.peer) == 2
    assert explain(classroom.speaker.tables[IPV4_UNICAST].routes[packed(PREFIX)].paths) == (
        "lowest next hop of the peer's paths"
    )


@pytest.mark.rfc("7911", "3 encoding", "5 withdraw")
def test_a_path_is_withdrawn_by_its_identifier(
    classroom: Classroom, sender: Student, plain: Student
) -> None:
    """RFC 7911 5: and an identifier that was not seen before is silently ignored."""
    classroom.send(sender, via("10.9.0.1", path_id=1), via("10.9.0.2", path_id=2))
    classroom.send(sender, wire.withdraw(PREFIX, path_id=3), wire.withdraw(OTHER, path_id=1))
    assert str(plain.route(PREFIX).next_hop) == "10.9.0.1"
    classroom.send(sender, wire.withdraw(PREFIX, path_id=1))
    assert str(plain.route(PREFIX).next_hop) == "10.9.0.2"
    classroom.send(sender, wire.withdraw(PREFIX, path_id=1))
    assert str(plain.route(PREFIX).next_hop) == "10.9.0.2"
    classroom.send(sender, wire.withdraw(PREFIX, path_id=2))
    assert plain.prefixes == set()
    assert sender.peer.counters.withdrawn == 2
    assert classroom.findings == []


@pytest.mark.rfc("7911", "3 encoding")
def test_ipv6_paths_come_in_multiprotocol_attributes(
    classroom: Classroom, sender: Student, plain: Student
) -> None:
    """RFC 7911 3: the NLRI of RFC 4760 is extended as that of RFC 4271."""
    for number in (2, 1):
        hop = f"2001:db8::{number}"
        classroom.send(sender, wire.announce6(PREFIX6, via=hop, path_id=number))
    assert str(plain.route(PREFIX6).next_hop) == "2001:db8::1"
    classroom.send(sender, wire.withdraw6(PREFIX6, path_id=1))
    assert str(plain.route(PREFIX6).next_hop) == "2001:db8::2"


@pytest.mark.rfc("7911", "3 encoding")
@pytest.mark.parametrize("path_id", [0, 1, 0xFFFFFFFF])
def test_any_identifier_will_do(
    classroom: Classroom, sender: Student, plain: Student, path_id: int
) -> None:
    """RFC 7911 3: four octets of which the receiver assumes nothing."""
    classroom.send(sender, via("10.9.0.1", path_id=path_id))
    (path,) = classroom.speaker.tables[IPV4_UNICAST].routes[packed(PREFIX)].paths
    assert classroom.speaker.path_id(path, packed(PREFIX)) == path_id
    classroom.send(sender, wire.withdraw(PREFIX, path_id=path_id))
    assert plain.prefixes == set()


@pytest.mark.rfc("7911", "3 malformed")
@pytest.mark.parametrize(
    "field", [b"\0\0\0\1", b"\0\0\0", b"\0\0\0\1\x18\x0a\1", b"\0\0\0\1\x21\x0a\1\2\3\4"]
)
def test_what_can_t_be_located_ends_the_session(
    classroom: Classroom, sender: Student, field: bytes
) -> None:
    """RFC 7606 5.3: an identifier without a prefix, or a prefix cut off: 3/10, or 3/9 (RFC 4760 7)."""
    good = b"\0\0\0\2" + wire.prefix(OTHER)
    unreach = wire.mp_unreach(wire.IPV6, b"\0\0\0\1\x81" + b"\1" * 17)
    for subcode, body in (
        (10, wire.update_body(field, wire.usual())),
        (10, wire.update_body(good + field, wire.usual())),
        (10, wire.update_body(withdrawn=field)),
        (9, wire.update_body(attributes=unreach)),
    ):
        with pytest.raises(SessionError) as caught:
            classroom.send(sender, body)
        assert (caught.value.code, caught.value.subcode) == (3, subcode)


@pytest.mark.rfc("7911", "3 malformed")
def test_a_malformed_update_withdraws_the_path_that_it_names(
    classroom: Classroom, sender: Student, plain: Student
) -> None:
    """RFC 7606 2: treat-as-withdraw takes this identifier's path, and no other."""
    classroom.send(sender, via("10.9.0.1", path_id=1), via("10.9.0.2", path_id=2))
    classroom.send(sender, via("10.9.0.1", path_id=1, origin=wire.origin(9)))
    assert str(plain.route(PREFIX).next_hop) == "10.9.0.2"
    assert sender.peer.refusals.reason(IPV4_UNICAST, packed(PREFIX))
    assert classroom.speaker.held_by(sender.peer) == 1


def test_bits_beyond_the_prefix_don_t_count(classroom: Classroom, sender: Student) -> None:
    classroom.send(sender, wire.update_body(b"\0\0\0\1\x14\x0a\1\x2f", wire.usual()))
    (prefix,) = classroom.speaker.tables[IPV4_UNICAST].routes
    assert prefix == b"\x14\x0a\1\x20"


def test_what_is_not_unicast_is_ignored(classroom: Classroom, sender: Student) -> None:
    classroom.send(sender, via("10.9.0.1", "224.0.0.0/4", PREFIX, path_id=1))
    assert list(classroom.speaker.tables[IPV4_UNICAST].routes) == [packed(PREFIX)]
    assert sender.peer.refusals.reason(IPV4_UNICAST, packed("224.0.0.0/4"))
    # No table has had it, and its withdrawal is heeded all the same.
    field = b"\0\0\0\1" + packed("224.0.0.0/4")
    classroom.send(sender, wire.update_body(withdrawn=field))
    assert not sender.peer.refusals.standing


PODS = (PrefixSet((PrefixRange(IPV4_UNICAST, packed("10.244.0.0/16"), 24, 26),)),)
NO_PODS = Policy("no-pods", (Rule("pods", Verdict.REJECT, PODS),), Verdict.ACCEPT)


def test_what_is_refused_leaves_no_identifier_behind(classroom: Classroom) -> None:
    """A policy, or the rule on default routes: else a peer could grow the process with them."""
    intake = Intake(policy=NO_PODS)
    sender = classroom.join("sender", "10.0.0.1", add_path="receive", intake=intake)
    refused = "10.244.1.0/24", "0.0.0.0/0"
    classroom.send(sender, via("10.9.0.1", *refused, PREFIX, path_id=1))
    assert sender.peer.counters.refused == 2
    source, ids = sender.peer.source, sender.peer.path_ids[IPV4_UNICAST]
    assert [ids.path_id(source, packed(each)) for each in (*refused, PREFIX)] == [None, None, 1]


def test_new_rules_apply_to_every_path(
    classroom: Classroom, sender: Student, plain: Student
) -> None:
    pod = "10.244.1.0/24"
    classroom.send(sender, via("10.9.0.1", pod, path_id=1), via("10.9.0.2", pod, path_id=2))
    assert classroom.speaker.reconfigure(sender.peer, Intake(policy=NO_PODS), None)
    classroom.turn()
    assert plain.prefixes == set()
    assert classroom.speaker.held_by(sender.peer) == 0
    change = Rule("later", Verdict.ACCEPT, change=Change(med=5))
    classroom.send(sender, via("10.9.0.1", path_id=1), via("10.9.0.2", path_id=2))
    policy = Policy("med", (change,), Verdict.ACCEPT)
    classroom.speaker.reconfigure(sender.peer, Intake(policy=policy), None)
    classroom.turn()
    paths = classroom.speaker.tables[IPV4_UNICAST].routes[packed(PREFIX)].paths
    assert [path.attributes.med for path in paths] == [5, 5]


def test_every_path_counts_for_maximum_prefix(classroom: Classroom) -> None:
    intake = Intake(maximum=MaximumPrefix(2))
    sender = classroom.join("sender", "10.0.0.1", add_path="receive", intake=intake)
    classroom.send(sender, via("10.9.0.1", path_id=1), via("10.9.0.2", path_id=2))
    with pytest.raises(SessionError) as caught:
        classroom.send(sender, via("10.9.0.3", path_id=3))
    assert (caught.value.code, caught.value.subcode) == (6, 1)


def test_paths_of_one_prefix_are_bounded(
    classroom: Classroom, sender: Student, all_told: Student
) -> None:
    for number in range(MAX_PATHS_PER_PREFIX + 3):
        classroom.send(sender, via("10.9.0.1", path_id=number), turn=False)
    classroom.turn()
    assert len(all_told.next_hops(PREFIX)) == MAX_PATHS_PER_PREFIX
    assert sender.peer.counters.refused == 3
    assert "paths of the prefix already" in classroom.findings[0][1].reason
    classroom.send(sender, wire.withdraw(PREFIX, path_id=0), via("10.9.0.1", path_id=1000))
    assert len(all_told.next_hops(PREFIX)) == MAX_PATHS_PER_PREFIX


def test_all_paths_go_with_their_session(
    classroom: Classroom, sender: Student, plain: Student, all_told: Student
) -> None:
    classroom.send(sender, via("10.9.0.1", path_id=1), via("10.9.0.2", path_id=2))
    assert classroom.leave(sender) == 2
    assert plain.prefixes == set()
    assert all_told.paths == {}
    assert not classroom.speaker.tables[IPV4_UNICAST].held


@pytest.mark.rfc("4724", "4.2 End-of-RIB")
def test_a_restarting_peer_s_paths_are_stale_one_by_one(
    classroom: Classroom, all_told: Student
) -> None:
    """RFC 4724 4.2: what was not announced again by its End-of-RIB goes, by path identifier."""
    sender = classroom.join("sender", "10.0.0.1", add_path="receive", restart=RESTART)
    classroom.send(
        sender, via("10.9.0.1", path_id=1), via("10.9.0.2", path_id=2), via("10.9.0.3", path_id=3)
    )
    before = all_told.next_hops(PREFIX)
    assert classroom.leave(sender, gracefully=True) == 0
    sender = classroom.join("sender", "10.0.0.1", add_path="receive", restart=RESTART)
    assert all_told.next_hops(PREFIX) == before
    classroom.send(sender, via("10.9.0.2", path_id=2), via("10.9.0.4", path_id=9))
    speaker, prefix = classroom.speaker, packed(PREFIX)
    paths = speaker.tables[IPV4_UNICAST].routes[prefix].paths
    stale = {speaker.path_id(path, prefix): speaker.is_stale(path, prefix) for path in paths}
    assert stale == {1: True, 2: False, 3: True, 9: False}
    classroom.send(sender, END_OF_RIB)
    after = all_told.next_hops(PREFIX)
    assert sorted(after.values()) == ["10.9.0.2", "10.9.0.4"]
    assert {before_id for before_id, hop in before.items() if hop == "10.9.0.2"} < after.keys()


@pytest.mark.parametrize(("first", "then"), [("receive", ""), ("", "receive")])
def test_a_peer_may_come_back_from_a_restart_otherwise(
    classroom: Classroom, all_told: Student, first: str, then: str
) -> None:
    sender = classroom.join("sender", "10.0.0.1", add_path=first, restart=RESTART)
    ids: list[int | None] = [1, 2] if first else [None]
    for path_id in ids:
        classroom.send(sender, via(f"10.9.0.{path_id or 1}", path_id=path_id))
    classroom.leave(sender, gracefully=True)
    sender = classroom.join("sender", "10.0.0.1", add_path=then, restart=RESTART)
    classroom.send(sender, via("10.9.0.7", path_id=5 if then else None), END_OF_RIB)
    assert list(all_told.next_hops(PREFIX).values()) == ["10.9.0.7"]
    assert classroom.leave(sender) == 1
    assert all_told.paths == {}


@pytest.mark.rfc("7313", "4 stale")
def test_an_enhanced_refresh_renews_paths_one_by_one(
    classroom: Classroom, all_told: Student
) -> None:
    """RFC 7313 4: EoRR removes the paths that were not announced again since BoRR."""
    sender = classroom.join("sender", "10.0.0.1", add_path="receive", enhanced_refresh=True)
    classroom.send(sender, via("10.9.0.1", path_id=1), via("10.9.0.2", path_id=2))
    assert classroom.speaker.begin_refresh(sender.peer, IPV4_UNICAST)
    classroom.send(sender, via("10.9.0.2", path_id=2))
    assert classroom.speaker.end_refresh(sender.peer, IPV4_UNICAST) == 1
    classroom.turn()
    assert list(all_told.next_hops(PREFIX).values()) == ["10.9.0.2"]
    classroom.send(sender, wire.withdraw(PREFIX, path_id=1))
    assert list(all_told.next_hops(PREFIX).values()) == ["10.9.0.2"]


# Sending.


@pytest.fixture
def three(classroom: Classroom) -> list[Student]:
    """Peers without add-path that have a prefix in common."""
    found = [classroom.join(f"peer {each}", f"10.0.0.{each}") for each in (1, 2, 3)]
    for number, student in enumerate(found, 1):
        classroom.send(student, via(f"10.9.0.{number}"))
    return found


@pytest.mark.rfc("7911", "5 both", "5 best")
def test_every_path_is_told_with_an_identifier_of_its_own(
    classroom: Classroom, three: list[Student], all_told: Student, plain: Student
) -> None:
    """RFC 7911 5: the best among them; who has not asked for more is told the best alone."""
    assert sorted(all_told.next_hops(PREFIX).values()) == ["10.9.0.1", "10.9.0.2", "10.9.0.3"]
    assert len(plain.messages) == len([PREFIX]) + len(plain.ends)
    assert str(plain.route(PREFIX).next_hop) == "10.9.0.1"
    assert sorted(all_told.ends) == sorted(plain.ends)
    counts = classroom.speaker.count_told()
    assert counts[all_told.peer.source][IPV4_UNICAST] == 3
    assert counts[plain.peer.source][IPV4_UNICAST] == 1
    assert len(list(classroom.speaker.told(all_told.peer))) == 3
    del three


@pytest.mark.rfc("7911", "3 stable")
def test_a_path_keeps_its_identifier_and_another_best_path_is_no_news(
    classroom: Classroom, three: list[Student], all_told: Student
) -> None:
    """RFC 7911 3: the identifier is of the path, whatever becomes of the others."""
    before, said = all_told.next_hops(PREFIX), len(all_told.messages)
    classroom.send(three[2], via("10.9.0.3", local_pref=wire.local_pref(200)))
    assert all_told.next_hops(PREFIX) == before
    assert len(all_told.messages) == said + 1, "the path that changed, and nothing of the others"
    classroom.send(three[2], wire.withdraw(PREFIX))
    left = {path_id: hop for path_id, hop in before.items() if hop != "10.9.0.3"}
    assert all_told.next_hops(PREFIX) == left
    assert len(all_told.messages) == said + 2
    classroom.leave(three[0])
    assert list(all_told.next_hops(PREFIX).values()) == ["10.9.0.2"]
    assert all_told.stray == []


@pytest.mark.rfc("7911", "5 both")
def test_nobody_is_told_of_its_own_paths(classroom: Classroom, three: list[Student]) -> None:
    both = classroom.join("both", "10.0.0.5", add_path="both")
    classroom.send(both, via("10.9.0.5", path_id=1), via("10.9.0.6", path_id=2))
    other = classroom.join("other", "10.0.0.6", add_path="both")
    assert sorted(both.next_hops(PREFIX).values()) == ["10.9.0.1", "10.9.0.2", "10.9.0.3"]
    assert len(other.next_hops(PREFIX)) == 5
    assert len(set(other.next_hops(PREFIX))) == 5
    classroom.leave(three[0])
    classroom.send(both, wire.withdraw(PREFIX, path_id=1))
    assert sorted(other.next_hops(PREFIX).values()) == ["10.9.0.2", "10.9.0.3", "10.9.0.6"]
    assert sorted(both.next_hops(PREFIX).values()) == ["10.9.0.2", "10.9.0.3"]


@pytest.mark.rfc("4456", "6")
def test_reflection_is_judged_path_by_path(classroom: Classroom) -> None:
    """RFC 4456 6: what non-clients say is for clients, also where a client's path is the best."""
    client = classroom.join("client", "10.0.0.1")
    non_client = classroom.join("non-client", "10.0.0.2", client=False)
    classroom.send(client, via("10.9.0.1"))
    classroom.send(non_client, via("10.9.0.2"))
    both = [
        classroom.join(f"watcher {client}", address, client=client, add_path="send")
        for client, address in ((True, "10.0.0.8"), (False, "10.0.0.9"))
    ]
    hops = [sorted(student.next_hops(PREFIX).values()) for student in both]
    assert hops == [["10.9.0.1", "10.9.0.2"], ["10.9.0.1"]]


def test_no_advertise_keeps_a_path_back(classroom: Classroom, all_told: Student) -> None:
    for number, more in ((1, wire.communities(0xFFFFFF02)), (2, b"")):
        student = classroom.join(f"peer {number}", f"10.0.0.{number}")
        classroom.send(student, via(f"10.9.0.{number}", more=more))
    assert list(all_told.next_hops(PREFIX).values()) == ["10.9.0.2"]
    fate = classroom.speaker.fate(all_told.peer, IPV4_UNICAST, packed(PREFIX))
    assert fate.reason is Reason.TOLD


def test_an_export_policy_judges_every_path(classroom: Classroom, three: list[Student]) -> None:
    far = Rule("far", Verdict.REJECT, communities=frozenset({(8, b"\xfc\0\0\1")}))
    changed = Rule("all", Verdict.ACCEPT, change=Change(med=9))
    policy = Policy("near", (far, changed), Verdict.ACCEPT)
    watcher = classroom.join("watcher", "10.0.0.8", add_path="send", export=policy)
    assert len(watcher.next_hops(PREFIX)) == 3
    before = watcher.next_hops(PREFIX)
    classroom.send(three[0], via("10.9.0.1", more=wire.communities(0xFC000001)))
    assert sorted(watcher.next_hops(PREFIX).values()) == ["10.9.0.2", "10.9.0.3"]
    assert {route[4] for route in watcher.paths.values()} == {b"\0\0\0\x09"}
    classroom.speaker.reconfigure(watcher.peer, watcher.peer.intake, None)
    classroom.turn()
    assert watcher.next_hops(PREFIX) == before
    assert not any(4 in route for route in watcher.paths.values())
    classroom.speaker.reconfigure(watcher.peer, watcher.peer.intake, policy)
    classroom.turn()
    assert sorted(watcher.next_hops(PREFIX).values()) == ["10.9.0.2", "10.9.0.3"]
    assert watcher.stray == []


def test_our_own_routes_are_paths_too(classroom: Classroom, three: list[Student]) -> None:
    watcher = classroom.join("watcher", "10.0.0.8", add_path="send")
    classroom.speaker.originate([LocalRoute(ip_network(PREFIX))])
    classroom.turn()
    assert sorted(watcher.next_hops(PREFIX).values()) == [
        "10.0.0.254",
        "10.9.0.1",
        "10.9.0.2",
        "10.9.0.3",
    ]
    classroom.speaker.originate([LocalRoute(ip_network(PREFIX), ip_address("10.9.9.9"))])
    classroom.turn()
    assert "10.9.9.9" in watcher.next_hops(PREFIX).values()
    classroom.speaker.originate([])
    classroom.turn()
    assert len(watcher.next_hops(PREFIX)) == 3
    del three


def test_a_slow_reader_is_told_the_rest_later(
    classroom: Classroom, three: list[Student], all_told: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update_group, "SEND_QUEUE_BYTES", 100)
    monkeypatch.setattr(update_group, "RESUME_BYTES", 50)
    before = all_told.next_hops(PREFIX)
    all_told.outlet.reads = False
    for number in range(4, 8):
        classroom.send(three[1], via(f"10.9.0.{number}"))
    classroom.send(three[2], wire.withdraw(PREFIX), via("10.9.0.3", OTHER), wire.withdraw(OTHER))
    (member,) = (each for each in all_told.peer.members if each.missed)
    changed = {student.peer.source.path_id + packed(PREFIX) for student in three[1:]}
    assert changed == (member.missed or {}).keys()
    fate = classroom.speaker.fate(all_told.peer, IPV4_UNICAST, packed(PREFIX))
    assert fate.reason in (Reason.TOLD, Reason.PENDING)
    all_told.outlet.reads = True
    classroom.turn()
    after = all_told.next_hops(PREFIX)
    assert sorted(after.values()) == ["10.9.0.1", "10.9.0.7"]
    assert after.keys() < before.keys()
    assert all_told.stray == []


def test_a_refresh_is_answered_with_every_path(
    classroom: Classroom, three: list[Student], all_told: Student
) -> None:
    before = dict(all_told.paths)
    all_told.paths.clear()
    assert classroom.speaker.receive_refresh(all_told.peer, 1, 1)
    classroom.turn()
    assert all_told.paths == before
    del three


def test_a_path_that_fits_a_message_only_without_an_identifier_is_not_told(
    classroom: Classroom, all_told: Student, plain: Student
) -> None:
    source = classroom.join("source", "10.0.0.1")
    told = []
    for size in range(3980, 4060):
        more = wire.attribute(wire.BOTH | wire.PARTIAL, 99, b"x" * size)
        classroom.send(source, wire.withdraw(PREFIX), via("10.9.0.1", more=more))
        told.append((len(all_told.paths), len(plain.table)))
    assert sorted(set(told), reverse=True) == [(1, 1), (0, 1), (0, 0)]
    assert told.count((0, 1)) == 4


def test_who_is_not_told_every_path_pays_nothing_for_it(classroom: Classroom) -> None:
    table = classroom.speaker.tables[IPV4_UNICAST]
    assert not table.notes_candidates
    watchers = [
        classroom.join(f"watcher {each}", f"10.0.1.{each}", add_path="send", client=each == 1)
        for each in (1, 2)
    ]
    assert table.notes_candidates
    classroom.leave(watchers[0])
    assert table.notes_candidates
    classroom.leave(watchers[1])
    assert not table.notes_candidates
