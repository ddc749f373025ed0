"""Kernels on this machine, no more at once than the pool was made for."""

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType, TracebackType
from typing import Self

from cellwright.core.errors import KernelStartError, PoolClosed
from cellwright.core.types import MODERN
from cellwright.kernels.folders import remove_abandoned
from cellwright.kernels.interpreter import interpreter
from cellwright.kernels.isolation import Rung, best_rung, require
from cellwright.kernels.local import LocalKernel, Owner
from cellwright.kernels.protocol import Kernel, KernelSettings, Limits
from cellwright.kernels.template import Environment, Template

DATA_SCIENCE = ("numpy", "pandas", "matplotlib.pyplot", "scipy.stats", "sklearn.linear_model", "sklearn.ensemble")
"""Imported once for all kernels, where they are installed."""
THIS_PYTHON: Mapping[str, str] = MappingProxyType({MODERN: sys.executable})
_MOST_TEMPLATES = 4
"""For each interpreter: a build asks for kernels with several hash seeds in turn."""
_MOST_ADOPTED_TABLES = 200
"""A kernel of the reserve is handed its tables in one message, and Linux lets that carry 253 descriptors."""


class LocalPool:
    """A Pool of `LocalKernel`s. Used from one event loop."""

    def __init__(
        self,
        size: int,
        *,
        rung: Rung | None = None,
        pythons: Mapping[str, str] = THIS_PYTHON,
        preload: Sequence[str] = DATA_SCIENCE,
        reserve: int = 0,
        interrupt_grace_s: float = 5.0,
    ) -> None:
        """`size`: kernels alive at once, of all environments together. `pythons`: name of an environment
        (`KernelSettings.era`) to the interpreter that runs its kernels; each needs ipykernel.

        `reserve`: kernels of the kind that was asked for last that are kept ready, beside those in use; they hide the
        time of a fork.

        `rung` asks for one of the ladder of isolation (`isolation.py`); without it the best that there is, which is
        never "trusted". Raises NoSandbox at once where it cannot be had, and KernelStartError where an interpreter
        cannot be run.
        """
        for python in pythons.values():
            interpreter(python)
            rung = rung or best_rung(python)
            require(rung, python)
        if rung is None:
            raise ValueError("a pool needs an interpreter")
        self.rung: Rung = rung
        self._pythons, self._preload, self._grace_s = dict(pythons), tuple(preload), interrupt_grace_s
        self._places = asyncio.Semaphore(size)
        self._kernels: set[LocalKernel] = set()
        self._templates: dict[Environment, asyncio.Task[Template]] = {}
        self._reserve = Reserve(reserve)
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
            raise PoolClosed("this pool of kernels is closed")
        if not self._swept:
            self._swept = True
            await asyncio.to_thread(remove_abandoned)
        if settings.era not in self._pythons:
            known = ", ".join(self._pythons)
            raise KernelStartError(f"this pool of kernels has no environment {settings.era!r}; it has {known}")
        environment = Environment(
            self._pythons[settings.era], self.rung, self._preload, settings.hash_seed, settings.network
        )
        template = await self._template(environment)
        kernel = await self._reserve.kernel(template, settings, Owner(environment, self._grace_s))
        if self._closed:
            await kernel.close()
            raise PoolClosed("this pool of kernels was closed while a kernel started")
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
            starting = asyncio.create_task(self._started(environment, starting))
        elif starting is None:
            starting = asyncio.create_task(self._started(environment, None))
        self._templates[environment] = starting
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            if starting.cancelled():
                raise PoolClosed("this pool of kernels was closed while a kernel started") from None
            raise

    async def _started(self, environment: Environment, lost: "asyncio.Task[Template] | None") -> Template:
        """A new template, in the place of one that was lost; it counts from now on, so nobody else starts another."""
        if lost is not None:
            await _closed(lost)
        await self._make_room()
        return await Template.start(environment)

    async def _make_room(self) -> None:
        """End templates that nobody uses, the one used least lately first: each holds what it has imported."""
        used = {kernel.environment for kernel in self._kernels} | self._reserve.environments
        idle = [environment for environment, task in self._templates.items() if environment not in used and task.done()]
        for environment in idle[: max(0, len(self._templates) - _MOST_TEMPLATES * len(self._pythons))]:
            await _closed(self._templates.pop(environment))

    async def close(self) -> None:
        self._closed = True
        await self._reserve.close()
        await asyncio.gather(*(kernel.close() for kernel in tuple(self._kernels)))
        templates, self._templates = list(self._templates.values()), {}
        for starting in templates:
            await _closed(starting)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Reserve:
    """Kernels that have been forked before anybody asked for them, all for one environment and one set of limits."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kind: tuple[Environment, Limits] | None = None
        self._ready: deque[asyncio.Task[LocalKernel]] = deque()
        self._going: set[asyncio.Task[None]] = set()

    @property
    def environments(self) -> set[Environment]:
        return {self._kind[0]} if self._kind is not None else set()

    async def kernel(self, template: Template, settings: KernelSettings, owner: Owner) -> LocalKernel:
        """A kernel, from the reserve where it has one that is ready; another takes its place."""
        if not self._size or settings.seed is not None or len(settings.tables) > _MOST_ADOPTED_TABLES:
            return await LocalKernel.start(template, settings, owner)
        kind = (owner.environment, settings.limits)
        if kind != self._kind:
            self._let_go()
            self._kind = kind
        found = self._take()
        if found is not None:
            try:
                await found.adopt(template, settings)
            except BaseException:
                await found.close()
                raise
        else:
            found = await LocalKernel.start(template, settings, owner)
        if self._kind == kind and not template.is_lost:
            empty = replace(settings, tables={})
            while len(self._ready) < self._size:
                self._ready.append(asyncio.create_task(_spare(template, empty, owner)))
        return found

    def _take(self) -> LocalKernel | None:
        for task in tuple(self._ready):
            if task.done():
                self._ready.remove(task)
                if not task.cancelled() and task.exception() is None and not task.result().died.done():
                    return task.result()
                self._end(task)  # one that died while it waited still holds its folder
        return None

    def _let_go(self) -> None:
        while self._ready:
            self._end(self._ready.popleft())

    def _end(self, starting: asyncio.Task[LocalKernel]) -> None:
        going = asyncio.create_task(_closed(starting))
        self._going.add(going)
        going.add_done_callback(self._going.discard)

    async def close(self) -> None:
        self._size = 0
        self._let_go()
        await asyncio.gather(*self._going)


async def _closed(starting: "asyncio.Task[LocalKernel] | asyncio.Task[Template]") -> None:
    """Close what a task is starting or has started."""
    starting.cancel()
    await asyncio.wait({starting})
    if not starting.cancelled() and starting.exception() is None:
        await starting.result().close()


async def _spare(template: Template, settings: KernelSettings, owner: Owner) -> LocalKernel:
    """A kernel that has run a cell: the first one touches memory that a fork shares, which takes it some time."""
    kernel = await LocalKernel.start(template, settings, owner)
    try:
        await kernel.rehearse()
    except BaseException:
        await kernel.close()
        raise
    return kernel
