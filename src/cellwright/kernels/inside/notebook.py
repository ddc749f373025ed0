"""The kernel: ipykernel, over one socket that is handed to it, in the main thread of a fork.

Against a plain ipykernel it differs in this: no ZeroMQ, no threads but one that sends output which waits too long; the
output of one cell is cut at the source; the debugger, the heartbeat, subshells and the history database are left out.
It is built before the fork (`build`), and gets its socket after it (`serve`).
"""

# mypy: disable-error-code="no-untyped-call"
# ipykernel is typed in part.

import asyncio
import contextlib
import logging
import mmap
import os
import random
import signal
import socket
import sys
import threading
import types
import uuid
from functools import partial
from typing import Any, NoReturn

from . import channel, line, linux, sandbox, streams

_debugger = types.ModuleType("ipykernel.debugger")
_debugger._is_debugpy_available = False  # type: ignore[attr-defined]
_debugger.Debugger = object  # type: ignore[attr-defined]
sys.modules["ipykernel.debugger"] = _debugger  # Its imports cost more than all others of ipykernel.

import traitlets  # noqa: E402
import zmq  # noqa: E402
from ipykernel.ipkernel import IPythonKernel  # noqa: E402
from ipykernel.kernelapp import IPKernelApp  # noqa: E402
from ipykernel.utils import _async_in_context  # noqa: E402
from IPython.core.application import BaseIPythonApplication  # noqa: E402
from jupyter_client.session import Session  # noqa: E402
from tornado.ioloop import IOLoop  # noqa: E402
from traitlets.config import Config  # noqa: E402

from .streams import BUDGET, Stream  # noqa: E402

_ERROR_TEXT_BYTES = 64 << 10
_BUNDLES = frozenset({"display_data", "update_display_data", "execute_result"})
_IN_ORDER = _BUNDLES | {"error", "clear_output", "status", "execute_reply", "input_request"}
_REHEARSAL = """
1 + 1
if "pandas" in __import__("sys").modules:
    import io as _io, pandas as _pandas
    _frame = _pandas.read_csv(_io.StringIO("a,b\\n1,2.5\\n3,4.5\\n"))
    _frame.groupby("a").mean(), _frame.describe().to_html(), repr(_frame)
if "matplotlib.pyplot" in __import__("sys").modules:
    import io as _io, matplotlib.pyplot as _plt
    _figure, _axes = _plt.subplots()
    _axes.plot([1, 2]); _axes.set_title("x")
    _figure.savefig(_io.BytesIO(), format="png")
    _plt.close("all")
"""


class BoundedSession(Session):
    """A Session that spends the cell's budget and says with the last message of a cell how much it dropped."""

    def send(  # noqa: PLR0913, PLR0917  # the signature is jupyter_client's
        self,
        stream: Any,
        msg_or_type: Any,
        content: Any = None,
        parent: Any = None,
        ident: Any = None,
        buffers: Any = None,
        track: bool = False,
        header: Any = None,
        metadata: Any = None,
    ) -> Any:
        message = msg_or_type
        if not isinstance(message, dict):
            message = self.msg(msg_or_type, content, parent, header, metadata)
        if os.getpid() == self.pid and not _admit(message):
            return None
        with SOCKET.held() if _can_wait(message) else contextlib.nullcontext():
            return super().send(stream, message, ident=ident, buffers=buffers, track=track)


def _admit(message: dict[str, Any]) -> bool:
    """Bound one message in place; False where it must not be sent."""
    kind, content = message["header"]["msg_type"], message["content"]
    if kind in _IN_ORDER:
        Stream.send_all()
    if kind == "status":
        _mark_cell(message)
    elif kind == "stream":
        return BUDGET.message(len(content["text"]))
    elif kind in _BUNDLES:
        content["data"] = BUDGET.bundle(content["data"])
        return BUDGET.message(0)
    elif kind in {"error", "execute_reply"} and "traceback" in content:
        _cut_error(content)
        if kind == "execute_reply":
            _kernel.before_error_reply()
    elif kind.startswith("comm_"):
        return BUDGET.message(0)
    return True


def _can_wait(message: dict[str, Any]) -> bool:
    """Whether another message follows at once, or it is of little use before the next."""
    kind = message["header"]["msg_type"]
    if kind in {"execute_input", "execute_reply"} or message["content"].get("execution_state") == "busy":
        streams.wake()
        return True
    return False


def _mark_cell(message: dict[str, Any]) -> None:
    if message["parent_header"].get("msg_type") != "execute_request":
        return
    if message["content"]["execution_state"] == "busy":
        BUDGET.reset()
        if not _spare:
            with contextlib.suppress(OSError):
                # Not bytes, which would be written to, and so be there.
                _spare.append(mmap.mmap(-1, _SPARE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    elif message["content"]["execution_state"] == "idle":
        message["metadata"]["truncated_bytes"] = BUDGET.dropped


def _cut_error(content: dict[str, Any]) -> None:
    if limit := _limit_behind(content["ename"], content["evalue"]):
        content["evalue"] = f"{content['evalue']} (a limit of this kernel: {limit})".strip()
    content["evalue"], dropped = streams.cut(content["evalue"], _ERROR_TEXT_BYTES)
    lines, room = [], 4 * _ERROR_TEXT_BYTES
    for text in content["traceback"]:
        kept, lost = streams.cut(text, room)
        room = max(0, room - len(kept.encode()))
        dropped += lost
        lines.append(kept)
    content["traceback"] = lines
    BUDGET.dropped += dropped


class Kernel(IPythonKernel):
    """An ipykernel whose cells run in the main thread, and whose channels are one socket."""

    _supports_kernel_subshells = False
    shell_stream = traitlets.Any()
    has_said_hello = False
    take_requests: Any = None
    """Reads what has come, and begins it."""
    limits: dict[str, Any] = {}  # noqa: RUF012  # traitlets takes class attributes as they are

    def pre_handler_hook(self) -> None:
        self.saved_sigint_handler = signal.signal(signal.SIGINT, _on_interrupt)

    def before_error_reply(self) -> None:
        """What has come by now may be aborted; what comes when the client has seen the reply may not."""
        self.take_requests()
        # On the way that requests take: it waits behind those that are here now, and before all that are read later.
        self._end_of_aborting = asyncio.get_running_loop().create_task(_async_in_context(self._end_aborting)())

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """After a cell that fails, requests that had already come are answered with "aborted"."""
        self._aborting = True

    async def _end_aborting(self) -> None:
        async with self._main_asyncio_lock:  # Whoever waits gets it in order of arrival.
            self._aborting = False

    def _input_request(self, prompt: str, ident: Any, parent: Any, password: bool = False) -> str:
        Stream.send_all()
        assert self.session is not None
        self.session.send(self.stdin_socket, "input_request", {"prompt": prompt, "password": password}, parent, ident)
        while True:
            for frames in _wait_for(channel.STDIN):
                _, parts = self.session.feed_identities(frames)
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    value: str = self.session.deserialize(parts)["content"]["value"]
                    if value == "\x04":
                        raise EOFError
                    return value


def _limit_behind(name: str, text: str) -> str:
    """The limit of this kernel that an exception speaks of, by name and value; empty where it speaks of none."""
    limits = _kernel.limits
    if name == "MemoryError":
        return f"memory: {limits['memory_bytes'] >> 20} MiB"
    if "No space left on device" in text or "File too large" in text:
        return f"disk: {limits['disk_bytes'] >> 20} MiB"
    if "Resource temporarily unavailable" in text or "can't start new thread" in text:
        return f"processes: {limits['processes']}"
    return ""


def _on_interrupt(_signal: int, _frame: Any) -> None:
    """As Python's own, but a message that is half sent is sent whole first."""
    if SOCKET.is_sending:
        SOCKET.interrupted = True
    else:
        raise KeyboardInterrupt


class App(IPKernelApp):
    """Holds what ipykernel's parts expect of their application; it opens nothing."""

    def init_connection_file(self) -> None:
        """There is none."""


_SPARE_BYTES = 16 << 20
_spare: list[mmap.mmap] = []
"""Memory set aside, never touched, that a cell which has used up all lets go: its error must still be told."""
SOCKET = channel.Socket()
_kernel: Any = None
_pending: list[tuple[int, list[bytes]]] = []
_branches: list[int] = []
"""Processes that were forked for branches and not waited for yet."""
_abandoned: list[asyncio.AbstractEventLoop] = []


def build() -> None:
    """Make the kernel, with no thread, no socket and no event loop."""
    global _kernel  # noqa: PLW0603  # one process, one kernel
    config = Config()
    config.HistoryManager.enabled = False
    app = App.instance(config=config)
    BaseIPythonApplication.initialize(app, [])
    app.log.setLevel(logging.ERROR)  # it writes of every message otherwise
    app.init_pdb()
    app.init_path()
    session = BoundedSession(parent=app, username="kernel", key=b"none yet")
    app.session = session
    shell_channel, iopub, stdin = (channel.Channel(SOCKET, n) for n in (channel.SHELL, channel.IOPUB, channel.STDIN))
    app.iopub_socket = iopub
    kernel = Kernel.instance(
        parent=app,
        session=session,
        shell_stream=shell_channel,
        iopub_socket=iopub,
        stdin_socket=stdin,
        log=app.log,
        profile_dir=app.profile_dir,
        user_ns=app.user_ns,
    )
    kernel.shell_channel_thread = types.SimpleNamespace(parent_thread=threading.main_thread())
    kernel._execute_sleep = 0
    app.kernel = kernel
    app.init_shell()
    shell: Any = kernel.shell
    shell.system = shell.system_raw  # no terminal of its own, so that output keeps its order
    app.init_extensions()
    app.displayhook = shell.displayhook
    show = shell.showtraceback

    def showtraceback(*arguments: Any, **named: Any) -> Any:
        while _spare:
            _spare.pop().close()
        return show(*arguments, **named)

    shell.showtraceback = showtraceback
    Stream.flush_held = staticmethod(SOCKET.flush)
    Stream.both = [Stream("stdout", 1, _send_text), Stream("stderr", 2, _send_text)]
    _kernel = kernel


def rehearse() -> None:
    """Run a cell, so that what is made at the first use is there before the fork."""
    shell = _kernel.shell
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):  # noqa: PTH123
        shell.run_cell(_REHEARSAL, store_history=False)
        # What IPython imports to show an error takes a quarter of a second.
        shell.run_cell("def fail(x):\n    return 1 / x\nfail(0)", store_history=False)
    shell.reset(new_session=True)
    shell.displayhook.exec_result = None
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    shell.execution_count = 1


def _send_text(name: str, text: str) -> None:
    session = _kernel.session
    session.send(_kernel.iopub_socket, "stream", {"name": name, "text": text}, parent=_kernel.get_parent("shell"))


def serve(descriptor: int, errands: int, order: dict[str, Any]) -> NoReturn:
    """Be the kernel of this process until it ends."""
    _be_new(descriptor, order.get("key", ""), order["limits"], order.get("seed"))
    _seed(order.get("seed"))
    ends = socket.socket(fileno=errands)
    loop, process = asyncio.new_event_loop(), os.getpid()
    run = _async_in_context(partial(_kernel.shell_main, None))
    while True:
        asyncio.set_event_loop(loop)
        errand = loop.run_until_complete(_attend(ends, run))
        ends = _branch(ends, *errand)
        if os.getpid() != process:
            # The old loop is not closed: it would take its descriptors out of the epoll that both processes share.
            _abandoned.append(loop)
            loop, process = asyncio.new_event_loop(), os.getpid()


def _be_new(descriptor: int, key: str, limits: dict[str, Any], seed: int | None) -> None:
    """Become another process than the one this is a fork of, as far as clients can tell."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    SOCKET.open(descriptor)
    BUDGET.limit_bytes = limits["output_bytes"]
    BUDGET.reset()
    session = _kernel.session
    session.key = key.encode()
    session.session = uuid.uuid4().hex
    session.pid = os.getpid()
    _kernel.limits = limits
    _kernel.has_said_hello = False
    _pending.clear()
    _branches.clear()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    Stream.begin()


def _seed(seed: int | None) -> None:
    """Forks share the state of random numbers; kernels must not, unless it is asked for."""
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(None if seed is None else seed % 2**32)


def _wait_for(wanted: int) -> list[list[bytes]]:
    """Messages of one channel, as soon as there are any; others are kept for later."""
    SOCKET.wait(0.1)
    received = SOCKET.receive()
    if received is None:
        os._exit(0)
    _pending.extend(message for message in received if message[0] != wanted)
    return [frames for number, frames in received if number == wanted]


async def _attend(errands: socket.socket, run: Any) -> tuple[dict[str, Any], list[int]]:
    """Run what is asked for until there is an errand for the whole process."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[dict[str, Any], list[int]]] = loop.create_future()
    _kernel._main_asyncio_lock = asyncio.Lock()
    _kernel._control_lock = asyncio.Lock()
    _kernel.io_loop = IOLoop.current()
    _kernel._aborting = False
    tasks: set[asyncio.Task[Any]] = set()

    def begin(number: int, frames: list[bytes]) -> None:
        if number == channel.SHELL:
            task = loop.create_task(run([zmq.Frame(frame) for frame in frames]))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            task.add_done_callback(lambda _: take_pending())

    def take_pending() -> None:
        waiting, _pending[:] = list(_pending), []
        for message in waiting:
            begin(*message)

    def on_request() -> None:
        received = SOCKET.receive()
        if received is None:
            os._exit(0)
        for message in received:
            begin(*message)

    def on_errand() -> None:
        received = line.receive(errands)
        if received is None:
            os._exit(0)
        if not done.done():
            done.set_result(received)

    _kernel.take_requests = on_request
    loop.add_reader(SOCKET.fileno(), on_request)
    loop.add_reader(errands.fileno(), on_errand)
    if not _kernel.has_said_hello:
        _kernel.has_said_hello = True
        _kernel._publish_status("starting", "shell")
    errand = await done
    loop.remove_reader(SOCKET.fileno())
    loop.remove_reader(errands.fileno())
    return errand


def _branch(errands: socket.socket, order: dict[str, Any], descriptors: list[int]) -> socket.socket:
    """Fork this kernel into a sandbox that waits for it. The errands of the process that this is afterwards."""
    if order.get("do") != "branch":
        line.close(descriptors)
        return errands
    descriptor, theirs, *spaces = descriptors
    state = random.getstate()  # Python seeds `random` anew in every fork
    child = os.fork()
    if child:
        line.close(descriptors)
        _branches.append(child)
        for branch in tuple(_branches):
            # With namespaces it ends at once, without them it is the branch.
            with contextlib.suppress(ChildProcessError):
                if not os.waitpid(branch, 0 if branch == child and spaces else os.WNOHANG)[0]:
                    continue
            _branches.remove(branch)
        return errands
    try:
        sandbox.enter(spaces)
        if spaces and os.fork():
            os._exit(0)  # Only what is forked from here on is in the new process namespace.
        ends = socket.socket(fileno=theirs)
        line.close([*spaces, errands.detach(), SOCKET.fileno()])
        os.setsid()
        sandbox.move_in(order)
        if spaces:
            linux.drop_capabilities()
            linux.set_dumpable(True)
        _be_new(descriptor, "", _kernel.limits, order.get("seed"))
        random.setstate(state)
        if order.get("reseed"):
            _seed(order.get("seed"))
        line.send(ends, {})  # From whom it comes, Linux says.
    except BaseException:  # noqa: BLE001 - the new process must not go on as the old one
        os._exit(1)
    return ends
