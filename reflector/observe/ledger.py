"""What is remembered of peers when it is over: who left and why, who failed and how, who flaps.

Made of reports alone, and bounded: who is heard of least recently is forgotten.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from reflector.bgp.errors import Action
from reflector.bgp.vocabulary import CeaseSubcode, ErrorCode
from reflector.reports import (
    ConnectionRefused,
    PeerDown,
    PeerName,
    PeerReturned,
    PeerUp,
    Report,
    UpdateFault,
)

# What a large class has; a flood of strangers pushes out strangers first.
_MAX_RECORDS: Final = 1024
# Ends of sessions that are remembered of a peer, to see whether it flaps.
_MAX_ENDS: Final = 8
_MAX_EVENTS: Final = 500

Key = tuple[str, str]


@dataclass(slots=True)
class Failure:
    """An attempt that led to no session.

    Args:
        at_s: When, the last time.
        report: How it ended.
        count: How often, since the peer last had a session.
    """

    at_s: float
    report: PeerDown | ConnectionRefused | PeerReturned
    count: int = 1


@dataclass(slots=True)
class Fault:
    """Routes of a session that were rejected.

    Args:
        at_s: When, the last time.
        reason: The last one.
        count: How often.
        updates: UPDATEs that the peer had sent a moment later; None before that was looked at.
    """

    at_s: float
    reason: str
    count: int = 1
    updates: int | None = None


@dataclass(slots=True)
class Record:
    """One peer's past.

    Args:
        name: As it was last known.
        up_at_s: When its last session began, None if it never had one.
        sessions: How many it has had.
        ends_s: When its last sessions ended, those aside that the presenter has dropped.
        left: How its last session ended, while it has no other.
        failure: The last attempt that failed since it last had a session.
        fault: Routes of its session that were rejected.
    """

    name: PeerName
    up_at_s: float | None = None
    sessions: int = 0
    ends_s: tuple[float, ...] = ()
    left: Failure | None = None
    failure: Failure | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """A report with its number and its time.

    Args:
        number: Counted from 1.
        at_s: When, in seconds since the epoch.
        report: What.
    """

    number: int
    at_s: float
    report: Report


def _cleared(report: PeerDown) -> bool:
    """Whether a session ended by `clear`."""
    sent = report.sent
    cleared = ErrorCode.CEASE, CeaseSubcode.ADMINISTRATIVE_RESET
    return sent is not None and (sent.code, sent.subcode) == cleared


class Ledger:
    """What reports said of peers.

    Attributes:
        records: By address and router id, "" where no OPEN was seen; most recently heard of last.
        happenings: The last reports.
        counts: How many reports there were, by kind.
        number: Of the last happening.
    """

    def __init__(self) -> None:
        self.records: OrderedDict[Key, Record] = OrderedDict()
        self._by_address: dict[str, list[Key]] = {}
        self.happenings: deque[Happening] = deque(maxlen=_MAX_EVENTS)
        self.counts: dict[str, int] = {}
        self.number = 0

    def add(self, report: Report, at_s: float) -> None:
        """Take a report in.

        Args:
            report: What happened.
            at_s: When, in seconds since the epoch.
        """
        self.number += 1
        self.happenings.append(Happening(self.number, at_s, report))
        kind = type(report).__name__
        self.counts[kind] = self.counts.get(kind, 0) + 1
        match report:
            case PeerUp(peer):
                self._up(peer, at_s)
            case PeerDown(peer, was_up=True):
                record = self._record(peer)
                if not _cleared(report):
                    record.ends_s = (*record.ends_s, at_s)[-_MAX_ENDS:]
                record.left, record.fault = Failure(at_s, report), None
            case PeerDown(peer) | ConnectionRefused(peer) | PeerReturned(peer):
                self._failed(self._record(peer), report, at_s)
            case UpdateFault(peer, finding) if finding.action is Action.WITHDRAW:
                record = self._record(peer)
                count = 1 if record.fault is None else record.fault.count + 1
                record.fault = Fault(at_s, finding.reason, count)

    def sessions(self, peer: PeerName) -> int:
        """How many sessions a peer has had, with the one that it may have."""
        record = self.records.get((str(peer.address), peer.router_id))
        return 0 if record is None else record.sessions

    def _up(self, peer: PeerName, at_s: float) -> None:
        record = self._record(peer)
        record.sessions += 1
        record.up_at_s, record.left, record.failure, record.fault = at_s, None, None, None
        # What the same node did wrong before it was known by this router id is mended too.
        for key in self._by_address[str(peer.address)]:
            other = self.records[key]
            same_name = bool(peer.host_name) and other.name.host_name == peer.host_name
            if not key[1] or same_name:
                other.failure = None

    @staticmethod
    def _failed(
        record: Record, report: PeerDown | ConnectionRefused | PeerReturned, at_s: float
    ) -> None:
        count = 1 if record.failure is None else record.failure.count + 1
        record.failure = Failure(at_s, report, count)

    def _record(self, peer: PeerName) -> Record:
        key = str(peer.address), peer.router_id
        record = self.records.get(key)
        if record is None:
            record = self.records[key] = Record(peer)
            self._by_address.setdefault(key[0], []).append(key)
            if len(self.records) > _MAX_RECORDS:
                self._forget_one()
        else:
            self.records.move_to_end(key)
            record.name = peer
        return record

    def _forget_one(self) -> None:
        """Forget a stranger among those heard of least recently, or else the first of them."""
        oldest = [key for key, _ in zip(self.records, range(64), strict=False)]
        strangers = (key for key in oldest if self.records[key].up_at_s is None)
        gone = next(strangers, oldest[0])
        del self.records[gone]
        beside = self._by_address[gone[0]]
        beside.remove(gone)
        if not beside:
            del self._by_address[gone[0]]
