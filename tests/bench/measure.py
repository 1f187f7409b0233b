"""What a reflector costs: CPU seconds and peak memory of its whole process tree, from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_NANOSECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process tree has used so far."""

    cpu_s: float
    peak_mb: float
    machine_s: float


def _parents() -> dict[int, int]:
    """Every process's parent."""
    parents: dict[int, int] = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue  # it ended while we looked
        # The command in parentheses may hold spaces: fields are counted behind it.
        parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    return parents


def process_tree(root: int) -> list[int]:
    """A process and its descendants.

    Args:
        root: Process id of the oldest.

    Returns:
        Process ids, the oldest first.
    """
    parents = _parents()
    tree = [root]
    for pid in tree:
        tree.extend(child for child, parent in parents.items() if parent == pid)
    return tree


def _cpu_s(pid: int) -> float:
    """CPU time of a process's threads, to the nanosecond (its stat counts in 10 ms ticks)."""
    total = 0
    for task in (_PROC / str(pid) / "task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / _NANOSECONDS


def _peak_mb(pid: int) -> float:
    for line in (_PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def machine_busy_s() -> float:
    """CPU time that all of the machine's processes have used so far."""
    fields = (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq = (int(field) for field in fields[:7])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def cost(root: int) -> Cost:
    """Sums up a process tree.

    Args:
        root: Process id of the oldest.

    Returns:
        CPU seconds and peak resident memory, summed over the tree, and the machine's CPU seconds.
    """
    cpu_s = peak_mb = 0.0
    for pid in process_tree(root):
        try:
            cpu_s += _cpu_s(pid)
            peak_mb += _peak_mb(pid)
        except OSError:
            continue
    return Cost(cpu_s, peak_mb, machine_busy_s())
