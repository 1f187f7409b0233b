"""A bgp-reflector in a process of its own, on a free port, for tests and rehearsals."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, Self

from reflector.sim import given
from reflector.sim.errors import DeadlineError, SimError
from reflector.sim.namespace import inside
from reflector.sim.transport import Address

_TAKEN: Final = "the port is taken"
_START_S: Final = 30.0
_STOP_S: Final = 5.0
_POLL_S: Final = 0.02
_ATTEMPTS: Final = 5
_SHOWN_LINES: Final = 40

# Where this package is, so that the process runs the same one.
_PACKAGE: Final = Path(__file__).resolve().parents[2]


class RunningReflector:
    """A `bgp-reflector run` in a process of its own. Use it in a `with` block.

    Args:
        arguments: Further ones for `bgp-reflector run`, such as "--config", FILE.
        host: Address to listen on.
        port: TCP port; 0 takes a free one.
        asn: Its AS number.
        router_id: Its BGP identifier.
        http: Where its page and API are, as "127.0.0.1:8179".
        netns: The network namespace that it runs in (Linux, root); None is the process's own. A port
            has to be named there.

    Attributes:
        host: Where it listens.
        port: Its TCP port.
        asn: Its AS number.
        router_id: Its BGP identifier.
        http: Where its page and API are, or "off".
        netns: The network namespace that it runs in, if it is not the process's own.
    """

    def __init__(
        self,
        *arguments: str,
        host: str = "127.0.0.1",
        port: int = 0,
        asn: int = 64512,
        router_id: str = "192.0.2.254",
        http: str = "off",
        netns: str | None = None,
    ) -> None:
        self.host = str(given.address("host", host))
        self.port = given.number("port", port, 0, 65535)
        self.asn = asn
        self.router_id = router_id
        self.http = http
        self.netns = netns
        self._any_port = port == 0
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = tempfile.TemporaryDirectory(prefix="bgp-reflector-")

    @property
    def address(self) -> Address:
        """Address and port, as `connect` takes them."""
        return self.host, self.port

    @property
    def control_socket(self) -> Path:
        """Where `bgp-reflector show --socket` asks it."""
        return Path(self._directory.name, "control")

    @property
    def pid(self) -> int:
        """Its process id.

        Raises:
            SimError: It does not run.
        """
        if self._process is None:
            raise SimError("the reflector does not run")
        return self._process.pid

    @property
    def log(self) -> str:
        """Everything that it has printed."""
        path = Path(self._directory.name, "log")
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start it, again if it was stopped, and wait until it listens.

        Raises:
            SimError: It does not start; with what it printed.
        """
        for _ in range(_ATTEMPTS):
            if self._any_port and self._process is None:
                self.port = free_port(self.host)
            self._spawn()
            if self._listens():
                return
            if not self._any_port or _TAKEN not in self.log:
                break
            self.kill()
            self._process = None  # somebody was quicker: another port
        raise SimError(f"the reflector does not start:\n{self._tail()}")

    def show(self, *what: str) -> dict[str, Any]:
        """Ask it, as `bgp-reflector show WHAT --json` does.

        Args:
            what: As in "neighbors" or "routes", "10.1.0.0/24".

        Raises:
            SimError: It gives no answer, or has no such thing.
        """
        command = (*_command("show", *what), "--json", "--socket", str(self.control_socket))
        done = subprocess.run(  # noqa: S603 - this package itself
            command, capture_output=True, text=True, check=False, env=self._environment()
        )
        if done.returncode:
            raise SimError(done.stderr.strip())
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def reload(self) -> None:
        """Have it read its configuration again (SIGHUP)."""
        os.kill(self.pid, signal.SIGHUP)

    def kill(self) -> None:
        """End it without a word (SIGKILL); `start` brings it back on the same port."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it with a word to every peer (SIGTERM)."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def close(self) -> None:
        """Stop it and remove its files."""
        self.stop()
        self._directory.cleanup()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<bgp-reflector in AS {self.asn} at {self.host} port {self.port}>"

    def _spawn(self) -> None:
        arguments = (
            *("--listen", self.host, "--port", str(self.port), "--asn", str(self.asn)),
            *("--router-id", self.router_id, "--socket", str(self.control_socket)),
            *("--http", self.http),
        )
        with Path(self._directory.name, "log").open("wb") as log:

            def spawn() -> subprocess.Popen[bytes]:
                return subprocess.Popen(  # noqa: S603 - this package itself
                    _command("run", *arguments, *self._arguments),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self._environment(),
                    process_group=0,  # a Ctrl-C is whose process started this one to act upon
                )

            self._process = spawn() if self.netns is None else inside(self.netns, spawn)

    def _environment(self) -> dict[str, str]:
        """The same package, and neither peers nor a configuration of this machine's own."""
        environment = {**os.environ, "STATE_DIRECTORY": self._directory.name}
        environment.pop("BGP_REFLECTOR_CONFIG", None)
        paths = [str(_PACKAGE), *environment.get("PYTHONPATH", "").split(os.pathsep)]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        return environment

    def _listens(self) -> bool:
        deadline = time.monotonic() + _START_S
        while self._process is not None and self._process.poll() is None:
            if self._answers():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return False

    def _answers(self) -> bool:
        """Whether it answers who asks: that is the last that it opens, and needs no word in the log."""
        with socket.socket(socket.AF_UNIX) as asking:
            try:
                asking.connect(str(self.control_socket))
            except OSError:
                return False
        return True

    def _tail(self) -> str:
        return "\n".join(self.log.splitlines()[-_SHOWN_LINES:])


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port of this machine that nothing listens on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_listening(host: str, port: int, *, deadline_s: float = _START_S) -> None:
    """Wait until a speaker that was just started takes connections; makes one to find out.

    Raises:
        DeadlineError: It does not in time.
    """
    deadline = time.monotonic() + deadline_s
    while True:
        try:
            socket.create_connection((host, port), deadline_s).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise DeadlineError(
                    f"nothing listens on {host} port {port} after {deadline_s:g} s: {error.strerror}"
                ) from None
            time.sleep(_POLL_S)
        else:
            return


def _command(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "reflector", *words)
