"""A kernel on this machine: a fork of a template, in a sandbox of its own."""

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from cellwright.core.errors import KernelDied, KernelStartError
from cellwright.core.types import CellResult
from cellwright.kernels.folders import ClaimedFolder
from cellwright.kernels.inside import line
from cellwright.kernels.interpreter import interpreter, readable_places
from cellwright.kernels.isolation import is_sandboxed
from cellwright.kernels.outputs import OutputCollector
from cellwright.kernels.protocol import Kernel, KernelSettings, Listener
from cellwright.kernels.template import Environment, Template
from cellwright.kernels.wire import Wire, cancelled

_LAST_OUTPUT_S = 0.1
_END_TIMEOUT_S = 15.0
_LEAST_DESCRIPTORS, _OWN_DESCRIPTORS = 128, 512


@dataclass(frozen=True)
class Owner:
    """What a kernel keeps of the pool that made it."""

    environment: Environment
    interrupt_grace_s: float
    """Seconds that a cell has to heed an interrupt before its kernel is killed."""


class Family:
    """A kernel and its branches: their sandboxes stand in the first one's, which goes with the last of them."""

    def __init__(self, pidfd: int, folder: "WorkFolder | None") -> None:
        self._pidfd = pidfd
        self._folder = folder
        self._members = 0

    def join(self) -> None:
        self._members += 1

    async def leave(self) -> None:
        """Called by each member when it has ended. The last one waits until nothing is left of any."""
        self._members -= 1
        if self._members:
            return
        try:
            if not await _readable(self._pidfd, _END_TIMEOUT_S):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
                await _readable(self._pidfd, _END_TIMEOUT_S)
        finally:
            os.close(self._pidfd)
            if self._folder is not None:
                await asyncio.to_thread(self._folder.remove)


class WorkFolder(ClaimedFolder):
    """A kernel's folders on disk, for kernels without a file system of their own, with copies of the tables.

    Copies: a kernel that can write anywhere must not have the originals.
    """

    def __init__(self, tables: Mapping[str, Path]) -> None:
        super().__init__()
        self.work, self.scratch = self.root / "work", self.root / "tmp"
        try:
            self.scratch.mkdir()
            (self.work / "data").mkdir(parents=True)
            _copy_tables(tables, self.work / "data")
        except BaseException:
            self.remove()
            raise


async def _work_folder(tables: Mapping[str, Path]) -> WorkFolder:
    """Made in a thread; removed again where nobody waits for it any more."""
    making = asyncio.ensure_future(asyncio.to_thread(WorkFolder, tables))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        await asyncio.wait({making})  # a thread cannot be cancelled
        if making.exception() is None:
            await asyncio.to_thread(making.result().remove)
        raise


class LocalKernel:
    """Made by `LocalKernel.start` or `branch`; closed by whoever asked for it."""

    def __init__(
        self, end: socket.socket, wire: Wire, family: Family, settings: KernelSettings, owner: Owner, work: Path | None
    ) -> None:
        family.join()
        self._family, self._settings, self._owner, self._work = family, settings, owner, work
        self._wire = wire
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._up: asyncio.Future[None] = self._loop.create_future()
        self._placed: asyncio.Future[str] = self._loop.create_future()
        self.died: asyncio.Future[str] = self._loop.create_future()
        """Why the kernel has ended, once it has."""
        end.setblocking(False)
        self._loop.add_reader(end.fileno(), self._on_message)
        self._closed = False

    @classmethod
    async def start(cls, template: Template, settings: KernelSettings, owner: Owner) -> "LocalKernel":
        """A kernel that has spoken. Raises KernelStartError, and then leaves nothing behind."""
        tables = {table_name(name): table_file(name, path) for name, path in settings.tables.items()}
        sandboxed = is_sandboxed(owner.environment.rung)
        folder = None if sandboxed else await _work_folder(tables)
        try:
            order = _order(settings, owner, tables if sandboxed else {}, folder)
            with contextlib.ExitStack() as theirs:
                end, channel, descriptors = _connections(theirs)
                forking = asyncio.ensure_future(template.fork(order, descriptors))
                try:
                    forked = await asyncio.wait_for(asyncio.shield(forking), settings.limits.start_timeout_s)
                except BaseException as error:
                    end.close()
                    channel.close()
                    await _abandoned(forking)
                    if isinstance(error, TimeoutError):
                        raise KernelStartError(
                            f"a kernel did not start in {settings.limits.start_timeout_s:g} s"
                        ) from error
                    raise
        except BaseException:
            if folder is not None:
                await asyncio.to_thread(folder.remove)
            raise
        work = folder.work if folder is not None else None
        kernel = cls(
            end, Wire(channel, settings.limits.output_bytes), Family(forked.pidfd, folder), settings, owner, work
        )
        return await kernel._ready()

    async def run_quietly(self, code: str) -> None:
        """Run a cell that shows nothing and counts as none. Raises KernelStartError when it fails."""
        try:
            status = await asyncio.wait_for(self._wire.run_quietly(code), self._settings.limits.start_timeout_s)
        except (EOFError, ValueError, OSError, TimeoutError) as error:
            raise KernelStartError(f"a kernel could not be made ready: {error}") from error
        if status != "ok":
            raise KernelStartError("a kernel could not be made ready: its first cell failed")

    def hand_over(self) -> socket.socket:
        """The channel, for a relay that speaks with the kernel from now on: `execute` must not be called any more."""
        return self._wire.hand_over()

    @property
    def environment(self) -> Environment:
        return self._owner.environment

    async def rehearse(self) -> None:
        """Run a cell that leaves no trace. Raises KernelStartError when the kernel does not live to its end."""
        try:
            await asyncio.wait_for(self._wire.run_quietly("1"), self._settings.limits.start_timeout_s)
        except (EOFError, ValueError, OSError, TimeoutError) as error:
            raise KernelStartError(f"a kernel of the reserve has ended: {error}") from error

    async def adopt(self, template: Template, settings: KernelSettings) -> None:
        """Give a kernel that was started without tables those of its user. Raises KernelStartError."""
        tables = {table_name(name): table_file(name, path) for name, path in settings.tables.items()}
        self._settings = settings
        if self._work is not None:
            await asyncio.to_thread(_copy_tables, tables, self._work / "data")
        elif tables:
            mounts = await template.mounts(tables)
            self._placed = self._loop.create_future()
            try:
                line.send(self._end, {"do": "tables", "names": list(tables)}, mounts)
                waits: set[asyncio.Future[Any]] = {self._placed, self.died}
                await asyncio.wait(waits, timeout=settings.limits.start_timeout_s, return_when=asyncio.FIRST_COMPLETED)
            except OSError as error:
                raise KernelStartError(f"a kernel of the reserve has ended: {error}") from error
            finally:
                line.close(mounts)
            if not self._placed.done() or self._placed.result():
                why = self._placed.result() if self._placed.done() else "its sandbox did not answer"
                raise KernelStartError(f"the tables of a kernel could not be put in their places: {why}")

    async def _ready(self) -> "LocalKernel":
        speaking = asyncio.create_task(self._wire.ready())
        limit = self._settings.limits.start_timeout_s
        both: asyncio.Future[Any] = asyncio.gather(speaking, self._up)
        try:
            ends: set[asyncio.Future[Any]] = {both, self.died}
            await asyncio.wait(ends, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if not both.done() or both.exception() is not None:
                await asyncio.wait({self.died}, timeout=_LAST_OUTPUT_S)
                what = self.died.result() if self.died.done() else f"it did not speak in {limit:g} s"
                raise KernelStartError(f"a kernel did not come up: {what}")
        except BaseException:
            await self.close()
            raise
        finally:
            await cancelled(both)
            await cancelled(speaking)
        return self

    @property
    def isolation(self) -> str:
        return f"local, {self._owner.environment.rung}"

    async def execute(self, code: str, *, timeout_s: float | None = None, listen: Listener | None = None) -> CellResult:
        if self.died.done():
            raise KernelDied(f"the kernel has ended ({self.died.result()}); what it held is lost. Start another one.")
        started = time.monotonic()
        collector = OutputCollector(self._settings.limits.output_bytes, listen)
        run = asyncio.create_task(self._wire.run_cell(code, collector.take))
        try:
            status = await self._outcome(run, timeout_s)
            _, dropped = _reply(run) or ("", 0)
        except asyncio.CancelledError:
            # Nobody waits for this cell any more, so that the next one need not wait for it either.
            await self.interrupt()
            raise
        finally:
            await cancelled(run)
        seconds = time.monotonic() - started
        ended_by = self.died.result() if status == "dead" and self.died.done() else ""
        return CellResult(status, collector.outputs, seconds, collector.truncated_bytes + dropped, ended_by)

    async def interrupt(self) -> None:
        if not self.died.done():
            with contextlib.suppress(OSError):
                line.send(self._end, {"do": "interrupt"})

    async def branch(self, count: int = 1, *, seeds: Sequence[int] | None = None) -> list[Kernel]:
        if seeds is not None and len(seeds) != count:
            raise ValueError(f"{count} branches need {count} seeds, not {len(seeds)}")
        made: list[Kernel] = []
        try:
            for number in range(count):
                made.append(await self._one_branch(None if seeds is None else seeds[number]))
        except BaseException:
            for kernel in made:
                await kernel.close()
            raise
        return made

    async def _one_branch(self, seed: int | None) -> "LocalKernel":
        if self.died.done():
            raise KernelDied(f"the kernel has ended ({self.died.result()}), so it has no branches")
        order: dict[str, Any] = {"do": "branch", "seed": seed, "reseed": seed is not None}
        work = None
        if self._work is not None:
            work = self._work.with_name(f"{self._work.name}-{time.monotonic_ns()}")
            order |= {"from": str(self._work), "work": str(work)}
        with contextlib.ExitStack() as theirs:
            end, channel, descriptors = _connections(theirs)
            try:
                line.send(self._end, order, descriptors)
            except OSError as error:
                end.close()
                channel.close()
                raise KernelDied("the kernel has ended, so it has no branches") from error
        wire = Wire(channel, self._settings.limits.output_bytes)
        kernel = LocalKernel(end, wire, self._family, self._settings, self._owner, work)
        return await kernel._ready()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        leaving = asyncio.create_task(self._leave())
        try:
            await asyncio.shield(leaving)
        finally:
            await asyncio.wait({leaving})

    async def _leave(self) -> None:
        try:
            if not self.died.done():
                with contextlib.suppress(OSError):
                    line.send(self._end, {"do": "end"})
                await asyncio.wait({self.died}, timeout=_END_TIMEOUT_S)
        finally:
            self._has_ended("it was closed")
            self._end.close()
            self._wire.close()
            await self._family.leave()

    def _on_message(self) -> None:
        try:
            received = line.receive(self._end)
        except BlockingIOError:
            return
        if received is None:
            self._has_ended("its sandbox has ended")
            return
        message, descriptors = received
        line.close(descriptors)
        if message.get("is") == "ended":
            self._has_ended(_reason(message))
        elif message.get("is") == "up" and not self._up.done():
            self._up.set_result(None)
        elif message.get("is") == "placed" and not self._placed.done():
            self._placed.set_result(str(message.get("why", "")))
        elif message.get("is") == "failed":
            self._has_ended(str(message.get("why")))

    def _has_ended(self, why: str) -> None:
        if self._end.fileno() >= 0:
            self._loop.remove_reader(self._end.fileno())
        if not self.died.done():
            self.died.set_result(why)

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
                await self.interrupt()
                if await self._ends(run, self._owner.interrupt_grace_s / 2):
                    break
            if _reply(run):
                return "timeout"
        await asyncio.wait({run}, timeout=_LAST_OUTPUT_S)
        await asyncio.wait({self.died}, timeout=_LAST_OUTPUT_S if verdict == "dead" else 0)
        if not self.died.done():
            with contextlib.suppress(OSError):
                line.send(self._end, {"do": "end"})
            await asyncio.wait({self.died}, timeout=_END_TIMEOUT_S)
            self._has_ended("it was killed")
        return verdict

    async def _ends(self, run: "asyncio.Task[tuple[str, int]]", timeout_s: float | None) -> bool:
        """Whether the cell or the kernel came to an end in time."""
        ends: set[asyncio.Future[Any]] = {run, self.died}
        done, _ = await asyncio.wait(ends, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)


def _reply(run: "asyncio.Task[tuple[str, int]]") -> tuple[str, int] | None:
    """What the cell's run gave; None where it is not over, or the kernel ended under it."""
    if not run.done() or run.cancelled() or run.exception() is not None:
        return None
    return run.result()


def _reason(message: Mapping[str, Any]) -> str:
    if message.get("limit"):
        return f"it went over its limit of {message['limit']}"
    if message.get("said"):
        return f"it failed: {message['said']}"
    status = message.get("status")
    if isinstance(status, int) and status < 0:
        with contextlib.suppress(ValueError):
            return f"it was ended by {signal.Signals(-status).name}"
    return f"it exited with status {status}" if status is not None else "it ended by itself"


def _connections(theirs: contextlib.ExitStack) -> tuple[socket.socket, socket.socket, list[int]]:
    """Our ends of a line and a channel, and descriptors of the other ends, which close with the stack."""
    end, other_end = line.pair()
    channel, other_channel = socket.socketpair()
    theirs.enter_context(other_end)
    theirs.enter_context(other_channel)
    return end, channel, [other_end.fileno(), other_channel.fileno()]


def _order(
    settings: KernelSettings, owner: Owner, tables: Mapping[str, Path], folder: WorkFolder | None
) -> dict[str, Any]:
    order: dict[str, Any] = {
        "tables": {name: str(path) for name, path in tables.items()},
        "limits": {**asdict(settings.limits), "watch_memory": owner.environment.rung != "trusted"},
        "seed": settings.seed,
        "network": settings.network,
        "descriptors": _descriptors(),
    }
    if folder is not None:
        found = interpreter(owner.environment.python)
        order |= {
            "work": str(folder.work),
            "scratch": str(folder.scratch),
            "readable": readable_places(found),
        }
        order |= {"folder": str(folder.root), "leaves": str(folder.root)}
    return order


def _descriptors() -> int:
    """How many a kernel may have open.

    Linux counts descriptors that are on their way in messages for all processes of a user together, and refuses to send
    more than the sender may have open: the program and its template must be allowed more than any kernel.
    """
    return max(_LEAST_DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OWN_DESCRIPTORS)


async def _abandoned(forking: "asyncio.Future[Any]") -> None:
    """Close what a fork that nobody waits for any more still gives."""
    forking.add_done_callback(
        lambda done: None if done.cancelled() or done.exception() is not None else os.close(done.result().pidfd)
    )


async def _readable(descriptor: int, timeout_s: float) -> bool:
    """Whether the process of a pidfd ends in time."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_reader(descriptor, lambda: None if ended.done() else ended.set_result(None))
    try:
        await asyncio.wait({ended}, timeout=timeout_s)
        return ended.done()
    finally:
        loop.remove_reader(descriptor)


def table_name(name: str) -> str:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise KernelStartError(f"{name!r} cannot be the name of a table: it must be a path inside data/")
    return name


def table_file(name: str, path: Path) -> Path:
    if not path.is_file() and not path.is_dir():
        raise KernelStartError(f"the table {name!r} is not at {path}")
    return path.resolve()


def _copy_tables(tables: Mapping[str, Path], data: Path) -> None:
    for name, path in tables.items():
        copy = data / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, copy)
        else:
            shutil.copyfile(path, copy)
            copy.chmod(0o444)
