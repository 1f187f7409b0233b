"""Why a peer is told of a route or not: each rule that can keep one back, by its name."""

from __future__ import annotations

from ipaddress import ip_network

from reflector.bgp.nlri import pack_prefix
from reflector.bgp.open import GracefulRestart
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST
from reflector.rib.fate import Fate, Reason
from reflector.rib.originated import LocalRoute
from reflector.rib.policy import Change, Policy, Rule, Verdict
from tests.support import wire
from tests.support.classroom import Classroom, Student

PREFIX = "10.1.0.0/24"
NO_ADVERTISE, NO_EXPORT = 0xFFFFFF02, 0xFFFFFF01


def fate(classroom: Classroom, student: Student, prefix: str = PREFIX) -> Fate:
    network = ip_network(prefix)
    family = IPV4_UNICAST if network.version == 4 else IPV6_UNICAST
    return classroom.speaker.fate(student.peer, family, pack_prefix(network))


def with_communities(*values: int) -> bytes:
    return wire.announce(PREFIX, attributes=wire.usual(more=wire.communities(*values)))


def test_the_rules_of_reflection() -> None:
    """RFC 4456 6: from a non-client to clients; and nobody is told of its own."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", client=False)
    other = classroom.join("other", "10.0.0.2", client=False)
    client = classroom.join("client", "10.0.0.3")
    classroom.send(source, wire.announce(PREFIX))
    assert fate(classroom, source) == Fate(Reason.OWN)
    assert fate(classroom, other) == Fate(Reason.NON_CLIENT)
    assert fate(classroom, client) == Fate(Reason.TOLD)


def test_well_known_communities() -> None:
    """RFC 1997: NO_EXPORT keeps a route from external peers, NO_ADVERTISE from all."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    inside = classroom.join("inside", "10.0.0.2")
    outside = classroom.join("outside", "10.0.0.3", asn=65001)
    classroom.send(source, with_communities(NO_EXPORT))
    assert fate(classroom, inside) == Fate(Reason.TOLD)
    assert fate(classroom, outside) == Fate(Reason.NO_EXPORT)
    classroom.send(source, with_communities(NO_ADVERTISE))
    assert fate(classroom, inside) == fate(classroom, outside) == Fate(Reason.NO_ADVERTISE)


def test_a_family_that_the_session_does_not_carry() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2", families="ipv4")
    classroom.send(source, wire.announce6("fd00:1::/64"))
    assert fate(classroom, other, "fd00:1::/64") == Fate(Reason.FAMILY)


def test_an_export_policy_is_named_where_it_rejects_and_where_it_changes() -> None:
    classroom = Classroom()
    reject = Policy("none", (), Verdict.REJECT)
    change = Policy("changed", (Rule("changed, rule 1", change=Change(med=7)),), Verdict.REJECT)
    source = classroom.join("source", "10.0.0.1")
    refusing = classroom.join("refusing", "10.0.0.2", export=reject)
    changing = classroom.join("changing", "10.0.0.3", export=change)
    classroom.send(source, wire.announce(PREFIX))
    assert fate(classroom, refusing) == Fate(Reason.POLICY, "none, otherwise")
    assert fate(classroom, changing) == Fate(Reason.TOLD, "changed, rule 1")


def test_a_next_hop_of_ours_that_cannot_be_told() -> None:
    classroom = Classroom()
    over_six = classroom.join(
        "over six", "2001:db8::1", router_id="10.0.0.1", local_address="2001:db8::fe"
    )
    classroom.speaker.originate([LocalRoute(ip_network("1.0.0.2/32"))])
    classroom.turn()
    assert fate(classroom, over_six, "1.0.0.2/32") == Fate(Reason.NEXT_HOP)


def test_a_path_that_outgrows_a_message_with_what_a_reflector_adds() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(
        source,
        wire.announce(PREFIX, attributes=wire.usual(more=wire.attribute(0xC0, 99, bytes(4040)))),
    )
    assert fate(classroom, other) == Fate(Reason.OUTGROWN)


def test_who_reads_too_slowly_or_is_new_is_about_to_be_told() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.announce(PREFIX))
    new = classroom.join("new", "10.0.0.2", turn=False)
    assert fate(classroom, new) == Fate(Reason.PENDING)
    classroom.turn()
    assert fate(classroom, new) == Fate(Reason.TOLD)


def test_what_a_peer_may_not_use_before_its_end_of_rib() -> None:
    """RFC 4724 4.1: a peer that keeps our routes waits for the marker before it uses ours."""
    classroom = Classroom()
    classroom.speaker.defer_end_of_rib()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.announce(PREFIX))
    restart = GracefulRestart(restarting=False, restart_time_s=90, preserved=((1, 1, True),))
    waiting = classroom.join("waiting", "10.0.0.2", restart=restart)
    assert fate(classroom, waiting) == Fate(Reason.DEFERRED)
    classroom.speaker.release_end_of_rib()
    classroom.turn()
    assert fate(classroom, waiting) == Fate(Reason.TOLD)
