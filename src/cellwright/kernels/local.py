"""A kernel on this machine: an ipykernel process, in a sandbox or trusted, with a folder of its own."""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import zmq.asyncio

from cellwright.core.errors import KernelDied, KernelStartError
from cellwright.core.types import CellResult
from cellwright.kernels.confinement import Launch, bubblewrap_launch, process_limits, trusted_launch
from cellwright.kernels.folders import Folders, new_root, remove
from cellwright.kernels.outputs import OutputCollector
from cellwright.kernels.process import KernelProcess
from cellwright.kernels.protocol import KernelSettings
from cellwright.kernels.wire import Wire, cancelled, listen

_LAST_OUTPUT_S = 0.1
_LAST_WORDS_BYTES = 2000


@dataclass(frozen=True)
class LocalOptions:
    """What all kernels of one pool share."""

    python: str
    """Path of the interpreter that runs the kernel; it needs ipykernel."""
    trusted: bool = False
    """No sandbox."""
    interrupt_grace_s: float = 5.0
    """Seconds that a cell has to heed an interrupt before its kernel is killed."""


class LocalKernel:
    """Made by `LocalKernel.start`; closed by whoever started it."""

    def __init__(
        self,
        process: KernelProcess,
        wire: Wire,
        settings: KernelSettings,
        options: LocalOptions,
        resources: contextlib.AsyncExitStack,
    ) -> None:
        self._process = process
        self._wire = wire
        self._settings = settings
        self._options = options
        self._resources = resources

    @classmethod
    async def start(
        cls, settings: KernelSettings, options: LocalOptions, context: zmq.asyncio.Context
    ) -> "LocalKernel":
        """A kernel that has answered. Raises NoSandbox or KernelStartError, and then leaves nothing behind."""
        tables = {_table_name(name): _table_file(name, path) for name, path in settings.tables.items()}
        async with contextlib.AsyncExitStack() as resources:
            folders = Folders(new_root())
            resources.push_async_callback(_remove, folders.root)
            resources.callback(os.close, folders.make())
            launch = await _launch(settings, options, folders, tables)
            wire, process = await _spawn(launch, settings, options, folders, context, resources)
            await _answer(wire, process, settings.limits.start_timeout_s, folders.log)
            return cls(process, wire, settings, options, resources.pop_all())

    @property
    def isolation(self) -> str:
        return "local, trusted" if self._options.trusted else "local, bubblewrap"

    async def execute(self, code: str, *, timeout_s: float | None = None) -> CellResult:
        if self._process.died.done() or self._wire.lost.done():
            raise KernelDied("the kernel has ended; what it held is lost. Start another one.")
        started = time.monotonic()
        collector = OutputCollector(self._settings.limits.output_bytes)
        run = asyncio.create_task(self._wire.run_cell(code, collector.take))
        try:
            status = await self._outcome(run, timeout_s)
            _, dropped = _reply(run) or ("", 0)
        except asyncio.CancelledError:
            # Nobody waits for this cell any more, so that the next one need not wait for it either.
            self._wire.interrupt()
            raise
        finally:
            await cancelled(run)
        seconds = time.monotonic() - started
        return CellResult(status, collector.outputs, seconds, collector.truncated_bytes + dropped)

    async def interrupt(self) -> None:
        if not self._process.died.done():
            self._wire.interrupt()

    async def close(self) -> None:
        resources, self._resources = self._resources, contextlib.AsyncExitStack()
        await resources.aclose()

    async def _outcome(
        self, run: "asyncio.Task[tuple[str, int]]", timeout_s: float | None
    ) -> Literal["ok", "error", "timeout", "dead"]:
        if await self._ends(run, timeout_s):
            if reply := _reply(run):
                return "ok" if reply[0] == "ok" else "error"
            verdict: Literal["timeout", "dead"] = "dead"
        else:
            verdict = "timeout"
            # Twice: the first may land in code that catches everything around one item of a loop.
            for _ in range(2):
                self._wire.interrupt()
                if await self._ends(run, self._options.interrupt_grace_s / 2):
                    break
            if _reply(run):
                return "timeout"
        await asyncio.wait({run}, timeout=_LAST_OUTPUT_S)
        await self._process.end()
        return verdict

    async def _ends(self, run: "asyncio.Task[tuple[str, int]]", timeout_s: float | None) -> bool:
        """Whether the cell, the kernel or the connection to it came to an end in time."""
        ends: set[asyncio.Future[Any]] = {run, self._process.died, self._wire.lost}
        done, _ = await asyncio.wait(ends, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)


def _reply(run: "asyncio.Task[tuple[str, int]]") -> tuple[str, int] | None:
    """What the cell's run gave; None where it is not over, or the kernel was closed under it."""
    if not run.done() or run.cancelled() or run.exception() is not None:
        return None
    return run.result()


async def _launch(
    settings: KernelSettings, options: LocalOptions, folders: Folders, tables: Mapping[str, Path]
) -> Launch:
    if options.trusted:
        # Copies: a trusted kernel can write where it likes, and the originals must outlive it.
        await asyncio.to_thread(_copy_tables, tables, folders.data)
        return trusted_launch(options.python, folders, settings.hash_seed)
    for name in tables:
        mount_point = folders.data / name
        mount_point.parent.mkdir(parents=True, exist_ok=True)
        mount_point.touch()
    return bubblewrap_launch(options.python, folders, tables, settings.limits, settings.hash_seed)


async def _spawn(
    launch: Launch,
    settings: KernelSettings,
    options: LocalOptions,
    folders: Folders,
    context: zmq.asyncio.Context,
    resources: contextlib.AsyncExitStack,
) -> tuple[Wire, KernelProcess]:
    with contextlib.ExitStack() as ours:
        listeners = listen(folders.sockets)
        for listener in listeners:
            ours.callback(listener.close)
        wire = Wire(context, folders.sockets, settings.limits.output_bytes)
        resources.push_async_callback(wire.close)
        sockets = [listener.fileno() for listener in listeners]
        config: dict[str, object] = {
            "key": wire.key,
            "sockets": sockets,
            "output_bytes": settings.limits.output_bytes,
            "limits": process_limits(settings.limits, trusted=options.trusted),
            "parent": os.getpid() if options.trusted else None,
        }
        process = KernelProcess(launch, config, sockets, folders.log)
        resources.push_async_callback(process.end)
    return wire, process


async def _answer(wire: Wire, process: KernelProcess, timeout_s: float, log: Path) -> None:
    """Wait until the kernel is up. Raises KernelStartError with its last words when it does not come up."""
    ready = asyncio.create_task(wire.ready())
    try:
        await asyncio.wait({ready, process.died}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            what = "ended while it started" if process.died.done() else f"did not answer in {timeout_s:g} s"
            raise KernelStartError(f"the kernel {what}; it said: {_last_words(log) or 'nothing'}")
        ready.result()
        process.came_up()
    finally:
        await cancelled(ready)


def _last_words(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LAST_WORDS_BYTES))
        return file.read().decode(errors="replace").strip()


def _table_name(name: str) -> str:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise KernelStartError(f"{name!r} cannot be the name of a table: it must be a path inside data/")
    return name


def _table_file(name: str, path: Path) -> Path:
    if not path.is_file():
        raise KernelStartError(f"the table {name!r} is not at {path}")
    return path.resolve()


def _copy_tables(tables: Mapping[str, Path], data: Path) -> None:
    for name, path in tables.items():
        copy = data / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o444)


async def _remove(root: Path) -> None:
    """Remove a kernel's folders, also when the caller is cancelled meanwhile."""
    removal = asyncio.create_task(asyncio.to_thread(remove, root))
    try:
        await asyncio.shield(removal)
    finally:
        await asyncio.wait({removal})
