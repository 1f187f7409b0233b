"""kill -9 at any moment and restart: everybody has exactly what there is again."""

from __future__ import annotations

from pathlib import Path

import pytest

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
