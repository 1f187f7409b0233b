"""Long-lived graceful restart (RFC 9494): routes that outlive a restart time as a last choice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Final

import pytest

from reflector.bgp.codec import decode_open, encode_open
from reflector.bgp.open import GracefulRestart, LongLived, negotiate
from reflector.bgp.vocabulary import FAMILIES, IPV4_UNICAST, IPV6_UNICAST
from reflector.net.peer_policy import PeerPolicy
from reflector.rib.decision import explain
from reflector.rib.fate import Fate, Reason
from reflector.rib.intake import USUAL_INTAKE, Intake
from reflector.rib.maximum import MaximumPrefix
from reflector.rib.policy import Change, Policy, Rule, Verdict
from reflector.rib.returning import returning
from reflector.speaker import Identity
from tests.protocol.test_fate import fate
from tests.support import wire
from tests.support.classroom import Classroom, Student
from tests.support.talk import ROUTER_ID

PODS: Final = "10.1.0.0/24"
KEPT: Final = "10.2.0.0/24"
END_OF_RIB: Final = b"\0\0\0\0"
LLGR_STALE, NO_LLGR = 0xFFFF0006, 0xFFFF0007

POLICY: Final = PeerPolicy(frozenset(FAMILIES.values()), 90, restart_time_s=120, long_lived_s=3600)
OURS: Final = POLICY.opening(
    Identity(wire.ASN, IPv4Address(ROUTER_ID), IPv4Address(ROUTER_ID)), "", restarting=False
)
RESTART: Final = GracefulRestart(
    restarting=True, restart_time_s=90, preserved=((1, 1, True), (2, 1, True))
)
LONG: Final = (LongLived(1, 1, forwarding=True, stale_time_s=600),)
GRACEFUL: Final = wire.capability(64, bytes.fromhex("005a 00010180"))


def said(more: bytes, ours: PeerPolicy = POLICY) -> tuple[LongLived, ...] | None:
    """Return what is agreed on with a peer that has these capabilities."""
    body = wire.open_body(parameters=wire.parameter(2, wire.capabilities() + more))
    identity = Identity(wire.ASN, IPv4Address(ROUTER_ID), IPv4Address(ROUTER_ID))
    return negotiate(ours.opening(identity, "", restarting=False), decode_open(body)).long_lived


# The capability.


@pytest.mark.rfc("9494", "3", "5")
def test_our_capability_has_each_family_with_the_f_bit_and_our_time() -> None:
    """RFC 9494 3: AFI, SAFI, flags and 24 bits of seconds, for each."""
    assert wire.capability(71, bytes.fromhex("00010180000e10 00020180000e10")) in encode_open(OURS)
    plain = replace(POLICY, long_lived_s=None)
    identity = Identity(wire.ASN, IPv4Address(ROUTER_ID), IPv4Address(ROUTER_ID))
    opening = plain.opening(identity, "", restarting=False)
    assert opening.capabilities.long_lived is None
    assert b"\x47\x0e" not in encode_open(opening)


@pytest.mark.rfc("9494", "3", "4.2 bound")
@pytest.mark.parametrize(
    ("value", "agreed"),
    [
        ("", ()),
        ("00010180000258", LONG),
        ("00010100ffffff", (LongLived(1, 1, forwarding=False, stale_time_s=3600),)),
        ("000101800002", None),
    ],
    ids=["no family", "ten minutes", "half a year", "malformed"],
)
def test_the_peers_time_counts_as_far_as_ours(
    value: str, agreed: tuple[LongLived, ...] | None
) -> None:
    assert said(GRACEFUL + wire.capability(71, bytes.fromhex(value))) == agreed


@pytest.mark.rfc("9494", "4.1")
def test_without_graceful_restart_it_counts_for_nothing() -> None:
    """RFC 9494 4.1: if the Graceful Restart capability is missing, it "MUST be disregarded"."""
    assert said(wire.capability(71, bytes.fromhex("00010180000258"))) is None
    plain = replace(POLICY, long_lived_s=None)
    assert said(GRACEFUL + wire.capability(71, bytes.fromhex("00010180000258")), plain) is None


# A peer that does not come back.


class Scene:
    """A peer that is restarting, others with long-lived graceful restart and without."""

    def __init__(self, intake: Intake = USUAL_INTAKE) -> None:
        self.classroom = Classroom()
        self.knowing = self.classroom.join("knowing", "10.0.0.8", restart=RESTART, long_lived=())
        self.plain = self.classroom.join("plain", "10.0.0.9")
        self.intake = intake
        self.node = self.back()

    def back(
        self,
        restart: GracefulRestart | None = RESTART,
        long_lived: tuple[LongLived, ...] | None = LONG,
    ) -> Student:
        """The peer has a session."""
        self.node = self.classroom.join(
            "node", "10.0.0.1", restart=restart, long_lived=long_lived, intake=self.intake
        )
        return self.node

    def announce(self, *prefixes: str, **attributes: bytes) -> None:
        """The peer announces something."""
        block = wire.usual(**attributes)
        self.classroom.send(self.node, wire.announce(*prefixes, attributes=block))

    def fall(self) -> None:
        """Its session breaks off."""
        self.classroom.leave(self.node, gracefully=True)

    def keep_long(self) -> tuple[int, int]:
        """Its restart time is over."""
        return self.classroom.keep_long(self.node, (IPV4_UNICAST,))


@pytest.fixture
def scene() -> Scene:
    """Return a peer with two routes, whose restart time is over."""
    scene = Scene()
    scene.announce(PODS, KEPT)
    scene.fall()
    assert scene.keep_long() == (2, 0)
    return scene


@pytest.mark.rfc("9494", "4.2 LLGR_STALE", "4.3 advertise")
def test_who_knows_is_told_of_stale_routes_as_such_and_who_does_not_loses_them(
    scene: Scene,
) -> None:
    """RFC 9494 4.2: they are told again with LLGR_STALE; 4.3: not to others."""
    assert scene.knowing.prefixes == {PODS, KEPT}
    assert scene.knowing.route(PODS).get(8) == LLGR_STALE.to_bytes(4)
    assert scene.plain.prefixes == set()
    assert not scene.plain.stray
    assert fate(scene.classroom, scene.knowing, PODS) == Fate(Reason.TOLD)
    assert fate(scene.classroom, scene.plain, PODS) == Fate(Reason.STALE)


@pytest.mark.rfc("9494", "4.2 LLGR_STALE")
def test_the_mark_stands_beside_other_communities() -> None:
    scene = Scene()
    scene.announce(PODS, more=wire.communities(0xFC000001))
    scene.fall()
    scene.keep_long()
    assert scene.knowing.route(PODS).get(8) == bytes.fromhex("fc000001 ffff0006")


@pytest.mark.rfc("9494", "4.2 NO_LLGR")
def test_what_must_not_be_kept_so_long_is_gone() -> None:
    """RFC 9494 4.2: routes with NO_LLGR "MUST NOT be retained"."""
    scene = Scene()
    scene.announce(PODS, more=wire.communities(NO_LLGR))
    scene.announce(KEPT)
    scene.fall()
    assert scene.knowing.prefixes == {PODS, KEPT}
    assert scene.keep_long() == (1, 1)
    assert scene.knowing.prefixes == {KEPT}


@pytest.mark.rfc("9494", "4.2 NO_LLGR")
def test_a_policy_can_say_so_too() -> None:
    change = Change(communities=((8, NO_LLGR.to_bytes(4)),))
    policy = Policy("p", (Rule("p, rule 1", change=change),), Verdict.ACCEPT)
    scene = Scene(intake=Intake(policy=policy))
    scene.announce(PODS)
    scene.fall()
    assert scene.keep_long() == (0, 1)


@pytest.mark.rfc("9494", "4.3 least preferred", "4.4")
def test_a_stale_route_is_the_last_choice() -> None:
    """RFC 9494 4.3: "least preferred", whatever else it has; it is back in its place when renewed."""
    scene = Scene()
    other = scene.classroom.join("other", "10.0.0.200")
    scene.announce(PODS, local_pref=wire.local_pref(500))
    poor = wire.usual(local_pref=wire.local_pref(1), next_hop=wire.next_hop("10.0.0.200"))
    scene.classroom.send(other, wire.announce(PODS, attributes=poor))
    assert str(scene.plain.route(PODS).next_hop) == "10.0.0.1"
    scene.fall()
    assert str(scene.plain.route(PODS).next_hop) == "10.0.0.1"
    scene.keep_long()
    assert str(scene.plain.route(PODS).next_hop) == "10.0.0.200"
    assert str(scene.knowing.route(PODS).next_hop) == "10.0.0.200"
    paths = scene.classroom.speaker.tables[IPV4_UNICAST].routes[wire.prefix(PODS)].paths
    assert explain(paths) == "not long-lived stale"
    scene.back()
    scene.announce(PODS, local_pref=wire.local_pref(500))
    assert str(scene.plain.route(PODS).next_hop) == "10.0.0.1"


@pytest.mark.rfc("9494", "4.3 least preferred", "4.3 advertise")
@pytest.mark.parametrize("knowing", [True, False])
def test_what_comes_marked_is_heeded_where_we_said_so(*, knowing: bool) -> None:
    """RFC 9494 4.3: by who "has advertised the LLGR Capability to a neighbor"."""
    scene = Scene()
    sender = scene.classroom.join(
        "sender", "10.0.0.2", restart=RESTART, long_lived=LONG if knowing else None
    )
    marked = wire.usual(more=wire.communities(LLGR_STALE))
    scene.classroom.send(sender, wire.announce(PODS, attributes=marked))
    assert scene.knowing.route(PODS).get(8) == LLGR_STALE.to_bytes(4)
    assert scene.plain.prefixes == (set() if knowing else {PODS})


def test_the_mark_is_read_anew_where_a_reload_took_the_capability_away() -> None:
    scene = Scene()
    mark = {"more": wire.communities(LLGR_STALE)}
    scene.announce(PODS, **mark)
    assert scene.plain.prefixes == set()
    scene.fall()
    scene.back(RESTART, None)
    scene.announce(PODS, **mark)
    assert scene.plain.prefixes == {PODS}


# When it is back.


@pytest.mark.rfc("9494", "4.2 End-of-RIB")
def test_what_is_announced_again_is_as_before_and_the_rest_goes_with_the_end_of_rib(
    scene: Scene,
) -> None:
    scene.back()
    scene.announce(PODS)
    assert 8 not in scene.knowing.route(PODS)
    assert scene.plain.prefixes == {PODS}
    assert scene.knowing.prefixes == {PODS, KEPT}
    scene.classroom.send(scene.node, END_OF_RIB)
    assert scene.knowing.prefixes == {PODS}


@pytest.mark.rfc("9494", "4.2 F bit")
@pytest.mark.parametrize(
    ("restart", "long_lived"),
    [
        (RESTART, None),
        (RESTART, ()),
        (RESTART, (LongLived(2, 1, forwarding=True, stale_time_s=600),)),
        (RESTART, (LongLived(1, 1, forwarding=False, stale_time_s=600),)),
        (None, None),
    ],
    ids=["no capability", "no family", "another family", "no F bit", "not graceful"],
)
def test_who_did_not_forward_all_the_while_loses_them(
    scene: Scene, restart: GracefulRestart | None, long_lived: tuple[LongLived, ...] | None
) -> None:
    scene.back(restart, long_lived)
    assert scene.knowing.prefixes == set()


@pytest.mark.rfc("9494", "4.2 consecutive")
def test_who_falls_again_before_all_is_announced_keeps_all(scene: Scene) -> None:
    scene.back()
    scene.announce(PODS)
    scene.fall()
    assert scene.knowing.prefixes == {PODS, KEPT}
    assert 8 not in scene.knowing.route(PODS)
    assert scene.keep_long() == (2, 0)
    assert scene.knowing.route(PODS).get(8) == LLGR_STALE.to_bytes(4)


@pytest.mark.rfc("9494", "4.2 F bit")
def test_a_family_that_is_not_of_the_session_any_more_is_gone(scene: Scene) -> None:
    """RFC 9494 4.2: though its capability lists it still; no End-of-RIB could ever come."""
    assert scene.knowing.prefixes == {PODS, KEPT}
    scene.classroom.join("node", "10.0.0.1", families="ipv6", restart=RESTART, long_lived=LONG)
    assert not scene.knowing.prefixes


@pytest.mark.rfc("9494", "4.2 consecutive")
def test_who_falls_again_and_is_back_by_other_settings_keeps_what_is_no_last_choice_yet(
    scene: Scene,
) -> None:
    """RFC 9494 4.2: what it announced in between is stale since its second restart only."""
    scene.back()
    scene.announce(PODS)
    scene.fall()
    scene.intake = Intake(accept_default=True)
    scene.back()
    assert 8 not in scene.knowing.route(PODS)
    assert scene.knowing.route(KEPT)[8] == LLGR_STALE.to_bytes(4)


@pytest.mark.rfc("9494", "4.2 stale time")
def test_families_go_one_by_one() -> None:
    scene = Scene()
    scene.announce(PODS)
    six = wire.announce6("fd00:1::/64")
    scene.classroom.send(scene.node, six)
    scene.fall()
    who = returning(scene.node.peer.source)
    speaker = scene.classroom.speaker
    assert scene.classroom.keep_long(scene.node, (IPV4_UNICAST, IPV6_UNICAST)) == (2, 0)
    assert speaker.forget(who, (IPV6_UNICAST,)) == 1
    scene.classroom.turn()
    assert scene.knowing.prefixes == {PODS}
    assert speaker.forget(who, (IPV4_UNICAST,)) == 1
    assert not speaker.restarting


# A reload in between.


def reload_kept(scene: Scene, intake: Intake) -> None:
    scene.classroom.speaker.reconfigure_kept(returning(scene.node.peer.source), intake)


def reload_back(scene: Scene, intake: Intake) -> None:
    scene.back()
    scene.classroom.speaker.reconfigure(scene.node.peer, intake, None)


@pytest.mark.parametrize("reload", [reload_kept, reload_back])
def test_a_reload_leaves_stale_what_is_stale(
    scene: Scene, reload: Callable[[Scene, Intake], None]
) -> None:
    reload(scene, Intake(maximum=MaximumPrefix(7)))
    scene.classroom.turn()
    assert scene.knowing.route(PODS).get(8) == LLGR_STALE.to_bytes(4)
    assert scene.plain.prefixes == set()


def test_export_policies_leave_stale_what_is_stale() -> None:
    scene = Scene()
    change = Change(med=7)
    policy = Policy("p", (Rule("p, rule 1", change=change),), Verdict.ACCEPT)
    both = {
        long_lived: scene.classroom.join(
            "filtered",
            "10.0.0.7" if long_lived is None else "10.0.0.6",
            export=policy,
            restart=RESTART,
            long_lived=long_lived,
        )
        for long_lived in (None, ())
    }
    scene.announce(PODS)
    scene.fall()
    scene.keep_long()
    assert both[None].prefixes == set()
    assert both[()].route(PODS).get(4) == (7).to_bytes(4)


# Several paths of a prefix.


@pytest.mark.rfc("9494", "4.2 LLGR_STALE", "4.2 NO_LLGR", "4.3 advertise")
def test_each_path_of_a_prefix_is_stale_by_itself() -> None:
    """With add-path (RFC 7911): what is not to be kept of them is gone, and may come again."""
    classroom = Classroom()
    told = {
        long_lived: classroom.join(
            "all told",
            "10.0.0.8" if long_lived is None else "10.0.0.9",
            add_path="send",
            restart=RESTART,
            long_lived=long_lived,
        )
        for long_lived in (None, ())
    }

    def join() -> Student:
        return classroom.join(
            "node", "10.0.0.1", add_path="receive", restart=RESTART, long_lived=LONG
        )

    def announce(node: Student, path_id: int, *communities: int) -> None:
        more = wire.communities(*communities) if communities else b""
        block = wire.usual(next_hop=wire.next_hop(f"10.0.9.{path_id}"), more=more)
        classroom.send(node, wire.announce(PODS, attributes=block, path_id=path_id))

    node = join()
    announce(node, 1)
    announce(node, 2, NO_LLGR)
    announce(node, 3)
    assert [len(each.next_hops(PODS)) for each in told.values()] == [3, 3]
    classroom.leave(node, gracefully=True)
    assert classroom.keep_long(node, (IPV4_UNICAST,)) == (2, 1)
    assert [len(each.next_hops(PODS)) for each in told.values()] == [0, 2]
    back = join()
    announce(back, 2)
    announce(back, 1)
    assert [len(each.next_hops(PODS)) for each in told.values()] == [2, 3]
    classroom.send(back, END_OF_RIB)
    assert [len(each.next_hops(PODS)) for each in told.values()] == [2, 2]
