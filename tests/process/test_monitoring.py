"""compose/monitoring: a real promtool judges it, a real Prometheus scrapes a reflector with it.

Grafana is not started: of its dashboard, the form and every query are tested.
"""

from __future__ import annotations

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


@pytest.fixture(scope="module")
def page(directory: Path) -> Iterator[str]:
    """Run a reflector with two nodes that announce the same; gives where its metrics are."""
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
            yield web
    finally:
        reflector.stop()


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


def test_every_query_of_the_dashboard_gives_data(prometheus: Prometheus, page: str) -> None:
    for title, expression in targets():
        asked = expression.replace("$instance", page).replace("$__rate_interval", WINDOW)
        assert "$" not in asked
        wait_until(
            lambda asked=asked: prometheus.ask("query", query=asked)["result"],  # type: ignore[misc]
            what=f"{title} has data: {asked}",
            timeout_s=WAIT_S,
        )


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


def test_images_are_pinned_and_what_is_mounted_is_there() -> None:
    services = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]
    for name in ("prometheus", "grafana"):
        service = services[name]
        assert service["profiles"] == ["monitoring"]
        assert re.fullmatch(r".+:v?\d+\.\d+\.\d+", service["image"])
        for volume in service["volumes"]:
            host = volume.split(":")[0]
            assert not host.startswith("./") or (COMPOSE / host).exists(), host
