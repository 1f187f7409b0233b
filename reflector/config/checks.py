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
    yield from _twice("prefix-sets", [each.name for each in config.prefix_sets])
    yield from _twice("policies", [each.name for each in config.policies])
    yield from _unknown_names(config)
    yield from _unsigned(_peers(config))
    yield from _not_external(_peers(config))
    if config.long_lived_stale_time_s and not config.restart_time_s:
        yield (
            "long-lived-stale-time",
            "needs graceful restarts (RFC 9494 4.1): set restart-time to other than 0",
        )


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


def _unknown_names(config: Config) -> Iterator[tuple[str, str]]:
    """Prefix sets and policies that are named and not there."""
    sets = {each.name for each in config.prefix_sets}
    for number, policy in enumerate(config.policies):
        for index, rule in enumerate(policy.rules):
            for name in rule.prefix_sets:
                if name not in sets:
                    key = f"policies[{number}].rules[{index}].prefixes"
                    yield key, f"there is no {name} among prefix-sets{_there(sets)}"
    policies = {each.name for each in config.policies}
    for key, _, settings in _peers(config):
        named = {"import": settings.import_policy, "export": settings.export_policy}
        for direction, policy_name in named.items():
            if policy_name is not None and policy_name not in policies:
                what = f"there is no {policy_name} among policies{_there(policies)}"
                yield f"{key}.{direction}", what


def _there(names: set[str]) -> str:
    return f": there is {', '.join(sorted(names))}" if names else ""


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
