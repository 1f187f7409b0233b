"""Messages for hypothesis: right ones, and ones that are wrong in a way that a parser may miss."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from hypothesis import strategies as st

from tests.support import wire

octets = st.integers(0, 255)
router_ids = st.integers(1, 0xFFFFFFFE).map(lambda n: str(IPv4Address(n)))
as_numbers = st.sampled_from([1, 2, 65001, 65535, 65536, 4200000000, wire.ASN, 23456])


def _network4(number: int, bits: int) -> str:
    return str(IPv4Network((number >> (32 - bits) << (32 - bits), bits)))


def _network6(number: int, bits: int) -> str:
    return str(IPv6Network((number >> (128 - bits) << (128 - bits), bits)))


prefixes4 = st.builds(_network4, st.integers(0, 0xDFFFFFFF), st.integers(0, 32))
prefixes6 = st.builds(_network6, st.integers(0, (0xFE << 120) - 1), st.integers(0, 128))
hosts6 = st.integers(0x20 << 120, (0xFE << 120) - 1).map(lambda n: str(IPv6Address(n)))
hosts4 = st.sampled_from(["10.0.0.1", "192.0.2.7", "1.2.3.4", "223.255.255.255"])

segments = st.builds(
    lambda make, numbers: make(*numbers),
    st.sampled_from([wire.sequence, wire.as_set]),
    st.lists(as_numbers.filter(lambda n: n != wire.ASN), min_size=1, max_size=4),
)
more_attributes = st.one_of(
    st.integers(0, 3).map(wire.med),
    st.just(wire.attribute(0x40, 6)),
    st.just(wire.attribute(0xC0, 7, b"\0\1\0\0\x0a\0\0\1")),
    st.lists(st.integers(0, 0xFFFFFF01), min_size=1, max_size=3).map(
        lambda values: wire.communities(*values)
    ),
    router_ids.map(wire.originator_id),
    st.lists(router_ids, min_size=1, max_size=3).map(lambda each: wire.cluster_list(*each)),
    st.binary(min_size=8, max_size=8).map(lambda value: wire.attribute(0xC0, 16, value)),
    st.binary(min_size=12, max_size=12).map(lambda value: wire.attribute(0xC0, 32, value)),
    st.builds(
        wire.attribute,
        st.sampled_from([0x80, 0xC0, 0xE0, 0xD0]),
        st.integers(40, 200),
        st.binary(max_size=300),
    ),
)


@st.composite
def attributes(draw: st.DrawFn, *, next_hop: bool = True) -> bytes:
    """Draw a block of path attributes that is right, in any order."""
    parts = [
        wire.origin(draw(st.integers(0, 2))),
        wire.as_path(*draw(st.lists(segments, max_size=2))),
        wire.local_pref(draw(st.sampled_from([0, 100, 200]))),
    ]
    if next_hop:
        parts.append(wire.next_hop(draw(hosts4)))
    parts += draw(st.lists(more_attributes, max_size=3, unique_by=lambda tlv: tlv[1]))
    return b"".join(draw(st.permutations(parts)))


@st.composite
def update_bodies(draw: st.DrawFn) -> bytes:
    """Draw the body of an UPDATE that is right."""
    gone = wire.prefixes(*draw(st.lists(prefixes4, max_size=3)))
    kind = draw(st.sampled_from(["ipv4", "ipv6", "both", "withdraw", "unreach"]))
    if kind == "withdraw":
        return wire.update_body(withdrawn=gone)
    if kind == "unreach":
        fields = wire.prefixes(*draw(st.lists(prefixes6, max_size=3)))
        return wire.update_body(attributes=wire.mp_unreach(wire.IPV6, fields), withdrawn=gone)
    nlri = b""
    block = draw(attributes(next_hop=kind != "ipv6"))
    if kind != "ipv6":
        nlri = wire.prefixes(*draw(st.lists(prefixes4, min_size=1, max_size=4)))
    if kind != "ipv4":
        fields = wire.prefixes(*draw(st.lists(prefixes6, min_size=1, max_size=4)))
        block = wire.mp_reach(wire.IPV6, draw(hosts6), fields) + block
    return wire.update_body(nlri, block, gone)


@st.composite
def mutated(draw: st.DrawFn, right: st.SearchStrategy[bytes]) -> bytes:
    """Draw bytes that are nearly right: some set, inserted, deleted, doubled or cut off."""
    data = bytearray(draw(right))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        how = draw(st.sampled_from(["set", "flip", "insert", "delete", "double", "cut", "length"]))
        if how == "set" and at < len(data):
            data[at] = draw(octets)
        elif how == "flip" and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "insert":
            data[at:at] = draw(st.binary(max_size=6))
        elif how == "delete":
            del data[at : at + draw(st.integers(1, 6))]
        elif how == "double":
            stop = at + draw(st.integers(1, 20))
            data[at:at] = data[at:stop]
        elif how == "cut":
            del data[at:]
        elif how == "length" and at < len(data):
            data[at] = draw(st.sampled_from([0, 1, 2, 3, 4, 16, 32, 33, 127, 128, 129, 254, 255]))
    return bytes(data)


@st.composite
def mutated_updates(draw: st.DrawFn) -> bytes:
    """Draw UPDATEs that are nearly right inside, while the lengths around it mostly are."""
    where = draw(st.sampled_from(["body", "block", "value", "nlri"]))
    if where == "body":
        return draw(mutated(update_bodies()))
    if where == "block":
        block = draw(mutated(attributes()))
        return wire.update_body(wire.prefix("10.1.0.0/24"), block)
    if where == "nlri":
        nlri = draw(mutated(st.lists(prefixes4, max_size=4).map(lambda ps: wire.prefixes(*ps))))
        return wire.update_body(nlri, draw(attributes()))
    flags, code = draw(octets), draw(st.sampled_from([*range(1, 19), 25, 32, 99, 255]))
    value = draw(st.binary(max_size=40))
    strange = wire.attribute(flags, code, value)
    block = draw(attributes())
    return wire.update_body(
        wire.prefix("10.1.0.0/24"), strange + block if draw(st.booleans()) else block + strange
    )


capability = st.builds(
    wire.capability,
    st.sampled_from([1, 2, 5, 6, 9, 64, 65, 66, 69, 70, 71, 73, 75, 128, 131, 200]),
    st.binary(max_size=24),
)
open_messages = st.builds(
    wire.open_message,
    my_as=st.sampled_from([wire.ASN, 0, 23456, 1]),
    hold_time_s=st.sampled_from([0, 1, 2, 3, 90, 65535]),
    router_id=st.sampled_from(["10.0.0.1", "0.0.0.0", "192.0.2.254"]),
    parameters=st.lists(capability, max_size=4).map(
        lambda each: wire.parameter(2, wire.capabilities() + b"".join(each))
    ),
)
messages = st.one_of(
    st.just(wire.keepalive()),
    st.just(wire.open_message()),
    st.just(wire.refresh()),
    open_messages,
    update_bodies().map(lambda body: wire.message(wire.UPDATE, body)),
    mutated_updates().map(lambda body: wire.message(wire.UPDATE, body)),
    st.builds(wire.notification, octets, octets, st.binary(max_size=20)),
    mutated(open_messages),
    mutated(st.just(wire.keepalive())),
    mutated(st.just(wire.refresh())),
)


@st.composite
def chunkings(draw: st.DrawFn, stream: bytes) -> list[bytes]:
    """Draw a way to cut a stream into pieces."""
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    return [stream[i:j] for i, j in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
