"""kill -9 at any moment, or a standstill: everybody has exactly what there is again."""

from __future__ import annotations

from pathlib import Path

import pytest

from reflector.bgp.vocabulary import ErrorCode
from tests.support.crashing import Mayhem
from tests.support.reflector_process import ReflectorSettings, free_port

KILLS = 8


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", [4271, 4456])
async def test_killed_at_any_moment_all_is_exact_again(tmp_path: Path, seed: int) -> None:
    """Starting, in a dump, in a write of the state file, in a reload, or whenever."""
    settings = ReflectorSettings(directory=tmp_path, listen=("127.0.0.1",), port=free_port())
    mayhem = Mayhem(settings, seed)
    await mayhem.run(KILLS, check_each=4)
    assert len(mayhem.remembered) == len(mayhem.nodes)


@pytest.mark.asyncio
async def test_stopped_for_longer_than_the_hold_time_all_is_exact_again(tmp_path: Path) -> None:
    """SIGSTOP and SIGCONT: clients give it up, dial again into its backlog, and come with less."""
    settings = ReflectorSettings(directory=tmp_path, listen=("127.0.0.1",), port=free_port())
    mayhem = Mayhem(settings, seed=4271, hold_time_s=3)
    async with mayhem.running():
        for node in mayhem.nodes:
            node.quiet = True
        await mayhem.stop_for(5.0)
        for node in mayhem.nodes:
            sent = [each.body[0] for each in node.peer.messages if each.kind == "NOTIFICATION"]
            assert sent == [ErrorCode.HOLD_TIMER_EXPIRED], str(node.peer.history)
        await mayhem.settle()
        await mayhem.stop_for(7.0)  # now they announce, withdraw and vanish meanwhile
        await mayhem.settle()
