"""A ping that runs while something happens, and how many answers it missed."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Final

from tests.support.netns import Host
from tests.support.process import BackgroundProcess, find_binary, wait_until

INTERVAL_S: Final = 0.02
# As it prints them: one line for each answer, and a summary at SIGINT.
_ANSWER: Final = "bytes from"
_SUMMARY: Final = re.compile(r"(\d+) packets transmitted, (\d+) received")


class Pinging:
    """Fifty pings a second from one host's pod to another's, until it is stopped.

    Args:
        source: The host behind whose pod it runs.
        target: The host whose pod answers.
        directory: For its output.
    """

    def __init__(self, source: Host, target: Host, directory: Path) -> None:
        self.name = f"{source.pod_address} to {target.pod_address}"
        if source.pod_netns is None or target.pod_address is None:
            raise AssertionError(self.name)
        ping = (find_binary("ping"), "-n", "-i", str(INTERVAL_S), target.pod_address)
        log_path = directory / f"ping-{source.pod_address}-{target.pod_address}"
        log_path.unlink(missing_ok=True)  # an earlier one's summary would be taken for this one's
        self._process = BackgroundProcess(
            f"ping {self.name}",
            ping,
            log_path=log_path,
            netns=source.pod_netns,
        )
        wait_until(
            lambda: _ANSWER in self._process.log(),
            what="pings are answered",
            explain=self._process.log_tail,
        )

    def stop(self) -> tuple[int, int]:
        """End it; returns how many pings went out and how many came back."""
        try:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout_s=30)
            summary = _SUMMARY.search(self._process.log())
            assert summary, self._process.log_tail()
            return int(summary[1]), int(summary[2])
        finally:
            self._process.kill()
