"""`show running-config`: the configuration that is in force, in the words of FRR's bgpd.conf.

Read as one, it is the same configuration again. What FRR has no words for stands in comments.
"""

from collections.abc import Iterator
from typing import Final

from reflector import __version__
from reflector.vty.facts import View

_BGP_PORT: Final = 179
# What is not said, because it holds without a word: the key, FRR's statement, and the value.
_TIMES: Final = (
    ("restart-time", "graceful-restart restart-time", 120),
    ("select-defer-time", "graceful-restart select-defer-time", 30),
    ("stale-path-time", "graceful-restart stalepath-time", 360),
    ("long-lived-stale-time", "long-lived-graceful-restart stale-time", 0),
)
_MAXIMUM_PREFIX: Final = {
    "limit": 1_000_000,
    "action": "restart",
    "warn-at": 75,
    "restart-after": 60,
}
_MAX_SESSIONS: Final = 10_000
_REMOTE_AS: Final = {"any": "auto", "external": "external"}


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
        *_globals(config),
    ]
    for number, each in enumerate(config["ranges"], start=1):
        lines.append(f" neighbor range-{number} peer-group")
        lines += _settings(f"range-{number}", each, config)
    for each in config["neighbors"]:
        name, _, interface = each["address"].partition("%")
        lines += _settings(name, each, config)
        if interface:
            lines.append(f" neighbor {name} interface {interface}")
        if each["port"] != _BGP_PORT:
            lines.append(f" neighbor {name} port {each['port']}")
        if each["passive"]:
            lines.append(f" neighbor {name} passive")
    lines += [
        f" bgp listen range {each['network']} peer-group range-{number}"
        for number, each in enumerate(config["ranges"], start=1)
    ]
    for family in ("ipv4", "ipv6"):
        lines += _family(family, config)
    return "\n".join([*lines, "exit", "!", "end"])


def _globals(config: View) -> Iterator[str]:
    for key in ("router-id", "cluster-id"):
        if config[key]:
            yield f" bgp {key} {config[key]}"
    yield " bgp log-neighbor-changes"
    yield " no bgp network import-check"
    hold_time_s = config["hold-time"]
    yield f" timers bgp {hold_time_s // 3} {hold_time_s}"
    if not config["restart-time"]:
        yield " bgp graceful-restart-disable"
    for key, statement, usual in _TIMES:
        if config[key] != usual and (config[key] or key != "restart-time"):
            yield f" bgp {statement} {config[key]}"
    if config["limits"]["max-sessions"] > _MAX_SESSIONS:
        yield f" bgp listen limit {config['limits']['max-sessions']}"


def _settings(name: str, settings: View, config: View) -> Iterator[str]:
    neighbor = f" neighbor {name}"
    accepted = settings["remote-as"]
    one = accepted[0] if len(accepted) == 1 else "any"
    yield f"{neighbor} remote-as {config['asn'] if one == 'internal' else _REMOTE_AS.get(one, one)}"
    if settings["description"]:
        yield f"{neighbor} description {settings['description']}"
    if settings["hold-time"] is not None:
        hold_time_s = settings["hold-time"]
        yield f"{neighbor} timers {hold_time_s // 3} {hold_time_s}"
    if settings["ttl-security"] is not None:
        yield f"{neighbor} ttl-security hops {settings['ttl-security']}"
    if not settings["enforce-first-as"]:
        yield f" no neighbor {name} enforce-first-as"
    yield from _comments(name, settings)


def _comments(name: str, settings: View) -> Iterator[str]:
    """What FRR has no words for, or what is not for everybody to read."""
    accepted = settings["remote-as"]
    if len(accepted) > 1:
        yield f" ! {name} may be in one of the ASes {', '.join(map(str, accepted))}"
    if settings["password"] is not None:
        yield f" ! {name} has a password, which is not shown"
    if settings["add-path"] == "receive":
        yield f" ! {name} has add-path: receive"
    for key, usual in _WITHOUT_WORDS.items():
        if settings[key] != usual:
            yield f" ! {name} has {key}: {_plain(settings[key])}"


# What FRR has no words for, or other ones, with what holds without a word.
_WITHOUT_WORDS: Final = {
    "import": None,
    "export": None,
    "accept-default": False,
    "graceful-shutdown": True,
    "extended-messages": False,
}


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


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
            lines += (f"  neighbor {name} {each}" for each in _of_family(settings))
        else:
            lines.append(f"  no neighbor {name} activate")
    return [*lines, " exit-address-family"]


def _of_family(settings: View) -> Iterator[str]:
    """What FRR says of a peer in each of its address families, though it is the same in all."""
    if settings["client"] and settings["remote-as"] != ["external"]:
        yield "route-reflector-client"
    if settings["route-server"]:
        yield "route-server-client"
    if settings["add-path"] in ("both", "send"):
        yield "addpath-tx-all-paths"
    if settings["add-path"] == "send":
        yield "disable-addpath-rx"
    most = settings["maximum-prefix"]
    if most != _MAXIMUM_PREFIX:
        then = {"warn": " warning-only", "drop": ""}.get(
            most["action"], f" restart {-(-most['restart-after'] // 60)}"
        )
        yield f"maximum-prefix {most['limit']} {most['warn-at']}{then}"


def _named(config: View) -> list[tuple[str, View]]:
    groups = [(f"range-{n}", each) for n, each in enumerate(config["ranges"], start=1)]
    return groups + [(each["address"].partition("%")[0], each) for each in config["neighbors"]]
