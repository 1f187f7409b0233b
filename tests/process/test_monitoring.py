"""compose/monitoring: a real promtool judges it, a real Prometheus scrapes a reflector with it.

Grafana is not started, since Debian has no package of it: of its dashboard, every query is tested, and
the form as far as a real Grafana has shown that it matters (docs/metrics.md).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from reflector import sim
from reflector.observe.server.metrics import METRICS
from tests.support.process import BackgroundProcess, QueryError, find_binary, query, wait_until
from tests.support.reflector_process import (
    REPOSITORY,
    ReflectorProcess,
    ReflectorSettings,
    free_port,
)

COMPOSE: Final = REPOSITORY / "compose"
MONITORING: Final = COMPOSE / "monitoring"
DASHBOARDS: Final = MONITORING / "grafana" / "dashboards"
# Prometheus' own.
OTHER_METRICS: Final = {"up", "ALERTS"}
WINDOW: Final = "10s"
WAIT_S: Final = 60.0


def dashboard() -> Any:  # noqa: ANN401 - JSON is anything
    """The dashboard."""
    return json.loads((DASHBOARDS / "bgp-reflector.json").read_text())


def targets() -> list[tuple[str, str]]:
    """The queries of the dashboard, each with its panel's title."""
    return [
        (panel["title"], target["expr"])
        for panel in dashboard()["panels"]
        for target in panel["targets"]
    ]


def rules() -> list[dict[str, Any]]:
    """The alert rules."""
    loaded = yaml.safe_load((MONITORING / "alerts.yml").read_text())
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def metrics_of(expression: str) -> set[str]:
    """The metrics that a query names."""
    bare = re.sub(r'"[^"]*"|\b(?:by|on) \([^)]*\)', "", expression)
    return set(re.findall(r"\b(?:bgp_reflector_\w+|process_\w+|up|ALERTS)\b", bare))


def filled_in(expression: str, page: str) -> str:
    """A query as Grafana would ask it."""
    asked = expression.replace("$instance", page).replace("$__rate_interval", WINDOW)
    assert "$" not in asked
    return asked


@dataclass
class Prometheus:
    """A running Prometheus."""

    address: str

    def ask(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON is anything
        """What its API says."""
        asked = f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(f"http://{self.address}{asked}", timeout=10) as answer:
                return json.load(answer)["data"]
        except (urllib.error.URLError, ConnectionError) as error:
            raise QueryError(str(error)) from error


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything runs."""
    return tmp_path_factory.mktemp("monitoring")


@dataclass
class Classroom:
    """A reflector with two nodes that announce the same.

    Args:
        page: Where its metrics are.
        port: Where its peers dial.
        world: Where the nodes are.
    """

    page: str
    port: int
    world: sim.Blocking

    @contextlib.contextmanager
    def visitor(self, name: str = "visitor", source: str = "127.0.0.4") -> Iterator[None]:
        """A third node, which announces a prefix, and leaves."""
        profile = sim.kube_router(node_name=name)
        node = self.world.connect("127.0.0.1", self.port, profile, source=source)
        node.announce("10.9.0.0/24")
        self.world.peers[0].route("10.9.0.0/24")
        yield
        node.close()
        self.world.peers[0].no_route("10.9.0.0/24")

    def stir(self) -> None:
        """A node comes and goes, and another sends what nobody else does."""
        with self.visitor():
            self.world.peers[0].announce("10.2.0.0/24")
            self.world.peers[1].route("10.2.0.0/24")
            self.world.peers[0].withdraw("10.2.0.0/24")

    def metric(self, series: str) -> float | None:
        """The value of a series now, None if there is no such series."""
        try:
            with urllib.request.urlopen(f"http://{self.page}/metrics", timeout=10) as answer:
                text = answer.read().decode()
        except (urllib.error.URLError, ConnectionError) as error:
            raise QueryError(str(error)) from error
        found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else None


@pytest.fixture(scope="module")
def classroom(directory: Path) -> Iterator[Classroom]:
    """Run it."""
    port, web = free_port(), f"127.0.0.1:{free_port()}"
    reflector = ReflectorProcess(
        ReflectorSettings(
            directory=directory / "reflector",
            listen=("127.0.0.1",),
            port=port,
            arguments=("--http", web),
        )
    )
    reflector.start()
    try:
        with sim.Blocking() as world:
            for name, source in (("node-a", "127.0.0.2"), ("node-b", "127.0.0.3")):
                profile = sim.kube_router(node_name=name)
                world.connect("127.0.0.1", port, profile, source=source).announce("10.1.0.0/24")
            yield Classroom(web, port, world)
    finally:
        reflector.stop()


@pytest.fixture(scope="module")
def page(classroom: Classroom) -> str:
    """Where its metrics are."""
    return classroom.page


@pytest.fixture(scope="module")
def prometheus(page: str, directory: Path) -> Iterator[Prometheus]:
    """Run Prometheus with our configuration, but for where the reflector is, and faster."""
    program = find_binary("prometheus")
    config = (MONITORING / "prometheus.yml").read_text()
    assert "127.0.0.1:8179" in config
    config = config.replace("127.0.0.1:8179", page)
    config = re.sub(r"(interval|timeout): \d+s", r"\1: 1s", config)
    (directory / "prometheus.yml").write_text(config)
    shutil.copy(MONITORING / "alerts.yml", directory)
    address = f"127.0.0.1:{free_port()}"
    process = BackgroundProcess(
        "prometheus",
        [
            program,
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={address}",
        ],
        log_path=directory / "prometheus.log",
    )
    running = Prometheus(address)
    try:
        wait_until(
            lambda: running.ask("query", query='up{job="bgp-reflector"} == 1')["result"],
            what="Prometheus has scraped the reflector",
            timeout_s=WAIT_S,
            explain=process.log_tail,
        )
        yield running
    finally:
        process.stop()


def test_promtool_takes_the_configuration() -> None:
    query([find_binary("promtool"), "check", "config", str(MONITORING / "prometheus.yml")])


def test_promtool_plays_every_alert() -> None:
    """Each is seen to fire; the file's first test is a class in which none does."""
    played = MONITORING / "alerts.test.yml"
    query([find_binary("promtool"), "test", "rules", str(played)], timeout_s=60)
    fired = {
        each["alertname"]
        for test in yaml.safe_load(played.read_text())["tests"]
        for each in test.get("alert_rule_test", ())
        if each["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in rules()}


def test_a_test_of_alerts_can_fail(tmp_path: Path) -> None:
    """A rule that is wrong is found out by them."""
    text = (MONITORING / "alerts.yml").read_text()
    assert text.count(">= 3") == 1
    (tmp_path / "alerts.yml").write_text(text.replace(">= 3", ">= 4"))
    played = shutil.copy(MONITORING / "alerts.test.yml", tmp_path)
    with pytest.raises(QueryError, match="SessionFlapping"):
        query([find_binary("promtool"), "test", "rules", str(played)], timeout_s=60)


def test_docs_name_every_alert() -> None:
    text = (REPOSITORY / "docs" / "metrics.md").read_text()
    for rule in rules():
        assert f"`{rule['alert']}`" in text


@pytest.mark.parametrize(
    "expression",
    [
        *(pytest.param(rule["expr"], id=rule["alert"]) for rule in rules()),
        *(pytest.param(expression, id=title) for title, expression in targets()),
    ],
)
def test_queries_name_metrics_that_are_there(expression: str) -> None:
    named = metrics_of(expression)
    assert named
    assert named <= METRICS.keys() | OTHER_METRICS


def test_every_query_of_the_dashboard_gives_data(
    prometheus: Prometheus, classroom: Classroom
) -> None:
    for title, expression in targets():
        asked = filled_in(expression, classroom.page)

        def answer(asked: str = asked) -> Any:  # noqa: ANN401 - JSON is anything
            classroom.stir()
            return prometheus.ask("query", query=asked)["result"]

        wait_until(answer, what=f"{title} has data: {asked}", timeout_s=WAIT_S)


def test_totals_outlive_a_session(classroom: Classroom) -> None:
    """A node comes and goes between two scrapes: what it sent is counted all the same."""
    series = ("updates_received", "prefixes_announced", "received_bytes", "sent_bytes")
    names = [f"bgp_reflector_{each}_total" for each in series]
    before = [classroom.metric(name) for name in names]
    with classroom.visitor():
        pass
    wait_until(
        lambda: classroom.metric('bgp_reflector_connections{state="Established"}') == 2,
        what="it has left",
    )
    for name, then in zip(names, before, strict=True):
        now = classroom.metric(name)
        assert then is not None
        assert now is not None
        assert now > then, name


def test_the_dashboard_shows_what_a_new_node_announces(
    prometheus: Prometheus, classroom: Classroom
) -> None:
    """Of the counters of its session alone, which begin with it, Prometheus would see none."""
    (first,) = (
        expression
        for title, expression in targets()
        if title == "Prefixes announced and withdrawn" and "announced" in expression
    )
    asked = filled_in(first, classroom.page)

    def value() -> float:
        result = prometheus.ask("query", query=asked)["result"]
        assert result
        return float(result[0]["value"][1])

    def shown() -> bool:
        with classroom.visitor():
            return value() > 0

    wait_until(lambda: value() == 0, what=f"what others did is over: {asked}", timeout_s=WAIT_S)
    wait_until(shown, what=f"more than 0: {asked}", timeout_s=WAIT_S)


def test_the_dashboard_finds_the_reflector(prometheus: Prometheus, page: str) -> None:
    """By the query of its one variable."""
    (variable,) = dashboard()["templating"]["list"]
    found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
    assert found
    assert prometheus.ask(f"label/{found[2]}/values", **{"match[]": found[1]}) == [page]


def test_alerts_are_evaluated_and_one_fires(prometheus: Prometheus) -> None:
    """Two nodes announce the same pods: that is a problem, and an alert."""
    loaded = prometheus.ask("rules")["groups"]
    wait_until(
        lambda: all(
            rule["health"] == "ok"
            for group in prometheus.ask("rules")["groups"]
            for rule in group["rules"]
        ),
        what="every rule was evaluated",
        explain=lambda: json.dumps(prometheus.ask("rules"), indent=1),
    )
    assert sum(len(group["rules"]) for group in loaded) == len(rules())
    fires = 'ALERTS{alertname="Problems",kind="same-cidr",alertstate="firing"}'
    wait_until(lambda: prometheus.ask("query", query=fires)["result"], what="it fires")


def test_a_node_that_flaps_between_two_scrapes_is_told_of(
    prometheus: Prometheus, classroom: Classroom
) -> None:
    """The counter of its sessions has seen those that Prometheus has not."""
    restless = {"name": "restless", "source": "127.0.0.5"}
    sessions = 'bgp_reflector_peer_sessions_total{name="restless"}'
    with classroom.visitor(**restless):
        wait_until(
            lambda: prometheus.ask("query", query=f"{sessions} == 1")["result"],
            what="Prometheus has seen its first session",
            timeout_s=WAIT_S,
        )
    for _ in range(2):
        with classroom.visitor(**restless):
            pass
    with classroom.visitor(**restless):
        fires = 'ALERTS{alertname="SessionFlapping",name="restless",alertstate="firing"}'
        wait_until(
            lambda: prometheus.ask("query", query=fires)["result"],
            what="it fires",
            timeout_s=WAIT_S,
        )


def test_dashboard_is_well_formed() -> None:
    """As far as can be told without Grafana: ids, places, and the data source that there is."""
    shown = dashboard()
    (source,) = yaml.safe_load((DASHBOARDS.parent / "datasources" / "prometheus.yaml").read_text())[
        "datasources"
    ]
    panels = shown["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["title"]
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24  # Grafana's columns
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references) > 0
        for each in (panel, *panel["targets"]):
            assert each["datasource"] == {"type": source["type"], "uid": source["uid"]}
    for one, other in itertools.combinations((panel["gridPos"] for panel in panels), 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        ), (one, other)


def test_what_is_said_of_now_is_asked_of_now() -> None:
    """Else the last half hour's last value stands there when the reflector is down."""
    for panel in dashboard()["panels"]:
        if panel["type"] in ("stat", "table"):
            for target in panel["targets"]:
                assert target["instant"], panel["title"]
                assert not target["range"], panel["title"]


def test_colours_of_numbers_are_chosen() -> None:
    """Grafana shows every number from 80 on in red where nothing is said."""
    for panel in dashboard()["panels"]:
        if panel["type"] == "stat":
            defaults = panel["fieldConfig"]["defaults"]
            chosen = {"thresholds", "mappings"} & defaults.keys()
            assert chosen or defaults["color"]["mode"] == "fixed", panel["title"]


def test_a_whole_class_can_be_read() -> None:
    """A row for each of a hundred nodes, their names one over the other, is none: pages of them."""
    (timeline,) = (each for each in dashboard()["panels"] if each["type"] == "state-timeline")
    rows = timeline["options"]["perPage"]
    assert rows <= 2 * (timeline["gridPos"]["h"] - 3)


def test_tables_fit_a_window_of_1280_pixels() -> None:
    """Where Grafana's menu leaves 930 for the columns; 150 is the least width where none is said."""
    for panel in dashboard()["panels"]:
        if panel["type"] != "table":
            continue
        (organize,) = (each for each in panel["transformations"] if each["id"] == "organize")
        widths = [
            each["value"]
            for override in panel["fieldConfig"]["overrides"]
            for each in override["properties"]
            if each["id"] == "custom.width"
        ]
        least = panel["fieldConfig"]["defaults"].get("custom", {}).get("minWidth", 150)
        others = len(organize["options"]["indexByName"]) - len(widths)
        assert sum(widths) + others * least <= 930, panel["title"]


def test_grafana_asks_nobody_but_prometheus() -> None:
    """And does not depend on a network beyond this machine."""
    services = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]
    environment = services["grafana"]["environment"]
    assert all(isinstance(value, str) for value in environment.values())
    assert environment["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    off = {"PLUGINS_PREINSTALL_DISABLED", "PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED"}
    assert {environment[f"GF_{each}"] for each in off} == {"true"}
    asks = {"CHECK_FOR_UPDATES", "CHECK_FOR_PLUGIN_UPDATES", "REPORTING_ENABLED"}
    asks = {f"ANALYTICS_{each}" for each in asks} | {"NEWS_NEWS_FEED_ENABLED"}
    assert {environment[f"GF_{each}"] for each in asks} == {"false"}


def test_images_are_pinned_and_what_is_mounted_is_there() -> None:
    services = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]
    for name in ("prometheus", "grafana"):
        service = services[name]
        assert service["profiles"] == ["monitoring"]
        assert re.fullmatch(r".+:v?\d+\.\d+\.\d+", service["image"])
        for volume in service["volumes"]:
            host = volume.split(":")[0]
            assert not host.startswith("./") or (COMPOSE / host).exists(), host
