"""Kernels that are forked before anybody asks for them."""

import asyncio
import time
from pathlib import Path

import pytest

from cellwright.kernels import KernelSettings, Limits, LocalPool
from cellwright.kernels.isolation import LADDER
from cellwright.kernels.local import LocalKernel

from .bench import Laboratory


def test_kernel_of_the_reserve_is_as_good_as_new(laboratory: Laboratory, table: Path) -> None:
    """Its tables are in place, its counter starts at one, its random numbers are its own; and it comes sooner."""
    rung = next(rung for rung in (*LADDER, "trusted") if rung == laboratory.kind)

    async def scenario() -> None:
        async with LocalPool(2, rung=rung, preload=(), reserve=1) as pool:
            seen = []
            for _ in range(3):
                async with pool.kernel(KernelSettings(tables={"a/x.csv": table})) as kernel:
                    code = "import random\nprint(open('data/a/x.csv').read()[:4], len(In))"
                    assert (await kernel.execute(code)).stdout == "city 2\n"  # In[0] is empty
                    seen.append((await kernel.execute("print(random.random())")).stdout)
                await asyncio.sleep(0.3)
            assert len(set(seen)) == 3

    laboratory.run(scenario())


def test_reserve_holds_kernels_of_the_kind_asked_for_last(laboratory: Laboratory) -> None:
    """Other limits mean another kernel, and none of the old kind is left when the pool closes."""
    rung = next(rung for rung in (*LADDER, "trusted") if rung == laboratory.kind)

    async def scenario() -> float:
        async with LocalPool(2, rung=rung, preload=(), reserve=2) as pool:
            for memory in (1 << 30, 2 << 30):
                async with pool.kernel(KernelSettings(limits=Limits(memory_bytes=memory))) as kernel:
                    assert (await kernel.execute("x = 1")).status == "ok"
                await asyncio.sleep(0.2)
            async with pool.kernel(KernelSettings(limits=Limits(memory_bytes=2 << 30))) as kernel:
                assert (await kernel.execute("x")).status == "error"
            started = time.monotonic()
        return time.monotonic() - started

    assert laboratory.run(scenario()) < 5


def test_kernel_is_closed_that_a_closing_pool_finds_rehearsing(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else knows of it yet."""
    rung = next(rung for rung in (*LADDER, "trusted") if rung == laboratory.kind)

    async def scenario() -> None:
        rehearsing: asyncio.Future[LocalKernel] = asyncio.get_running_loop().create_future()

        async def for_ever(kernel: LocalKernel) -> None:
            rehearsing.set_result(kernel)
            await asyncio.Event().wait()

        monkeypatch.setattr(LocalKernel, "rehearse", for_ever)
        async with LocalPool(2, rung=rung, preload=(), reserve=1) as pool, pool.kernel(KernelSettings()):
            kernel = await rehearsing
        assert kernel.died.done()

    laboratory.run(scenario())


def test_kernel_that_dies_in_the_reserve_is_closed(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its line, its channel and its process are let go, though nobody ever had it."""
    rung = next(rung for rung in (*LADDER, "trusted") if rung == laboratory.kind)
    rehearse = LocalKernel.rehearse

    async def scenario() -> None:
        spares: asyncio.Queue[LocalKernel] = asyncio.Queue()

        async def noted(kernel: LocalKernel) -> None:
            await rehearse(kernel)
            spares.put_nowait(kernel)

        monkeypatch.setattr(LocalKernel, "rehearse", noted)
        before = _descriptors()
        async with LocalPool(2, rung=rung, preload=(), reserve=1) as pool:
            async with pool.kernel(KernelSettings()):
                spare = await spares.get()
            assert (await spare.execute("import os; os._exit(3)")).status == "dead"
            async with pool.kernel(KernelSettings()) as kernel:
                assert kernel is not spare
        assert _descriptors() == before

    laboratory.run(scenario())


def _descriptors() -> list[Path]:
    return sorted(Path("/proc/self/fd").iterdir())
