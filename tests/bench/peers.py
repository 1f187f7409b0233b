"""How each reflector is started on loopback: ours, four other daemons, and the hub.

Each is configured alike: AS 64512, any client from 127.0.0.0/8, all of them route reflector
clients, IPv4 and IPv6 on one session. Newer daemons than the machine's own may live in another
root directory (``BENCH_PEER_ROOT``), where they are started with chroot. So may ours, as the image
has it, with Debian's Python (``BENCH_IMAGE_ROOT``: what `docker export` of the image unpacks to).
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ADDRESS = "127.0.0.1"
_STOP_TIMEOUT_S = 10
_IPV6 = 6

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
{ipv6}"""

# Apart: FRR 10 without zebra refuses a session that negotiates IPv6 over IPv4.
_FRR_IPV6 = """\
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
        generator_options: What the load generator must tolerate of it.
        ipv6: Added to the configuration for loads of IPv6 routes.
        root: The root directory that it lives in.
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
    generator_options: tuple[str, ...] = ()
    ipv6: str = ""
    root: Path = Path("/")

    @property
    def knows_routes(self) -> bool:
        """False for the hub, which adds no ORIGINATOR_ID and keeps nothing."""
        return "--hub" not in self.generator_options

    def host_path(self, path: str) -> Path:
        """Where a path of its own lies on this machine."""
        return self.root / path.lstrip("/")

    def command(self, *argv: str) -> list[str]:
        """A command line that runs inside its root directory."""
        return [*argv] if self.root == Path("/") else ["chroot", str(self.root), *argv]

    def absent(self) -> str:
        """Why it cannot run here; empty if it can."""
        program = self.host_path(self.program)
        return "" if os.access(program, os.X_OK) else f"no {program}"

    def version(self) -> str:
        """Its version, as it prints it; empty for the hub."""
        if not self.version_argv:
            return ""
        argv = self.command(*self.version_argv)
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
        found = re.search(r"\d+\.\d+[.\w]*( on .*)?", done.stdout + done.stderr)
        return found.group() if found else "unknown"


def _ours(image: Path | None) -> tuple[Peer, ...]:
    here = _ours_on(sys.executable)
    if image is None:
        return (here,)
    there = replace(_ours_on("/opt/bgp-reflector/bin/python"), root=image)
    title = f"{here.title} (Python {platform.python_version()})"
    return there, replace(here, name="ours-host", title=title)


def _ours_on(python: str) -> Peer:
    version = (
        "import platform, reflector;"
        "print(reflector.__version__, 'on', platform.python_implementation(),"
        " platform.python_version())"
    )
    return Peer(
        name="ours",
        title="bgp-reflector",
        program=python,
        argv=(
            *(python, "-m", "reflector", "run", "--listen", ADDRESS, "--port", "{port}"),
            *("--log-level", "warning", "--socket", "{dir}/control", "--http", "off"),
        ),
        version_argv=(python, "-c", version),
    )


def _hub(hub: Path) -> Peer:
    argv = (str(hub), ADDRESS, "{port}")
    return Peer("hub", "hub (limit)", str(hub), argv, generator_options=("--hub",))


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
        ipv6=_FRR_IPV6,
        generator_options=("--ignore-med-zero",),  # it sends a MED of 0 where there was none
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


def all_peers(hub: Path, root: Path | None = None, image: Path | None = None) -> tuple[Peer, ...]:
    """Everything that can be measured, ours first and the limit last.

    Args:
        hub: The compiled hub.
        root: Another root directory, whose daemons are preferred. The machine's own are then
            there too, with ``-host`` behind their names.
        image: Our unpacked image, likewise.

    Returns:
        One entry an implementation, installed or not.
    """
    daemons: list[Peer] = []
    for own in _DAEMONS:
        moved = replace(own, root=root) if root else own
        if moved is own or moved.absent():
            daemons.append(own)
            continue
        daemons.append(moved)
        if not own.absent():
            daemons.append(replace(own, name=f"{own.name}-host", title=f"{own.title} (host)"))
    return (*_ours(image), *daemons, _hub(hub))


@dataclass(frozen=True, slots=True)
class Running:
    """A started reflector."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path


def _prepare(peer: Peer, directory: Path, port: int, family: int) -> list[str]:
    """Writes the configuration; returns the command line."""
    inside = "/" + str(directory.relative_to(peer.root))
    fill = {"dir": inside, "port": str(port), "ipv6": peer.ipv6 if family == _IPV6 else ""}
    if peer.config:
        config = directory / peer.config_name
        config.write_text(peer.config.format(**fill))
        config.chmod(0o600)
    if peer.needs:
        peer.host_path(peer.needs).mkdir(parents=True, exist_ok=True)
    if peer.owner:
        subprocess.run(peer.command("chown", "-R", f"{peer.owner}:", inside), check=True)
    return peer.command(*(part.format(**fill) for part in peer.argv))


@contextlib.contextmanager
def running(
    peer: Peer, port: int, family: int, before_start: Callable[[], None] | None = None
) -> Iterator[Running]:
    """Runs a reflector for as long as the context lasts.

    Args:
        peer: Which.
        port: The port it shall listen on.
        family: 4 or 6: of the routes that it will carry.
        before_start: Called immediately before it is executed.

    Yields:
        Its process and where its log is.
    """
    parent = peer.host_path("/tmp")  # noqa: S108 - daemons need a short path for sockets
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    directory.chmod(0o755)
    log = directory / "output"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("exabgp")}
    inside = "/" + str(directory.relative_to(peer.root))
    environment["STATE_DIRECTORY"] = inside  # ours would redial the last round's clients
    try:
        argv = _prepare(peer, directory, port, family)
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
            yield Running(process, port, log)
        finally:
            _stop(process)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the process group that was started, in order or else by force."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_TIMEOUT_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
