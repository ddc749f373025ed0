"""Kernels on this machine, no more at once than the pool was made for."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import zmq.asyncio

from cellwright.core.errors import KernelStartError
from cellwright.kernels.confinement import interpreter, namespace_flags
from cellwright.kernels.folders import remove_abandoned
from cellwright.kernels.local import LocalKernel, LocalOptions
from cellwright.kernels.protocol import Kernel, KernelSettings
from cellwright.kernels.wire import make_context


class LocalPool:
    """A Pool of `LocalKernel`s: sandboxed ones unless `trusted`. Used from one event loop."""

    def __init__(
        self, size: int, *, trusted: bool = False, python: str = sys.executable, interrupt_grace_s: float = 5.0
    ) -> None:
        """`size`: kernels alive at once. `python`: the interpreter that runs them; it needs ipykernel.

        Raises NoSandbox at once where the sandbox that was asked for cannot be had, and KernelStartError where the
        interpreter cannot be run.
        """
        interpreter(python)
        if not trusted:
            namespace_flags()
        self._options = LocalOptions(python, trusted, interrupt_grace_s)
        self._places = asyncio.Semaphore(size)
        self._kernels: set[LocalKernel] = set()
        self._context: zmq.asyncio.Context | None = None
        self._starting = 0
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
        self._starting += 1
        try:
            if self._context is None:
                self._context = make_context()
                await asyncio.to_thread(remove_abandoned)
            kernel = await LocalKernel.start(settings, self._options, self._context)
            if self._closed:
                await kernel.close()
                raise KernelStartError("this pool of kernels was closed while a kernel started")
        finally:
            self._starting -= 1
            self._release()
        self._kernels.add(kernel)
        return kernel

    def _release(self) -> None:
        """End ZeroMQ's thread once the pool is closed, but not under a kernel that still starts."""
        if self._closed and not self._starting and self._context is not None:
            self._context.destroy(linger=0)
            self._context = None

    async def close(self) -> None:
        self._closed = True
        try:
            await asyncio.gather(*(kernel.close() for kernel in tuple(self._kernels)))
        finally:
            self._release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
