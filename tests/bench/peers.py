"""How each reflector is started on loopback: ours, four other daemons, and the hub.

Each is configured alike: AS 64512, any client from 127.0.0.0/8, all of them route reflector
clients, IPv4 and IPv6 on one session. Newer daemons than the machine's own may live in another
root directory (``BENCH_PEER_ROOT``), where they are started with chroot.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ADDRESS = "127.0.0.1"
_STOP_TIMEOUT_S = 10

_FRR = """\
frr defaults traditional
hostname frr
log file {dir}/log
router bgp 64512
 bgp router-id 10.255.0.1
 bgp log-neighbor-changes
 neighbor kube peer-group
 neighbor kube remote-as 64512
 bgp listen limit 5000
 bgp listen range 0.0.0.0/0 peer-group kube
 address-family ipv4 unicast
  network 1.0.0.2/32
  neighbor kube activate
  neighbor kube route-reflector-client
 exit-address-family
 address-family ipv6 unicast
  neighbor kube activate
  neighbor kube route-reflector-client
 exit-address-family
"""

_BIRD = """\
router id 10.255.0.1;
log "{dir}/log" all;
protocol device {{ }}
protocol bgp kube {{
  local 127.0.0.1 port {port} as 64512;
  neighbor range 127.0.0.0/8 as 64512;
  dynamic name "d";
  rr client;
  passive;
  multihop;
  ipv4 {{ import all; export all; next hop keep; gateway recursive; }};
  ipv6 {{ import all; export all; next hop keep; gateway recursive; }};
}}
"""

_GOBGP = """\
[global.config]
  as = 64512
  router-id = "10.255.0.1"
  port = {port}
  local-address-list = ["127.0.0.1"]
[[peer-groups]]
  [peer-groups.config]
    peer-group-name = "kube"
    peer-as = 64512
  [peer-groups.route-reflector.config]
    route-reflector-client = true
    route-reflector-cluster-id = "10.255.0.1"
  [[peer-groups.afi-safis]]
    [peer-groups.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[peer-groups.afi-safis]]
    [peer-groups.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
[[dynamic-neighbors]]
  [dynamic-neighbors.config]
    prefix = "127.0.0.0/8"
    peer-group = "kube"
"""

_OPENBGPD = """\
AS 64512
router-id 10.255.0.1
fib-update no
nexthop qualify via default
listen on 127.0.0.1 port {port}
socket "{dir}/control"
neighbor 127.0.0.0/8 {{
  remote-as 64512
  passive
  route-reflector
  announce IPv4 unicast
  announce IPv6 unicast
}}
allow from any
allow to any
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """A reflector that can be started.

    Attributes:
        name: As options and tables name it.
        title: As the report writes it.
        program: Its executable, to be found before anything runs.
        argv: The command line, with ``{dir}`` and ``{port}`` still to be filled in.
        config: Its configuration file, likewise; empty if it takes none.
        config_name: The file's name, whose suffix some daemons mind.
        owner: The user that its directory must belong to.
        needs: A directory that must exist before it starts.
        version_argv: Prints its version.
        knows_routes: False for the hub, which adds no ORIGINATOR_ID and keeps nothing.
        in_root: Whether it may live in the other root directory.
    """

    name: str
    title: str
    program: str
    argv: tuple[str, ...]
    config: str = ""
    config_name: str = "config"
    owner: str = ""
    needs: str = ""
    version_argv: tuple[str, ...] = ()
    knows_routes: bool = True
    in_root: bool = True


def _ours() -> Peer:
    run = (sys.executable, "-m", "reflector", "run", "--listen", ADDRESS, "--port", "{port}")
    return Peer("ours", "bgp-reflector", sys.executable, run, in_root=False)


def _hub(hub: Path) -> Peer:
    argv = (str(hub), ADDRESS, "{port}")
    return Peer("hub", "hub (limit)", str(hub), argv, knows_routes=False, in_root=False)


_FRR_ARGV = (
    *("/usr/lib/frr/bgpd", "-f", "{dir}/bgpd.conf", "-p", "{port}", "-l", ADDRESS),
    *("--no_kernel", "--no_zebra", "-i", "{dir}/pid", "-z", "{dir}/z"),
    *("--vty_socket", "{dir}", "-P", "0"),
)
_DAEMONS = (
    Peer(
        name="frr",
        title="FRR",
        program="/usr/lib/frr/bgpd",
        argv=_FRR_ARGV,
        config=_FRR,
        config_name="bgpd.conf",
        owner="frr",
        version_argv=("/usr/lib/frr/bgpd", "--version"),
    ),
    Peer(
        name="bird",
        title="BIRD",
        program="/usr/sbin/bird",
        argv=("/usr/sbin/bird", "-f", "-c", "{dir}/config", "-s", "{dir}/control"),
        config=_BIRD,
        needs="/run/bird",
        version_argv=("/usr/sbin/bird", "--version"),
    ),
    Peer(
        name="gobgp",
        title="GoBGP",
        program="/usr/bin/gobgpd",
        argv=(
            *("/usr/bin/gobgpd", "-f", "{dir}/config.toml", "--log-level", "warn"),
            *("--api-hosts", "unix://{dir}/api", "--pprof-disable"),
        ),
        config=_GOBGP,
        config_name="config.toml",
        version_argv=("/usr/bin/gobgpd", "--version"),
    ),
    Peer(
        name="openbgpd",
        title="OpenBGPD",
        program="/usr/sbin/bgpd",
        argv=("/usr/sbin/bgpd", "-d", "-f", "{dir}/config"),
        config=_OPENBGPD,
        needs="/run/openbgpd",
        version_argv=("/usr/sbin/bgpd", "-V"),
    ),
)


def all_peers(hub: Path) -> tuple[Peer, ...]:
    """Everything that can be measured, ours first and the limit last.

    Args:
        hub: The compiled hub.

    Returns:
        One entry an implementation, installed or not.
    """
    return (_ours(), *_DAEMONS, _hub(hub))


@dataclass(frozen=True, slots=True)
class Site:
    """Where daemons live: the machine itself or another root directory.

    Attributes:
        root: The other root directory, None for the machine itself.
    """

    root: Path | None = None

    def of(self, peer: Peer) -> Path:
        """The root directory that a peer runs in."""
        return self.root if self.root and peer.in_root else Path("/")

    def host_path(self, peer: Peer, path: str) -> Path:
        """Where a path inside the peer's root lies on this machine."""
        return self.of(peer) / path.lstrip("/")

    def argv(self, peer: Peer, argv: tuple[str, ...]) -> list[str]:
        """A command line that runs inside the peer's root."""
        root = self.of(peer)
        return [*argv] if root == Path("/") else ["chroot", str(root), *argv]

    def absent(self, peer: Peer) -> str:
        """Why a peer cannot run here; empty if it can."""
        program = self.host_path(peer, peer.program)
        return "" if os.access(program, os.X_OK) else f"no {program}"

    def version(self, peer: Peer) -> str:
        """A peer's version, as it prints it."""
        if not peer.version_argv:
            return _own_version() if peer.knows_routes else ""
        argv = self.argv(peer, peer.version_argv)
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
        found = re.search(r"\d+\.\d+[.\w]*", done.stdout + done.stderr)
        return found.group() if found else "unknown"


def _own_version() -> str:
    try:
        return metadata.version("bgp-reflector")
    except metadata.PackageNotFoundError:
        return "working tree"


@dataclass(frozen=True, slots=True)
class Running:
    """A started reflector."""

    process: subprocess.Popen[bytes]
    port: int
    directory: Path
    log: Path


def _prepare(peer: Peer, site: Site, directory: Path, port: int) -> list[str]:
    """Writes the configuration; returns the command line."""
    root = site.of(peer)
    inside = "/" + str(directory.relative_to(root))
    fill = {"dir": inside, "port": str(port)}
    if peer.config:
        config = directory / peer.config_name
        config.write_text(peer.config.format(**fill))
        config.chmod(0o600)
    if peer.needs:
        site.host_path(peer, peer.needs).mkdir(parents=True, exist_ok=True)
    if peer.owner:
        chown = site.argv(peer, ("chown", "-R", f"{peer.owner}:", inside))
        subprocess.run(chown, check=True)
    return site.argv(peer, tuple(part.format(**fill) for part in peer.argv))


@contextlib.contextmanager
def running(
    peer: Peer, site: Site, port: int, before_start: Callable[[], None] | None = None
) -> Iterator[Running]:
    """Runs a reflector for as long as the context lasts.

    Args:
        peer: Which.
        site: Where it lives.
        port: The port it shall listen on.
        before_start: Called immediately before it is executed.

    Yields:
        Its process and where its log is.
    """
    parent = site.host_path(peer, "/tmp")  # noqa: S108 # daemons need a short path for sockets
    parent.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    directory.chmod(0o755)
    log = directory / "output"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("exabgp")}
    try:
        argv = _prepare(peer, site, directory, port)
        with log.open("wb") as output:
            if before_start:
                before_start()
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )
        try:
            yield Running(process, port, directory, log)
        finally:
            _stop(process)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the process group that was started, in order or else by force."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
