"""Admission: which connections are turned away before a word is said."""

import socket

from reflector.bgp.vocabulary import CeaseSubcode
from reflector.net.hops import demand_near, too_far
from reflector.net.peer_policy import PeerPolicy
from reflector.rib.source import IPAddress


def why_not(
    sock: socket.socket,
    remote: IPAddress,
    policy: PeerPolicy | None,
    *,
    outbound: bool,
    full: int | None,
) -> tuple[CeaseSubcode, str] | None:
    """Why a connection is turned away: with which Cease, and the reason in words.

    Args:
        sock: Connected.
        remote: The peer's address.
        policy: How to speak with it; None if it may not peer at all.
        outbound: Whether we have dialled.
        full: How many connections there may be, if there are as many.

    Returns:
        None if it may begin a session.
    """
    if policy is None:
        return (
            CeaseSubcode.CONNECTION_REJECTED,
            (
                f"{remote} is in none of the configured ranges: add one that holds it "
                "(ranges in the configuration), or connect kube-router from inside one"
            ),
        )
    far = _too_far(sock, policy, outbound=outbound)
    if far:
        return CeaseSubcode.CONNECTION_REJECTED, f"{remote} is turned away: {far}"
    if full is not None:
        return (
            CeaseSubcode.OUT_OF_RESOURCES,
            (
                f"there are {full} connections already: raise "
                "limits.max-sessions, or the limit of open files (ulimit -n) if that is lower"
            ),
        )
    return None


def _too_far(sock: socket.socket, policy: PeerPolicy, *, outbound: bool) -> str:
    """Why a peer's packets come from too far away; what comes later the kernel drops (RFC 5082)."""
    if policy.ttl_security is None:
        return ""
    demand_near(sock, policy.ttl_security)
    return "" if outbound else too_far(sock, policy.ttl_security)
