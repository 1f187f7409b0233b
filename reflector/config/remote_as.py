"""What the configuration says of peers' ASes, in the protocol's terms."""

from reflector.bgp.remote_as import RemoteAs
from reflector.config.model import PeerSettings


def remote_as(settings: PeerSettings) -> RemoteAs:
    """The ASes that a peer may be in."""
    said = settings.remote_as
    return RemoteAs(
        internal="internal" in said or "any" in said,
        external="external" in said or "any" in said,
        numbers=frozenset(each for each in said if isinstance(each, int)),
    )
