"""Commands as FRR understands them: abbreviated, completed, refused in its words."""

import pytest

from reflector.vty.commands import grammar
from reflector.vty.grammar import CARRIAGE_RETURN, CommandError, Grammar, Variable

NUMBER = Variable("(1-9)", "A number", str.isdecimal)


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("show bgp summary", "summary"),
        ("sh b su", "summary"),
        ("show ip bgp summary failed json", "summary"),
        ("show bgp vrf all ipv4 unicast summary json", "summary"),
        ("show bgp", "table"),
        ("show ip bgp json", "table"),
        ("show bgp ipv6 unicast", "table"),
        ("show bgp ipv4 uni 10.1.0.0/24", "route"),
        ("show ip bgp 10.1.0.5 json", "route"),
        ("show ip bgp 10.1.0.5/24", "route"),
        ("show bgp 10.0.0.0/8 longer", "longer"),
        ("show bgp neighbors", "neighbors"),
        ("show bgp n 10.0.0.1 j", "neighbors"),
        ("show bgp ipv4 unicast neighbors 10.0.0.1 advertised-routes json", "neighbor_routes"),
        ("show ip route", "kernel_routes"),
        ("show run", "running_config"),
        ("show version", "version"),
        ("conf t", "configure"),
        ("q", "leave"),
    ],
)
def test_a_line_is_its_command(line: str, action: str) -> None:
    assert grammar().match(line).action == action


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("show", "Command incomplete"),
        ("show bgp neighbors 10.0.0.1 advertised-routes json more", "Unknown command"),
        ("show bgp nothing", "Unknown command"),
        ("show bgp ipv", "Ambiguous command"),
        ("show bgp 10.1.0.0/33", "Unknown command"),
        ("show bgp 10.1.0/24", "Unknown command"),
        ("frobnicate", "Unknown command"),
    ],
)
def test_what_is_no_command_is_refused(line: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        grammar().match(line)


def test_values_and_full_words_are_told() -> None:
    match = grammar().match("sh b vrf default ipv4 un nei 10.0.0.1 rec j")
    assert match.values == {"NAME": "default", "ADDRESS": "10.0.0.1"}
    assert {"received-routes", "json", "ipv4", "unicast"} <= match.words


class TestHelp:
    def test_what_may_come_next(self) -> None:
        words = [word for word, _ in grammar().next_words("show bgp ipv4 ")]
        assert words == [
            *("A.B.C.D", "A.B.C.D/M", "json", "neighbors", "summary", "unicast"),
            CARRIAGE_RETURN,
        ]

    def test_what_a_word_may_become(self) -> None:
        assert [word for word, _ in grammar().next_words("show bgp s")] == ["summary"]
        assert grammar().keywords("show bgp su") == ["summary"]

    def test_every_keyword_has_help(self) -> None:
        def walk(line: str, depth: int) -> None:
            for word, meaning in grammar().next_words(line):
                assert meaning or word == CARRIAGE_RETURN, line
                if depth and word.islower():
                    walk(f"{line}{word} ", depth - 1)

        walk("", 4)

    def test_nothing_after_what_is_no_command(self) -> None:
        assert grammar().next_words("show nothing ") == []


class TestPatterns:
    def test_a_keyword_in_full_beats_one_that_it_begins(self) -> None:
        made = Grammar({"ip": "", "ipv4": ""}, {})
        made.add("ip", "short")
        made.add("ipv4", "long")
        assert made.match("ip").action == "short"

    def test_a_keyword_beats_a_variable(self) -> None:
        made = Grammar({"1": ""}, {"N": NUMBER})
        made.add("1", "word")
        made.add("N", "variable")
        assert made.match("1").action == "word"
        assert made.match("2").action == "variable"

    def test_choices_and_brackets_nest(self) -> None:
        made = Grammar(dict.fromkeys("abcd", ""), {})
        made.add("a [<b [c]|d>] c", "it")
        for line in ("a c", "a b c", "a b c c", "a d c"):
            assert made.match(line).action == "it"
        with pytest.raises(CommandError):
            made.match("a d c c")

    @pytest.mark.parametrize("pattern", ["a [b", "a <b|c", "a ] b"])
    def test_a_pattern_whose_brackets_do_not_match_is_refused(self, pattern: str) -> None:
        made = Grammar(dict.fromkeys("abc", ""), {})
        with pytest.raises(ValueError, match=r"lacks|never opened"):
            made.add(pattern, "it")
