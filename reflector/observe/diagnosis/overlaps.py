"""The rule for pod CIDRs that several nodes announce: one problem for one mistake, whomever it concerns."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Final

from reflector.bgp.nlri import unpack_prefix
from reflector.bgp.vocabulary import Family
from reflector.observe.diagnosis.facts import Facts, Node
from reflector.observe.diagnosis.wording import fix, named
from reflector.observe.overlap import Overlap
from reflector.observe.problem import Problem
from reflector.rib.source import Source

# Nodes whose names are in a sentence; whose tiles are marked is not bounded.
_MAX_NAMED: Final = 6

_Others = list[tuple[Overlap, Node]]


def overlaps(facts: Facts) -> Iterator[Problem]:
    """Nodes that announce the same addresses, by the prefix and the node that all of them share."""
    nodes = {node.source: node for node in facts.nodes if node.source is not None}
    groups: dict[tuple[bool, Family, bytes, Source], _Others] = defaultdict(list)
    for overlap in facts.overlaps:
        other = nodes.get(overlap.second)
        if other is not None and overlap.first in nodes:
            same = overlap.one == overlap.other
            groups[same, overlap.family, overlap.one, overlap.first].append((overlap, other))
    for (same, family, prefix, source), others in groups.items():
        others.sort(key=lambda each: (each[0].other[1:], _order(each[1])))
        wider = str(unpack_prefix(prefix, family))
        yield (_same if same else _within)(wider, nodes[source], others)


def _order(node: Node) -> tuple[int, bytes]:
    address = ip_address(node.address)
    return address.version, address.packed


def _same(prefix: str, first: Node, others: _Others) -> Problem:
    """Several announce the same, and `first` has the traffic."""
    nodes = [first, *(node for _, node in others)]
    namesakes = any(node.host_name == first.host_name for node in nodes[1:])  # as every minikube is
    winner = named(first) if namesakes else first.host_name or first.address
    all_ = "both" if len(others) == 1 else "all"
    names = _listed([named(node) for node in nodes])
    what = f"{names} {all_} announce {prefix}{_more(others)}. Its traffic goes to {winner}."
    text = fix("same-cidr")
    if len(others) > 1:
        text = (
            "Give each of these clusters a pod CIDR of its own (kubeadm: --pod-network-cidr; then "
            "kube-router announces it), or stop kube-router on all of these nodes but one."
        )
    addresses = tuple(node.address for node in nodes)
    return Problem("same-cidr", addresses, what, text, subject=prefix)


def _within(wider: str, first: Node, others: _Others) -> Problem:
    """What several announce lies within a prefix of `first`."""
    addresses = (first.address, *(node.address for _, node in others))
    parts = [(str(unpack_prefix(each.other, each.family)), named(node)) for each, node in others]
    if len(others) == 1:
        [(other, who)] = parts
        what = (
            f"{who} announces {other}, which lies within {wider} of {named(first)}{_more(others)}."
        )
        text = fix("overlapping-cidr")
    else:
        held = _listed([f"{other} of {who}" for other, who in parts])
        what = f"{named(first)} announces {wider}, and within it lie {held}{_more(others)}."
        text = (
            f"Have {first.host_name or first.address} announce its own pod CIDR and not {wider}, or give "
            "its cluster another pod CIDR (kubeadm: --pod-network-cidr)."
        )
    return Problem("overlapping-cidr", addresses, what, text, subject=wider)


def _more(others: _Others) -> str:
    """How many pairs of prefixes overlap beside those that are named."""
    more = max(overlap.more for overlap, _ in others)
    return f" (and {more} more)" if more else ""


def _listed(words: Sequence[str]) -> str:
    """Words in a row, as many as one reads."""
    if len(words) > _MAX_NAMED:
        rest = len(words) - _MAX_NAMED + 1
        words = [*words[: _MAX_NAMED - 1], f"{rest} others"]
    return f"{', '.join(words[:-1])} and {words[-1]}"
