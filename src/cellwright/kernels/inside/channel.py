"""Jupyter messages over one stream socket, as frames: the socket that a kernel sees in the place of ZeroMQ's.

A message on the socket is: bytes of what follows (4), channel (1), number of frames (2), the bytes of each (4 each),
the frames. Little-endian. The frames are those of a multipart message of the Jupyter protocol.
https://jupyter-client.readthedocs.io/en/stable/messaging.html
"""

import contextlib
import os
import select
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from typing import Any

SHELL, IOPUB, STDIN = 0, 1, 2
_HEAD = struct.Struct("<IBH")
_SIZE = struct.Struct("<I")
_PIECE = 1 << 18


def packed(channel: int, frames: Sequence[bytes]) -> bytes:
    """One message as it goes over the socket."""
    sizes = struct.pack(f"<{len(frames)}I", *map(len, frames))
    total = _HEAD.size - 4 + len(sizes) + sum(map(len, frames))
    return b"".join([_HEAD.pack(total, channel, len(frames)), sizes, *frames])


class Unpacker:
    """Messages out of a stream of bytes that come in pieces."""

    def __init__(self, largest_bytes: int, most_frames: int = 1024) -> None:
        self._largest_bytes, self._most_frames = largest_bytes, most_frames
        self._data = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, list[bytes]]]:
        """The messages that are complete now: channel and frames. Raises ValueError for what can be none."""
        self._data += data
        found = []
        while len(self._data) >= _HEAD.size:
            total, channel, count = _HEAD.unpack_from(self._data)
            if total > self._largest_bytes or count > self._most_frames or total < _HEAD.size - 4 + 4 * count:
                raise ValueError(f"a message of {total} bytes in {count} frames")
            if len(self._data) < total + 4:
                break
            with memoryview(self._data) as view:
                body = bytes(view[_HEAD.size : total + 4])
            del self._data[: total + 4]
            found.append((channel, _frames(body, count)))
        return found


def _frames(body: bytes, count: int) -> list[bytes]:
    sizes = struct.unpack_from(f"<{count}I", body)
    if 4 * count + sum(sizes) != len(body):
        raise ValueError("a message whose frames do not fill it")
    frames, start = [], 4 * count
    for size in sizes:
        frames.append(body[start : start + size])
        start += size
    return frames


class Socket:
    """The kernel's end. Sending waits until the other end has room, so a kernel cannot flood who reads it.

    An interrupt that comes while a message is half sent waits until it is whole. A message may be held back until the
    next one goes, or until `flush`: most cells need one system call then, and wake their reader once.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._lock = threading.RLock()
        self._owner = os.getpid()
        self._unpacker = Unpacker(1 << 31)
        self._held: list[bytes] = []
        self._hold = threading.local()
        self.is_sending = False
        self.interrupted = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What this thread sends in here waits for company."""
        self._hold.on = True
        try:
            yield
        finally:
            self._hold.on = False

    def open(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._lock = threading.RLock()
        self._owner = os.getpid()
        self._held = []
        self._unpacker = Unpacker(1 << 31)

    def fileno(self) -> int:
        assert self._socket is not None
        return self._socket.fileno()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def send(self, channel: int, frames: Sequence[Any]) -> None:
        if self._socket is None or os.getpid() != self._owner:
            return
        message = packed(channel, [bytes(frame) for frame in frames])
        with self._lock:
            self._held.append(message)
        if not getattr(self._hold, "on", False):
            self.flush()

    def flush(self) -> None:
        """Send what was held back."""
        if self._socket is None or os.getpid() != self._owner or not self._held:
            return
        main = threading.current_thread() is threading.main_thread()
        with self._lock:
            if main:
                self.is_sending = True
            try:
                data = memoryview(b"".join(self._held))
                self._held = []
                while data:
                    data = data[self._socket.send(data) :]
            except OSError:
                os._exit(0)  # Nobody listens any more.
            finally:
                if main:
                    self.is_sending = False
        if main and self.interrupted:
            self.interrupted = False
            raise KeyboardInterrupt

    def receive(self) -> list[tuple[int, list[bytes]]] | None:
        """What has come; None when the other end is closed."""
        assert self._socket is not None
        try:
            data = self._socket.recv(_PIECE, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError:
            return None
        return self._unpacker.feed(data) if data else None

    def wait(self, timeout_s: float) -> bool:
        assert self._socket is not None
        return bool(select.select([self._socket], [], [], timeout_s)[0])


class Channel:
    """One channel of a Socket, in the form that ipykernel expects of a ZeroMQ socket or stream."""

    def __init__(self, owner: Socket, number: int) -> None:
        self._owner, self._number = owner, number

    def send_multipart(self, frames: Sequence[Any], *_: Any, **__: Any) -> None:
        self._owner.send(self._number, frames)

    def flush(self, *_: Any) -> None:
        """There is no queue."""
