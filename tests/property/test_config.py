"""Whatever a file holds, it is a configuration or a list of mistakes, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reflector.config.errors import ConfigError
from reflector.config.fields import ROOT
from reflector.config.frr import parse_frr
from reflector.config.frr_statements import COSMETIC, REFUSED, UNDERSTOOD
from reflector.config.model import Config
from reflector.config.reload import diff
from reflector.config.yaml_loader import parse_yaml

# YAML: right keys with values that are right, that YAML would read in its own way, or nonsense.

KEYS = st.sampled_from([*(field.key for field in ROOT.fields), "network", "prefix", "password"])
VALUES = st.one_of(
    st.sampled_from(
        ["", "[]", "{}", "no", "010", "1:2", "10.0.0.0/8", "::/0", "*a", "&a x", "!t", "!!int 1",
         "{network: 10.0.0.0/8, password: x}", "[{prefix: 10.0.0.0/8, next-hop: '::1'}]",
         '"\\U00110000"', '"\\ud800"', "|", "- -", "? x"]
    ),
    st.text(max_size=12),
    st.integers().map(str),
)  # fmt: skip
LINES = st.lists(st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]}: {pair[1]}"), max_size=8)

# FRR: statements of the tables, whole or cut short, with arguments that are right or nonsense.

ARGUMENTS = st.one_of(
    st.sampled_from(
        ["64512", "0", "10.0.0.1", "10.0.0.0/8", "::1", "fd00::/8", "kube", "internal", "255.0.0.0",
         "s3cret-s3cret"]
    ),
    st.text(max_size=6),
)  # fmt: skip
WORDS = " ".join([*UNDERSTOOD, *COSMETIC, *REFUSED]).split()
ENTRIES = st.one_of(
    st.sampled_from([*UNDERSTOOD]),
    st.sampled_from([*COSMETIC, *REFUSED]),
    st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join),
)


@st.composite
def statements(draw: st.DrawFn) -> str:
    """A line that is much like FRR's."""
    words = []
    for word in draw(ENTRIES).split():
        if word in ("*", "..."):
            words.append(draw(ARGUMENTS))
        else:
            words.append(word[: draw(st.integers(1, 30))])
    length = draw(st.integers(0, 8))
    return draw(st.sampled_from(["", "", "no ", " "])) + " ".join(words[:length])


FRR_FILES = st.lists(statements(), max_size=12).map("\n".join)


def mistakes(error: ConfigError) -> list[str]:
    """What is said of a file, which must be fit to be printed."""
    assert error.findings
    assert len(str(error).split("\n")) == len(error.findings)
    assert all(str(finding).isprintable() for finding in error.findings)
    return [str(finding) for finding in error.findings]


def read_yaml(content: bytes) -> Config | list[str]:
    try:
        config = parse_yaml(content, "f")
    except ConfigError as error:
        return mistakes(error)
    assert isinstance(config, Config)
    return config


def read_frr(text: str) -> Config | list[str]:
    try:
        config, notes = parse_frr(text, "f")
    except ConfigError as error:
        return mistakes(error)
    assert isinstance(config, Config)
    assert all(note.isprintable() for note in notes)
    return config


@given(st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_mistakes(content: bytes) -> None:
    read_yaml(content)


@given(st.text(alphabet="[]{}:-?&*!|>'\"%@`,# \n\tab1", max_size=60))
def test_any_indicators_are_a_configuration_or_mistakes(text: str) -> None:
    read_yaml(text.encode())


@given(LINES)
def test_lines_like_ours_are_a_configuration_or_mistakes(lines: list[str]) -> None:
    read_yaml("\n".join(lines).encode(errors="replace"))


@given(st.text(max_size=200))
def test_any_text_is_an_frr_configuration_or_mistakes(text: str) -> None:
    read_frr(text)


@given(FRR_FILES)
def test_statements_like_frr_s_are_a_configuration_or_mistakes(text: str) -> None:
    read_frr(text)
    config = read_frr(f"router bgp 64512\n{text}")
    if isinstance(config, Config):
        assert not diff(config, config)


@given(FRR_FILES)
def test_a_secret_of_an_frr_file_is_in_no_message(text: str) -> None:
    """Wherever the word stands that introduces it, and however short it was cut."""
    secret = "s3cret-s3cret"  # noqa: S105 - of this test alone
    lines = [line for line in text.split("\n") if secret not in line]
    lines.append(f" neighbor 10.0.0.1 password {secret} {secret}")
    said = read_frr("\n".join(["router bgp 64512", *lines]))
    if isinstance(said, list):
        assert secret not in "".join(said)
