"""The running configuration in FRR's words: read as FRR's file, it is the same again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reflector.config.describe import describe
from reflector.config.frr import parse_frr
from reflector.config.model import Config, PeerSettings
from reflector.config.yaml_loader import parse_yaml
from reflector.vty.running_config import running_config

SAYABLE = {
    "the defaults": "",
    "times": """
hold-time: 30
restart-time: 60
select-defer-time: 10
stale-path-time: 20
long-lived-stale-time: 3600
router-id: 192.0.2.1
cluster-id: 192.0.2.2
asn: 4200000000
limits: {max-sessions: 20000}
""",
    "no graceful restart": "restart-time: 0",
    "peers": """
networks: [{prefix: 1.0.0.2/32}, {prefix: "2001:db8::2/128"}]
ranges:
  - {network: 10.0.0.0/8, remote-as: any, ttl-security: 2, client: true}
  - {network: 10.1.0.0/16, remote-as: external, client: false, maximum-prefix: {limit: 10, action: warn}}
  - {network: "fd00::/8", remote-as: 65001, route-server: true, client: false, hold-time: 9}
  - {network: 11.0.0.0/8, families: [ipv4], maximum-prefix: {limit: 7, action: drop, warn-at: 50}}
neighbors:
  - {address: 192.0.2.7, port: 1179, passive: true, client: false, description: another reflector}
  - {address: 192.0.2.8, families: [ipv6], add-path: both}
  - {address: 192.0.2.9, add-path: send, maximum-prefix: {limit: 9, restart-after: 120}}
  - {address: "fe80::1%eth0", remote-as: 65002, client: false, enforce-first-as: false}
""",
}


def shown(text: str) -> tuple[Config, str]:
    """A configuration, and what is shown of it."""
    config = parse_yaml(text.encode(), "f") if text else Config()
    # As the API has it.
    return config, running_config(json.loads(json.dumps(describe(config))))


def explicit(config: Config) -> Config:
    """A configuration whose peers say their address families themselves, as in FRR's file."""

    def families(settings: PeerSettings) -> PeerSettings:
        return replace(settings, families=tuple(sorted(settings.families or config.families)))

    return replace(
        config,
        ranges=tuple(replace(each, settings=families(each.settings)) for each in config.ranges),
        neighbors=tuple(
            replace(each, settings=families(each.settings)) for each in config.neighbors
        ),
    )


@pytest.mark.parametrize("text", SAYABLE.values(), ids=SAYABLE)
def test_read_as_frr_s_file_it_is_the_same_configuration(text: str) -> None:
    config, lines = shown(text)
    again, notes = parse_frr(lines.partition("Current configuration:")[2], "shown")
    assert explicit(again) == explicit(config)
    assert all("skipped" in note for note in notes)


def test_what_frr_has_no_words_for_is_a_comment() -> None:
    _, lines = shown(
        """
policies: [{name: pods, otherwise: accept}]
ranges:
  - {network: 10.0.0.0/8, import: pods, accept-default: true, graceful-shutdown: false}
  - {network: 11.0.0.0/8, remote-as: [65001, 65002], password: secret, extended-messages: true}
  - {network: 12.0.0.0/8, add-path: receive}
"""
    )
    for comment in (
        " ! range-1 has import: pods",
        " ! range-1 has accept-default: true",
        " ! range-1 has graceful-shutdown: false",
        " ! range-2 may be in one of the ASes 65001, 65002",
        " ! range-2 has a password, which is not shown",
        " ! range-2 has extended-messages: true",
        " ! range-3 has add-path: receive",
    ):
        assert comment in lines.splitlines()
    assert "secret" not in lines
    assert "hidden" not in lines
