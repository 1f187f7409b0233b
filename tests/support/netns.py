"""Network namespaces: several hosts on one machine, with real kernels' routing between them.

Names carry the test process's id. What an earlier, killed run left behind is cleared away by the
next, and nothing else is touched (tests/support/left_over.py).
"""

from __future__ import annotations

import ipaddress
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.left_over import is_left_over, own_name
from tests.support.pcap import complaints
from tests.support.process import (
    BackgroundProcess,
    QueryError,
    find_binary,
    in_netns,
    query,
    require_root,
    wait_until,
)

# What the reflectors of a lab send, by the Ethernet addresses that `add_host` gives.
REFLECTORS = "eth.src == 02:00:00:00:00:01 or eth.src == 02:00:00:00:00:02"

_NAMESPACES = Path("/run/netns")


def ip(*arguments: str, netns: str | None = None) -> str:
    """Run `ip`, in a namespace if one is given, and return what it printed."""
    where = () if netns is None else ("-n", netns)
    return query([find_binary("ip"), *where, *arguments])


def require_namespaces() -> None:
    """Skip the test where namespaces cannot be made."""
    require_root()
    find_binary("ip")


def create_namespace(name: str) -> str:
    """Make a namespace with loopback up, and return its full name."""
    full = own_name(name)
    ip("netns", "add", full)
    # Duplicate address detection would keep a new interface mute for its first seconds.
    _sysctl(full, "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.default.dad_transmits=0")
    ip("link", "set", "lo", "up", netns=full)
    return full


def _sysctl(netns: str, *settings: str) -> None:
    query([*in_netns(netns), find_binary("sysctl"), "-qw", *settings])


def delete_namespace(full: str) -> None:
    """Kill what runs in a namespace and remove it."""
    with suppress(QueryError):
        for pid in ip("netns", "pids", full).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    with suppress(QueryError):
        ip("netns", "del", full)


def clear_left_over() -> None:
    """Remove the namespaces of test processes that no longer run, and what runs in them."""
    if os.geteuid() == 0 and _NAMESPACES.is_dir():
        for each in _NAMESPACES.iterdir():
            if is_left_over(each.name):
                delete_namespace(each.name)


@contextmanager
def addresses_on_loopback(name: str, *addresses: str) -> Iterator[str]:
    """One namespace whose loopback has these addresses; yields its name.

    Addresses of 127.0.0.0/8 will not do for real daemons: FRR and GoBGP refuse them as next hops.
    """
    require_namespaces()
    full = create_namespace(name)
    try:
        for address in addresses:
            length = ipaddress.ip_address(address).max_prefixlen
            ip("addr", "add", f"{address}/{length}", "dev", "lo", netns=full)
        yield full
    finally:
        delete_namespace(full)


@dataclass(frozen=True)
class Host:
    """A host on the lab's one layer-2 network, perhaps with a pod behind it."""

    netns: str
    port: str  # the switch's end of its cable
    address: str
    address_ipv6: str
    pod_netns: str | None = None
    pod_address: str | None = None
    pod_address_ipv6: str | None = None


class Lab:
    """A switch with hosts; everything it made is gone after close().

    All BGP that crosses the switch is captured, and tshark judges at the end what the reflectors said:
    the hosts .1 and .2.

    Args:
        name: Tells it from another one that is there at the same time.

    Attributes:
        capture: All BGP so far.
    """

    def __init__(self, name: str = "") -> None:
        require_namespaces()
        tcpdump, _ = find_binary("tcpdump"), find_binary("tshark")
        self._name = name
        self._namespaces: list[str] = []
        self._switch = self._create("switch")
        ip("link", "add", "br0", "type", "bridge", "forward_delay", "0", netns=self._switch)
        ip("link", "set", "br0", "up", netns=self._switch)
        self._directory = tempfile.TemporaryDirectory(prefix="lab-")
        directory = Path(self._directory.name)
        self.capture = directory / "capture.pcap"
        self._tcpdump = BackgroundProcess(
            "tcpdump",
            [
                *(tcpdump, "-i", "br0", "--immediate-mode", "-U", "-Z", "root"),
                *("-w", str(self.capture), "tcp port 179"),
            ],
            log_path=directory / "tcpdump.log",
            netns=self._switch,
        )
        wait_until(self.capture.exists, what="tcpdump runs", explain=self._tcpdump.log_tail)

    def add_host(self, name: str, address: str, *, pod_subnet: str | None = None) -> Host:
        """Plug a host into the switch.

        Args:
            name: Short, since it becomes part of interface names.
            address: In 10.77.0.0/24; its IPv6 address follows from it, in fd77::/64.
            pod_subnet: In 10.x.y.0/24: gives it a pod at .2 of that, and one at ::2 of the
                IPv6 subnet that pod_subnet_ipv6() names.
        """
        netns = self._create(name)
        last = int(ipaddress.IPv4Address(address)) & 0xFF
        address_ipv6 = f"fd77::{last}"
        port = f"p-{name}"
        ip(
            *("link", "add", "eth0", "address", f"02:00:00:00:00:{last:02x}", "type", "veth"),
            *("peer", "name", port, "netns", self._switch),
            netns=netns,
        )
        ip("link", "set", port, "master", "br0", "up", netns=self._switch)
        ip("link", "set", "eth0", "up", netns=netns)
        ip("addr", "add", f"{address}/24", "dev", "eth0", netns=netns)
        ip("addr", "add", f"{address_ipv6}/64", "dev", "eth0", "nodad", netns=netns)
        if pod_subnet is None:
            return Host(netns, port, address, address_ipv6)
        return self._add_pod(name, Host(netns, port, address, address_ipv6), pod_subnet)

    def unplug(self, host: Host) -> None:
        """Cut a host off without it noticing in time to say goodbye, and destroy it."""
        ip("link", "del", host.port, netns=self._switch)
        for netns in (host.pod_netns, host.netns):
            if netns is not None:
                delete_namespace(netns)
                self._namespaces.remove(netns)

    def close(self) -> None:
        """Remove every namespace.

        Raises:
            AssertionError: A reflector has sent what tshark calls malformed or an error.
        """
        self._tcpdump.stop()
        while self._namespaces:
            delete_namespace(self._namespaces.pop())
        wrong = complaints(self.capture, REFLECTORS)
        self._directory.cleanup()
        assert not wrong, wrong

    def _create(self, name: str) -> str:
        full = create_namespace(f"{self._name}{name}")
        self._namespaces.append(full)
        return full

    def _add_pod(self, name: str, host: Host, pod_subnet: str) -> Host:
        pod = self._create(f"{name}-pod")
        network = ipaddress.IPv4Network(pod_subnet)
        network_ipv6 = ipaddress.IPv6Network(pod_subnet_ipv6(pod_subnet))
        ip(
            *("link", "add", "pod0", "type", "veth", "peer", "name", "eth0", "netns", pod),
            netns=host.netns,
        )
        ip("link", "set", "pod0", "up", netns=host.netns)
        ip("link", "set", "eth0", "up", netns=pod)
        for each in (network, network_ipv6):
            nodad = ("nodad",) if each.version == 6 else ()
            mask = f"/{each.prefixlen}"
            ip("addr", "add", f"{each[1]}{mask}", "dev", "pod0", *nodad, netns=host.netns)
            ip("addr", "add", f"{each[2]}{mask}", "dev", "eth0", *nodad, netns=pod)
            family = "-6" if each.version == 6 else "-4"
            ip(family, "route", "add", "default", "via", str(each[1]), netns=pod)
        _sysctl(host.netns, "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        return replace(
            host,
            pod_netns=pod,
            pod_address=str(network[2]),
            pod_address_ipv6=str(network_ipv6[2]),
        )


def pod_subnet_ipv6(pod_subnet: str) -> str:
    """Return the IPv6 pod subnet that goes with an IPv4 one: 10.1.2.0/24 gives fd10:1:2::/64."""
    first, second, third, _ = pod_subnet.split("/", maxsplit=1)[0].split(".")
    return f"fd{first}:{second}:{third}::/64"
