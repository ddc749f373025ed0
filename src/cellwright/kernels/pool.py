"""Kernels on this machine, no more at once than the pool was made for."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Self

from cellwright.core.errors import KernelStartError
from cellwright.kernels.folders import remove_abandoned
from cellwright.kernels.interpreter import interpreter
from cellwright.kernels.isolation import Rung, best_rung, require
from cellwright.kernels.local import LocalKernel, Owner
from cellwright.kernels.protocol import Kernel, KernelSettings
from cellwright.kernels.template import Environment, Template

DATA_SCIENCE = ("numpy", "pandas", "matplotlib.pyplot", "scipy.stats", "sklearn.linear_model", "sklearn.ensemble")
"""Imported once for all kernels, where they are installed."""
_MOST_TEMPLATES = 4


class LocalPool:
    """A Pool of `LocalKernel`s: sandboxed ones unless `trusted`. Used from one event loop."""

    def __init__(
        self,
        size: int,
        *,
        trusted: bool = False,
        rung: Rung | None = None,
        python: str = sys.executable,
        preload: Sequence[str] = DATA_SCIENCE,
        interrupt_grace_s: float = 5.0,
    ) -> None:
        """`size`: kernels alive at once. `python`: the interpreter that runs them; it needs ipykernel.

        `rung` asks for one of the ladder of isolation (`isolation.py`); without it the best that there is. Raises
        NoSandbox at once where it cannot be had, and KernelStartError where the interpreter cannot be run.
        """
        interpreter(python)
        if trusted:
            rung = "trusted"
        elif rung is None:
            rung = best_rung(python)
        require(rung, python)
        self.rung: Rung = rung
        self._python, self._preload, self._grace_s = python, tuple(preload), interrupt_grace_s
        self._places = asyncio.Semaphore(size)
        self._kernels: set[LocalKernel] = set()
        self._templates: dict[Environment, asyncio.Task[Template]] = {}
        self._swept = False
        self._closed = False

    @contextlib.asynccontextmanager
    async def kernel(self, settings: KernelSettings) -> AsyncIterator[Kernel]:
        async with self._places:
            kernel = await self._start(settings)
            try:
                yield kernel
            finally:
                try:
                    await kernel.close()
                finally:
                    self._kernels.discard(kernel)

    async def _start(self, settings: KernelSettings) -> LocalKernel:
        if self._closed:
            raise KernelStartError("this pool of kernels is closed")
        if not self._swept:
            self._swept = True
            await asyncio.to_thread(remove_abandoned)
        environment = Environment(self._python, self.rung, self._preload, settings.hash_seed, settings.network)
        template = await self._template(environment)
        kernel = await LocalKernel.start(template, settings, Owner(environment, self._grace_s))
        if self._closed:
            await kernel.close()
            raise KernelStartError("this pool of kernels was closed while a kernel started")
        self._kernels.add(kernel)
        return kernel

    async def _template(self, environment: Environment) -> Template:
        """The template of an environment, started when it is first asked for; the one used least lately goes."""
        starting = self._templates.pop(environment, None)
        if (
            starting is not None
            and starting.done()
            and (starting.cancelled() or starting.exception() or starting.result().is_lost)
        ):
            starting = None
        if starting is None:
            starting = asyncio.create_task(Template.start(environment))
        self._templates[environment] = starting
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            if starting.cancelled():
                raise KernelStartError("this pool of kernels was closed while a kernel started") from None
            raise

    async def close(self) -> None:
        self._closed = True
        await asyncio.gather(*(kernel.close() for kernel in tuple(self._kernels)))
        templates, self._templates = list(self._templates.values()), {}
        for starting in templates:
            starting.cancel()
            await asyncio.wait({starting})
            if not starting.cancelled() and starting.exception() is None:
                await starting.result().close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
