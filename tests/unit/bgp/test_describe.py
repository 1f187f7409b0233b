"""Path attributes read out for people."""

from ipaddress import IPv4Address, ip_address

from reflector.bgp.attributes import encode_attribute
from reflector.bgp.describe import describe_attributes, describe_next_hop
from reflector.bgp.judge import Judge
from reflector.bgp.vocabulary import AttributeCode, AttributeFlag, SegmentType

WELL_KNOWN = AttributeFlag.TRANSITIVE
OPTIONAL = AttributeFlag.OPTIONAL
BOTH = OPTIONAL | WELL_KNOWN
JUDGE = Judge(64512, IPv4Address("192.0.2.1").packed, IPv4Address("192.0.2.1").packed)


def described(*more: bytes, as_path: bytes = b"") -> dict[str, object]:
    block = b"".join(
        (
            encode_attribute(WELL_KNOWN, AttributeCode.ORIGIN, b"\0"),
            encode_attribute(WELL_KNOWN, AttributeCode.AS_PATH, as_path),
            encode_attribute(WELL_KNOWN, AttributeCode.LOCAL_PREF, (100).to_bytes(4)),
            *more,
        )
    )
    attributes = JUDGE.judge(block)
    assert attributes is not None
    assert not attributes.refused
    return describe_attributes(attributes)


def segment(kind: int, *numbers: int) -> bytes:
    return bytes((kind, len(numbers))) + b"".join(number.to_bytes(4) for number in numbers)


def test_the_mandatory_ones_alone() -> None:
    assert described() == {"origin": "IGP", "as_path": "", "local_pref": 100}


def test_as_path_with_a_set_and_large_numbers() -> None:
    path = segment(SegmentType.AS_SEQUENCE, 65001, 4200000001) + segment(
        SegmentType.AS_SET, 65002, 65003
    )
    assert described(as_path=path)["as_path"] == "65001 4200000001 {65002,65003}"


def test_med_is_there_only_if_it_was_sent() -> None:
    med = encode_attribute(OPTIONAL, AttributeCode.MULTI_EXIT_DISC, (0).to_bytes(4))
    assert described(med)["med"] == 0
    assert "med" not in described()


def test_aggregation() -> None:
    aggregator = (65001).to_bytes(4) + ip_address("10.0.0.9").packed
    found = described(
        encode_attribute(WELL_KNOWN, AttributeCode.ATOMIC_AGGREGATE, b""),
        encode_attribute(BOTH, AttributeCode.AGGREGATOR, aggregator),
    )
    assert found["atomic_aggregate"] is True
    assert found["aggregator"] == {"asn": 65001, "address": "10.0.0.9"}


def test_communities_by_number_and_by_name() -> None:
    value = bytes.fromhex("fc000001 ffffff01 ffff0000")
    found = described(encode_attribute(BOTH, AttributeCode.COMMUNITIES, value))
    assert found["communities"] == ["64512:1", "no-export", "graceful-shutdown"]


def test_large_communities() -> None:
    value = bytes.fromhex("0000fc00 00000001 fffffffe")
    found = described(encode_attribute(BOTH, AttributeCode.LARGE_COMMUNITIES, value))
    assert found["large_communities"] == ["64512:1:4294967294"]


def test_extended_communities() -> None:
    value = bytes.fromhex(
        "0002fc0000000001"  # route target of a two-octet AS
        "01030a0000010007"  # site of origin by address
        "02020001000000ff"  # route target of a four-octet AS
        "4302fc0000000001"  # another type with the same subtype
        "030c000000000008"  # encapsulation
    )
    found = described(encode_attribute(BOTH, AttributeCode.EXTENDED_COMMUNITIES, value))
    assert found["extended_communities"] == [
        "rt:64512:1",
        "soo:10.0.0.1:7",
        "rt:65536:255",
        "0x4302fc0000000001",
        "0x030c000000000008",
    ]


def test_reflection() -> None:
    found = described(
        encode_attribute(OPTIONAL, AttributeCode.ORIGINATOR_ID, bytes((10, 0, 0, 7))),
        encode_attribute(OPTIONAL, AttributeCode.CLUSTER_LIST, bytes((10, 0, 0, 8, 10, 0, 0, 9))),
    )
    assert found["originator_id"] == "10.0.0.7"
    assert found["cluster_list"] == ["10.0.0.8", "10.0.0.9"]


def test_what_is_unknown_is_shown_as_it_will_be_sent() -> None:
    found = described(encode_attribute(BOTH, 99, b"\1\2"))
    assert found["unknown_attributes"] == [
        {"code": 99, "flags": ["optional", "transitive", "partial"], "value_hex": "0102"}
    ]


def test_next_hops() -> None:
    link_local = ip_address("fd00::1").packed + ip_address("fe80::1").packed
    assert describe_next_hop(bytes((10, 0, 0, 1))) == "10.0.0.1"
    assert describe_next_hop(link_local) == "fd00::1 fe80::1"
    assert describe_next_hop(ip_address("::ffff:10.0.0.1").packed) == "::ffff:10.0.0.1"
    assert describe_next_hop(b"") == ""
