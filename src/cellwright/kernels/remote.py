"""Kernels in E2B's cloud sandboxes, for hostile code that should not run on this machine at all: the extra [e2b].

One kernel is one sandbox, a virtual machine of its own, with E2B's code interpreter in it. What differs from a kernel
on this machine, because the service offers no more:

- Tables are uploaded copies, and the notebook may overwrite them. They stand under `data/`; not under /data or /kaggle.
- `Limits.memory_bytes` and `cpu_s` hold for each process, `disk_bytes` for each file. `processes` is not enforced: the
  size of the sandbox, which its template says, is the bound for all processes together. The pool logs so once.
- A cell is interrupted by a signal that the sandbox's first kernel sends. One that does not heed it costs the sandbox.
- Numeric libraries use one thread, as here, unless the template imports them before the first cell.
- A text in more messages than a network likes is slow. Output of a finished child process may come after its cell's.
- E2B adds its own forms of tables and charts to a cell's displays ("e2b/data", "e2b/chart"); they are left out.
- `branch` is not offered.

What a sandbox sends is hostile: its bytes are bounded, and each message is checked as those of local kernels are.
"""

import asyncio
import contextlib
import functools
import json
import logging
import math
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from cellwright.core.errors import KernelDied, KernelError, KernelStartError, MissingExtra, UsageError
from cellwright.core.types import MODERN, CellResult
from cellwright.kernels.inside.guest import DROPPED, MESSAGE
from cellwright.kernels.interpreter import INSIDE, environment
from cellwright.kernels.local import table_file, table_name
from cellwright.kernels.outputs import OutputCollector
from cellwright.kernels.protocol import Kernel, KernelSettings, Limits, Listener
from cellwright.kernels.wire import cancelled

if TYPE_CHECKING:
    from e2b_code_interpreter import AsyncSandbox, Context, Execution, Result

_log = logging.getLogger(__name__)
_WORK = "cellwright"
"""The work folder, below the home of the sandbox's user."""
_SLACK_BYTES = 16 << 20
_CLOSE_TIMEOUT_S = 30.0
_SAID_CHARS = 300
_MOST_DROPPED = 1 << 62
_NONSENSE = (AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""What the SDK raises when a line of a cell is not what it should be: code that is root in a sandbox can write it."""
_MEDIA = {
    "text": "text/plain",
    "html": "text/html",
    "markdown": "text/markdown",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "pdf": "application/pdf",
    "latex": "text/latex",
    "json": "application/json",
    "javascript": "application/javascript",
}
"""Attributes of the SDK's Result and what they hold (result.py of E2B's code interpreter, commit 7df1757)."""
_LOST = ("ContextRestarting", "WebSocketError", "UnexpectedEndOfExecution")
"""Errors without a traceback that the code interpreter makes up for a kernel that has ended (its messaging.py)."""


@dataclass(frozen=True)
class E2B:
    """An account and what its sandboxes are made of."""

    api_key: str | None = None
    """None: the environment variable E2B_API_KEY."""
    template: str | None = None
    """Name of a template with E2B's code interpreter; None: E2B's own, which has pandas, scikit-learn and so on."""
    domain: str | None = None
    """Where E2B is hosted; None: E2B_DOMAIN, or E2B's own cloud."""
    api_url: str | None = None
    """Address of the control plane; None: made from the domain."""
    sandbox_url: str | None = None
    """Address at which all sandboxes are reached; None: made from the domain."""
    idle_s: float = 300.0
    """Seconds after which E2B ends a sandbox whose program is gone; while it lives, they are renewed in time."""
    interrupt_grace_s: float = 5.0
    """Seconds that a cell has to heed an interrupt before its sandbox is killed."""

    @property
    def connection(self) -> dict[str, Any]:
        """The SDK's arguments. `debug` is set, as E2B_DEBUG in the environment would make it skip every limit."""
        return {
            "api_key": self.api_key,
            "domain": self.domain,
            "api_url": self.api_url,
            "sandbox_url": self.sandbox_url,
            "debug": False,
        }


class RemotePool:
    """A Pool of `RemoteKernel`s. Used from one event loop."""

    def __init__(self, size: int, account: E2B | None = None) -> None:
        """`size`: sandboxes alive at once. Raises MissingExtra where E2B's SDK is not installed."""
        _sdk()
        self._account = account or E2B()
        self._places = asyncio.Semaphore(size)
        self._kernels: set[RemoteKernel] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._told = False
        self._closed = False

    @contextlib.asynccontextmanager
    async def kernel(self, settings: KernelSettings) -> AsyncIterator[Kernel]:
        """A fresh kernel. Raises KernelStartError, or UsageError where the key is missing or not accepted."""
        async with self._places:
            kernel = await self._start(settings)
            try:
                yield kernel
            finally:
                try:
                    await kernel.close()
                finally:
                    self._kernels.discard(kernel)

    async def _start(self, settings: KernelSettings) -> "RemoteKernel":
        if self._closed:
            raise KernelStartError("this pool of kernels is closed")
        if settings.era != MODERN:
            raise KernelStartError(f"E2B's sandboxes have one environment, not {settings.era!r}")
        if not self._told:
            self._told = True
            _log.info(
                "E2B bounds processes, memory and disk by the size of a sandbox; Limits.processes is not enforced"
            )
        tables = {table_name(name): table_file(name, path) for name, path in settings.tables.items()}
        async with _deadline(settings.limits.start_timeout_s):
            kernel = RemoteKernel(await self._sandbox(settings), settings, self._account)
            self._kernels.add(kernel)
            try:
                await kernel.settle(tables)
            except BaseException:
                self._kernels.discard(kernel)
                await kernel.close()
                raise
        if self._closed:
            await kernel.close()
            raise KernelStartError("this pool of kernels was closed while a kernel started")
        return kernel

    async def _sandbox(self, settings: KernelSettings) -> "AsyncSandbox":
        """A new sandbox. One that comes when nobody waits for it any more is killed."""
        creating = asyncio.create_task(_new_sandbox(settings, self._account))
        try:
            return await asyncio.shield(creating)
        except asyncio.CancelledError:
            leaving = asyncio.create_task(_never_used(creating))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
            raise

    async def close(self) -> None:
        self._closed = True
        await asyncio.gather(*(kernel.close() for kernel in tuple(self._kernels)), *self._leaving)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class RemoteKernel:
    """Made by `RemotePool`; its sandbox ends with it."""

    isolation = "remote, e2b"

    def __init__(self, sandbox: "AsyncSandbox", settings: KernelSettings, account: E2B) -> None:
        self._sandbox, self._settings, self._account = sandbox, settings, account
        self._context: Context | None = None
        self._pid = 0
        self.died: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Why the kernel has ended, once it has."""
        self._watch = [asyncio.create_task(self._keep_alive())]
        if settings.limits.wall_s is not None:
            self._watch.append(asyncio.create_task(self._end_after(settings.limits.wall_s)))
        self._killing: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def settle(self, tables: Mapping[str, Path]) -> None:
        """Upload the tables and start the kernel. Raises KernelStartError."""
        with _translated("prepare a sandbox"):
            for name, path in tables.items():
                with path.open("rb") as file:
                    # Without a limit of time of its own, as it may be large; the start as a whole has one.
                    await self._sandbox.files.write(f"{_WORK}/data/{name}", file, request_timeout=0)
            language = None
            if (seed := self._settings.hash_seed) is not None:
                language = f"cellwright-{seed}"
                await self._outside(_KERNELSPEC.format(name=language, seed=seed))
            self._context = await self._sandbox.create_code_context(language=language)
            found = json.loads(await self._outside(_prelude(self._settings, tables), self._context))
        self._pid = found["pid"]
        for name, path in tables.items():
            if found["sizes"][name] != path.stat().st_size:
                raise KernelStartError(f"the table {name!r} did not arrive whole in its sandbox")
        if seed is not None and found["hash_seed"] != str(seed):
            raise KernelStartError(f"the sandbox's template does not let a kernel start with hash seed {seed}")

    async def execute(self, code: str, *, timeout_s: float | None = None, listen: Listener | None = None) -> CellResult:
        if self.died.done():
            raise KernelDied(f"the kernel has ended ({self.died.result()}); what it held is lost. Start another one.")
        started = time.monotonic()
        cell = _Cell(self._settings.limits.output_bytes, listen)
        run = asyncio.create_task(self._run(code, cell))
        try:
            status = await self._outcome(run, timeout_s)
        except asyncio.CancelledError:
            await self.interrupt()
            raise
        finally:
            await cancelled(run)
        seconds = time.monotonic() - started
        ended_by = self.died.result() if status == "dead" else ""
        return CellResult(
            status, cell.collector.outputs, seconds, cell.collector.truncated_bytes + cell.dropped, ended_by
        )

    async def interrupt(self) -> None:
        """Send the kernel, and the programs that it waits for, the signal of the stop button.

        The sandbox's first kernel, which no notebook uses, does it: the SDK has no call for it.
        """
        with contextlib.suppress(KernelError, TimeoutError):
            async with asyncio.timeout(self._account.interrupt_grace_s):
                with _translated("interrupt a cell"):
                    await self._outside(_INTERRUPT.format(pid=self._pid))

    async def branch(self, count: int = 1, *, seeds: Sequence[int] | None = None) -> list[Kernel]:
        raise NotImplementedError("a kernel in an E2B sandbox cannot be branched; use a local kernel for that")

    async def close(self) -> None:
        if self._closing is None:
            self._closing = asyncio.create_task(self._leave())
        try:
            await asyncio.shield(self._closing)
        finally:
            await asyncio.wait({self._closing})

    async def _run(self, code: str, cell: "_Cell") -> str:
        """Run a cell: "ok" or "error", or the reason why the kernel has ended."""
        bounded = self._settings.limits.output_bytes * 8 + _SLACK_BYTES
        sandbox: Any = self._sandbox
        sandbox.most_bytes = bounded
        try:
            execution: Execution = await self._sandbox.run_code(
                code,
                context=self._context,
                on_stdout=lambda message: cell.text("stdout", message.line),
                on_stderr=lambda message: cell.text("stderr", message.line),
                on_result=cell.result,
                on_error=lambda error: cell.error(error.name, error.value, error.traceback),
                timeout=0,
            )
        except _TooMuch:
            return f"it sent more than {bounded} bytes in one cell, past the limit of output"
        except _sdk().errors as error:
            return f"its sandbox was lost: {_one_line(error)}"
        except _NONSENSE as error:
            return f"its sandbox sent what is no message of a kernel: {_one_line(error)}"
        if execution.error is None:
            return "ok"
        if execution.error.name in _LOST and not execution.error.traceback:
            return f"its process ended ({execution.error.name})"
        return "error"

    async def _outcome(
        self, run: "asyncio.Task[str]", timeout_s: float | None
    ) -> Literal["ok", "error", "timeout", "dead"]:
        if not await self._ends(run, timeout_s):
            for _ in range(2):
                await self.interrupt()
                if await self._ends(run, self._account.interrupt_grace_s / 2):
                    break
            if not run.done() or run.result() not in ("ok", "error"):
                await self._end("it did not heed an interrupt and was killed")
            return "timeout"
        if run.done():
            if (status := run.result()) in ("ok", "error"):
                return "ok" if status == "ok" else "error"
            await self._end(status)
        return "dead"

    async def _ends(self, run: "asyncio.Task[str]", timeout_s: float | None) -> bool:
        """Whether the cell or the kernel came to an end in time."""
        ends: set[asyncio.Future[str]] = {run, self.died}
        done, _ = await asyncio.wait(ends, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)

    async def _outside(self, code: str, context: "Context | None" = None) -> str:
        """Run code of our own, in the sandbox's first kernel unless told otherwise: what it prints."""
        execution = await self._sandbox.run_code(code, context=context, timeout=self._settings.limits.start_timeout_s)
        if execution.error is not None:
            raise KernelStartError(f"a sandbox refused its order: {execution.error.name}: {execution.error.value}")
        return "".join(execution.logs.stdout)

    async def _keep_alive(self) -> None:
        """Renew the sandbox's time to live while the kernel lives. An error that may pass is tried again in time."""
        while not self.died.done():
            await asyncio.sleep(self._account.idle_s / 3)
            try:
                await self._sandbox.set_timeout(math.ceil(self._account.idle_s))
            except _sdk().gone:
                self._has_ended("E2B ended its sandbox")
            except _sdk().errors as error:
                _log.warning("the time of an E2B sandbox could not be renewed: %s", _one_line(error))

    async def _end_after(self, wall_s: float) -> None:
        await asyncio.sleep(wall_s)
        await self._end(f"it went over its limit of wall time: {wall_s:g} s")

    def _has_ended(self, why: str) -> None:
        if not self.died.done():
            self.died.set_result(why)

    async def _end(self, why: str) -> None:
        self._has_ended(why)
        if self._killing is None:
            self._killing = asyncio.create_task(_kill(self._sandbox))
        await asyncio.shield(self._killing)

    async def _leave(self) -> None:
        await self._end("it was closed")
        for task in self._watch:
            await cancelled(task)


class _Cell:
    """The messages of one cell as they come."""

    def __init__(self, limit_bytes: int, listen: Listener | None) -> None:
        self.collector = OutputCollector(limit_bytes, listen)
        self.dropped = 0

    def text(self, stream: str, text: object) -> None:
        self.collector.take("stream", {"name": stream, "text": text})

    def error(self, name: object, value: object, traceback: object) -> None:
        if name in _LOST and not traceback:
            return
        lines = str(traceback).removesuffix("\n").split("\n")
        self.collector.take("error", {"ename": name, "evalue": value, "traceback": lines})

    def result(self, result: "Result") -> None:
        extra = result.extra if isinstance(result.extra, dict) else {}
        if MESSAGE in extra:
            self._message(extra[MESSAGE])
            return
        # What did not go through guest.py: code that sends messages of its own.
        data = {media: value for name, media in _MEDIA.items() if (value := getattr(result, name, None)) is not None}
        self.collector.take("execute_result" if result.is_main_result else "display_data", {"data": data | extra})

    def _message(self, message: object) -> None:
        if not isinstance(message, dict):
            return
        kind, content = message.get("kind"), message.get("content")
        if not isinstance(kind, str) or not isinstance(content, dict):
            return
        if kind == DROPPED:
            count = content.get("bytes")
            self.dropped = count if isinstance(count, int) and 0 <= count < _MOST_DROPPED else 0
        elif kind != "error":
            self.collector.take(kind, content)


_KERNELSPEC = """
import json, os, sys
from jupyter_core.paths import jupyter_data_dir
folder = os.path.join(jupyter_data_dir(), "kernels", "{name}")
os.makedirs(folder, exist_ok=True)
command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]
with open(os.path.join(folder, "kernel.json"), "w") as file:
    json.dump({{"argv": command, "display_name": "{name}", "language": "python",
               "env": {{"PYTHONHASHSEED": "{seed}"}}}}, file)
"""
"""A kind of kernel with a hash seed. Python reads it when it starts, and the SDK has no call that sets it for one."""
_INTERRUPT = """
import os, signal
group = os.getpgid({pid})
os.kill({pid}, signal.SIGINT) if group == os.getpgid(0) else os.killpg(group, signal.SIGINT)
"""


def _prelude(settings: KernelSettings, tables: Mapping[str, Path]) -> str:
    """A cell that makes the kernel ready and leaves no name in the notebook's."""
    limits = {"RLIMIT_DATA": settings.limits.memory_bytes, "RLIMIT_FSIZE": settings.limits.disk_bytes, "RLIMIT_CORE": 0}
    if settings.limits.cpu_s is not None:
        limits["RLIMIT_CPU"] = math.ceil(settings.limits.cpu_s)
    variables = environment("", "", None)
    names = [name for name in variables if name.endswith("_NUM_THREADS")]
    order = {
        "work": _WORK,
        "environment": {name: variables[name] for name in [*names, "PIP_NO_INDEX", "TZ"]},
        "tables": list(tables),
        "limits": limits,
        "output_bytes": settings.limits.output_bytes,
        "seed": settings.seed,
    }
    program = (
        "import json, types\n"
        "streams, guest = types.ModuleType('_cellwright_streams'), types.ModuleType('_cellwright_guest')\n"
        f"exec({(INSIDE / 'streams.py').read_text()!r}, streams.__dict__)\n"
        f"exec({(INSIDE / 'guest.py').read_text()!r}, guest.__dict__)\n"
        f"print(json.dumps(guest.settle(shell, {order!r}, streams.BUDGET)))\n"
    )
    return f"exec({program!r}, {{'__name__': '_cellwright', 'shell': get_ipython()}})"


@dataclass(frozen=True)
class _Sdk:
    """What is used of E2B's SDK."""

    sandbox: type["AsyncSandbox"]
    errors: tuple[type[Exception], ...]
    """All that it raises."""
    denied: type[Exception]
    gone: type[Exception]
    crowded: type[Exception]


class _TooMuch(Exception):
    """A cell sent more than an honest one can."""


@functools.cache
def _sdk() -> _Sdk:
    try:
        import e2b_code_interpreter as sdk  # noqa: PLC0415
        import httpx  # noqa: PLC0415
    except ImportError:
        raise MissingExtra("e2b", "a pool of remote kernels") from None

    class Bounded(sdk.AsyncSandbox):  # type: ignore[misc]
        """The SDK keeps all that a cell sends; this bounds it, in the one place where the SDK lets one in."""

        most_bytes = 8 * Limits().output_bytes + _SLACK_BYTES

        @property
        def _client(self) -> httpx.AsyncClient:
            async def bound(response: httpx.Response) -> None:
                response.stream = bounded_stream(response.stream, self.most_bytes)

            client: httpx.AsyncClient = super()._client
            client.event_hooks = {"response": [bound]}
            return client

    def bounded_stream(stream: Any, most_bytes: int) -> httpx.AsyncByteStream:
        class Stream(httpx.AsyncByteStream):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                seen = 0
                async for piece in stream:
                    seen += len(piece)
                    if seen > most_bytes:
                        raise _TooMuch
                    yield piece

            async def aclose(self) -> None:
                await stream.aclose()

        return Stream()

    errors = (
        sdk.SandboxException,
        sdk.AuthenticationException,
        sdk.ServiceBusyException,
        httpx.HTTPError,
        TimeoutError,
    )
    return _Sdk(Bounded, errors, sdk.AuthenticationException, sdk.SandboxNotFoundException, sdk.RateLimitException)


async def _new_sandbox(settings: KernelSettings, account: E2B) -> "AsyncSandbox":
    with _translated("start a sandbox"):
        return await _sdk().sandbox.create(
            template=account.template,
            timeout=math.ceil(account.idle_s),
            allow_internet_access=settings.network,
            metadata={"made-by": "cellwright"},
            request_timeout=settings.limits.start_timeout_s,
            **account.connection,
        )


async def _never_used(creating: "asyncio.Task[AsyncSandbox]") -> None:
    await asyncio.wait({creating})
    if not creating.cancelled() and creating.exception() is None:
        await _kill(creating.result())


async def _kill(sandbox: "AsyncSandbox") -> None:
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await sandbox.kill()
    except _sdk().errors as error:
        _log.warning(
            "the E2B sandbox %s could not be ended; E2B does it when its time is over: %s",
            sandbox.sandbox_id,
            _one_line(error),
        )


@contextlib.contextmanager
def _translated(doing: str) -> Iterator[None]:
    """E2B's errors in our words."""
    try:
        yield
    except _sdk().denied as error:
        raise UsageError(
            f"E2B did not accept the key: {_one_line(error)} Set E2B_API_KEY to a key of your account."
        ) from error
    except _sdk().crowded as error:
        raise KernelStartError(
            f"E2B gives this account no more sandboxes now: {_one_line(error)} Ask for fewer kernels at once, or wait."
        ) from error
    except _sdk().errors as error:
        raise KernelStartError(f"E2B did not {doing}: {_one_line(error)}") from error
    except _NONSENSE as error:
        raise KernelStartError(f"E2B did not {doing}; what it answered is no message: {_one_line(error)}") from error


@contextlib.asynccontextmanager
async def _deadline(limit_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError as error:
        raise KernelStartError(f"a sandbox did not start in {limit_s:g} s") from error


def _one_line(error: BaseException) -> str:
    """What an error says, in one line that ends with a full stop."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said[:_SAID_CHARS].rstrip(".") + "."
