"""What the fuzzer calls holds for all that it begins with, so that a find is news."""

from __future__ import annotations

import pytest

from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_passes(target: str) -> None:
    begun = set(seeds(target))
    assert begun
    for seed in begun:
        TARGETS[target](seed)
