"""Whatever a file holds, it is a configuration or a list of mistakes, and nothing else."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from reflector.config.errors import ConfigError
from reflector.config.fields import ROOT
from reflector.config.frr import parse_frr
from reflector.config.frr_statements import COSMETIC, REFUSED
from reflector.config.model import Config
from reflector.config.yaml_loader import parse_yaml

KEYS = st.sampled_from([*(field.key for field in ROOT.fields), "network", "prefix", "password"])
VALUES = st.one_of(
    st.sampled_from(["", "[]", "{}", "no", "010", "1:2", "10.0.0.0/8", "::/0", "*a", "&a x", "!t"]),
    st.text(max_size=12),
    st.integers().map(str),
)
LINES = st.lists(st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]}: {pair[1]}"), max_size=8)

WORDS = st.one_of(
    st.sampled_from(
        [
            *" ".join([*COSMETIC, *REFUSED]).split(),
            *("router", "no", "64512", "10.0.0.1", "10.0.0.0/8", "kube", "peer-group", "exit"),
        ]
    ),
    st.text(max_size=6),
)
STATEMENTS = st.lists(st.lists(WORDS, max_size=6).map(" ".join), max_size=10)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_mistakes(content: bytes) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(parse_yaml(content, "f"), Config)


@given(LINES)
def test_lines_like_ours_are_a_configuration_or_mistakes(lines: list[str]) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(parse_yaml("\n".join(lines).encode(), "f"), Config)


@given(st.one_of(st.text(max_size=200), STATEMENTS.map("\n".join)))
def test_statements_like_frr_s_are_a_configuration_or_mistakes(text: str) -> None:
    for content in (text, f"router bgp 64512\n{text}"):
        with contextlib.suppress(ConfigError):
            assert isinstance(parse_frr(content, "f")[0], Config)
