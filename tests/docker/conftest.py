"""A Docker engine of the tests' own, and a checkout whose compose file it runs.

The engine has its own socket, data and network, so it neither sees nor disturbs one that is already
there, nor whatever has this machine's port 179: `network_mode: host` is a namespace, whose way out is
a process (slirp4netns). It is the first of its own process ids, so that no container outlives it,
whatever ends it. Its only image is the Debian 13 root that .ci/install made: nothing is pulled from
anywhere.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.course import COURSE_BGPD_CONF
from tests.support.left_over import LARGE_FILES
from tests.support.netns import (
    create_namespace,
    delete_namespace,
    ip,
    require_namespaces,
)
from tests.support.process import (
    BackgroundProcess,
    QueryError,
    find_binary,
    in_netns,
    query,
    require_root,
    skip_or_fail,
    wait_until,
)

REPOSITORY: Final = Path(__file__).resolve().parents[2]
BASE_IMAGE: Final = "debian:trixie-slim"
CONTAINER: Final = "bgp-reflector"
BUILD_TIMEOUT_S: Final = 240.0
START_TIMEOUT_S: Final = 30.0
DOCKERD_TIMEOUT_S: Final = 60.0

# The cable from the engine's network, which the service uses, to a node's. Not 127.0.0.0/8:
# GoBGP takes no next hop from there.
CABLE: Final = "node"
HOST_ADDRESS: Final = "198.18.179.1"
NODE_ADDRESS: Final = "198.18.179.2"


@dataclass(frozen=True)
class Engine:
    """A running dockerd, and the namespace that is its machine's network."""

    socket: Path
    netns: str

    def docker(self, *arguments: str, timeout_s: float = 30.0) -> str:
        """Run `docker` and return what it printed.

        Raises:
            QueryError: It failed.
        """
        return query(
            [find_binary("docker"), "--host", f"unix://{self.socket}", *arguments],
            timeout_s=timeout_s,
        )

    def inspect(self, what: str) -> Any:  # noqa: ANN401 - JSON is anything
        """Return `docker inspect` of a container or an image."""
        return json.loads(self.docker("inspect", what))[0]

    def listeners(self) -> str:
        """Return what listens on port 179 of its machine, empty if nothing does."""
        return query([*in_netns(self.netns), find_binary("ss"), "-Hltn", "sport", "=", ":179"])


@dataclass(frozen=True)
class Project:
    """A folder with a compose file, as someone would stand in it.

    Args:
        engine: Where it runs.
        directory: The folder.
        file: The compose file, where it has not the usual name.
    """

    engine: Engine
    directory: Path
    file: str = ""

    def compose(self, *arguments: str, timeout_s: float = 30.0) -> str:
        """Run `docker compose` there and return what it printed."""
        file = ("--file", str(self.directory / self.file)) if self.file else ()
        where = ("--project-directory", str(self.directory))
        return self.engine.docker("compose", *where, *file, *arguments, timeout_s=timeout_s)

    def up(self) -> None:
        """`docker compose up`, and wait until it listens."""
        self.compose("up", "--detach", timeout_s=BUILD_TIMEOUT_S)
        wait_until(
            self.engine.listeners,
            what="the service listens on port 179",
            timeout_s=START_TIMEOUT_S,
            explain=self.explain,
        )

    def down(self) -> None:
        """`docker compose down`."""
        self.compose("down")

    def explain(self) -> str:
        """Return what helps to understand a failure."""
        health = self.engine.inspect(CONTAINER)["State"].get("Health")
        return (
            f"{self.compose('logs', '--no-color', '--tail', '30')}\n{json.dumps(health, indent=1)}"
        )


def base_image_tarball() -> Path:
    """Return the Debian 13 root that .ci/install packed."""
    root = os.environ.get("BGP_REFLECTOR_CI_ROOT", "/var/cache/bgp-reflector-ci/trixie")
    tarball = Path(f"{root}.tar")
    if not tarball.exists():
        skip_or_fail(f"{tarball} is not there (.ci/install makes it)")
    return tarball


@contextmanager
def _way_out(netns: str, log_path: Path) -> Iterator[None]:
    """Let a namespace reach what this machine reaches, and change nothing of the machine."""
    process = BackgroundProcess(
        "slirp4netns",
        [
            *(find_binary("slirp4netns"), "--configure", "--mtu=65520", "--disable-host-loopback"),
            *("--netns-type=path", f"/run/netns/{netns}", "out0"),
        ],
        log_path=log_path,
    )
    try:
        wait_until(
            lambda: "default" in ip("route", netns=netns),
            what="the namespace has a way out",
            explain=process.log_tail,
        )
        yield
    finally:
        process.stop()


@contextmanager
def _dockerd(engine: Engine, directory: Path) -> Iterator[None]:
    """Run the engine until its end, which is the end of every container."""
    process = BackgroundProcess(
        "dockerd",
        [
            # Not `ip netns exec`, in whose /sys there are no control groups.
            *(find_binary("nsenter"), f"--net=/run/netns/{engine.netns}"),
            *(find_binary("unshare"), "--pid", "--fork", "--kill-child", "--mount-proc"),
            *(find_binary("dockerd"), "--host", f"unix://{engine.socket}"),
            *("--data-root", str(directory / "data"), "--exec-root", str(directory / "exec")),
            *("--pidfile", str(directory / "pid")),
            *("--bridge", "none", "--iptables=false", "--ip6tables=false"),
        ],
        log_path=directory / "log",
    )
    try:
        wait_until(
            lambda: engine.docker("version"),
            what="dockerd answers",
            timeout_s=DOCKERD_TIMEOUT_S,
            explain=process.log_tail,
        )
        yield
    finally:
        process.stop(timeout_s=20)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Start dockerd with nothing but the base image."""
    require_root()
    require_namespaces()
    for needed in ("docker", "dockerd", "slirp4netns"):
        find_binary(needed)
    tarball = base_image_tarball()
    netns = create_namespace("docker")
    # Not pytest's own folder: that is kept after the run, and image layers are large.
    directory = Path(tempfile.mkdtemp(prefix=f"{netns}-", dir=LARGE_FILES))
    engine = Engine(directory / "socket", netns)
    try:
        with _way_out(netns, directory / "out.log"), _dockerd(engine, directory):
            try:
                engine.docker("compose", "version")
            except QueryError as error:
                skip_or_fail(f"no docker compose (.ci/install fetches it): {error}")
            engine.docker("import", str(tarball), BASE_IMAGE, timeout_s=BUILD_TIMEOUT_S)
            yield engine
    finally:
        delete_namespace(netns)
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def checkout(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return compose/ in a copy of this checkout, without anybody's own configuration in it."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("compose", "config", "reflector", "requirements"):
        shutil.copytree(
            REPOSITORY / name,
            copy / name,
            ignore=shutil.ignore_patterns("__pycache__", "bgpd.conf"),
        )
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, copy / name)
    (copy / "compose" / "conf" / "reflector.yaml").unlink(missing_ok=True)
    return Project(engine, copy / "compose")


@pytest.fixture(scope="session")
def image(checkout: Project) -> Any:  # noqa: ANN401 - JSON is anything
    """Build the image and return what `docker inspect` says of it."""
    checkout.compose("build", "--quiet", timeout_s=BUILD_TIMEOUT_S)
    return checkout.engine.inspect("bgp-reflector:latest")


@pytest.fixture
def course(engine: Engine, tmp_path: Path) -> Project:
    """Return a course checkout: FRR's conf/, and our compose file in the place of FRR's."""
    directory = tmp_path / "course"
    (directory / "conf").mkdir(parents=True)
    (directory / "conf" / "bgpd.conf").write_text(COURSE_BGPD_CONF)
    (directory / "conf" / "daemons").write_text("bgpd=yes\n")
    (directory / "conf" / "vtysh.conf").write_text("service integrated-vtysh-config\n")
    shutil.copy(REPOSITORY / "compose" / "compose.yaml", directory / "docker-compose.yml")
    return Project(engine, directory)


@contextmanager
def running(project: Project) -> Iterator[None]:
    """`docker compose up` and, whatever happens, `docker compose down`."""
    try:
        project.up()
        yield
    finally:
        project.down()


@pytest.fixture(scope="session")
def node_netns(engine: Engine) -> Iterator[str]:
    """Return the namespace of a node that is cabled to the engine's machine."""
    netns = create_namespace("docker-node")
    try:
        ip(
            *("link", "add", CABLE, "type", "veth", "peer", "name", "eth0", "netns", netns),
            netns=engine.netns,
        )
        ip("addr", "add", f"{HOST_ADDRESS}/30", "dev", CABLE, netns=engine.netns)
        ip("link", "set", CABLE, "up", netns=engine.netns)
        ip("addr", "add", f"{NODE_ADDRESS}/30", "dev", "eth0", netns=netns)
        ip("link", "set", "eth0", "up", netns=netns)
        yield netns
    finally:
        delete_namespace(netns)
