"""UPDATEs as nearly all are: IPv4 routes that are announced and nothing else, and nothing is wrong.

What reads any UPDATE (`update`) has room in its answer for all that one can say, and that room costs as
much as the routes. Whatever is not plain is left to it.
"""

from reflector.bgp.nlri import split_unicast
from reflector.bgp.update import Announcement, JudgedBlocks
from reflector.bgp.vocabulary import IPV4_UNICAST


def read_plain(body: bytes, blocks: JudgedBlocks) -> Announcement | None:
    """Read the body of an UPDATE of a session without add-path for IPv4.

    Args:
        body: What follows the message header.
        blocks: The memory of judged attributes for the session's kind.

    Returns:
        What it announces; None where `update.read_update` must be asked.

    Raises:
        SessionError: As `update.read_update`.
    """
    size = len(body)
    if size < _LEAST_BYTES or body[0] or body[1]:
        return None
    stop = 4 + (body[2] << 8 | body[3])
    if stop >= size:
        return None
    attributes = blocks.look_up(body[4:stop])
    if attributes is None or not attributes.plain:
        return None
    prefixes, martians, default = split_unicast(body[stop:], IPV4_UNICAST)
    if martians or default:
        return None
    return Announcement(IPV4_UNICAST, attributes, attributes.next_hop, prefixes)


_LEAST_BYTES = 4  # the two lengths
