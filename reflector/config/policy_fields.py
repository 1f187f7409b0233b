"""The keys of prefix sets and policies: see `fields`."""

from typing import Final

from reflector.config import kinds, policy_kinds
from reflector.config.field import Field, Mapping, plain
from reflector.config.policy_model import Policy, PrefixSet, Rule

PREFIX_SET: Final = Mapping(
    (
        Field("name", policy_kinds.NAME, "by which rules name it"),
        Field(
            "prefixes",
            policy_kinds.PREFIX_RANGE,
            "exactly this prefix, or those in it whose length is in a range",
            many=True,
            or_one=True,
            least=1,
        ),
    ),
    PrefixSet,
    plain(PrefixSet),
    ("name", "prefixes"),
)

_RULE: Final = Mapping(
    (
        Field(
            "prefixes",
            policy_kinds.NAME,
            "if the prefix is in one of these sets",
            many=True,
            or_one=True,
            attribute="prefix_sets",
        ),
        Field(
            "communities", policy_kinds.COMMUNITY, "if one of these is set", many=True, or_one=True
        ),
        Field(
            "from",
            policy_kinds.PEERS,
            "if the peer that it came from is one of these",
            many=True,
            or_one=True,
            attribute="from_peers",
        ),
        Field("as-path", kinds.ANY_ASN, "if one of these is in AS_PATH", many=True, or_one=True),
        Field("as-path-length", policy_kinds.SPAN, "if AS_PATH has so many AS numbers"),
        Field(
            "then",
            kinds.choice("accept", "reject", "next"),
            "what becomes of a route for which all of that holds; next: the next rule is asked",
        ),
        Field("set-local-pref", policy_kinds.NUMBER, "LOCAL_PREF that it gets"),
        Field(
            "set-med",
            policy_kinds.MED,
            "MULTI_EXIT_DISC that it gets; none: it loses the one that it has",
        ),
        Field(
            "add-communities",
            policy_kinds.COMMUNITY,
            "communities that it gets",
            many=True,
            or_one=True,
        ),
    ),
    Rule,
    plain(Rule),
)

POLICY: Final = Mapping(
    (
        Field("name", policy_kinds.NAME, "by which ranges and neighbors name it"),
        Field("rules", _RULE, "asked one after another", many=True),
        Field(
            "otherwise",
            kinds.choice("accept", "reject"),
            "what becomes of routes that no rule accepts or rejects",
        ),
    ),
    Policy,
    plain(Policy),
    ("name", "otherwise"),
)
