"""What a kernel's code writes: bounded per cell, and in the order in which it was written.

Text from print, from child processes and from displays keeps its order. The bounds here keep a noisy cell quick. They
do not hold against code that takes this module apart: the reader bounds what it keeps for itself.
"""

import codecs
import contextlib
import fcntl
import io
import json
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

_MESSAGES_PER_CELL = 10_000
_FLUSH_EVERY_S = 0.02
_IDLE_FLUSH_S = 0.05
_PIPE_BYTES = 256 << 10
_BUFFER_CHARS = 64 << 10


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
        self.limit_bytes = limit_bytes
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        with self.lock:
            self._room = self.limit_bytes
            self._messages = _MESSAGES_PER_CELL
            self.dropped = 0

    def text(self, text: str) -> str:
        """As much of `text` as still fits."""
        with self.lock:
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
        with self.lock:
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
        with self.lock:
            self._messages -= 1
            if self._messages >= 0:
                return True
            self.dropped += size
            return False


BUDGET = Budget(1 << 20)


class Stream(io.TextIOBase):
    """stdout or stderr of a kernel: what is printed, and what child processes and C code write to the descriptor.

    Text waits in a buffer until the other stream, a message of another kind, a flush or some time sends it. Locks are
    taken in this order: `_order`, then the socket's.
    """

    both: ClassVar[list["Stream"]] = []
    flush_held: ClassVar[Callable[[], None]]
    """Sends messages that wait for company."""
    _order: ClassVar[Any] = threading.RLock()
    _polls: ClassVar[Any] = select.poll()
    encoding = "utf-8"
    errors = "replace"

    def __init__(self, name: str, descriptor: int, send: Any) -> None:
        super().__init__()
        self.name = name
        self._descriptor = descriptor
        self._send = send
        self._text: list[str] = []
        self._size = 0
        self._sent_at = 0.0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._owner = os.getpid()
        self._pipe = -1
        self.buffer = _Bytes(self)

    # --- as a file ---

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._descriptor

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if os.getpid() != self._owner:
            # A fork has no thread and no socket, but the pipe that its parent reads.
            os.write(self._descriptor, text.encode("utf-8", "backslashreplace"))
        elif BUDGET.spent:
            BUDGET.text(text)
        else:
            with Stream._order:
                self.read_pipes()
                self._put(text)
        return len(text)

    def flush(self) -> None:
        if os.getpid() != self._owner:
            return
        with Stream._order:
            self.read_pipes()
            if time.monotonic() - self._sent_at > _FLUSH_EVERY_S:
                self._send_text()

    def close(self) -> None:
        """It stays open: a notebook that closes it would lose all its output."""

    # --- the sending side ---

    def _put(self, text: str) -> None:
        for other in Stream.both:
            if other is not self:
                other._send_text()
        kept = BUDGET.text(text)
        if kept:
            if not self._text:
                _waker.set()
            self._text.append(kept)
            self._size += len(kept)
            if self._size > _BUFFER_CHARS:
                self._send_text()

    def _send_text(self) -> None:
        if self._text:
            text = "".join(self._text)
            self._text.clear()
            self._size = 0
            self._sent_at = time.monotonic()
            self._send(self.name, text)

    @classmethod
    def read_pipes(cls) -> None:
        """Take what child processes and C code have written to the two descriptors so far."""
        if not cls._polls.poll(0):
            return
        for stream in cls.both:
            # A pipe holds one such piece; more than two would be a race with a writer that does not end.
            for _ in range(2):
                if stream._pipe < 0 or not select.select([stream._pipe], [], [], 0)[0]:
                    break
                stream._put(stream._decoder.decode(os.read(stream._pipe, _PIPE_BYTES)))

    @classmethod
    def send_all(cls) -> None:
        """Send all text written so far, so that what comes next stands after it."""
        with cls._order:
            cls.read_pipes()
            for stream in cls.both:
                stream._send_text()

    @classmethod
    def begin(cls) -> None:
        """In a new process: take over descriptors 1 and 2, and start the thread that sends what waits too long."""
        cls._order = threading.RLock()
        BUDGET.lock = threading.RLock()
        cls._polls = select.poll()
        for stream in cls.both:
            reader, writer = os.pipe()
            with contextlib.suppress(OSError):
                fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
            os.dup2(writer, stream._descriptor)
            os.close(writer)
            stream._pipe, stream._owner = reader, os.getpid()
            stream._text.clear()
            stream._size = 0
            cls._polls.register(reader, select.POLLIN)
        sys.stdout, sys.stderr = cls.both
        _waker.renew()
        threading.Thread(target=cls._attend, name="outputs", daemon=True).start()

    @classmethod
    def _attend(cls) -> None:
        waits = select.poll()
        waits.register(_waker.reader, select.POLLIN)
        for stream in cls.both:
            waits.register(stream._pipe, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in waits.poll()}
            if ready != {_waker.reader}:
                with cls._order:
                    cls.read_pipes()
            else:
                time.sleep(_IDLE_FLUSH_S)
                _waker.clear()
                cls.send_all()
                cls.flush_held()


class _Bytes(io.RawIOBase):
    """`sys.stdout.buffer`."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        content = bytes(data)
        self._stream.write(content.decode("utf-8", "replace"))
        return len(content)


class _Waker:
    """Wakes the thread that attends to outputs; at most one byte waits."""

    reader = writer = -1
    _is_set = False

    def renew(self) -> None:
        self.reader, self.writer = os.pipe()
        self._is_set = False

    def set(self) -> None:
        if not self._is_set and self.writer >= 0:
            self._is_set = True
            os.write(self.writer, b"!")

    def clear(self) -> None:
        if self._is_set:
            self._is_set = False
            os.read(self.reader, 16)


_waker = _Waker()


def wake() -> None:
    """Have the thread that attends to outputs look after what waits, in a while."""
    _waker.set()
