"""What the parts of a reflector are told of its configuration, in their own terms."""

import resource
from typing import Final

from reflector.bgp.vocabulary import FAMILY_BY_NAME, AddPath
from reflector.config.intake import Policies, export, hold_down_s, intake
from reflector.config.model import Config, PeerSettings
from reflector.config.remote_as import remote_as
from reflector.net.dialer import Target
from reflector.net.peer_policy import PeerPolicy
from reflector.observe.export.bmp import Station
from reflector.rib.originated import LocalRoute
from reflector.rib.source import IPAddress

# File descriptors that are no peer's: listening sockets, the control socket and who asks on it, the
# state file, connections that are being turned away, dials.
_OWN_FILES: Final = 192

_ADD_PATH: Final = {
    "off": 0,
    "receive": AddPath.RECEIVE,
    "send": AddPath.SEND,
    "both": AddPath.BOTH,
}


def policy_of(settings: PeerSettings, config: Config, known: Policies) -> PeerPolicy:
    """What holds for the peers of a neighbor or a range."""
    families = config.families if settings.families is None else settings.families
    return PeerPolicy(
        families=frozenset(FAMILY_BY_NAME[name] for name in families),
        add_path=_ADD_PATH[settings.add_path],
        hold_time_s=config.hold_time_s if settings.hold_time_s is None else settings.hold_time_s,
        client=settings.client,
        description=settings.description,
        open_wait_s=config.limits.open_wait_s,
        remote_as=remote_as(settings),
        route_server=settings.route_server,
        enforce_first_as=settings.enforce_first_as,
        ttl_security=settings.ttl_security,
        extended_messages=settings.extended_messages,
        intake=intake(settings, known),
        export=export(settings, known),
        hold_down_s=hold_down_s(settings),
        restart_time_s=config.restart_time_s or None,
        long_lived_s=config.long_lived_stale_time_s or None,
    )


def room_for(config: Config) -> int:
    """How many connections there may be: peers must leave descriptors for everything else."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return config.limits.max_sessions
    return min(config.limits.max_sessions, files - min(_OWN_FILES, files // 4))


def local_routes(config: Config) -> list[LocalRoute]:
    """The routes that the reflector itself announces."""
    return [LocalRoute(network.prefix, network.next_hop) for network in config.networks]


def stations(config: Config) -> list[Station]:
    """Who is told in BMP."""
    return [Station(each.address, each.port) for each in config.bmp]


def targets(config: Config) -> set[Target]:
    """The neighbors to dial."""
    return {
        Target(
            neighbor.address,
            neighbor.port,
            neighbor.settings.password,
            _dialling_address(config, neighbor.address.version),
            neighbor.settings.ttl_security,
        )
        for neighbor in config.neighbors
        if not neighbor.passive
    }


def _dialling_address(config: Config, version: int) -> IPAddress | None:
    """Our address to dial from, None to leave it to the kernel.

    Who listens on one address alone is known by that one: to another reflector on the same machine
    the kernel would call from the neighbor's own.
    """
    listening = [each for each in config.listen if each.version == version]
    if len(listening) == 1 and not listening[0].is_unspecified:
        return listening[0]
    return None
