"""A reload as the difference between two configurations.

A session drops only for a reason that can be named; everything that a running session doesn't
depend on changes beneath it.
"""

from dataclasses import dataclass, fields
from ipaddress import ip_network

from reflector.config.model import (
    Config,
    IPAddress,
    IPNetwork,
    PeerSettings,
    settings_for,
)

# Every session and every reflected route depends on these, or they are bound at the start.
RESTART_KEYS = (
    "asn",
    "router_id",
    "cluster_id",
    "port",
    "redial",
    "state_file",
    "control_socket",
)


@dataclass(frozen=True, slots=True)
class Reload:
    """What changes from one configuration to the next.

    Args:
        before: The running configuration.
        after: The new one, with the running one's values where a restart is needed.
        restart_reasons: Changes that need a restart, in words.
        passwords_changed: Networks whose TCP MD5 secret is new, changed or gone.
    """

    before: Config
    after: Config
    restart_reasons: tuple[str, ...]
    passwords_changed: frozenset[IPNetwork]

    def __bool__(self) -> bool:
        return self.before != self.after

    def dropped(self, address: IPAddress) -> str | None:
        """Why a session with an address must drop, in words; None if it stays up."""
        then, now = settings_for(self.before, address), settings_for(self.after, address)
        if now is None:
            return "the configuration no longer lets this address peer"
        if then is None:
            return None
        old, new = _effective(then, self.before), _effective(now, self.after)
        words = sorted(what for what, value in new.items() if value != old[what])
        return f"the configuration changed its {' and '.join(words)}" if words else None


def _effective(settings: PeerSettings, config: Config) -> dict[str, object]:
    """What a session depends on, in words: a description matters to nobody but us."""
    hold_time_s, families = settings.hold_time_s, settings.families
    return {
        "role (client or not)": settings.client,
        "hold time": config.hold_time_s if hold_time_s is None else hold_time_s,
        "address families": frozenset(config.families if families is None else families),
        "password": settings.password,
    }


def diff(before: Config, after: Config) -> Reload:
    """Compare the running configuration with a new one."""
    kept = {name: getattr(before, name) for name in RESTART_KEYS}
    reasons = tuple(
        f"{name.replace('_', '-')}: {_say(kept[name])} to {_say(getattr(after, name))}"
        for name in RESTART_KEYS
        if getattr(after, name) != kept[name]
    )
    values = {each.name: getattr(after, each.name) for each in fields(Config)} | kept
    new = Config(**values)
    then, now = passwords(before), passwords(new)
    changed = frozenset(
        network for network in then.keys() | now.keys() if then.get(network) != now.get(network)
    )
    return Reload(before, new, reasons, changed)


def passwords(config: Config) -> dict[IPNetwork, str]:
    """Who must sign (RFC 2385), by network; the kernel lets the narrowest win, as ranges do."""
    keys: dict[IPNetwork, str | None] = {
        each.network: each.settings.password for each in config.ranges
    }
    for each in config.neighbors:
        network = ip_network((each.address, each.address.max_prefixlen))
        keys[network] = each.settings.password
    return {network: password for network, password in keys.items() if password is not None}


def _say(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "the default" if value is None else str(value)
