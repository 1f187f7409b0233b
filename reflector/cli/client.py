"""Asks a running reflector, over HTTP on its control socket. Standard library only: it is to be quick."""

import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from reflector.cli.errors import CommandError
from reflector.observe.server.paths import likely_sockets

# A reflector answers within a turn of its loop; one that doesn't is hung.
_TIMEOUT_S: Final = 5.0
_OK: Final = 200
_NOT_FOUND: Final = 404
_PIECE_BYTES: Final = 1 << 20


class ClientError(CommandError):
    """There is no answer; the message says why in one sentence."""


class NotFoundError(ClientError, LookupError):
    """The reflector doesn't know what was asked for."""


class _Answer(dict[str, Any]):
    """What was answered: whoever looks for a key that isn't there is told so in a sentence."""

    def __missing__(self, key: str) -> object:
        raise ClientError(
            f"what answers does not tell its {key}: it is no bgp-reflector, or one of another version than "
            "this command"
        )


class Client:
    """Asks one reflector.

    Args:
        given: The socket that was given on the command line; None to look for one.
        timeout_s: The longest to wait for an answer; None to wait for as long as it takes.
    """

    def __init__(self, given: Path | None, timeout_s: float | None = _TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        configured = os.environ.get("BGP_REFLECTOR_SOCKET")
        if given is not None:
            self._paths: Sequence[Path] = [given]
        elif configured:
            self._paths = [Path(configured)]
        else:
            self._paths = likely_sockets()

    def get(self, *path: str, **query: str) -> dict[str, Any]:
        """Ask for a view.

        Args:
            path: Below /api/v1, part by part.
            query: What follows the question mark.

        Raises:
            ClientError: Nothing runs, or it doesn't answer.
            NotFoundError: It runs and has no such thing.
        """
        target = "/api/v1/" + "/".join(quote(part, safe="") for part in path)
        return self._ask("GET", f"{target}?{urlencode(query)}" if query else target)

    def post(self, *path: str, **body: object) -> dict[str, Any]:
        """Give an order.

        Args:
            path: Below /api/v1, part by part.
            body: What it says.

        Raises:
            ClientError: Nothing runs, or the order can't be carried out.
            NotFoundError: There is no such peer or cluster.
        """
        target = "/api/v1/" + "/".join(quote(part, safe="") for part in path)
        return self._ask("POST", target, json.dumps(body))

    def lines(self, *path: str, **query: str) -> Iterator[bytes]:
        """Ask for what comes line by line, as it comes.

        Args:
            path: Below /api/v1, part by part.
            query: What follows the question mark.

        Raises:
            ClientError: Nothing runs, or it doesn't answer.
        """
        target = "/api/v1/" + "/".join(quote(part, safe="") for part in path)
        with self._asked(f"{target}?{urlencode(query)}") as response:
            if response.status != _OK:
                self._refuse(response.status, _read(response))
            with suppress(OSError, HTTPException):  # it ends when the reflector does
                while line := response.readline():
                    yield line

    def health(self) -> dict[str, Any]:
        """Ask whether it is up.

        Raises:
            ClientError: It isn't.
        """
        return self._ask("GET", "/healthz")

    def read(self, *path: str) -> Iterator[bytes]:
        """Ask for what is no JSON, and read it piece by piece.

        Args:
            path: Below /api/v1, part by part.

        Raises:
            ClientError: Nothing runs, or it doesn't answer.
            NotFoundError: It runs and has no such thing.
        """
        with self._asked("/api/v1/" + "/".join(quote(part, safe="") for part in path)) as response:
            if response.status != _OK:
                self._refuse(response.status, _read(response))
            while piece := response.read(_PIECE_BYTES):
                yield piece

    def _ask(self, method: str, target: str, body: str | None = None) -> dict[str, Any]:
        with self._asked(target, method, body) as response:
            answer = _read(response)
        self._refuse(response.status, answer)
        return answer

    @contextmanager
    def _asked(
        self, target: str, method: str = "GET", body: str | None = None
    ) -> Iterator[HTTPResponse]:
        """A question, and its answer while it is read."""
        connection = HTTPConnection("localhost", timeout=self._timeout_s)
        connection.sock = self._connect()
        try:
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, target, body, headers)
            yield connection.getresponse()
        except (OSError, HTTPException, ValueError) as error:
            raise ClientError(f"the reflector gave no answer: {error}") from error
        finally:
            connection.close()

    @staticmethod
    def _refuse(status: int, answer: dict[str, Any]) -> None:
        if status == _NOT_FOUND:
            raise NotFoundError(answer["error"])
        if status != _OK:
            raise ClientError(f"the reflector refused: {answer.get('error', status)}")

    def _connect(self) -> socket.socket:
        forbidden: Path | None = None
        for path in self._paths:
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(self._timeout_s)
            try:
                sock.connect(str(path))
            except OSError as error:
                sock.close()
                if isinstance(error, PermissionError):
                    forbidden = path
                continue
            return sock
        if forbidden is not None:
            raise ClientError(f"no permission to ask the reflector at {forbidden}: try with sudo")
        tried = " or ".join(map(str, self._paths))
        raise ClientError(
            f"no reflector is running here: nothing answers at {tried} "
            "(start one with `bgp-reflector run`, or name its socket with --socket)"
        )


def _read(response: HTTPResponse) -> _Answer:
    answer = json.loads(response.read())
    if not isinstance(answer, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - as other answers that can't be read
    return _Answer(answer)
