"""The rules: each looks at the facts for one kind of mistake."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Final

from reflector.bgp.nlri import unpack_prefix
from reflector.bgp.notification import Notification
from reflector.bgp.vocabulary import ErrorCode, OpenSubcode, State
from reflector.observe.diagnosis.facts import Facts, Node
from reflector.observe.diagnosis.overlaps import overlaps
from reflector.observe.diagnosis.wording import fix as _fix
from reflector.observe.diagnosis.wording import named as _named
from reflector.observe.ledger import Failure, Record
from reflector.observe.problem import Problem
from reflector.reports import ConnectionRefused, PeerDown, PeerName, PeerReturned
from reflector.rib.source import Source

# An OPEN follows a connection within a round trip.
_SILENT_S: Final = 3.0
# A node sends its routes as soon as its session is up.
_NOTHING_S: Final = 4.0
# Who changes its routes withdraws the old ones and announces the new ones.
_CHANGES_S: Final = 2.0
# A peer that has given up is no problem any more: GoBGP tries again after 120 s at most.
_STALE_S: Final = 300.0
_FLAPS: Final = 3
_FLAPPING_S: Final = 120.0
_CALM_S: Final = 60.0
# Who fell silent and is away for longer than a class's break went home; the roll call still says why.
_AWAY_S: Final = 900.0
# Connections without a word that may be a port scan or a health check.
_STRANGE: Final = 3

Rule = Callable[[Facts], Iterator[Problem]]


def diagnose(facts: Facts) -> list[Problem]:
    """Everything that is wrong, errors first, each node's beside each other."""
    found = [problem for rule in _RULES for problem in rule(facts)]
    return sorted(found, key=lambda each: (each.severity != "error", each.peers, each.kind))


# Sessions that don't come up.


def _failures(facts: Facts) -> Iterator[Problem]:
    up = {(node.address, node.router_id) for node in facts.nodes if node.source is not None}
    for record in facts.records:
        failure = record.failure
        key = str(record.name.address), record.name.router_id
        if failure is None or key in up or facts.now_s > failure.at_s + _STALE_S:
            continue
        problem = _failure(facts, record, failure)
        if problem is not None:
            yield problem


def _failure(facts: Facts, record: Record, failure: Failure) -> Problem | None:
    name, report = record.name, failure.report
    if not isinstance(report, PeerDown):
        return _turned_away(name, report, failure)
    if _is(report.sent, OpenSubcode.BAD_PEER_AS):
        what = f"{_called(name)}: {report.reason.partition(': ')[0]}."
        return _problem("wrong-as", name, what, "", failure, asn=facts.asn)
    if _is(report.received, OpenSubcode.BAD_PEER_AS):
        what = (
            f"{_called(name)} is in the right AS, and refuses ours, {facts.asn}: it was told that "
            "we are in another."
        )
        return _problem("expects-other-as", name, what, "", failure, asn=facts.asn)
    if _is(report.sent, OpenSubcode.BAD_BGP_IDENTIFIER) or _is(
        report.received, OpenSubcode.BAD_BGP_IDENTIFIER
    ):
        what = f"{_called(name)} and the reflector disagree over router ids: {report.reason}."
        return _problem("our-router-id", name, what, "", failure)
    if _is(report.sent, OpenSubcode.UNACCEPTABLE_HOLD_TIME):
        what = f"{_called(name)}: {report.reason.partition(': ')[0]}, and 3 s are the least."
        return _problem("hold-time", name, what, "", failure)
    return _no_session(facts, record, failure, report)


def _turned_away(
    name: PeerName, report: ConnectionRefused | PeerReturned, failure: Failure
) -> Problem | None:
    if isinstance(report, ConnectionRefused):
        what = f"{_called(name)} was turned away."
        return _problem("refused", name, what, report.reason, failure)
    if "second connection" not in report.outcome:
        return None  # it came back, and nothing is wrong
    what = (
        f"{_called(name)} connects while a session with the same address and router id "
        f"{name.router_id} is alive."
    )
    return _problem("same-router-id", name, what, "", failure)


def _no_session(facts: Facts, record: Record, failure: Failure, report: PeerDown) -> Problem | None:
    name = record.name
    mute = not name.router_id and report.received is None
    if mute and report.sent is not None and report.sent.code == ErrorCode.HOLD_TIMER_EXPIRED:
        what = f"{_called(name)} connects and sends no OPEN."
        return _problem("silent", name, what, "", failure)
    cease = ErrorCode.CEASE
    if report.sent is not None and report.sent.code == cease:
        return None  # a collision, or we are shutting down
    if mute and report.sent is None and failure.count < _STRANGE:
        return None
    strange = mute and report.sent is not None and report.sent.code == ErrorCode.MESSAGE_HEADER
    if strange and facts.now_s > failure.at_s + _CALM_S:
        return None  # a health check would have come again, and a browser is gone
    times = f"{failure.count} times" if failure.count > 1 else "once"
    if strange:
        what = f"{_called(name)} connects and says something that is not BGP, {times}."
        return _problem("no-bgp", name, what, "", failure)
    what = f"{_called(name)}: no session, {times}"
    return _problem("no-session", name, f"{what}: {report.reason}.", "", failure)


def _silent(facts: Facts) -> Iterator[Problem]:
    for node in facts.nodes:
        if node.state is State.OPEN_SENT and not node.outbound and node.in_state_s > _SILENT_S:
            what = f"{_named(node)} connects and sends no OPEN."
            yield Problem(
                "silent",
                (node.address,),
                what,
                _fix("silent", node=node.address),
                facts.now_s - node.in_state_s,
            )


def _is(notification: Notification | None, subcode: int) -> bool:
    return (
        notification is not None
        and notification.code == ErrorCode.OPEN_MESSAGE
        and notification.subcode == subcode
    )


# Sessions that don't stay up.


def _fallen(facts: Facts) -> Iterator[Problem]:
    for record in facts.records:
        left = record.left
        if left is None or not isinstance(left.report, PeerDown):
            continue
        if facts.now_s > left.at_s + _AWAY_S:
            continue
        ends = (left.report.sent, left.report.received)
        if any(end is not None and end.code == ErrorCode.HOLD_TIMER_EXPIRED for end in ends):
            what = f"{_called(record.name)} has no session any more: {left.report.reason}."
            yield _problem("hold-timer", record.name, what, "", left)


def _flapping(facts: Facts) -> Iterator[Problem]:
    for record in facts.records:
        ends = [end_s for end_s in record.ends_s if end_s > facts.now_s - _FLAPPING_S]
        if len(ends) >= _FLAPS and ends[-1] > facts.now_s - _CALM_S:
            last = "" if record.left is None else _reason(record.left)
            what = f"{_called(record.name)}: {len(ends)} sessions ended within two minutes{last}."
            yield Problem(
                "flapping",
                (str(record.name.address),),
                what,
                _fix("flapping", node=_short(record.name)),
                ends[0],
            )


def _reason(left: Failure) -> str:
    report = left.report
    return f", the last one: {report.reason}" if isinstance(report, PeerDown) else ""


# Sessions that are up.


def _behind_nat(facts: Facts) -> dict[str, dict[str, Node]]:
    """Nodes that have the same address, which is not where they connect from: by that, and by the latter."""
    found: dict[str, dict[str, Node]] = defaultdict(dict)
    for node in facts.nodes:
        if node.foreign_hop is not None and node.foreign_hop[1] == node.router_id:
            found[node.router_id][node.address] = node
    return {inside: group for inside, group in found.items() if len(group) > 1}


def _same_addresses(facts: Facts) -> Iterator[Problem]:
    for inside, group in _behind_nat(facts).items():
        names = " and ".join(_named(node) for _, node in sorted(group.items()))
        what = f"{names} all call {inside} their address: each is behind a NAT of its own."
        yield Problem("same-address", tuple(sorted(group)), what, _fix("same-address"))


def _same_router_ids(facts: Facts) -> Iterator[Problem]:
    by_id: dict[str, list[Node]] = defaultdict(list)
    told = _behind_nat(facts)
    for node in facts.nodes:
        if node.source is not None and node.router_id not in told:
            by_id[node.router_id].append(node)
    for router_id, group in by_id.items():
        for version in (4, 6):  # a node may have one session over each
            same = sorted(
                {n.address: n for n in group if ip_address(n.address).version == version}.items()
            )
            if len(same) > 1:
                names = " and ".join(_named(node) for _, node in same)
                yield Problem(
                    "same-router-id",
                    tuple(address for address, _ in same),
                    f"{names} have the same router id {router_id}.",
                    _fix("same-router-id"),
                )


def _nothing_announced(facts: Facts) -> Iterator[Problem]:
    told = {held.path.source for _, _, held in facts.held_back}
    for node in facts.nodes:
        if node.source is None or not node.client or node.held or node.in_state_s < _NOTHING_S:
            continue
        if node.unchanged_s < _CHANGES_S:
            continue  # it is about to announce others, or to leave
        if node.refused or node.source in told:
            continue  # which is told by what was wrong with it
        kind = "waits-for-others" if node.graceful else "announces-nothing"
        why = ": it waits for others (graceful restart)" if node.graceful else ""
        yield Problem(
            kind,
            (node.address,),
            f"{_named(node)} has a session and announces no route{why}.",
            _fix(kind, node=node.host_name or node.address),
            facts.now_s - min(node.in_state_s, node.unchanged_s),
        )


def _foreign_next_hops(facts: Facts) -> Iterator[Problem]:
    told = _behind_nat(facts)
    for node in facts.nodes:
        if node.foreign_hop is not None and node.router_id not in told:
            prefix, hop = node.foreign_hop
            yield Problem(
                "foreign-next-hop",
                (node.address,),
                f"{_named(node)} announces {prefix} with next hop {hop}, which is not its address.",
                _fix("foreign-next-hop", hop=hop),
                subject=prefix,
            )


def _rejected(facts: Facts) -> Iterator[Problem]:
    faults = {
        (str(record.name.address), record.name.router_id): record.fault for record in facts.records
    }
    for node in facts.nodes:
        if not node.had_rejected:
            continue
        fault = faults.pop((node.address, node.router_id), None)  # which is of these prefixes
        if node.rejected is not None:
            prefix, reason, others = node.rejected
            more = f" (and {others} more)" if others else ""
            yield Problem(
                "rejected",
                (node.address,),
                f"{_named(node)} announces {prefix}{more}, and it is rejected: {reason}.",
                _fix("rejected", node=node.host_name or node.address, prefix=prefix),
                None if fault is None else fault.at_s,
            )
    for record in facts.records:
        fault = faults.get((str(record.name.address), record.name.router_id))
        if fault is not None:
            yield Problem(
                "rejected",
                (str(record.name.address),),
                f"Routes of {_called(record.name)} are rejected: {fault.reason}.",
                _fix("rejected", node=_short(record.name), prefix="its routes"),
                fault.at_s,
            )


def _held_back(facts: Facts) -> Iterator[Problem]:
    named = {node.source: node for node in facts.nodes if node.source is not None}
    pairs: dict[tuple[Source, Source], list[tuple[str, str]]] = defaultdict(list)
    for family, prefix, held in facts.held_back:
        words = str(unpack_prefix(prefix, family)), str(unpack_prefix(held.prefix, family))
        pairs[held.path.source, held.first].append(words)
    for (source, first), prefixes in pairs.items():
        newcomer, holder = named.get(source), named.get(first)
        if newcomer is None:
            continue
        called = str(first.address) if holder is None else _named(holder)
        one, other = prefixes[0]
        more = f" (and {len(prefixes) - 1} more)" if len(prefixes) > 1 else ""
        yield Problem(
            "held-back",
            (newcomer.address, str(first.address)),
            f"{_named(newcomer)} announces {one}, which overlaps {other} of {called}{more}: it is "
            "held back.",
            _fix("held-back"),
            subject=one,
        )


def _passwords(facts: Facts) -> Iterator[Problem]:
    drops = facts.md5_drops
    if not drops:
        return
    seen = [
        (drops.wrong, "signed with another password"),
        (drops.unsigned, "without the password that is set here"),
        (drops.unexpected, "signed, while no password is set here for their sender"),
    ]
    words = ", ".join(f"{count} {how}" for count, how in seen if count)
    what = f"The kernel drops TCP segments: {words}. It doesn't say whose."
    yield Problem("md5", (), what, _fix("md5"))


def _steered(facts: Facts) -> Iterator[Problem]:
    for cluster, addresses in facts.disconnected.items():
        what = f"{cluster} is disconnected from the other clusters by the presenter."
        yield Problem("disconnected", addresses, what, _fix("disconnected", cluster=cluster))
    if facts.own_routes_hidden:
        what = "The reflector's own routes are hidden by the presenter."
        yield Problem("own-routes-hidden", (), what, _fix("own-routes-hidden"))


_RULES: Final[tuple[Rule, ...]] = (
    _steered,
    _failures,
    _silent,
    _fallen,
    _flapping,
    overlaps,
    _held_back,
    _same_addresses,
    _same_router_ids,
    _passwords,
    _rejected,
    _foreign_next_hops,
    _nothing_announced,
)


# Words.


def _problem(
    kind: str, name: PeerName, what: str, fix: str, failure: Failure, asn: int = 0
) -> Problem:
    return Problem(
        kind,
        (str(name.address),),
        what.replace("..", "."),
        fix or _fix(kind, node=_short(name), address=str(name.address), asn=asn),
        failure.at_s,
    )


def _short(name: PeerName) -> str:
    return name.host_name or name.description or str(name.address)


def _called(name: PeerName) -> str:
    known = name.host_name or name.description
    return f"{known} ({name.address})" if known else str(name.address)
