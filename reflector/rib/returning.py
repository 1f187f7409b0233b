"""Routes that outlive their session: those of a peer that restarts gracefully (RFC 4724 4.2).

They stay in the tables as they are, so that nobody is told anything.
"""

from reflector.rib.path import IPAddress, Source

# Who comes back: a peer is its address and its router id.
Returning = tuple[IPAddress, bytes]


def returning(source: Source) -> Returning:
    """By what a peer is known again."""
    return source.address, source.router_id
