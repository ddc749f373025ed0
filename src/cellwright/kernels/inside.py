"""Runs inside a kernel's process: an ipykernel that speaks over inherited sockets and bounds what it sends.

It stands alone: the interpreter that runs it needs ipykernel, not Cellwright. One line of JSON on standard input says
what to do (`local.py` writes it). Against a plain ipykernel it differs in four ways: its sockets are handed to it; the
output of one cell is cut at the source, and never dropped by a full queue; text from print, from child processes and
displays keep the order in which they were written; the debugger, the heartbeat and the history database are left out.

The bounds here keep a noisy cell quick. They do not hold against code that takes this module apart: the client bounds
what it keeps for itself.
"""

# mypy: disable-error-code="no-untyped-call"
# ipykernel is typed in part.

import codecs
import json
import os
import resource
import select
import signal
import sys
import threading
import time
import traceback
import types
from typing import Any, ClassVar

_MESSAGES_PER_CELL = 10_000
_ERROR_TEXT_BYTES = 64 << 10
_FLUSH_EVERY_S = 0.02
_PIPE_BYTES = 64 << 10
_BUNDLES = frozenset({"display_data", "update_display_data", "execute_result"})
_IN_ORDER = _BUNDLES | {"error", "clear_output", "status"}


def _set_limits(limits: dict[str, int]) -> None:
    """Lower the limits named in `limits`, for example {"AS": 4 << 30}; never above what this process was given."""
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))


def _die_with(parent: int) -> None:
    """Ask the operating system to kill this process when the thread that started it ends."""
    import ctypes  # noqa: PLC0415  # costs 15 ms and is needed without a sandbox only

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _prepare(config: dict[str, Any]) -> None:
    """What must come before the slow imports: limits, process group, standard input, no debugger."""
    _set_limits(config["limits"])
    if config["parent"]:
        _die_with(config["parent"])
    if os.getpgrp() != os.getpid():
        # A group of its own, so that an interrupt reaches `os.system` children and nothing else.
        os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.path[:] = [entry for entry in sys.path if entry != os.path.dirname(os.path.abspath(__file__))]  # noqa: PTH100, PTH120
    debugger = types.ModuleType("ipykernel.debugger")
    debugger._is_debugpy_available = False  # type: ignore[attr-defined]
    debugger.Debugger = object  # type: ignore[attr-defined]
    sys.modules["ipykernel.debugger"] = debugger


CONFIG: dict[str, Any] = json.loads(sys.stdin.readline()) if __name__ == "__main__" else {}
if CONFIG:
    _prepare(CONFIG)
    # IPython puts the notebook's namespace in the place of __main__; this name stays importable.
    sys.modules["cellwright_inside"] = sys.modules["__main__"]

import zmq  # noqa: E402
from ipykernel.iostream import OutStream  # noqa: E402
from ipykernel.kernelapp import IPKernelApp  # noqa: E402
from jupyter_client.session import Session  # noqa: E402
from traitlets.config import Config  # noqa: E402


def cut(text: str, room: int) -> tuple[str, int]:
    """The first `room` bytes of `text` in UTF-8, on a character boundary, and how many bytes were left off."""
    if text.isascii():
        return (text, 0) if len(text) <= room else (text[:room], len(text) - room)
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= room:
        return data.decode(), 0
    kept = data[:room].decode("utf-8", "ignore")
    return kept, len(data) - len(kept.encode())


class Budget:
    """What one cell may still send. Shared by every thread of the kernel."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._room = self._limit_bytes
            self._messages = _MESSAGES_PER_CELL
            self.dropped = 0

    def text(self, text: str) -> str:
        """As much of `text` as still fits."""
        with self._lock:
            if self._room == 0 and text.isascii():
                self.dropped += len(text)
                return ""
            kept, dropped = cut(text, self._room)
            self.dropped += dropped
            self._room -= len(kept) if kept.isascii() else len(kept.encode())
            if dropped:
                self._room = 0
        return kept

    def bundle(self, data: dict[str, Any]) -> dict[str, Any]:
        """The parts of a MIME bundle that still fit; plain text is cut, others are whole or absent."""
        kept: dict[str, Any] = {}
        with self._lock:
            for media, value in data.items():
                if media == "text/plain" and isinstance(value, str):
                    kept[media] = self.text(value)
                    continue
                size = len(value) if isinstance(value, str) else len(json.dumps(value, default=str))
                if size <= self._room:
                    self._room -= size
                    kept[media] = value
                else:
                    self.dropped += size
        return kept

    @property
    def spent(self) -> bool:
        return self._room == 0

    def message(self, size: int) -> bool:
        """Whether one more message may go; its `size` counts as dropped where not."""
        with self._lock:
            self._messages -= 1
            if self._messages >= 0:
                return True
            self.dropped += size
            return False


BUDGET = Budget(CONFIG.get("output_bytes", 1 << 20))


class Stream(OutStream):
    """stdout or stderr: bounded, and in order with the other stream, child processes and displays.

    Text waits in a buffer until a timer, the other stream, or a message of another kind sends it, so a flush in a
    tight loop costs no message. Locks are taken in this order: `_reading`, `_order`, the buffer's own.
    """

    both: ClassVar[list["Stream"]] = []
    _pipes: ClassVar[Any] = select.poll()
    _reading: ClassVar[Any] = threading.RLock()
    _order: ClassVar[Any] = threading.RLock()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._sent_at = 0.0
        super().__init__(*args, **kwargs)
        Stream.both.append(self)
        if self._should_watch and self._fid is not None:
            Stream._pipes.register(self._fid, select.POLLIN)

    def write(self, string: str) -> int:
        if not isinstance(string, str):
            raise TypeError(f"write() argument must be str, not {type(string)}")
        if not self._is_master_process():
            super().write(string)
        elif BUDGET.spent:
            BUDGET.text(string)
        else:
            self.read_pipes()
            self._put(string)
        return len(string)

    def flush(self) -> None:
        if not self._is_master_process():
            super().flush()
            return
        self.read_pipes()
        if time.monotonic() - self._sent_at > _FLUSH_EVERY_S:
            self.send_buffer()

    @classmethod
    def read_pipes(cls) -> None:
        """Take what child processes and C code have written to the two file descriptors so far."""
        with cls._reading:
            if cls._pipes.poll(0):
                for stream in cls.both:
                    stream._read_pipe()

    def _read_pipe(self) -> None:
        if not self._should_watch or self._fid is None:
            return
        with Stream._reading:
            # A pipe holds one such piece; more than two would be a race with a writer that does not end.
            for _ in range(2):
                if not select.select([self._fid], [], [], 0)[0]:
                    return
                self._put(self._decoder.decode(os.read(self._fid, _PIPE_BYTES)))

    def send_buffer(self) -> None:
        if self._buffers:
            self._flush()

    def _put(self, text: str) -> None:
        for other in Stream.both:
            if other is not self:
                other.send_buffer()
        kept = BUDGET.text(text)
        if kept:
            super().write(kept)

    def _flush(self) -> None:
        thread = self.pub_thread.thread if self.pub_thread else None
        sending_thread = threading.current_thread() is thread
        # The sending thread must never wait: whoever holds the lock may be waiting for it to make room.
        if not Stream._order.acquire(blocking=not sending_thread):
            self._io_loop.call_later(self.flush_interval, self._flush)
            return
        try:
            self._sent_at = time.monotonic()
            super()._flush()
        finally:
            Stream._order.release()

    def _watch_pipe_fd(self) -> None:
        assert self._fid is not None
        poll = select.poll()
        poll.register(self._fid, select.POLLIN)
        while self._should_watch and poll.poll():
            self._read_pipe()

    @classmethod
    def after_fork(cls) -> None:
        """A fork may have happened while another thread held a lock; the child has no such thread."""
        cls._reading = threading.RLock()
        cls._order = threading.RLock()
        for stream in cls.both:
            stream._buffer_lock = threading.RLock()
        BUDGET._lock = threading.RLock()

    @classmethod
    def send_all(cls) -> None:
        """Send all text written so far, so that what comes next stands after it."""
        cls.read_pipes()
        for stream in cls.both:
            stream.send_buffer()


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
        if os.getpid() == _KERNEL_PID and not _admit(message):
            return None
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
    elif kind.startswith("comm_"):
        return BUDGET.message(0)
    return True


def _mark_cell(message: dict[str, Any]) -> None:
    if message["parent_header"].get("msg_type") != "execute_request":
        return
    if message["content"]["execution_state"] == "busy":
        BUDGET.reset()
    elif message["content"]["execution_state"] == "idle":
        message["metadata"]["truncated_bytes"] = BUDGET.dropped


def _cut_error(content: dict[str, Any]) -> None:
    content["evalue"], dropped = cut(content["evalue"], _ERROR_TEXT_BYTES)
    lines, room = [], 4 * _ERROR_TEXT_BYTES
    for line in content["traceback"]:
        kept, lost = cut(line, room)
        room = max(0, room - len(kept.encode()))
        dropped += lost
        lines.append(kept)
    content["traceback"] = lines
    BUDGET.dropped += dropped


class KernelApp(IPKernelApp):
    """An ipykernel over four listening sockets that it was started with: shell, stdin, control and iopub."""

    def _session_default(self) -> Session:
        return BoundedSession(parent=self, username="kernel", key=CONFIG["key"].encode())

    def init_connection_file(self) -> None:
        """There is none: the sockets are open already."""

    def write_connection_file(self, **_: Any) -> None:
        """Nobody else is told how to reach this kernel."""

    def init_heartbeat(self) -> None:
        """Its process is watched instead."""

    def log_connection_info(self) -> None:
        self._ports = {}

    def excepthook(self, etype: Any, evalue: Any, tb: Any) -> None:
        """Say why the kernel ends where its starter looks; standard error goes to the notebook by now."""
        traceback.print_exception(etype, evalue, tb, file=_LAST_WORDS)
        _LAST_WORDS.flush()

    def init_control(self, context: Any) -> None:
        super().init_control(context)
        # The debugger's loop back to the shell socket goes by path, which does not exist in a sandbox.
        self.debug_shell_socket.disconnect(self.shell_socket.getsockopt(zmq.LAST_ENDPOINT))

    def init_iopub(self, context: Any) -> None:
        # No high-water mark: a full queue drops messages without a word. The budget bounds it instead.
        context.sndhwm = 0
        super().init_iopub(context)

    def _bind_socket(self, s: Any, port: int) -> int:
        fd = CONFIG["sockets"].pop(0)
        s.setsockopt(zmq.USE_FD, fd)
        s.bind(f"ipc:///proc/self/none/{fd}")  # libzmq wants a path; with USE_FD it only tries to unlink it
        return 0


def main() -> None:
    config = Config()
    config.KernelApp.transport = "ipc"
    config.KernelApp.outstream_class = "cellwright_inside.Stream"
    config.HistoryManager.enabled = False
    app = KernelApp.instance(config=config)
    os.register_at_fork(after_in_child=Stream.after_fork)
    app.initialize([])
    app.start()


_KERNEL_PID = os.getpid()
_LAST_WORDS = os.fdopen(os.dup(2), "w") if CONFIG else sys.stderr

if __name__ == "__main__":
    main()
