"""A short soak; `make soak-kernels` runs the long one, which looks at memory too."""

import asyncio
import subprocess

import pytest

from benchmarks.kernels.__main__ import descendants
from benchmarks.kernels.soak import leaks, soak
from cellwright.kernels.isolation import LADDER

from .bench import Laboratory


@pytest.mark.slow
@pytest.mark.parametrize("laboratory", LADDER, indirect=True, scope="session")
def test_kernels_killed_at_random_leave_nothing(laboratory: Laboratory) -> None:
    """No process, descriptor, mount, folder or control group is left of kernels that came to all kinds of ends."""
    rung = next(rung for rung in LADDER if rung == laboratory.kind)
    before, after, ends = asyncio.run(soak(rung, 24, 4, ()))
    assert sum(ends.values()) == 24
    assert [name for name in leaks(before, after) if name != "memory_bytes"] == []


def test_a_process_that_has_ended_has_no_descendants() -> None:
    """The soak kills processes while it looks for others."""
    process = subprocess.Popen(["true"])
    process.wait()
    assert descendants(process.pid) == []
