"""Who asks, and by which node: what the debug address answers, as proof that the data path works.

A node routes 1.0.0.2 to us because it learned that from us, and our answer finds its way back to the
pod. So whoever reads the answer has seen both directions work.
"""

from dataclasses import dataclass
from heapq import nsmallest
from html import escape
from itertools import islice
from typing import Final

from reflector.bgp.nlri import unpack_prefix
from reflector.observe.duration import span
from reflector.observe.nearest import family_of, longest_match, pack
from reflector.observe.reflector import PeerConnection, Reflector
from reflector.observe.views import by_address, held_prefixes
from reflector.rib.source import IPAddress

# A node has one pod CIDR of each family; who announces more is shown the first, out of so many.
_MAX_SHOWN: Final = 20
_MAX_LOOKED_AT: Final = 1000
_MAX_NODES: Final = 8


@dataclass(frozen=True)
class Visit:
    """What is known of whoever asks.

    Args:
        source: From which address.
        nodes: By which node; several where they share one address.
        within: The node's prefix that holds the address, if it is not the node's own.
    """

    source: IPAddress
    nodes: tuple[PeerConnection, ...]
    within: str = ""


Paragraph = str | list[str]


def visit(reflector: Reflector, source: IPAddress) -> Visit:
    """Find out by which node somebody comes.

    Args:
        reflector: Who was asked.
        source: The address that the question came from.
    """
    present = [each for each in reflector.peering.connections if each.peer is not None]
    nodes = [each for each in present if each.name.address == source]
    if nodes:
        return Visit(source, tuple(sorted(nodes, key=by_address)))
    family = family_of(source)
    routes = reflector.speaker.tables[family].routes
    prefix = longest_match(routes, pack(source))
    if prefix is None:
        return Visit(source, ())
    best = routes[prefix].best
    node = next((each for each in present if each.peer and each.peer.source == best.source), None)
    return Visit(source, () if node is None else (node,), str(unpack_prefix(prefix, family)))


def answer(reflector: Reflector, source: IPAddress, now_s: float) -> list[Paragraph]:
    """What to tell somebody, as paragraphs and lists.

    Args:
        reflector: Who was asked.
        source: The address that the question came from.
        now_s: Loop time.
    """
    found = visit(reflector, source)
    told: list[Paragraph] = [
        f"You are {source}, and you reach the reflector and it reaches you: the data path works."
    ]
    if not found.nodes:
        told.append(
            f"{source} is no node's address, and in no pod CIDR that was announced here: you came by "
            "another way than a node with a session, or through an address translation."
        )
    elif found.within:
        told.append(f"You came through {_called(found.nodes[0])}, whose {found.within} holds you.")
    elif len(found.nodes) > 1:
        names = ", ".join(map(_called, found.nodes[:_MAX_NODES]))
        told.append(f"You came through one of {len(found.nodes)} nodes with one address: {names}.")
    else:
        told.append(
            f"You came through {_called(found.nodes[0])}: you are the node, or a pod of it that goes "
            "out with its node's address."
        )
    for node in found.nodes[:_MAX_NODES]:
        told += _session(reflector, node, now_s)
    return told


def as_text(paragraphs: list[Paragraph]) -> str:
    """For curl."""
    return "".join(
        f"{each}\n" if isinstance(each, str) else "".join(f"  {item}\n" for item in each)
        for each in paragraphs
    )


def as_html(paragraphs: list[Paragraph]) -> str:
    """For browsers; what nodes say of themselves is text there, too."""
    body = "\n".join(
        f"<p>{escape(each)}</p>"
        if isinstance(each, str)
        else f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in each)}</ul>"
        for each in paragraphs
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Who you are</title>\n<h1>Who you are</h1>\n{body}\n</html>\n"
    )


def _called(node: PeerConnection) -> str:
    name = node.name.host_name or node.name.description or "node"
    return f"{name} ({node.name.address}, router id {node.name.router_id})"


def _session(reflector: Reflector, node: PeerConnection, now_s: float) -> list[Paragraph]:
    """What a node's session has brought."""
    peer = node.peer
    if peer is None:
        return []
    speaker = reflector.speaker
    held = sum(held_prefixes(speaker, peer.source).values())
    up = f"The session of {_called(node)} is up for {span(now_s - node.since)}"
    if not held:
        return [f"{up}, and it has announced nothing."]
    prefixes = [
        unpack_prefix(prefix, family)
        for family, table in speaker.tables.items()
        for prefix in islice(table.prefixes_of(peer.source), _MAX_LOOKED_AT)
    ]
    shown = [
        str(each)
        for each in nsmallest(
            _MAX_SHOWN, prefixes, key=lambda p: (p.version, p.network_address.packed, p.prefixlen)
        )
    ]
    if held > len(shown):
        shown.append(f"and {held - len(shown)} more")
    return [f"{up}, and it has announced:", shown]
