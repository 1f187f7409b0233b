"""The OPEN codec: what is encoded is decoded, by ourselves and octet by octet."""

import os
import subprocess
import sys
from ipaddress import IPv4Address

import pytest

from reflector.bgp.as4 import two_octet_as
from reflector.bgp.codec import decode_open, encode_open, encode_route_refresh
from reflector.bgp.open import Capabilities, GracefulRestart, Open
from tests.support import wire

OPENS = {
    "bare": Open(1, 0, IPv4Address("1.2.3.4")),
    "the reflector's": Open(
        64512,
        90,
        IPv4Address("223.255.0.1"),
        Capabilities(
            families=frozenset({(1, 1), (2, 1)}), as4=64512, route_refresh=True, host_name="desk"
        ),
    ),
    "a large AS number": Open(23456, 9, IPv4Address("1.1.1.1"), Capabilities(as4=4200000000)),
    "all there is": Open(
        64512,
        65535,
        IPv4Address("255.255.255.255"),
        Capabilities(
            families=frozenset({(1, 1)}),
            as4=64512,
            route_refresh=True,
            enhanced_refresh=True,
            graceful_restart=GracefulRestart(
                restarting=True, restart_time_s=90, preserved=((1, 1, True), (2, 1, False))
            ),
            host_name="node-1",
            software_version="kube-router/2.7",
        ),
    ),
}


@pytest.mark.parametrize("message", OPENS.values(), ids=OPENS)
def test_what_is_encoded_is_decoded(message: Open) -> None:
    wire_form = encode_open(message)
    assert wire_form[:19] == wire.message(wire.OPEN, wire_form[19:])[:19]
    decoded = decode_open(wire_form[19:])
    codes = decoded.capabilities.codes
    assert len(set(codes)) == len(codes) or codes.count(1) > 1
    assert (decoded.my_as, decoded.hold_time_s, decoded.bgp_id) == (
        message.my_as,
        message.hold_time_s,
        message.bgp_id,
    )
    for name in ("families", "as4", "route_refresh", "enhanced_refresh", "graceful_restart"):
        assert getattr(decoded.capabilities, name) == getattr(message.capabilities, name), name
    assert decoded.capabilities.host_name == message.capabilities.host_name
    assert decoded.capabilities.software_version == message.capabilities.software_version


@pytest.mark.rfc("2918", "2")
@pytest.mark.rfc("6793", "3")
def test_the_capabilities_stand_as_the_rfcs_write_them() -> None:
    wire_form = encode_open(OPENS["the reflector's"])
    for each in (
        wire.capability(1, b"\0\1\0\1"),
        wire.capability(1, b"\0\2\0\1"),
        wire.capability(2),
        wire.capability(65, b"\0\0\xfc\0"),
        wire.capability(73, b"\4desk\0"),
    ):
        assert each in wire_form


def test_the_as_number_is_the_capabilitys() -> None:
    assert OPENS["a large AS number"].asn == 4200000000
    assert OPENS["bare"].asn == 1


@pytest.mark.parametrize(("asn", "short"), [(1, 1), (65535, 65535), (65536, 23456)])
def test_a_large_as_number_is_as_trans_in_two_octets(asn: int, short: int) -> None:
    assert two_octet_as(asn) == short


@pytest.mark.rfc("5492", "4 forms")
def test_of_repeated_capabilities_none_is_lost() -> None:
    parameters = wire.parameter(2, wire.capability(1, b"\0\1\0\1")) + wire.parameter(
        2, wire.capability(1, b"\0\2\0\1") + wire.capability(1, b"\0\1\0\1")
    )
    decoded = decode_open(wire.open_body(parameters=parameters))
    assert decoded.capabilities.families == frozenset({(1, 1), (2, 1)})
    assert decoded.capabilities.codes == (1, 1, 1)


def test_a_peer_without_a_host_name_is_not_given_ours() -> None:
    parameters = wire.parameter(2, wire.capability(73))
    assert decode_open(wire.open_body(parameters=parameters)).capabilities.host_name == ""


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"node-1", "node-1"),
        (b'a"\\<b>', 'a"\\<b>'),
        (b"a\nb\r\0", "a?b??"),
        (b"\x1b[2J", "?[2J"),
        ("\x9b2J".encode(), "?2J"),
        ("\u202eexe.\u2028".encode(), "?exe.?"),
    ],
)
def test_what_a_peer_says_of_itself_reaches_no_terminal_as_more_than_text(
    said: bytes, shown: str
) -> None:
    text = bytes((len(said),)) + said
    capabilities = wire.capability(73, text + b"\0") + wire.capability(75, text)
    found = decode_open(wire.open_body(parameters=wire.parameter(2, capabilities))).capabilities
    assert (found.host_name, found.software_version) == (shown, shown)


def test_one_peers_open_leaves_nothing_in_the_next() -> None:
    full = wire.parameter(2, wire.capability(1, b"\0\2\0\1") + wire.capability(73, b"\1a\0"))
    decode_open(wire.open_body(parameters=full))
    assert decode_open(wire.open_body(parameters=b"")).capabilities == Capabilities()
    again = decode_open(wire.open_body(parameters=full)).capabilities
    assert again.families == frozenset({(2, 1)})


@pytest.mark.parametrize("family", [wire.IPV4, wire.IPV6])
def test_a_route_refresh_is_encoded(family: tuple[int, int]) -> None:
    assert encode_route_refresh(*family) == wire.refresh(*family)


def test_exabgps_environment_is_not_ours() -> None:
    command = "import os, reflector.bgp.codec; print(os.environ['exabgp_log_level'])"
    environment = {**os.environ, "exabgp_log_level": "NONSENSE", "exabgp.tcp.port": "not a port"}
    ran = subprocess.run(
        [sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True
    )
    assert (ran.stdout, ran.stderr) == ("NONSENSE\n", "")
