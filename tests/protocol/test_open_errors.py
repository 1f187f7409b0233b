"""What is wrong with a peer's OPEN, and what it is told (RFC 4271 6.2)."""

import pytest

from reflector.bgp.events import Established, OpenAccepted
from reflector.bgp.open import Negotiated
from reflector.bgp.remote_as import RemoteAs
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST
from tests.support import wire
from tests.support.talk import ROUTER_ID, Talk, our_open

WELL = wire.capabilities()


def answer(open_message: bytes) -> tuple[int, int, bytes] | None:
    """Return the NOTIFICATION that an OPEN is answered with."""
    talk = Talk()
    talk.hear(open_message)
    assert (talk.notified is None) == (not talk.session.over)
    return talk.notified


def agree(open_message: bytes, asn: int = wire.ASN) -> Negotiated:
    """Return what is agreed on with a peer whose OPEN is good."""
    talk = Talk(our_open(asn=asn))
    talk.hear(open_message + wire.keepalive())
    accepted, established = talk.events
    assert isinstance(accepted, OpenAccepted)
    assert isinstance(established, Established)
    return established.negotiated


@pytest.mark.rfc("4271", "6.2 version")
@pytest.mark.parametrize("version", [0, 3, 5, 255])
def test_another_version_is_told_ours(version: int) -> None:
    """RFC 4271 6.2: Unsupported Version Number; the data is the largest version we support."""
    assert answer(wire.open_message(version=version)) == (2, 1, b"\0\4")


@pytest.mark.rfc("4271", "6.2 AS")
@pytest.mark.rfc("6793", "4.1")
@pytest.mark.parametrize("asn", [1, 64513, 4200000000])
def test_another_as_is_a_bad_peer_as(asn: int) -> None:
    """RFC 4271 6.2: Bad Peer AS, judged by the four-octet number (RFC 6793 4.1)."""
    parameters = wire.parameter(2, wire.capabilities(asn=asn))
    assert answer(wire.open_message(my_as=min(asn, 23456), parameters=parameters)) == (2, 2, b"")


@pytest.mark.rfc("4271", "6.2 AS")
@pytest.mark.parametrize("my_as", [64513, 23456])
def test_another_two_octet_as_is_a_bad_peer_as(my_as: int) -> None:
    """RFC 4271 6.2: without the capability the field counts; AS_TRANS names nobody."""
    assert answer(wire.open_message(my_as=my_as, parameters=b"")) == (2, 2, b"")


@pytest.mark.rfc("7607", "2 OPEN")
@pytest.mark.parametrize(
    "open_message",
    [
        wire.open_message(my_as=0, parameters=b""),
        wire.open_message(my_as=0),
        wire.open_message(parameters=wire.parameter(2, wire.capabilities(asn=0))),
    ],
)
def test_as_zero_is_a_bad_peer_as(open_message: bytes) -> None:
    """RFC 7607 2: wherever the OPEN names it."""
    assert answer(open_message) == (2, 2, b"")


@pytest.mark.rfc("6286", "2.1", "2.2")
@pytest.mark.rfc("4271", "6.2 identifier")
def test_an_identifier_of_zero_is_refused() -> None:
    """RFC 6286 2.1: a BGP Identifier is not zero."""
    assert answer(wire.open_message(router_id="0.0.0.0")) == (2, 3, b"")


@pytest.mark.rfc("6286", "2.1", "2.2")
@pytest.mark.rfc("4271", "6.2 identifier")
def test_our_own_identifier_is_refused() -> None:
    """RFC 6286 2.1 and 2.2: within an AS it is unique."""
    assert answer(wire.open_message(router_id=ROUTER_ID)) == (2, 3, b"")


ANY = RemoteAs(external=True)


@pytest.mark.rfc("4271", "6.2 AS")
@pytest.mark.parametrize("asn", [1, 64513, 4200000000])
def test_another_as_will_do_where_it_is_allowed(asn: int) -> None:
    """RFC 4271 6.2: only an AS that is not as configured is unacceptable."""
    parameters = wire.parameter(2, wire.capabilities(asn=asn))
    talk = Talk(remote_as=ANY)
    talk.hear(wire.open_message(my_as=min(asn, 23456), parameters=parameters) + wire.keepalive())
    assert talk.established


@pytest.mark.rfc("7607", "2 OPEN")
@pytest.mark.parametrize(
    "open_message",
    [
        wire.open_message(my_as=0, parameters=b""),
        wire.open_message(my_as=0),
        wire.open_message(my_as=23456, parameters=b""),
        wire.open_message(parameters=wire.parameter(2, wire.capabilities(asn=0))),
    ],
)
def test_nobodys_as_is_a_bad_peer_as_even_where_any_is_allowed(open_message: bytes) -> None:
    """RFC 7607 2, RFC 6793 9: AS 0 and AS_TRANS are no peer's."""
    talk = Talk(remote_as=ANY)
    talk.hear(open_message)
    assert talk.notified == (2, 2, b"")


@pytest.mark.rfc("6286", "2.2")
def test_our_own_identifier_will_do_in_another_as() -> None:
    """RFC 6286 2.2: it is refused of internal peers only."""
    parameters = wire.parameter(2, wire.capabilities(asn=65001))
    message = wire.open_message(my_as=65001, router_id=ROUTER_ID, parameters=parameters)
    talk = Talk(remote_as=ANY)
    talk.hear(message + wire.keepalive())
    assert talk.established


@pytest.mark.rfc("6286", "2.1")
@pytest.mark.parametrize("router_id", ["255.255.255.255", "224.0.0.1", "0.0.0.1", "127.0.0.1"])
def test_any_other_identifier_will_do(router_id: str) -> None:
    """RFC 6286 2.1: four octets that need not be an address."""
    assert str(agree(wire.open_message(router_id=router_id)).remote.bgp_id) == router_id


@pytest.mark.rfc("4271", "6.2 hold time")
@pytest.mark.parametrize("hold_time_s", [1, 2])
def test_a_hold_time_below_three_is_refused(hold_time_s: int) -> None:
    """RFC 4271 6.2: Unacceptable Hold Time."""
    assert answer(wire.open_message(hold_time_s=hold_time_s)) == (2, 6, b"")


@pytest.mark.rfc("4271", "4.2 hold time")
@pytest.mark.parametrize("hold_time_s", [0, 3, 65535])
def test_other_hold_times_will_do(hold_time_s: int) -> None:
    """RFC 4271 4.2: zero, or at least three seconds."""
    assert agree(wire.open_message(hold_time_s=hold_time_s)).hold_time_s == min(hold_time_s, 90)


@pytest.mark.rfc("4271", "6.2 parameter")
@pytest.mark.parametrize("kind", [0, 1, 3, 254])
def test_an_unknown_optional_parameter_is_refused(kind: int) -> None:
    """RFC 4271 6.2: Unsupported Optional Parameter, deprecated authentication included."""
    parameters = wire.parameter(2, WELL) + wire.parameter(kind, b"\0")
    assert answer(wire.open_message(parameters=parameters)) == (2, 4, b"")


@pytest.mark.rfc("4271", "6.2 malformed")
@pytest.mark.parametrize(
    "parameters",
    [
        b"\2",
        b"\2\5\0",
        wire.parameter(2, WELL) + b"\2",
        wire.parameter(2, b"\x41"),
        wire.parameter(2, b"\x41\4\0\0"),
        wire.parameter(2, WELL + b"\1"),
    ],
)
def test_parameters_that_run_over_are_malformed(parameters: bytes) -> None:
    """RFC 4271 6.2: recognised and malformed has the subcode 0."""
    assert answer(wire.open_message(parameters=parameters)) == (2, 0, b"")


@pytest.mark.rfc("4271", "6.2 malformed")
@pytest.mark.parametrize("claimed", [0, 1, 200, 255])
def test_a_parameter_length_that_does_not_fit_is_malformed(claimed: int) -> None:
    """RFC 4271 6.2: Optional Parameters Length is not what is there."""
    body = wire.open_body()
    broken = body[:9] + bytes((claimed,)) + body[10:]
    assert answer(wire.message(wire.OPEN, broken)) == (2, 0, b"")


@pytest.mark.rfc("4271", "6.2 malformed")
@pytest.mark.parametrize(
    "capability",
    [
        wire.capability(1, b"\0\1\0"),
        wire.capability(1),
        wire.capability(65, b"\0\0\xfc"),
        wire.capability(65, b"\0\0\0\xfc\0"),
    ],
)
def test_a_malformed_capability_that_shapes_the_session_is_refused(capability: bytes) -> None:
    """RFC 4271 6.2: it can't be guessed which families and AS numbers are meant."""
    parameters = wire.parameter(2, capability)
    assert answer(wire.open_message(parameters=parameters)) == (2, 0, b"")


@pytest.mark.rfc("5492", "3")
@pytest.mark.rfc("4760", "8")
def test_an_open_without_parameters_will_do() -> None:
    """RFC 5492 3: capabilities are optional; RFC 4760 8: without them it is IPv4 unicast."""
    negotiated = agree(wire.open_message(parameters=b""))
    assert negotiated.families == {IPV4_UNICAST}
    assert not negotiated.as4
    assert not negotiated.route_refresh


@pytest.mark.rfc("5492", "4 forms")
@pytest.mark.parametrize(
    "parameters",
    [
        wire.parameter(2, WELL),
        wire.parameter(2, b"") + wire.parameter(2, WELL) + wire.parameter(2, b""),
        wire.parameter(2, WELL[:6]) + wire.parameter(2, WELL[6:12]) + wire.parameter(2, WELL[12:]),
        wire.parameter(2, WELL + WELL),
        wire.parameter(2, WELL) + wire.parameter(2, WELL),
    ],
    ids=["one parameter", "empty ones", "one each", "duplicates", "a duplicate parameter"],
)
def test_capabilities_may_be_spread_and_repeated(parameters: bytes) -> None:
    """RFC 5492 4: in any number of parameters; the same one twice counts once."""
    negotiated = agree(wire.open_message(parameters=parameters))
    assert negotiated.families == {IPV4_UNICAST, IPV6_UNICAST}
    assert negotiated.as4
    assert negotiated.route_refresh


@pytest.mark.rfc("5492", "4 unknown")
@pytest.mark.parametrize("code", [0, 3, 4, 8, 9, 66, 67, 72, 77, 128, 200, 239, 255])
@pytest.mark.parametrize("size", [0, 1, 4, 40])
def test_unknown_capabilities_are_ignored(code: int, size: int) -> None:
    """RFC 5492 4: a capability that we don't know is no reason to end the session."""
    parameters = wire.parameter(2, WELL + wire.capability(code, b"\x5a" * size))
    assert agree(wire.open_message(parameters=parameters)).as4


@pytest.mark.rfc("5492", "4 unknown")
@pytest.mark.parametrize("code", [73, 75])
@pytest.mark.parametrize("value", [b"", b"\x30ab", b"\2\xff\xfe\0", b"\0\0", b"\0"])
def test_a_malformed_name_or_version_is_ignored(code: int, value: bytes) -> None:
    """RFC 5492 4: what a peer says of itself must not cost its session."""
    parameters = wire.parameter(2, WELL + wire.capability(code, value))
    remote = agree(wire.open_message(parameters=parameters)).remote
    assert remote.capabilities.host_name == ""
    assert remote.capabilities.software_version == ""


@pytest.mark.rfc("5492", "5")
def test_no_common_family_is_told_with_ours() -> None:
    """RFC 5492 5: Unsupported Capability, with the capabilities that are missing."""
    parameters = wire.parameter(2, wire.capabilities(families=((16388, 71),)))
    ours = wire.capability(1, b"\0\1\0\1") + wire.capability(1, b"\0\2\0\1")
    assert answer(wire.open_message(parameters=parameters)) == (2, 7, ours)


@pytest.mark.rfc("4760", "8")
def test_unknown_families_are_left_out() -> None:
    """RFC 4760 8: only what both offer is used."""
    families = ((1, 128), (2, 1), (25, 70))
    parameters = wire.parameter(2, wire.capabilities(families=families))
    assert agree(wire.open_message(parameters=parameters)).families == {IPV6_UNICAST}


@pytest.mark.rfc("6793", "3", "4.1")
def test_a_four_octet_as_is_taken_from_the_capability() -> None:
    """RFC 6793 4.1: the field says AS_TRANS."""
    parameters = wire.parameter(2, wire.capabilities(asn=4200000000))
    message = wire.open_message(my_as=23456, parameters=parameters)
    assert agree(message, asn=4200000000).remote.asn == 4200000000


# RFC 9072, extended optional parameters.


def extended(parameters: bytes, *, short: int = 255, claimed: int | None = None) -> bytes:
    """Return an OPEN in the extended form."""
    length = len(parameters) if claimed is None else claimed
    fixed = wire.open_body(parameters=b"")[:9]
    body = fixed + bytes((short, 255)) + length.to_bytes(2) + parameters
    return wire.message(wire.OPEN, body)


def long_parameter(kind: int, value: bytes) -> bytes:
    """Return a parameter with two octets of length."""
    return bytes((kind,)) + len(value).to_bytes(2) + value


@pytest.mark.rfc("9072", "2 form", "2 length")
@pytest.mark.parametrize("short", [255, 1, 4, 100])
def test_the_extended_form_is_read(short: int) -> None:
    """RFC 9072 2: the one-octet length should be 255 and is not relied on, if it isn't 0."""
    assert agree(extended(long_parameter(2, WELL), short=short)).as4


@pytest.mark.rfc("9072", "2 form")
def test_the_extended_form_holds_more_than_255_octets() -> None:
    """RFC 9072 2: that is what it is for."""
    many = WELL + wire.capability(200, b"\0" * 200) + wire.capability(201, b"\0" * 200)
    negotiated = agree(extended(long_parameter(2, many)))
    assert negotiated.remote.capabilities.codes[-2:] == (200, 201)


@pytest.mark.rfc("9072", "2 form")
def test_the_extended_form_may_be_empty() -> None:
    """RFC 9072 2: an Extended Optional Parameters Length of 0."""
    assert agree(extended(b"")).families == {IPV4_UNICAST}


@pytest.mark.rfc("9072", "3")
@pytest.mark.rfc("4271", "6.2 malformed")
@pytest.mark.parametrize("claimed", [0, 5, 4000, 65535])
def test_an_extended_length_that_does_not_fit_is_malformed(claimed: int) -> None:
    """RFC 9072 2 and RFC 4271 6.2."""
    assert answer(extended(long_parameter(2, WELL), claimed=claimed)) == (2, 0, b"")


@pytest.mark.rfc("9072", "3")
@pytest.mark.rfc("4271", "6.2 malformed")
@pytest.mark.parametrize("rest", [b"\xff", b"\xff\0"])
def test_an_extended_length_that_is_cut_off_is_malformed(rest: bytes) -> None:
    """RFC 9072 2 and RFC 4271 6.2."""
    body = wire.open_body(parameters=b"")[:9] + b"\xff" + rest
    assert answer(wire.message(wire.OPEN, body)) == (2, 0, b"")


@pytest.mark.rfc("9072", "3")
def test_an_extended_parameter_that_runs_over_is_malformed() -> None:
    """RFC 9072 2: parameter lengths have two octets too."""
    assert answer(extended(long_parameter(2, WELL) + b"\2\0\7\0")) == (2, 0, b"")
    assert answer(extended(b"\2\0")) == (2, 0, b"")


@pytest.mark.rfc("4271", "6.2 parameter")
def test_an_unknown_extended_parameter_is_refused() -> None:
    """RFC 4271 6.2: Unsupported Optional Parameter."""
    assert answer(extended(long_parameter(9, b"x"))) == (2, 4, b"")
