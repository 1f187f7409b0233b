"""What stands in the reflector's place: ours as it comes and without its redial, FRR with and without a setting."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from tests.kube_router.setting import REFLECTOR, SECOND
from tests.support.reference import FrrReflector
from tests.support.reflector_process import Reflector, ReflectorProcess, ReflectorSettings


class Configured(ReflectorProcess):
    """Ours, with a configuration file.

    Args:
        settings: Where it runs.
        yaml: The file.
    """

    def __init__(self, settings: ReflectorSettings, yaml: str) -> None:
        super().__init__(settings)
        self._yaml = yaml

    def command(self) -> list[str]:
        """Write the file and return the command line."""
        file = self.settings.directory / "reflector.yaml"
        file.write_text(self._yaml)
        return [*super().command(), "--config", str(file)]


class GracefulFrr(FrrReflector):
    """FRR that offers graceful restart, and says that it kept its forwarding state (RFC 4724 3, F bit)."""

    kind = "frr with bgp graceful-restart"

    def command(self) -> list[str]:
        """Write bgpd.conf and return the command line."""
        command = super().command()
        config = self.settings.directory / "bgpd.conf"
        graceful = " bgp graceful-restart\n bgp graceful-restart preserve-fw-state\n"
        config.write_text(config.read_text().replace(" bgp router-id", f"{graceful} bgp router-id"))
        return command


REFLECTORS: Final[dict[str, Callable[[ReflectorSettings], Reflector]]] = {
    "ours": ReflectorProcess,
    "no-redial": lambda settings: Configured(settings, "redial: false\n"),
    "frr": FrrReflector,
    "frr-graceful": GracefulFrr,
}


def _one_of_two(own: str, other: str) -> Callable[[ReflectorSettings], Reflector]:
    """As config/two-reflectors-a.yaml has it."""
    yaml = f"router-id: {own}\ncluster-id: {own}\nneighbors:\n  - address: {other}\n    client: false\n"
    return partial(Configured, yaml=yaml)


TWO: Final = [_one_of_two(REFLECTOR, SECOND), _one_of_two(SECOND, REFLECTOR)]
