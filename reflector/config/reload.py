"""A reload as the difference between two configurations.

A session drops only for a reason that can be named; everything that a running session doesn't
depend on changes beneath it.
"""

from dataclasses import dataclass, fields
from ipaddress import ip_network

from reflector.config.intake import export, intake, policies
from reflector.config.model import (
    Config,
    IPAddress,
    IPNetwork,
    PeerSettings,
    settings_for,
)
from reflector.config.remote_as import remote_as

# Every session and every reflected route depends on these, or they are bound at the start.
RESTART_KEYS = (
    "asn",
    "router_id",
    "cluster_id",
    "port",
    "redial",
    "state_file",
    "control_socket",
    "http",
    "whoami",
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

    def filters_changed(self) -> list[str]:
        """Whose routes are taken, or told, by other rules from now on: ranges and neighbors, in words.

        No session drops for it.
        """
        then, now = policies(self.before), policies(self.after)
        found = []
        for name, address in _named(self.after):
            old, new = settings_for(self.before, address), settings_for(self.after, address)
            if old is None or new is None:
                continue
            words = []
            if intake(old, then) != intake(new, now):
                words.append("import")
            if export(old, then) != export(new, now):
                words.append("export")
            if words:
                found.append(f"{' and '.join(words)} of {name}")
        return found

    def dropped(self, address: IPAddress, asn: int | None = None) -> str | None:
        """Why a session with an address must drop, in words; None if it stays up.

        Args:
            address: Of the peer.
            asn: The AS that it is in; None as long as it hasn't said.
        """
        then, now = settings_for(self.before, address), settings_for(self.after, address)
        if now is None:
            return "the configuration no longer lets this address peer"
        if then is None:
            return None
        old = _effective(then, self.before, asn)
        new = _effective(now, self.after, asn)
        words = [what for what, value in new.items() if value != old[what]]
        # Another rule for its AS is no reason as long as that is right by both.
        accepted = asn is not None and remote_as(now).accepts(asn, self.after.asn)
        if then.remote_as != now.remote_as and not accepted:
            words.append("remote AS")
        return f"the configuration changed its {' and '.join(sorted(words))}" if words else None


def _named(config: Config) -> list[tuple[str, IPAddress]]:
    """The ranges and neighbors of a configuration, each with an address in it."""
    ranges = [(str(each.network), each.network.network_address) for each in config.ranges]
    return ranges + [(str(each.address), each.address) for each in config.neighbors]


def _effective(settings: PeerSettings, config: Config, asn: int | None) -> dict[str, object]:
    """What a session depends on, in words: a description matters to nobody but us."""
    hold_time_s, families = settings.hold_time_s, settings.families
    effective: dict[str, object] = {
        "hold time": config.hold_time_s if hold_time_s is None else hold_time_s,
        "address families": frozenset(config.families if families is None else families),
        "add-path": settings.add_path,
        "password": settings.password,
        "TTL security": settings.ttl_security,
        "extended messages": settings.extended_messages,
    }
    if asn in (None, config.asn):
        effective["role (client or not)"] = settings.client
    if asn != config.asn:
        effective["role (route server client or not)"] = settings.route_server
        effective["check of the first AS"] = settings.enforce_first_as
    return effective


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
