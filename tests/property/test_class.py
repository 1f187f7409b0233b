"""A class at work: whatever its peers do, each has what a naive model says that it must have."""

from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_network
from types import ModuleType
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from reflector.bgp.nlri import unpack_prefix
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib import update_group
from reflector.rib.fate import Reason
from reflector.rib.intake import Intake
from reflector.rib.originated import LocalRoute
from reflector.rib.returning import returning
from reflector.rib.separation import Separation
from reflector.speaker import arrivals, departures, sweeps
from tests.support import wire
from tests.support.classroom import CLUSTER_ID, ROUTER_ID, Classroom
from tests.support.naive import Member, Model, Offer, Variant, choose, describe
from tests.support.seats import Desk, Seat
from tests.support.strict_reader import Network

PREFIXES4 = ["1.0.0.2/32", "10.1.0.0/24", "10.3.4.0/24", "10.3.0.0/20", "10.4.0.1/32", "0.0.0.0/0"]
PREFIXES6 = ["2001:db8:1::/64", "2001:db8:2::/64", "2001:db8::1/128"]
LOCAL = ["1.0.0.2/32", "10.1.0.0/24", "2001:db8:1::/64"]
ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.3", "2001:db8::5", "2001:db8::6"]

variants = st.builds(
    Variant,
    local_pref=st.sampled_from([100, 100, 200]),
    as_path=st.sampled_from([(), (), (65001,), (65002,), (65001, 65002), (4200000000,)]),
    as_set=st.sampled_from([(), (), (65003, 65004)]),
    origin=st.sampled_from([0, 0, 2]),
    med=st.sampled_from([None, 0, 5, 10]),
    originator=st.sampled_from(["", "", "1.1.1.1", "9.9.9.9"]),
    clusters=st.sampled_from([(), (), ("5.5.5.5",), ("5.5.5.5", "6.6.6.6")]),
    no_advertise=st.sampled_from([False, False, False, True]),
    no_export=st.sampled_from([False, False, False, True]),
    malformed=st.sampled_from([False, False, False, True]),
)
families = st.sampled_from(["ipv4 ipv6", "ipv4 ipv6", "ipv4", "ipv6"])
some4 = st.lists(st.sampled_from(PREFIXES4), min_size=1, max_size=4)
some6 = st.lists(st.sampled_from(PREFIXES6), min_size=1, max_size=3)

# Small enough that a handful of routes makes a peer fall behind, and a dump or a sweep take many turns.
SMALL_LIMITS: list[tuple[ModuleType, str, int]] = [
    (update_group, "SEND_QUEUE_BYTES", 200),
    (update_group, "RESUME_BYTES", 90),
    (update_group, "CATCH_UP_PIECE_PREFIXES", 2),
    (update_group, "CATCH_UP_TURN_PREFIXES", 5),
    (arrivals, "SWEEP_PIECE_PREFIXES", 1),
    (departures, "SWEEP_PIECE_PREFIXES", 1),
    (sweeps, "SWEEP_TURN_PREFIXES", 3),
]


class ClassAtWork(RuleBasedStateMachine):
    """Peers come and go, announce and withdraw, stop reading and go on, within turns or across."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = [patch.object(*limit) for limit in SMALL_LIMITS]
        for each in self.patches:
            each.start()
        self.classroom = Classroom()
        self.model = Model(CLUSTER_ID)
        self.ourselves = Member(
            IPv4Address(ROUTER_ID), IPv4Address(ROUTER_ID), families=(4, 6), local=True
        )
        self.desks: list[Desk] = []
        self.fallen: list[Desk] = []
        self.quarantine = False
        self.count = 0

    @initialize(quarantine=st.booleans(), lasting=st.booleans())
    def begin(self, *, quarantine: bool, lasting: bool) -> None:
        """Two usual peers are there from the start."""
        if quarantine:
            self.switch_quarantine()
        self.sit(Seat("10.0.0.1", self.new_router_id(), lasting=lasting))
        self.sit(Seat("10.0.0.2", self.new_router_id()))

    def new_router_id(self) -> str:
        """One that nobody had yet."""
        self.count += 1
        return f"{1 + self.count * 7 % 11}.0.0.{self.count}"

    def sit(self, seat: Seat) -> None:
        """A peer comes."""
        student = self.classroom.join(
            f"peer {seat.router_id}",
            seat.address,
            router_id=seat.router_id,
            families=seat.families,
            as4=seat.as4,
            client=seat.client,
            asn=seat.asn,
            route_server=seat.client,
            local_address="10.0.0.254" if "." in seat.address else "2001:db8::fe",
            intake=Intake(accept_default=seat.accept_default),
            enhanced_refresh=seat.enhanced_refresh,
            add_path=seat.add_path,
            extended_messages=seat.extended,
            restart=seat.restart,
            long_lived=seat.long_lived,
            turn=False,
        )
        self.desks.append(Desk(seat, student, seat.member))

    @precondition(lambda self: len(self.desks) < 6)
    @rule(
        data=st.data(),
        address=st.sampled_from(ADDRESSES),
        client=st.sampled_from([True, True, False]),
        as4=st.sampled_from([True, True, False]),
        asn=st.sampled_from([wire.ASN, wire.ASN, 65101, 65102]),
        add_path=st.sampled_from(["", "", "receive", "send", "both"]),
        lasting=st.booleans(),
    )
    def join(
        self,
        data: st.DataObject,
        address: str,
        *,
        client: bool,
        as4: bool,
        asn: int,
        add_path: str,
        lasting: bool,
    ) -> None:
        """A peer comes."""
        self.sit(
            Seat(
                address,
                self.new_router_id(),
                families=data.draw(families),
                client=client,
                as4=as4,
                asn=asn,
                accept_default=data.draw(st.booleans()),
                enhanced_refresh=data.draw(st.booleans()),
                add_path=add_path,
                extended=data.draw(st.booleans()),
                lasting=lasting,
            )
        )

    @precondition(lambda self: self.fallen)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        """A peer whose routes are kept has a session again."""
        desk = data.draw(st.sampled_from(self.fallen))
        self.sit_again(data, desk)

    @precondition(lambda self: any(desk.member.long_lived for desk in self.desks))
    @rule(data=st.data(), some=some4, kept_long=st.booleans())
    def restart(self, data: st.DataObject, some: list[str], *, kept_long: bool) -> None:
        """A peer with routes falls, is back, announces some of them again, and says that this is all."""
        desk = data.draw(st.sampled_from([each for each in self.desks if each.member.long_lived]))
        path_id = data.draw(desk.path_ids)
        hop = (
            f"172.16.99.{(path_id or 0) % 7}"  # else two of its paths would be equal in every step
        )
        block = desk.seen(Variant()).block(hop, as4=desk.student.as4)
        if 4 in desk.member.families:
            self.send(desk, wire.announce(*PREFIXES4, attributes=block, path_id=path_id))
            for prefix in PREFIXES4:
                self.model.announce(desk.member, prefix, desk.seen(Variant()), hop, path_id or 0)
        self.lose(desk)
        if desk not in self.fallen:
            return
        if kept_long:
            self.keep_long_routes(desk)
        self.sit_again(data, desk)
        back = self.desks[-1]
        if 4 in back.member.families:
            block = back.seen(Variant()).block(hop, as4=back.student.as4)
            self.send(back, wire.announce(*some, attributes=block, path_id=path_id))
            for prefix in some:
                self.model.announce(back.member, prefix, back.seen(Variant()), hop, path_id or 0)
        self.check()
        for version in data.draw(st.sampled_from([(), back.member.families])):
            self.say_end_of_rib(back, version)
        self.check()

    def sit_again(self, data: st.DataObject, desk: Desk) -> None:
        """A peer whose routes are kept has a session again, and may speak otherwise than before."""
        self.fallen.remove(desk)
        lasting = data.draw(st.sampled_from([True, True, True, False]))
        seat = replace(
            desk.seat,
            families=data.draw(families),
            client=desk.seat.client is not data.draw(st.sampled_from([False, False, False, True])),
            accept_default=data.draw(st.booleans()),
            lasting=lasting,
            forwarding=data.draw(st.sampled_from([(4, 6), (4, 6), (6,), ()])),
        )
        self.sit(seat)
        forwarding = set(seat.versions).intersection(seat.forwarding) if lasting else ()
        self.model.come_back(desk.member, seat.member, tuple(forwarding))

    @precondition(lambda self: self.desks)
    @rule(data=st.data(), version=st.sampled_from([4, 6]))
    def end_of_rib(self, data: st.DataObject, version: int) -> None:
        """A peer says that it has announced everything."""
        desk = self.pick(data)
        if version in desk.member.families:
            self.say_end_of_rib(desk, version)

    def say_end_of_rib(self, desk: Desk, version: int) -> None:
        """A peer says that it has announced everything of a family."""
        six = wire.update_body(attributes=wire.mp_unreach(wire.IPV6, b""))
        self.send(desk, wire.update_body() if version == 4 else six)
        self.model.end_of_rib(desk.member, version)

    @rule()
    def switch_quarantine(self) -> None:
        """Quarantine is turned on or off."""
        self.quarantine = not self.quarantine
        self.classroom.speaker.quarantine(on=self.quarantine)

    @precondition(lambda self: self.desks)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """A peer's session is lost."""
        desk = self.pick(data)
        self.desks.remove(desk)
        self.classroom.leave(desk.student, turn=False)
        self.model.drop(desk.member)

    @precondition(lambda self: any(desk.member.long_lived for desk in self.desks))
    @rule(data=st.data())
    def fall(self, data: st.DataObject) -> None:
        """A peer's session is lost, and its routes are kept."""
        desk = data.draw(st.sampled_from([each for each in self.desks if each.member.long_lived]))
        self.lose(desk)

    def lose(self, desk: Desk) -> None:
        """A peer's session is lost, and its routes are kept."""
        self.desks.remove(desk)
        self.classroom.leave(desk.student, gracefully=True, turn=False)
        if returning(desk.student.peer.source) in self.classroom.speaker.restarting:
            self.fallen.append(desk)
        self.model.fall(desk.member)

    @precondition(lambda self: self.fallen)
    @rule(data=st.data())
    def keep_long(self, data: st.DataObject) -> None:
        """A restart time is over, and routes are kept on as long-lived stale ones (RFC 9494 4.2)."""
        self.keep_long_routes(data.draw(st.sampled_from(self.fallen)))

    def keep_long_routes(self, desk: Desk) -> None:
        """A peer's restart time is over, and its routes are kept on."""
        speaker, who = self.classroom.speaker, returning(desk.student.peer.source)
        speaker.keep_long(who, speaker.restarting[who].families, lambda _kept, _gone: None)
        self.classroom.turn()
        self.model.make_stale(desk.member)

    @precondition(lambda self: self.fallen)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        """A peer is not waited for any more."""
        desk = data.draw(st.sampled_from(self.fallen))
        self.fallen.remove(desk)
        self.classroom.speaker.forget(returning(desk.student.peer.source))
        self.model.drop(desk.member)

    @rule(data=st.data())
    def separate(self, data: st.DataObject) -> None:
        """Some peers are kept apart from the others, or nobody any more."""
        everybody = [*self.desks, *self.fallen]
        apart = data.draw(st.lists(st.sampled_from(everybody), max_size=3)) if everybody else []
        nodes = frozenset(returning(desk.student.peer.source) for desk in apart)
        self.classroom.speaker.separate(Separation({"A": nodes} if nodes else {}))
        self.model.apart = frozenset(desk.member.key for desk in apart)

    @precondition(lambda self: self.desks)
    @rule(data=st.data(), prefixes=some4, variant=variants)
    def announce(self, data: st.DataObject, prefixes: list[str], variant: Variant) -> None:
        """A peer announces IPv4 routes."""
        desk = self.pick(data)
        variant = desk.seen(variant)
        path_id = data.draw(desk.path_ids)
        hop = f"172.16.{(path_id or 0) % 7}.{desk.member.router_id.packed[3]}"
        block = variant.block(hop, as4=desk.student.as4)
        self.send(desk, wire.announce(*prefixes, attributes=block, path_id=path_id))
        if 4 in desk.member.families:
            for prefix in prefixes:
                self.model.announce(desk.member, prefix, variant, hop, path_id or 0)

    @precondition(lambda self: self.desks)
    @rule(data=st.data(), prefixes=some6, variant=variants)
    def announce6(self, data: st.DataObject, prefixes: list[str], variant: Variant) -> None:
        """A peer announces IPv6 routes."""
        desk = self.pick(data)
        variant = desk.seen(variant)
        path_id = data.draw(desk.path_ids)
        hop = f"fd00::{(path_id or 0) % 7}:{desk.member.router_id.packed[3]}"
        block = variant.block("", as4=desk.student.as4)
        self.send(desk, wire.announce6(*prefixes, via=hop, attributes=block, path_id=path_id))
        if 6 in desk.member.families:
            for prefix in prefixes:
                self.model.announce(desk.member, prefix, variant, hop, path_id or 0)

    @precondition(lambda self: self.desks)
    @rule(data=st.data(), four=some4, six=some6)
    def withdraw(self, data: st.DataObject, four: list[str], six: list[str]) -> None:
        """A peer withdraws routes, whether it has announced them or not."""
        desk = self.pick(data)
        path_id = data.draw(desk.path_ids)
        self.send(
            desk, wire.withdraw(*four, path_id=path_id), wire.withdraw6(*six, path_id=path_id)
        )
        for prefix in [*four, *six]:
            self.model.withdraw(desk.member, prefix, path_id or 0)

    @precondition(lambda self: self.desks)
    @rule(data=st.data(), prefixes=some4, variant=variants, times=st.integers(1, 3))
    def flap(self, data: st.DataObject, prefixes: list[str], variant: Variant, times: int) -> None:
        """A peer announces and withdraws, and ends with what it began with: nothing."""
        desk = self.pick(data)
        block = desk.seen(variant).block("172.16.9.9", as4=desk.student.as4)
        path_id = data.draw(desk.path_ids)
        for _ in range(times):
            self.send(
                desk,
                wire.announce(*prefixes, attributes=block, path_id=path_id),
                wire.withdraw(*prefixes, path_id=path_id),
            )
        for prefix in prefixes:
            self.model.withdraw(desk.member, prefix, path_id or 0)

    @precondition(lambda self: self.desks)
    @rule(data=st.data(), afi=st.sampled_from([1, 2]))
    def refresh(self, data: st.DataObject, afi: int) -> None:
        """A peer asks for everything again."""
        self.classroom.speaker.receive_refresh(self.pick(data).student.peer, afi, 1)

    @precondition(lambda self: self.desks)
    @rule(data=st.data(), some=some4, turns=st.integers(0, 2))
    def announce_again(self, data: st.DataObject, some: list[str], turns: int) -> None:
        """A peer that said so announces some of its IPv4 routes again, and the others are gone."""
        desk = self.pick(data)
        if 4 not in desk.member.families:
            return
        said = self.classroom.speaker.begin_refresh(desk.student.peer, IPV4_UNICAST)
        assert said is desk.student.peer.negotiated.enhanced_refresh
        path_id = data.draw(desk.path_ids)
        hop = f"172.16.{100 + (path_id or 0) % 7}.{desk.member.router_id.packed[3]}"
        block = desk.seen(Variant()).block(hop, as4=desk.student.as4)
        self.send(desk, wire.announce(*some, attributes=block, path_id=path_id))
        for prefix in some:
            self.model.announce(desk.member, prefix, desk.seen(Variant()), hop, path_id or 0)
        for _ in range(turns):
            self.classroom.speaker.turn()
        self.classroom.speaker.end_refresh(desk.student.peer, IPV4_UNICAST)
        if said and (desk.member, 4) in self.model.renewed:
            # Its End-of-RIB is still to come: it has begun that anew (RFC 4724 4.2).
            self.model.begin_again(desk.member, 4)
            self.model.renewed[desk.member, 4] = {
                (ip_network(prefix), path_id or 0) for prefix in some
            }
            return
        for prefix in PREFIXES4 if said else ():
            for other in {0, 1, 2, 0xFFFFFFFF}.difference([path_id or 0] if prefix in some else ()):
                self.model.withdraw(desk.member, prefix, other)

    @precondition(lambda self: self.desks)
    @rule(data=st.data())
    def stop_reading(self, data: st.DataObject) -> None:
        """A peer reads no more."""
        self.pick(data).student.outlet.reads = False

    @precondition(lambda self: self.desks)
    @rule(data=st.data(), chunks=st.integers(1, 3))
    def read_some(self, data: st.DataObject, chunks: int) -> None:
        """A peer reads a little."""
        student = self.pick(data).student
        if not student.outlet.reads and student.read(chunks):
            self.classroom.turn()

    @precondition(lambda self: self.desks)
    @rule(data=st.data())
    def resume_reading(self, data: st.DataObject) -> None:
        """A peer reads again."""
        student = self.pick(data).student
        student.outlet.reads = True
        if student.read():
            self.classroom.turn()

    @rule(
        prefixes=st.sets(st.sampled_from(LOCAL)), hop=st.sampled_from(["", "10.9.9.9", "10.0.0.2"])
    )
    def originate(self, prefixes: set[str], hop: str) -> None:
        """Our own routes are configured anew."""
        next_hop = ip_address(hop) if hop else None
        self.classroom.speaker.originate(LocalRoute(ip_network(p), next_hop) for p in prefixes)
        self.model.drop(self.ourselves)
        for prefix in prefixes:
            self.model.announce(self.ourselves, prefix, Variant(), hop)

    @rule()
    def one_turn(self) -> None:
        """One turn, after which the next change may come though somebody is behind."""
        self.classroom.speaker.turn()

    @rule()
    def check(self) -> None:
        """At rest, all who read have what they must have."""
        self.classroom.turn()
        self.look_at_quarantine()
        for desk in self.desks:
            if desk.student.outlet.reads:
                self.compare(desk)

    def teardown(self) -> None:
        """In the end all read, and have what they must have."""
        for desk in self.desks:
            desk.student.outlet.reads = True
            desk.student.read()
        self.classroom.turn()
        self.look_at_quarantine()
        for desk in self.desks:
            self.compare(desk)
            assert len(set(desk.student.ends)) == len(desk.member.families)
        for each in self.patches:
            each.stop()

    def look_at_quarantine(self) -> None:
        """See what is held back: nothing overlaps but for that, and nothing waits for nothing."""
        speaker, held_back = self.classroom.speaker, self.model.held_back
        held_back.clear()
        for family, prefix, held in speaker.held_back():
            key = held.path.source.address, IPv4Address(held.path.source.router_id)
            path_id = speaker.path_id(held.path, prefix) or 0
            held_back.add((key, unpack_prefix(prefix, family), path_id))
        if self.quarantine:
            self.model.check_quarantine()

    def pick(self, data: st.DataObject) -> Desk:
        """Draw a peer."""
        return data.draw(st.sampled_from(self.desks))

    def send(self, desk: Desk, *bodies: bytes) -> None:
        """A peer sends UPDATEs."""
        self.classroom.send(desk.student, *bodies, turn=False)

    def compare(self, desk: Desk) -> None:
        """Compare what a peer has with what the model says."""
        student = desk.student
        told = {
            network: describe(route, as4=student.as4) for network, route in student.table.items()
        }
        if student.peer.negotiated.add_path_send:
            told_of = set(self.compare_paths(desk))
        else:
            assert told == self.model.told(desk.member, student.peer.local_address), student.name
            told_of = set(told)
        speaker = self.classroom.speaker
        said = {
            unpack_prefix(prefix, family)
            for family, table in speaker.tables.items()
            for prefix in table.routes
            if speaker.fate(student.peer, family, prefix).reason is Reason.TOLD
        }
        assert said == told_of, student.name
        counted = sum(speaker.count_told()[student.peer.source].values())
        assert counted == len(told) + len(student.paths)

    def compare_paths(self, desk: Desk) -> set[Network]:
        """Compare what a peer has that is told of every path; returns of which prefixes."""
        student = desk.student
        assert not student.table
        told: dict[Network, dict[int, dict[str, object]]] = {}
        for each, route in student.paths.items():
            described = describe(route, as4=student.as4)
            told.setdefault(each.network, {})[each.path_id] = described
        wanted = self.model.told_all(desk.member, student.peer.local_address)
        for network in told.keys() | wanted.keys():
            has, must = told.get(network, {}), wanted.get(network, {})
            assert sorted(map(repr, has.values())) == sorted(map(repr, must.values()))
        return set(told)


TestClassAtWork = ClassAtWork.TestCase


@pytest.mark.rfc("4271", "9.1.2.2 MED")
@given(st.lists(variants, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_best_path_does_not_depend_on_the_order_of_arrival(
    drawn: list[Variant], random: object
) -> None:
    """RFC 4271 9.1.2.2: paths are eliminated from all, not compared two at a time."""
    paths = [
        Variant(**{**vars(variant), "malformed": False, "no_advertise": False}) for variant in drawn
    ]
    assert hasattr(random, "shuffle")
    tables = []
    for _ in range(2):
        classroom = Classroom()
        watcher = classroom.join("watcher", "10.9.9.9")
        order = list(range(len(paths)))
        random.shuffle(order)
        for i in order:
            peer = classroom.join(f"peer {i}", f"10.0.{i % 3}.1", router_id=f"10.1.1.{i + 1}")
            # What it announces first is replaced.
            classroom.send(peer, wire.announce("10.1.0.0/24"))
            block = paths[i].block("10.0.0.1", as4=True)
            classroom.send(peer, wire.announce("10.1.0.0/24", attributes=block))
        tables.append({n: describe(r, as4=True) for n, r in watcher.table.items()})
    offers = [
        Offer(Member(ip_address(f"10.0.{i % 3}.1"), IPv4Address(f"10.1.1.{i + 1}")), variant, "")
        for i, variant in enumerate(paths)
    ]
    (route,) = tables[0].values()
    assert tables[0] == tables[1]
    assert route["originator"] == choose(offers).originator
    assert route["med"] == choose(offers).variant.med
