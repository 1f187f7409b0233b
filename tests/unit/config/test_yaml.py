"""The YAML loader: every mistake with its place, and nothing means what YAML 1.1 says it means."""

from __future__ import annotations

import errno
import os
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

import pytest

from reflector.config import yaml_loader
from reflector.config.errors import ConfigError
from reflector.config.model import (
    Config,
    HttpListen,
    LimitsConfig,
    LocalNetwork,
    LogConfig,
    Neighbor,
    PeerRange,
    PeerSettings,
    settings_for,
)
from reflector.config.yaml_loader import load_yaml, parse_yaml


def parse(text: str) -> Config:
    return parse_yaml(text.encode(), "f")


def blamed(text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parse_yaml(text.encode() if isinstance(text, str) else text, "f")
    lines = str(error.value).splitlines()
    assert len(lines) == len(error.value.findings), "a finding is one line"
    return lines


# What is right.


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# nothing\n", "---\n", "{}", "null", "~", "\ufeff", "log:\nlimits:\n"]
)
def test_an_empty_file_is_the_defaults(text: str) -> None:
    assert parse(text) == Config()


def test_every_key_is_read() -> None:
    everything = """\
asn: 4200000000
router-id: 10.0.0.1
cluster-id: 10.0.0.2
listen: [192.0.2.1, "2001:db8::1"]
port: 1179
hold-time: 9
families: [ipv6]
networks:
  - {prefix: 1.0.0.2/32, next-hop: 192.0.2.1}
  - {prefix: "2001:db8::/48", next-hop: 192.0.2.1}
ranges:
  - {network: 10.0.0.0/8, description: nodes, client: false, hold-time: 0, families: [ipv4, ipv6]}
  - {network: "fd00::/8", password: "no"}
neighbors:
  - {address: 10.0.0.9, port: 2179, passive: true, description: 'null'}
control-socket: /run/x.sock
http: "[::1]:80"
http-controls: [192.0.2.7, 10.0.0.0/8]
whoami: 1.0.0.2:80
log: {format: json, level: debug}
limits: {open-wait: 5, max-sessions: 7}
"""
    assert parse(everything) == Config(
        asn=4_200_000_000,
        router_id=IPv4Address("10.0.0.1"),
        cluster_id=IPv4Address("10.0.0.2"),
        listen=(IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")),
        port=1179,
        hold_time_s=9,
        families=("ipv6",),
        networks=(
            LocalNetwork(ip_network("1.0.0.2/32"), ip_address("192.0.2.1")),
            LocalNetwork(ip_network("2001:db8::/48"), ip_address("192.0.2.1")),
        ),
        ranges=(
            PeerRange(
                ip_network("10.0.0.0/8"),
                PeerSettings("nodes", client=False, hold_time_s=0, families=("ipv4", "ipv6")),
            ),
            PeerRange(ip_network("fd00::/8"), PeerSettings(password="no")),  # noqa: S106
        ),
        neighbors=(
            Neighbor(
                ip_address("10.0.0.9"),
                2179,
                passive=True,
                settings=PeerSettings(description="null"),
            ),
        ),
        control_socket=Path("/run/x.sock"),
        http=HttpListen(IPv6Address("::1"), 80),
        http_controls=(ip_network("192.0.2.7/32"), ip_network("10.0.0.0/8")),
        whoami=HttpListen(IPv4Address("1.0.0.2"), 80),
        log=LogConfig("json", "debug"),
        limits=LimitsConfig(5, 7),
    )


@pytest.mark.parametrize(
    ("scalar", "text"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("12:30", "12:30"),
        ("2026-11-23", "2026-11-23"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("'~'", "~"),
        ('"a\\tb"', None),
        ("a b # comment", "a b"),
    ],
)
def test_text_is_what_the_file_says(scalar: str, text: str | None) -> None:
    source = f"ranges: [{{network: 10.0.0.0/8, description: {scalar}\n}}]"
    if text is None:
        assert "printable" in blamed(source)[0]
    else:
        assert parse(source).ranges[0].settings.description == text


def test_aliases_stand_for_what_they_name() -> None:
    config = parse(
        "ranges:\n- {network: 10.0.0.0/8, families: &f [ipv4]}\n"
        "- {network: 11.0.0.0/8, families: *f}\n"
    )
    assert [each.settings.families for each in config.ranges] == [("ipv4",), ("ipv4",)]


# What is wrong.


@pytest.mark.parametrize(
    "number",
    ["64512:10", "010", "1_000", "0x10", "0b1", "1e3", "1.0", "+1", "-1", "' 1'", "no", "true",
     "2026-11-23", "0", "4294967295", "99999999999999999999", "\u0661", "[1]", "{a: 1}", "''"],
)  # fmt: skip
def test_a_number_is_decimal_and_nothing_else(number: str) -> None:
    (found,) = blamed(f"asn: {number}\n")
    assert found.startswith("f:1:6: asn: ")


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "True", "TRUE", "y", "1"])
def test_a_boolean_is_true_or_false(word: str) -> None:
    (found,) = blamed(f"ranges: [{{network: 10.0.0.0/8, client: {word}}}]")
    assert found == f"f:1:40: ranges[0].client: '{word}' is neither true nor false"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("rangs: []", "f:1:1: rangs: unknown key, did you mean ranges?"),
        ("router_id: 1.1.1.1", "f:1:1: router_id: unknown key, did you mean router-id?"),
        ("ASN: 1", "f:1:1: ASN: unknown key, did you mean asn?"),
        ("log: {zzz: 1}", "f:1:7: log.zzz: unknown key; there are format, level"),
        ("<<: {asn: 1}", "f:1:1: <<: unknown key: merging is not supported, write the keys out"),
        ("asn: 1\nport: 5\nasn: 1", "f:3:1: asn: appears twice, first in line 1"),
        ("asn:", "f:1:5: asn: has no value: give one, or leave the key out"),
        ("asn: ~", "f:1:6: asn: has no value: give one, or leave the key out"),
        ("networks:", "f:1:10: networks: must be a list: [] for none, or an item a line behind '- '"),
        ("families: []", "f:1:11: families: needs at least one item"),
        ("families: [ipv4, ipv4]", "f:1:18: families[1]: is there twice"),
        ("families: [ipv5]", "f:1:12: families[0]: 'ipv5' is not one of ipv4, ipv6"),
        ("- asn: 1", "f:1:1: must be a mapping of asn, router-id, cluster-id, listen, port, hold-time, families, networks, ranges, neighbors, prefix-sets, policies, quarantine, restart-time, select-defer-time, stale-path-time, long-lived-stale-time, redial, state-file, control-socket, http, http-controls, bmp, whoami, log, limits"),
        ("log: json", "f:1:6: log: must be a mapping of format, level"),
        ("ranges: [{}]", "f:1:10: ranges[0]: network is missing"),
        ("hold-time: 2", "f:1:12: hold-time: '2' is not a whole number (0, or 3 to 65535)"),
        ("port: 0", "f:1:7: port: '0' is not a whole number (1 to 65535)"),
        ("router-id: 0.0.0.0", "f:1:12: router-id: '0.0.0.0' is not of the form 10.0.0.1"),
        ("router-id: 10.0.0.01", "f:1:12: router-id: '10.0.0.01' is not of the form 10.0.0.1"),
        ("listen: [localhost]", "f:1:10: listen[0]: 'localhost' is not an IP address (names are not looked up)"),
        ("listen: [10.1]", "f:1:10: listen[0]: '10.1' is not an IP address (names are not looked up)"),
        ("http: x", "f:1:7: http: 'x' is neither ADDRESS:PORT, as 127.0.0.1:8179 or [::1]:8179, nor off"),
        ("http: ::1:80", "f:1:7: http: '::1:80' is neither ADDRESS:PORT, as 127.0.0.1:8179 or [::1]:8179, nor off"),
        ("http: 1.2.3.4:0", "f:1:7: http: '1.2.3.4:0' is neither ADDRESS:PORT, as 127.0.0.1:8179 or [::1]:8179, nor off"),
        ("control-socket: x", "f:1:17: control-socket: 'x' is not an absolute path"),
        ("control-socket: ~/x", "f:1:17: control-socket: '~/x' is not an absolute path"),
        ("control-socket: /" + 107 * "x", "f:1:17: control-socket: is longer than the 107 octets of a socket's path"),
        ("log: {level: loud}", "f:1:14: log.level: 'loud' is not one of debug, info, warning, error"),
        ("asn: !!int 64512", "f:1:6: the tag 'tag:yaml.org,2002:int' has no meaning here: leave it out"),
        ("log: !x {level: info}", "f:1:6: the tag '!x' has no meaning here: leave it out"),
        ("!!python/name:os.system asn: 1", "f:1:1: the tag 'tag:yaml.org,2002:python/name:os.system' has no meaning here: leave it out"),
        ("asn: 1\n---\nasn: 2", "f:2:1: holds several documents, and only one can count: take out this ---"),
        ("asn: *x", "f:1:6: found undefined alias 'x'"),
        ("log:\n\tlevel: info", "f:2:1: not valid YAML: found character '\\t' that cannot start any token: indent by spaces, not by tabs"),
        ("listen: a: b", "f:1:10: not valid YAML: mapping values are not allowed here: put quotes around a value with a colon in it, and look at the indentation"),
        ("asn: 1\nx: \x00", "f:2: the file holds a NUL byte: it is no text"),
        ("asn: 1\nx: \x07", "f:2: not valid YAML: a control character (U+0007)"),
        ("[" * 1000, "f:1:33: is nested too deeply"),
        ("- " * 1000, "f:1:65: is nested too deeply"),
        ('asn: "\\UFFFFFFFF"', "f: not valid YAML: a number in an escape or directive is too large"),
        ("%YAML " + "9" * 5000 + ".1\n--- a", "f: not valid YAML: a number in an escape or directive is too large"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_and_a_sentence(text: str, found: str) -> None:
    assert blamed(text) == [found]


@pytest.mark.parametrize(
    ("prefix", "says"),
    [
        ("1.0.0.2", "has no prefix length: write 1.0.0.2/32"),
        ("2001:db8::1", "has no prefix length: write 2001:db8::1/128"),
        ("1.0.0.2/24", "has bits beyond its prefix length: write 1.0.0.0/24"),
        ("1.0.0.0/33", "is not an IP prefix"),
        ("1.0.0.0/08", "is not an IP prefix"),
        ("1.0.0.0/255.255.255.0", "is not an IP prefix"),
        ("01.0.0.0/8", "is not an IP prefix"),
        ("1.0.0/24", "is not an IP prefix"),
        ("/24", "is not an IP prefix"),
        ("fd00::%eth0/64", "is not an IP prefix"),
        ("224.0.0.0/4", "is no unicast prefix"),
        ("ff00::/8", "is no unicast prefix"),
        ("fe80::/10", "is no unicast prefix"),
    ],
)
def test_a_network_of_our_own_is_a_unicast_prefix(prefix: str, says: str) -> None:
    (found,) = blamed(f"networks: [{{prefix: '{prefix}'}}]")
    assert found.startswith(f"f:1:21: networks[0].prefix: '{prefix}' {says}")


@pytest.mark.parametrize("hop", ["0.0.0.0", "0.0.0.1", "127.0.0.1", "224.0.0.1", "255.255.255.255",
                                 "::", "::1", "ff02::1", "fe80::1", "fe80::1%eth0"])  # fmt: skip
def test_a_next_hop_is_one_that_every_client_takes(hop: str) -> None:
    """GoBGP resets its session on some of these, and so the whole class would drop."""
    (found,) = blamed(f"networks: [{{prefix: '2001:db8::/48', next-hop: '{hop}'}}]")
    assert found.startswith("f:1:48: networks[0].next-hop: ")


def test_no_ipv4_route_has_an_ipv6_next_hop() -> None:
    (found,) = blamed("networks: [{prefix: 1.0.0.2/32, next-hop: '2001:db8::1'}]")
    assert "kube-router can't install" in found


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "fe80::1",
                                     "fd00::1%eth0", "fe80::1%"])  # fmt: skip
def test_a_neighbor_is_a_machine(address: str) -> None:
    assert blamed(f"neighbors: [{{address: '{address}'}}]")[0].startswith("f:1:23: ")


def test_a_link_local_neighbor_is_on_an_interface() -> None:
    config = parse(
        "neighbors: [{address: 'fe80::1%eth0'}, {address: 'fe80::1%eth1', client: false}]\n"
        "ranges: [{network: 'fe80::/10', description: others}]"
    )
    roles = {
        each: settings_for(config, ip_address(f"fe80::1%{each}")) for each in ("eth0", "eth1", "x")
    }
    assert roles == {
        "eth0": PeerSettings(),
        "eth1": PeerSettings(client=False),
        "x": PeerSettings(description="others"),
    }


def test_what_is_there_already_is_named() -> None:
    assert blamed(
        "networks: [{prefix: 1.0.0.2/32}, {prefix: 1.0.0.2/32, next-hop: 10.0.0.1}]\n"
        "ranges: [{network: 10.0.0.0/8}, {network: 10.0.0.0/8, client: false}]\n"
        "neighbors:\n- address: '2001:db8::1'\n- address: '2001:DB8:0::1'\n"
    ) == [
        "f:1:34: networks[1]: 1.0.0.2/32 is there already, as networks[0]",
        "f:2:33: ranges[1]: 10.0.0.0/8 is there already, as ranges[0]",
        "f:5:3: neighbors[1]: 2001:db8::1 is there already, as neighbors[0]",
    ]


def test_nobody_is_without_a_password_inside_a_range_with_one() -> None:
    """The kernel's keys are by prefix, and it has none that says "no key"."""
    head = "ranges: [{network: 10.0.0.0/8, password: x}"
    assert blamed(f"{head}, {{network: 10.1.0.0/16}}]\nneighbors: [{{address: 10.2.0.1}}]") == [
        f"f:{place}: {who} has no password and lies in 10.0.0.0/8, which has one, and the kernel "
        "would ask for it: give both one"
        for place, who in (
            ("1:46: ranges[1]", "10.1.0.0/16"),
            ("2:13: neighbors[0]", "10.2.0.1/32"),
        )
    ]
    assert parse(f"{head}, {{network: 10.1.0.0/16, password: y}}]")
    assert parse(f"{head}, {{network: 0.0.0.0/0}}, {{network: '::/0'}}]")


def test_every_mistake_comes_at_once_in_the_order_of_the_file() -> None:
    places = [each.split(": ")[0] for each in blamed("log: {level: x}\nport: x\nx: x\nasn: !t x\n")]
    assert places == ["f:1:14", "f:2:7", "f:3:1", "f:4:6", "f:4:6"]


def test_a_key_can_t_garble_the_message() -> None:
    (found,) = blamed('"a\\n\\e[31m": 1')
    assert found.startswith(r"f:1:1: a\n\x1b[31m: unknown key")


def test_a_billion_laughs_are_short() -> None:
    lines = ["a: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    lines.append("networks: *a9")
    assert len(blamed("\n".join(lines))) == 20


def test_a_node_that_holds_itself_ends() -> None:
    assert len(blamed("ranges: &a [*a, *a]")) == 2


def test_too_many_items_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_loader, "_MAX_NODES", 100)
    assert blamed("listen: [" + "x, " * 101 + "]") == ["f: has too many items"]


@pytest.mark.parametrize(
    "password", ["''", 81 * "x", "'" + 27 * "\u20ac" + "'", '"a\\nb"', '"\\ud800"']
)
def test_a_wrong_password_is_not_repeated(password: str) -> None:
    (found,) = blamed(f"ranges: [{{network: 10.0.0.0/8, password: {password}}}]")
    assert found == (
        "f:1:42: ranges[0].password: must be 1 to 80 octets of printable text (TCP MD5)"
    )


def test_a_password_never_shows() -> None:
    config = parse("ranges: [{network: 10.0.0.0/8, password: s3cret}]")
    assert "s3cret" not in repr(config)
    assert config.ranges[0].settings.password == "s3cret"  # noqa: S105 - of this test alone


# Files.


def test_files_that_can_t_be_read_are_one_sentence(tmp_path: Path) -> None:
    cases: dict[Path, str] = {
        tmp_path / "none": "can't be read: No such file or directory",
        tmp_path: "is a directory: name the file in it",
        tmp_path / "file" / "below": "can't be read: Not a directory",
        Path("/dev/zero"): "is larger than 4 MiB: this is no configuration",
    }
    (tmp_path / "file").touch()
    for path, says in cases.items():
        with pytest.raises(ConfigError) as error:
            load_yaml(path)
        assert str(error.value) == f"{path}: {says}"


def test_a_file_that_may_not_be_read_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ConfigError, match=r"^/c\.yaml: can't be read: Permission denied$"):
        load_yaml(Path("/c.yaml"))


@pytest.mark.parametrize("content", ["a: ä".encode("latin-1"), "asn: 1".encode("utf-16")])
def test_a_file_in_another_encoding_is_one_sentence(content: bytes) -> None:
    assert blamed(b"# first\n" + content) == ["f:2: the file is not UTF-8 text"]


# Who is spoken to how.


def test_the_narrowest_range_counts_and_a_neighbor_before_any() -> None:
    config = parse(
        "ranges:\n- {network: 0.0.0.0/0, description: all}\n- {network: 10.0.0.0/8, description: ten}\n"
        "- {network: 10.1.0.0/16, description: one}\nneighbors:\n"
        "- {address: 10.1.0.1, description: named}\n"
    )
    expected = {"9.9.9.9": "all", "10.2.0.1": "ten", "10.1.0.2": "one", "10.1.0.1": "named"}
    for address, description in expected.items():
        settings = settings_for(config, ip_address(address))
        assert settings is not None
        assert settings.description == description
    assert settings_for(config, ip_address("2001:db8::1")) is None


def test_a_mapped_address_would_never_match_a_peer() -> None:
    with pytest.raises(ConfigError, match=r"in disguise: write 10\.0\.0\.2"):
        parse_yaml(b'neighbors: [{address: "::ffff:10.0.0.2"}]', "f")


@pytest.mark.rfc("9494", "4.1")
def test_long_lived_restarts_are_off_and_need_graceful_ones() -> None:
    assert parse("").long_lived_stale_time_s == 0
    assert parse("long-lived-stale-time: 3600").long_lived_stale_time_s == 3600
    assert blamed("restart-time: 0\nlong-lived-stale-time: 3600") == [
        (
            "f:2:24: long-lived-stale-time: needs graceful restarts (RFC 9494 4.1): set restart-time to "
            "other than 0"
        )
    ]


def test_a_pipe_is_read_once_and_does_not_mean_the_defaults_afterwards() -> None:
    """As `--config <(...)` gives one: a reload finds it empty, as an empty file is for the defaults."""
    reading, writing = os.pipe()
    path = Path(f"/dev/fd/{reading}")
    try:
        os.write(writing, b"asn: 65000\n")
        os.close(writing)
        assert load_yaml(path).asn == 65000
        with pytest.raises(
            ConfigError, match=f"{path}: is a pipe with nothing in it: .* name a file"
        ):
            load_yaml(path)
    finally:
        os.close(reading)


def test_a_pipe_that_nobody_writes_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="is a pipe with nothing in it"):
        load_yaml(tmp_path / "pipe")
