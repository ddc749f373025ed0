"""The program's side of a template: a process that has imported everything once and forks sandboxes on request.

One template serves one environment: an interpreter, modules to import, a hash seed, with or without network. It is
started when the first kernel of that environment is asked for, and ends with the pool.
"""

import asyncio
import contextlib
import itertools
import os
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cellwright.core.errors import KernelStartError
from cellwright.kernels.folders import ClaimedFolder
from cellwright.kernels.inside import line
from cellwright.kernels.interpreter import INSIDE, Interpreter, View, interpreter, plain_view, sandboxed_view
from cellwright.kernels.isolation import Rung, is_sandboxed

_WARM_TIMEOUT_S = 120.0
_END_TIMEOUT_S = 10.0
_LAST_WORDS_BYTES = 2000


@dataclass(frozen=True)
class Environment:
    """What all kernels of a template have in common."""

    python: str
    """Path of the interpreter that runs kernels; it needs ipykernel."""
    rung: Rung
    preload: tuple[str, ...]
    hash_seed: int | None
    network: bool


@dataclass(frozen=True)
class Forked:
    """A sandbox that was asked for: a descriptor of its first process."""

    pidfd: int


class Template:
    """Made by `Template.start`. Used from one event loop."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", end: socket.socket, words: IO[bytes], folder: ClaimedFolder | None
    ) -> None:
        self._process, self._end, self._words, self._folder = process, end, words, folder
        self._answers: dict[int, asyncio.Future[tuple[dict[str, Any], list[int]]]] = {}
        self._names = itertools.count()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(end.fileno(), self._on_message)
        self._hello: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._lost = False
        self.missing: list[str] = []
        """Modules to import that are not installed."""

    @classmethod
    async def start(cls, environment: Environment) -> "Template":
        """A template that is warm. Raises KernelStartError with its last words when it does not get there."""
        found = await asyncio.to_thread(interpreter, environment.python)
        # With a file system of its own, a template puts what libraries write when imported there.
        folder = None if is_sandboxed(environment.rung) else ClaimedFolder()
        ours, theirs = line.pair()
        words = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the template
        with theirs:
            process = subprocess.Popen(  # noqa: ASYNC220  # its life is watched on the line
                [environment.python, "-I", "-S", str(INSIDE / "__main__.py"), "start", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                pass_fds=[theirs.fileno()],
                env={"PATH": os.environ.get("PATH", "")},
                cwd="/",
                start_new_session=True,
            )
        ours.setblocking(False)
        template = cls(process, ours, words, folder)
        try:
            view = _view(environment, found, folder)
            line.send(ours, _first_order(environment, view))
            order = {"preload": list(environment.preload), "rung": environment.rung, "network": environment.network}
            line.send(ours, {**order, "folder": str(folder.root) if folder is not None else None})
            hello = await asyncio.wait_for(template._hello, _WARM_TIMEOUT_S)
            template.missing = list(hello.get("missing", ()))
        except BaseException as error:
            await template.close()
            if isinstance(error, TimeoutError):
                raise KernelStartError(f"importing {environment.preload} took over {_WARM_TIMEOUT_S:g} s") from error
            raise
        return template

    @property
    def is_lost(self) -> bool:
        return self._lost

    async def fork(self, order: Mapping[str, Any], descriptors: Sequence[int]) -> Forked:
        """Ask for a sandbox with a kernel. Raises KernelStartError."""
        received = await self._ask({**order, "do": "fork"}, descriptors)
        return Forked(received[0])

    async def mounts(self, tables: Mapping[str, Path]) -> list[int]:
        """Ask for tables as mounts that stand nowhere yet, in their order. Raises KernelStartError."""
        return await self._ask({"do": "mounts", "tables": {name: str(path) for name, path in tables.items()}})

    async def _ask(self, order: Mapping[str, Any], descriptors: Sequence[int] = ()) -> list[int]:
        if self._lost:
            raise KernelStartError(f"the template of kernels has ended; it said: {self.last_words()}")
        name = next(self._names)
        answer = self._answers[name] = self._loop.create_future()
        try:
            line.send(self._end, {**order, "id": name}, descriptors)
            message, received = await answer
            descriptors_received: list[int] = received
        except (OSError, ValueError) as error:
            raise KernelStartError(f"a kernel could not be asked for: {error}") from error
        finally:
            self._answers.pop(name, None)
        if "why" in message or not received:
            line.close(received)
            raise KernelStartError(f"a kernel could not be started: {message.get('why')}")
        return descriptors_received

    def _on_message(self) -> None:
        try:
            received = line.receive(self._end)
        except BlockingIOError:
            return
        if received is None:
            self._end_of_line()
            return
        message, descriptors = received
        if message.get("is") == "ready" and not self._hello.done():
            self._hello.set_result(message)
        elif message.get("is") == "failed" and not self._hello.done():
            self._hello.set_exception(KernelStartError(f"kernels cannot be started: {message.get('why')}"))
        elif (answer := self._answers.get(message.get("id", -1))) is not None and not answer.done():
            answer.set_result((message, descriptors))
        else:
            line.close(descriptors)

    def _end_of_line(self) -> None:
        self._lost = True
        self._loop.remove_reader(self._end.fileno())
        error = KernelStartError(f"the template of kernels has ended; it said: {self.last_words() or 'nothing'}")
        waiting: list[asyncio.Future[Any]] = [self._hello, *self._answers.values()]
        for answer in waiting:
            if not answer.done():
                answer.set_exception(error)

    def last_words(self) -> str:
        """The end of what it and its kernels said outside of cells."""
        size = os.fstat(self._words.fileno()).st_size
        return (
            os.pread(self._words.fileno(), _LAST_WORDS_BYTES, max(0, size - _LAST_WORDS_BYTES))
            .decode(errors="replace")
            .strip()
        )

    async def close(self) -> None:
        """End the template. Its sandboxes end with it."""
        if not self._lost:
            self._end_of_line()
        if self._hello.done() and not self._hello.cancelled():
            self._hello.exception()
        self._end.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, _END_TIMEOUT_S)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._words.close()
        if self._folder is not None:
            await asyncio.to_thread(self._folder.remove)


def _view(environment: Environment, found: Interpreter, folder: ClaimedFolder | None) -> View:
    if folder is None:
        return sandboxed_view(found, environment.hash_seed, network=environment.network)
    return plain_view(found, str(folder.root), environment.hash_seed)


def _first_order(environment: Environment, view: View) -> dict[str, Any]:
    return {
        "rung": environment.rung,
        "network": environment.network,
        "root": list(view.parts),
        "python": view.python,
        "inside": view.inside,
        "environment": dict(view.environment),
    }
