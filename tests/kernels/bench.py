"""Ways for a test to call kernels without awaiting them, in one event loop."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

import pytest

from cellwright.core.types import CellResult
from cellwright.kernels import Kernel, KernelSettings, LocalPool, Pool
from cellwright.kernels.isolation import LADDER, Rung, complaints

T = TypeVar("T")
GRACE_S = 1.0
LIBRARIES = ("numpy", "pandas", "matplotlib.pyplot")
"""Fewer than a pool imports by itself, as each kind of kernel has a template of its own here."""


def rungs() -> list[Any]:
    """The ladder, as parameters: what runs on the highest rung of this machine runs again, slowly, on the others."""
    best = next((rung for rung in LADDER if not complaints(sys.executable)[rung]), None)
    return [rung if rung == best else pytest.param(rung, marks=pytest.mark.slow) for rung in LADDER]


class Laboratory:
    """Runs coroutines of one kind of kernel in one loop."""

    def __init__(self, runner: asyncio.Runner, pool: Pool, kind: str) -> None:
        self._runner = runner
        self._pool = pool
        self.kind = kind

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    @contextlib.contextmanager
    def kernel(self, settings: KernelSettings | None = None) -> Iterator["Bench"]:
        """A kernel of its own for one test."""
        context = self._pool.kernel(settings or KernelSettings())
        kernel = self.run(context.__aenter__())
        try:
            yield Bench(self, kernel)
        finally:
            self.run(_leave(context))

    def in_kernel(self, work: Callable[[Kernel], Coroutine[Any, Any, T]], settings: KernelSettings) -> T:
        async def scenario() -> T:
            async with self._pool.kernel(settings) as kernel:
                return await work(kernel)

        return self.run(scenario())


async def _leave(context: contextlib.AbstractAsyncContextManager[Kernel]) -> None:
    await context.__aexit__(None, None, None)


class Bench:
    """A kernel that a test can call without awaiting."""

    def __init__(self, laboratory: Laboratory, kernel: Kernel) -> None:
        self.kernel = kernel
        self._laboratory = laboratory

    def __call__(self, code: str, timeout_s: float | None = 60.0) -> CellResult:
        return self._laboratory.run(self.kernel.execute(code, timeout_s=timeout_s))

    def value(self, code: str) -> str:
        """The plain text of the cell's result; fails the test when the cell did."""
        result = self(code)
        assert result.status == "ok", result
        return next(output.data["text/plain"] for output in result.outputs if output.kind == "result")


@contextlib.asynccontextmanager
async def open_pool(kind: str, size: int, preload: Sequence[str] = ()) -> AsyncIterator[LocalPool]:
    rung: Rung = next(rung for rung in (*LADDER, "trusted") if rung == kind)
    async with LocalPool(size, rung=rung, preload=preload, interrupt_grace_s=GRACE_S) as pool:
        yield pool
