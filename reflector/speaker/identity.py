"""Who we are."""

from dataclasses import dataclass
from ipaddress import IPv4Address


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are.

    Args:
        asn: Our AS number.
        router_id: Our BGP identifier.
        cluster_id: What we prepend to CLUSTER_LIST (RFC 4456 7).
    """

    asn: int
    router_id: IPv4Address
    cluster_id: IPv4Address
