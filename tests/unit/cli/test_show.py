"""`show` and `health`: what they print, and what they cost. The answers are the real views'."""

import json
import subprocess
import sys
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from reflector.bgp.attributes import encode_attribute
from reflector.bgp.open import GracefulRestart, LongLived
from reflector.bgp.vocabulary import AttributeCode, AttributeFlag
from reflector.cli import table
from reflector.cli.client import Client, ClientError, NotFoundError
from reflector.cli.main import main
from reflector.cli.table import Column, print_table
from reflector.observe.route_views import Routes
from reflector.observe.views import neighbors, summary
from reflector.rib.intake import Intake
from reflector.rib.policy import Policy, Verdict
from tests.unit.observe.scene import OPTIONAL_TRANSITIVE, Scene

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def scene() -> Scene:
    """Two established peers that share a prefix, and one that says nothing."""
    scene = Scene()
    scene.originate("1.0.0.2/32")
    node_a = scene.join("10.0.0.5", "node-a", router_id="10.0.0.77")
    node_b = scene.join("10.0.0.6", "evil\x1b[2Jname")
    communities = encode_attribute(
        OPTIONAL_TRANSITIVE, AttributeCode.COMMUNITIES, bytes.fromhex("fc000001 ffffff01")
    )
    med = encode_attribute(AttributeFlag.OPTIONAL, AttributeCode.MULTI_EXIT_DISC, bytes(4))
    unknown = encode_attribute(OPTIONAL_TRANSITIVE, 99, b"\xab")
    scene.announce(node_a, "10.244.10.0/24", "10.244.9.0/24", extra=med + communities + unknown)
    scene.announce(node_b, "10.244.9.0/24")
    scene.connect("10.0.0.4", description="front row")
    return scene


@pytest.fixture(autouse=True)
def _running(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers as the API does, without a socket."""

    def get(_: Client, *path: str, **query: str) -> dict[str, Any]:
        match path:
            case ("summary",):
                return summary(scene, 3725)
            case ("neighbors",):
                return {"neighbors": list(neighbors(scene, 65))}
            case ("neighbors", address):
                found = list(neighbors(scene, 65, ip_address(address)))
                if not found:
                    raise NotFoundError(f"there is no connection with {address}")
                return {"neighbors": found}
        if not query:
            return {"routes": list(Routes(scene.speaker).all())}
        prefix = query["prefix"]
        wanted = ip_network(prefix) if "/" in prefix else ip_address(prefix)
        return {"routes": [Routes(scene.speaker).matching(wanted)]}

    monkeypatch.setattr(Client, "get", get)


def shown(capsys: Captured, *arguments: str) -> str:
    assert main(["show", *arguments]) == 0
    return capsys.readouterr().out


class TestSummary:
    def test_table(self, capsys: Captured) -> None:
        assert shown(capsys, "summary") == (
            "AS           64512\n"
            "Router id    192.0.2.1\n"
            "Cluster id   192.0.2.1\n"
            "Running for  1 h 2 min\n"
            "Peers        2 established, 1 on the way\n"
            "IPv4 routes  3 (4 paths)\n"
            "IPv6 routes  0 (0 paths)\n"
        )

    def test_json(self, capsys: Captured, scene: Scene) -> None:
        assert json.loads(shown(capsys, "summary", "--json")) == summary(scene, 3725)


class TestNeighbors:
    def test_table(self, capsys: Captured) -> None:
        assert shown(capsys, "neighbors").splitlines() == [
            "NEIGHBOR  NAME          ROUTER ID  STATE              FOR  ROUTES  FAMILIES       IN   OUT  DESCRIPTION",
            "10.0.0.4                           OpenSent     1 min 5 s       0             1.2 kB  99 B  front row",
            "10.0.0.5  node-a        10.0.0.77  Established  1 min 5 s       2  ipv4 ipv6  1.2 kB  99 B",
            "10.0.0.6  evil?[2Jname  10.0.0.6   Established  1 min 5 s       1  ipv4 ipv6  1.2 kB  99 B",
        ]

    def test_one(self, capsys: Captured) -> None:
        assert shown(capsys, "neighbors", "10.0.0.5") == (
            "10.0.0.5 (node-a)\n"
            "  State             Established for 1 min 5 s\n"
            "  Connection        it dialled us, port 34567 there\n"
            "  Our address       192.0.2.1\n"
            "  Router id         10.0.0.77\n"
            "  AS                64512\n"
            "  Families          ipv4, ipv6\n"
            "  Hold time         90 s, keepalive 30 s\n"
            "  Route refresh     yes\n"
            "  Graceful restart  no\n"
            "  Role              client\n"
            "  Routes            2 ipv4, 0 ipv6\n"
            "  Received          1 UPDATE: 2 announced, 0 withdrawn, 0 rejected\n"
            "  End-of-RIB        not yet\n"
            "  Octets            1.2 kB in, 99 B out\n"
        )

    def test_one_by_the_singular(self, capsys: Captured) -> None:
        assert shown(capsys, "neighbor", "10.0.0.5") == shown(capsys, "neighbors", "10.0.0.5")

    def test_what_becomes_of_its_routes_when_it_goes(self, capsys: Captured, scene: Scene) -> None:
        [connection] = [c for c in scene.peering.connections if str(c.name.address) == "10.0.0.5"]
        session = connection.session
        agreed, restart = session.negotiated, GracefulRestart(restarting=False, restart_time_s=90)
        assert agreed is not None
        offered = replace(agreed.remote.capabilities, graceful_restart=restart)
        session.negotiated = replace(agreed, remote=replace(agreed.remote, capabilities=offered))
        assert "Graceful restart  asks for 90 s\n" in shown(capsys, "neighbors", "10.0.0.5")
        session.negotiated = replace(
            session.negotiated,
            graceful_notification=True,
            long_lived=(LongLived(1, 1, forwarding=True, stale_time_s=600),),
        )
        assert (
            "asks for 90 s, and 600 s more as a last choice, after a NOTIFICATION too\n"
        ) in shown(capsys, "neighbors", "10.0.0.5")

    def test_which_rules_rejected_what(self, capsys: Captured, scene: Scene) -> None:
        (peer,) = [each for each in scene.speaker.peers if str(each.address) == "10.0.0.5"]
        policy = Policy("only-pods", (), Verdict.REJECT)
        scene.speaker.reconfigure(scene.speaker.peers[peer], Intake(policy=policy), None)
        scene.speaker.turn()
        assert (
            "Received          1 UPDATE: 2 announced, 2 withdrawn, 2 rejected\n"
            "  Rejected by       only-pods, otherwise: 2\n"
        ) in shown(capsys, "neighbors", "10.0.0.5")

    def test_one_without_a_session(self, capsys: Captured) -> None:
        assert shown(capsys, "neighbors", "10.0.0.4") == (
            "10.0.0.4 (front row)\n"
            "  State        OpenSent for 1 min 5 s\n"
            "  Connection   it dialled us, port 34567 there\n"
            "  Our address  192.0.2.1\n"
            "  Octets       1.2 kB in, 99 B out\n"
        )

    def test_nobody_there(self, capsys: Captured, scene: Scene) -> None:
        scene.peering.connections.clear()
        assert shown(capsys, "neighbors") == "No peer is connected.\n"

    def test_an_unknown_one(self, capsys: Captured) -> None:
        assert main(["show", "neighbors", "10.0.0.99"]) == 1
        assert capsys.readouterr().err == ("bgp-reflector: there is no connection with 10.0.0.99\n")


class TestRoutes:
    def test_table_in_the_order_of_numbers(self, capsys: Captured) -> None:
        assert shown(capsys, "routes").splitlines() == [
            "   PREFIX          NEXT HOP  FROM      NAME          LOCAL PREF  AS PATH  BEST BECAUSE",
            ">  1.0.0.2/32      self      local                          100",
            ">  10.244.9.0/24   10.0.0.6  10.0.0.6  evil?[2Jname         100           lowest BGP identifier (ORIGINATOR_ID)",
            "                   10.0.0.5  10.0.0.5  node-a               100",
            ">  10.244.10.0/24  10.0.0.5  10.0.0.5  node-a               100",
        ]

    def test_one_with_everything_about_it(self, capsys: Captured) -> None:
        assert shown(capsys, "routes", "10.244.9.0/24") == (
            "10.244.9.0/24: 2 paths, best by: lowest BGP identifier (ORIGINATOR_ID)\n"
            "  best\n"
            "    From              10.0.0.6 (evil?[2Jname)\n"
            "    Router id         10.0.0.6\n"
            "    Next hop          10.0.0.6\n"
            "    Origin            IGP\n"
            "    Local preference  100\n"
            "    Told to           all\n"
            "  also\n"
            "    From                10.0.0.5 (node-a)\n"
            "    Router id           10.0.0.77\n"
            "    Next hop            10.0.0.5\n"
            "    Origin              IGP\n"
            "    Local preference    100\n"
            "    MED                 0\n"
            "    Communities         64512:1, no-export\n"
            "    Unknown attributes  99 (optional transitive partial) ab\n"
            "    Told to             internal peers\n"
        )

    def test_the_one_that_an_address_takes(self, capsys: Captured) -> None:
        assert shown(capsys, "routes", "10.244.10.7").startswith("10.244.10.0/24: 1 path\n")

    def test_json(self, capsys: Captured) -> None:
        view = json.loads(shown(capsys, "routes", "--json"))
        assert [route["prefix"] for route in view["routes"]] == [
            "1.0.0.2/32",
            "10.244.9.0/24",
            "10.244.10.0/24",
        ]

    def test_none(self, capsys: Captured, scene: Scene) -> None:
        scene.speaker.originate([])
        for peer in list(scene.speaker.peers.values()):
            scene.speaker.peer_down(peer)
        assert shown(capsys, "routes") == "There are no routes.\n"


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["neighbors", "node-a"], "'node-a' is not an IP address (names are not looked up)"),
            (
                ["routes", "10.0.0.1/24"],
                "'10.0.0.1/24' has bits set beyond its length; the prefix is 10.0.0.0/24",
            ),
            (
                ["routes", "10.0.0.0/33"],
                "'10.0.0.0/33' is not a prefix; write it as 10.244.0.0/16 or fd00:10:244::/48",
            ),
            (["routes", "nonsense"], "'nonsense' is not an IP address (names are not looked up)"),
            ([], "the following arguments are required: WHAT"),
            (
                ["routes", "10.0.0.0/8", "shorter"],
                "argument longer|exact: invalid choice: 'shorter'",
            ),
            (["neighbours"], "did you mean neighbors?"),
            (["routes", "--jsn"], "show routes: there is no '--jsn' here: did you mean --json?"),
            (
                ["summary", "now"],
                "show summary: there is no 'now' here (`bgp-reflector show summary --help`",
            ),
        ],
    )
    def test_mistakes_exit_2_with_a_sentence(
        self, capsys: Captured, arguments: list[str], sentence: str
    ) -> None:
        with pytest.raises(SystemExit) as caught:
            main(["show", *arguments])
        assert caught.value.code == 2
        said = capsys.readouterr().err
        assert sentence in said
        assert said.count("\n") == 1

    @pytest.mark.parametrize(
        ("command", "missing"), [("debug-route", "hide|show"), ("completion", "bash|zsh|fish")]
    )
    def test_what_is_missing_is_named_by_what_it_may_be(
        self, capsys: Captured, command: str, missing: str
    ) -> None:
        with pytest.raises(SystemExit) as caught:
            main([command])
        assert caught.value.code == 2
        assert f"are required: {missing} (" in capsys.readouterr().err

    def test_brackets_around_an_ipv6_address_do_no_harm(self, capsys: Captured) -> None:
        assert main(["show", "neighbors", "[fd00::1]"]) == 1
        assert "there is no connection with fd00::1" in capsys.readouterr().err


class TestTable:
    COLUMNS = (Column("A"), Column("B", extra=1), Column("C", extra=2), Column("N", right=True))
    ROWS = (("aaaa", "bbbb", "cccc", "1"), ("a", "b", "c", "100"))

    def terminal(self, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)

    @pytest.mark.parametrize(
        ("width", "heading"),
        [
            (80, "A     B     C       N"),
            (20, "A     B       N"),
            (10, "A       N"),
            (5, "A       N"),
        ],
    )
    def test_a_narrow_terminal_gets_what_matters(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Captured, width: int, heading: str
    ) -> None:
        self.terminal(monkeypatch, width)
        monkeypatch.setenv("NO_COLOR", "1")
        print_table(self.COLUMNS, self.ROWS)
        assert capsys.readouterr().out.splitlines()[0] == heading

    def test_colour_does_not_move_columns(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Captured
    ) -> None:
        self.terminal(monkeypatch, 80)
        print_table(self.COLUMNS, self.ROWS, {"b": table.Paint.GOOD})
        out = capsys.readouterr().out
        assert "\x1b[32mb   \x1b[0m" in out
        plain = out
        for paint in table.Paint:
            plain = plain.replace(paint.value, "")
        assert plain.replace("\x1b[0m", "") == (
            "A     B     C       N\naaaa  bbbb  cccc    1\na     b     c     100\n"
        )

    def test_no_colour_into_a_file(self, capsys: Captured) -> None:
        print_table(self.COLUMNS, self.ROWS, {"b": table.Paint.GOOD})
        assert "\x1b" not in capsys.readouterr().out


class TestHealth:
    def test_up(self, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
        answer = {"status": "ok", "established": 3, "prefixes": 9}
        monkeypatch.setattr(Client, "health", lambda _: answer)
        assert main(["health"]) == 0
        assert capsys.readouterr().out == "up: 3 peers established, 9 prefixes\n"

    def test_one_is_not_many(self, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
        answer = {"status": "ok", "established": 1, "prefixes": 1}
        monkeypatch.setattr(Client, "health", lambda _: answer)
        assert main(["health"]) == 0
        assert capsys.readouterr().out == "up: 1 peer established, 1 prefix\n"

    def test_down(self, capsys: Captured, tmp_path: Path) -> None:
        assert main(["health", "--socket", str(tmp_path / "none")]) == 1
        out = capsys.readouterr().out
        assert out.startswith("down: no reflector is running here")
        assert out.count("\n") == 1


class TestNothingRuns:
    def test_one_sentence_and_exit_1(
        self, capsys: Captured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def get(_: Client, *path: str) -> dict[str, Any]:
            raise ClientError(f"no reflector is running here, {path}")

        monkeypatch.setattr(Client, "get", get)
        assert main(["show", "summary"]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err == "bgp-reflector: no reflector is running here, ('summary',)\n"


@pytest.mark.parametrize("command", [["show", "summary"], ["show", "routes"], ["health"]])
def test_nothing_heavy_is_imported(command: list[str], tmp_path: Path) -> None:
    """A `show` is to answer in a tenth of a second."""
    program = (
        "import sys\n"
        "from reflector.cli.main import main\n"
        f"main({[*command, '--socket', str(tmp_path / 'none')]})\n"
        "heavy = {'exabgp', 'aiohttp', 'asyncio', 'structlog', 'yaml', 'reflector.bgp'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"
