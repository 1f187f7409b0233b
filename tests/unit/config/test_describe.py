"""The configuration as the API tells it: whole, and without secrets."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network

from reflector.config.describe import HIDDEN, describe
from reflector.config.fields import ROOT
from reflector.config.model import Config, Neighbor, PeerRange, PeerSettings

SPOKEN = "correct horse"


def test_no_secret_is_told() -> None:
    settings = PeerSettings(password=SPOKEN)
    config = Config(
        ranges=(PeerRange(ip_network("10.0.0.0/8"), settings),),
        neighbors=(Neighbor(ip_address("10.0.0.1"), settings=settings),),
    )
    told = describe(config)
    assert SPOKEN not in json.dumps(told)
    assert told["ranges"][0]["password"] == told["neighbors"][0]["password"] == HIDDEN
    assert SPOKEN not in repr(config)


def test_every_key_is_told() -> None:
    told = describe(Config())
    assert told.keys() == {field.key for field in ROOT.fields}
    assert told["ranges"][0]["password"] is None
    assert told["networks"] == [{"prefix": "1.0.0.2/32", "next-hop": None}]
