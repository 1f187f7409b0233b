"""What no single value is wrong about: settings that contradict each other."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Final

from reflector.config.model import Config, IPNetwork, PeerSettings


def conflicts(config: Config) -> Iterator[tuple[str, str]]:
    """Find what can't hold at once.

    Yields:
        The path of the key to blame (`ranges[1]`), and what is wrong.
    """
    yield from _twice("networks", [each.prefix for each in config.networks])
    yield from _twice("ranges", [each.network for each in config.ranges])
    yield from _twice("neighbors", [each.address for each in config.neighbors])
    yield from _unsigned(_peers(config))
    yield from _not_external(_peers(config))


def _twice(key: str, named: Sequence[object]) -> Iterator[tuple[str, str]]:
    seen: dict[object, int] = {}
    for index, name in enumerate(named):
        first = seen.setdefault(name, index)
        if first != index:
            yield f"{key}[{index}]", f"{name} is there already, as {key}[{first}]"


def _peers(config: Config) -> list[tuple[str, IPNetwork, PeerSettings]]:
    """Ranges and neighbors alike: the key of each, whom it is for, and how to speak with them."""
    ranges = [
        (f"ranges[{index}]", each.network, each.settings)
        for index, each in enumerate(config.ranges)
    ]
    neighbors = [
        (f"neighbors[{index}]", ip_network(each.address), each.settings)
        for index, each in enumerate(config.neighbors)
    ]
    return ranges + neighbors


def _unsigned(peers: list[tuple[str, IPNetwork, PeerSettings]]) -> Iterator[tuple[str, str]]:
    """Peers without a password inside a range with one.

    The kernel holds TCP MD5 keys by prefix and lets the longest win. It has no entry for "none", so
    it would drop every segment of such a peer, and nobody would hear why.
    """
    signed = [
        network
        for _, network, settings in peers
        if settings.password is not None and network.prefixlen < network.max_prefixlen
    ]
    for key, network, settings in peers:
        if settings.password is not None:
            continue
        for outer in signed:
            if _within(network, outer):
                yield key, _UNSIGNED.format(network, outer)
                break


_UNSIGNED: Final = (
    "{} has no password and lies in {}, which has one, and the kernel would ask for it: "
    "give both one"
)


def _not_external(peers: list[tuple[str, IPNetwork, PeerSettings]]) -> Iterator[tuple[str, str]]:
    """What was said of external peers where there can be none."""
    for key, _, settings in peers:
        if settings.route_server and settings.remote_as == ("internal",):
            yield key, "route-server is for peers in other ASes: say which by remote-as"


def _within(inner: IPNetwork, outer: IPNetwork) -> bool:
    same_family = inner.version == outer.version
    return same_family and inner.prefixlen > outer.prefixlen and inner.network_address in outer
