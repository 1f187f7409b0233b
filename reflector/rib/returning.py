"""By what a peer that restarts gracefully is known when it is back (RFC 4724 4.2)."""

from reflector.rib.source import IPAddress, Source

# Who comes back: a peer is its address and its router id.
Returning = tuple[IPAddress, bytes]


def returning(source: Source) -> Returning:
    """By what a peer is known again."""
    return source.address, source.router_id
