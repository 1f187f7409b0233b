"""`show running-config`: the configuration that is in force, in the words of FRR's bgpd.conf."""

from reflector import __version__
from reflector.vty.facts import View


def running_config(config: View) -> str:
    """The configuration as FRR would hold it.

    Args:
        config: /api/v1/config, keyed as the reflector's own file is.
    """
    lines = [
        "Building configuration...",
        "",
        "Current configuration:",
        "!",
        f"! bgp-reflector {__version__}; its own file says more: docs/configuration.md",
        "!",
        "log stdout",
        "!",
        f"router bgp {config['asn']}",
    ]
    for key, command in (("router-id", "router-id"), ("cluster-id", "cluster-id")):
        if config[key]:
            lines.append(f" bgp {command} {config[key]}")
    lines += [" bgp log-neighbor-changes", " no bgp network import-check"]
    hold_time_s = config["hold-time"]
    lines.append(f" timers bgp {hold_time_s // 3} {hold_time_s}")
    for number, each in enumerate(config["ranges"], start=1):
        group = f"range-{number}"
        lines.append(f" neighbor {group} peer-group")
        lines += _settings(group, each, config)
    for each in config["neighbors"]:
        address = each["address"]
        lines += _settings(address, each, config)
        if each["passive"]:
            lines.append(f" neighbor {address} passive")
    lines += [
        f" bgp listen range {each['network']} peer-group range-{number}"
        for number, each in enumerate(config["ranges"], start=1)
    ]
    for family in config["families"]:
        lines += _family(family, config)
    return "\n".join([*lines, "exit", "!", "end"])


def _settings(name: str, settings: View, config: View) -> list[str]:
    lines = [f" neighbor {name} remote-as {config['asn']}"]
    if settings["description"]:
        lines.append(f" neighbor {name} description {settings['description']}")
    if settings["hold-time"] is not None:
        hold_time_s = settings["hold-time"]
        lines.append(f" neighbor {name} timers {hold_time_s // 3} {hold_time_s}")
    if settings["password"] is not None:
        lines.append(f" neighbor {name} password {settings['password']}")
    return lines


def _family(family: str, config: View) -> list[str]:
    """The part for one address family."""
    lines = [" !", f" address-family {family} unicast"]
    colon = family == "ipv6"
    lines += [
        f"  network {each['prefix']}"
        for each in config["networks"]
        if (":" in each["prefix"]) is colon
    ]
    for name, settings in _named(config):
        if family in (settings["families"] or config["families"]):
            if colon:
                lines.append(f"  neighbor {name} activate")
            if settings["client"]:
                lines.append(f"  neighbor {name} route-reflector-client")
        elif not colon:
            lines.append(f"  no neighbor {name} activate")
    return [*lines, " exit-address-family"]


def _named(config: View) -> list[tuple[str, View]]:
    groups = [(f"range-{n}", each) for n, each in enumerate(config["ranges"], start=1)]
    return groups + [(each["address"], each) for each in config["neighbors"]]
