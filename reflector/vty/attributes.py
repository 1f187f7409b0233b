"""Path attributes in FRR's words, where they are not the reflector's own."""

import re
from typing import Final

from reflector.vty.facts import View

# A number, or an AS_SET in braces.
_SEGMENT_PARTS: Final = re.compile(r"\{([\d,]+)\}|(\d+)")

_LOCAL_AS: Final = "no-export-subconfed"
# What FRR calls otherwise than the RFCs do; and the scope that it names beside a best path.
_COMMUNITIES: Final = {_LOCAL_AS: "local-AS"}
_SCOPES: Final = {
    "no-advertise": "not advertised to any peer",
    "no-export": "not advertised to EBGP peer",
    _LOCAL_AS: "not advertised outside local AS",
}
_EXTENDED_TYPES: Final = {"rt": "RT", "soo": "SoO"}


def segments(as_path: str) -> list[View]:
    """An AS path as its segments.

    Args:
        as_path: As the API has it: "64513 64514 {64515,64516}".
    """
    found: list[View] = []
    for members, asn in _SEGMENT_PARTS.findall(as_path):
        if members:
            found.append({"type": "as-set", "list": [int(each) for each in members.split(",")]})
        elif found and found[-1]["type"] == "as-sequence":
            found[-1]["list"].append(int(asn))
        else:
            found.append({"type": "as-sequence", "list": [int(asn)]})
    return found


def length(as_path: str) -> int:
    """How long an AS path counts, an AS_SET as one (RFC 4271 9.1.2.2 a)."""
    return len(as_path.split())


def community_words(path: View) -> str:
    """Communities as FRR writes them."""
    return " ".join(_COMMUNITIES.get(each, each) for each in path["communities"])


def extended_words(path: View) -> str:
    """Extended communities as FRR writes them, "RT:64512:1"; of other types the octets."""
    return " ".join(map(_extended, path["extended_communities"]))


def scope(path: View) -> str:
    """How far a path's communities let it go, as FRR says it; empty where they say nothing."""
    held = path.get("communities", ())
    return next((words for name, words in _SCOPES.items() if name in held), "")


def community_lists(path: View) -> View:
    """The attributes that are lists, as FRR's JSON has them."""
    shown: View = {}
    if "communities" in path:
        names = [_camel(_COMMUNITIES.get(each, each)) for each in path["communities"]]
        shown["community"] = {"string": community_words(path), "list": names}
    if "extended_communities" in path:
        shown["extendedCommunity"] = {"string": extended_words(path)}
    if "large_communities" in path:
        held = path["large_communities"]
        shown["largeCommunity"] = {"string": " ".join(held), "list": held}
    if "cluster_list" in path:
        shown["clusterList"] = {"list": path["cluster_list"]}
    return shown


def _extended(text: str) -> str:
    kind, colon, rest = text.partition(":")
    return f"{_EXTENDED_TYPES.get(kind, kind)}{colon}{rest}"


def _camel(name: str) -> str:
    """ "noExport" for "no-export", as FRR's JSON names what is well known."""  # noqa: D210
    first, *others = name.split("-")
    return first + "".join(map(str.capitalize, others))
