"""Jupyter messages to one kernel over its socket: requests out, outputs and replies in.

What comes in was written by hostile code, if it wants. It is read as it is needed, so a kernel that floods its socket
waits, and the rest of the program has its turn all the same; a message has a bound on its size, on its frames, and on
what it grows to as objects; one that is not well-formed counts as none.
"""

import asyncio
import datetime
import socket
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from cellwright.kernels.inside.channel import IOPUB, SHELL, Unpacker, packed

_DELIMITER = b"<IDS|MSG>"
_VERSION = "5.3"
# From the reply to the last output; long, as a busy machine may need it for thousands of them.
_IDLE_GRACE_S = 30.0
_PIECE = 1 << 18
_SLACK_BYTES = 16 << 20
_MOST_FRAMES = 64
_TURN_S = 0.01
# Empty lists take twenty times the memory of their text; strings, about as much as it.
_FEW_BYTES, _FEW_VALUES = 4 << 20, 1 << 20
_MOST_TRUNCATED_BYTES = 1 << 62
_encoder = msgspec.json.Encoder()


class _Header(msgspec.Struct):
    msg_type: str = ""
    msg_id: str = ""


class _Metadata(msgspec.Struct):
    truncated_bytes: int = 0


class Message(msgspec.Struct):
    """What is read of a message."""

    channel: int
    kind: str
    parent: str
    """Id of the request that it belongs to."""
    truncated_bytes: int
    content: dict[str, Any]


class Wire:
    """A client of one kernel. Used from one event loop, for one cell at a time."""

    def __init__(self, end: socket.socket, output_bytes: int) -> None:
        end.setblocking(False)
        self._end = end
        # JSON may write a byte as six (a control character); the kernel cuts cells at output_bytes.
        self._unpacker = Unpacker(8 * output_bytes + _SLACK_BYTES, _MOST_FRAMES)
        self._most_values = max(_FEW_VALUES, output_bytes // 4)
        self._refused_bytes = 0
        self._session = uuid.uuid4().hex
        self._count = 0
        self._waiting: deque[tuple[int, list[bytes]]] = deque()
        self._turn_began = 0.0

    def fileno(self) -> int:
        return self._end.fileno()

    def close(self) -> None:
        self._end.close()

    def hand_over(self) -> socket.socket:
        """The socket, for somebody who reads it from now on. Between cells only."""
        return self._end.dup()

    async def ready(self) -> None:
        """Wait for the kernel's first word. Raises EOFError when it ended before."""
        while (await self._receive()).kind != "status":
            pass

    async def run_cell(self, code: str, take: Callable[[str, dict[str, Any]], None]) -> tuple[str, int]:
        """Run a cell and pass every output message to `take`: its status, and the bytes dropped by the kernel.

        Raises EOFError when the kernel has closed its end, ValueError when it sent what can be no message.
        """
        request = await self._request("execute_request", _cell(code))
        self._refused_bytes = 0
        status: str | None = None
        dropped: int | None = None
        while status is None or dropped is None:
            patience = None if status is None else _IDLE_GRACE_S
            try:
                message = await asyncio.wait_for(self._receive(), patience)
            except TimeoutError:
                break
            if message.parent != request:
                continue
            if message.channel == SHELL:
                status = str(message.content.get("status"))
            elif message.kind == "status":
                if message.content.get("execution_state") == "idle":
                    dropped = message.truncated_bytes if 0 <= message.truncated_bytes < _MOST_TRUNCATED_BYTES else 0
            else:
                take(message.kind, message.content)
        return status or "error", (dropped or 0) + self._refused_bytes

    async def run_quietly(self, code: str) -> str:
        """Run a cell that shows nothing and counts as none: its status. Raises as `run_cell`."""
        request = await self._request("execute_request", {**_cell(code), "silent": True, "store_history": False})
        status, is_idle = "", False
        while not status or not is_idle:
            message = await self._receive()
            if message.parent == request:
                is_idle |= message.content.get("execution_state") == "idle"
                status = str(message.content.get("status")) if message.channel == SHELL else status
        return status

    async def _request(self, kind: str, content: dict[str, Any]) -> str:
        self._count += 1
        name = f"{self._session}_{self._count}"
        header = {
            "msg_id": name,
            "msg_type": kind,
            "username": "cellwright",
            "session": self._session,
            "date": datetime.datetime.now(datetime.UTC).isoformat(),
            "version": _VERSION,
        }
        parts = [_encoder.encode(part) for part in (header, {}, {}, content)]
        await asyncio.get_running_loop().sock_sendall(self._end, packed(SHELL, [b"c", _DELIMITER, b"", *parts]))
        return name

    async def _receive(self) -> Message:
        while True:
            while self._waiting:
                await self._let_others()
                channel, frames = self._waiting.popleft()
                if any(_grows(frame, self._most_values) for frame in frames):
                    self._refused_bytes += sum(map(len, frames))
                elif (found := _message(channel, frames)) is not None:
                    return found
            await self._let_others()
            try:
                data = await asyncio.get_running_loop().sock_recv(self._end, _PIECE)
            except OSError as error:
                raise EOFError from error
            if not data:
                raise EOFError
            self._waiting.extend(self._unpacker.feed(data))

    async def _let_others(self) -> None:
        """Give the loop its turn now and then: reading a socket in which there is always more never waits for it."""
        now = time.monotonic()
        if now - self._turn_began > _TURN_S:
            await asyncio.sleep(0)
            self._turn_began = time.monotonic()


def _cell(code: str) -> dict[str, Any]:
    return {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": False,
    }


def _message(channel: int, frames: list[bytes]) -> Message | None:
    """The message in these frames; None when it is none that we read."""
    if channel not in (SHELL, IOPUB) or _DELIMITER not in frames:
        return None
    parts = frames[frames.index(_DELIMITER) + 2 :][:4]
    try:
        header, parent = (msgspec.json.decode(part, type=_Header) for part in parts[:2])
        metadata, body = parts[2:]
        dropped = msgspec.json.decode(metadata, type=_Metadata).truncated_bytes
        content = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return Message(channel, header.msg_type, parent.msg_id, dropped, content)


def _grows(data: bytes, most_values: int) -> bool:
    """Whether JSON may hold so many values that they would fill the memory of the program."""
    return len(data) > _FEW_BYTES and sum(data.count(mark) for mark in (b",", b"[", b"{")) > most_values


async def cancelled(task: asyncio.Future[Any]) -> None:
    """Cancel a task and wait for its end; what it raises is of no interest any more."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
