"""Jupyter messages to one kernel: the only module that knows jupyter_client and ZeroMQ.

The listening sockets are made here and inherited by the kernel, so there is no connection file, no port, and no path
that a sandbox must see; a client connects before the kernel is up and is never connected anew. A connection that
breaks is lost for good: `lost` says so.

What comes in was written by hostile code, if it wants: a message that is not well-formed counts as none. The size of a
frame and the number of waiting messages are bounded. Not promised: a bound on the number of frames of one message,
which libzmq gathers before we see the first.
"""

import asyncio
import os
import socket
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.session import Session

from cellwright.core.errors import KernelStartError

CHANNELS = ("shell", "stdin", "control", "iopub")
"""In the order in which ipykernel binds them."""
# From the reply to the last output; long, as a busy machine may need it for thousands of them.
_IDLE_GRACE_S = 30.0
_SUBSCRIBED_S = 0.1
_PATH_BYTES = 107  # of a unix socket's address on Linux
_SLACK_BYTES = 16 << 20
_CONTROL_BYTES = 1 << 20
# Each may be as large as the largest; the rest waits in the kernel.
_WAITING_MESSAGES = 8
_MOST_TRUNCATED_BYTES = 1 << 62


def make_context() -> zmq.asyncio.Context:
    """One serves all kernels of a pool: every context has a thread of its own."""
    context = zmq.asyncio.Context()
    context.set(zmq.MAX_SOCKETS, 32_768)
    return context


def listen(folder: Path) -> list[socket.socket]:
    """One listening socket for each channel, in `folder`. The caller closes them once the kernel has them."""
    folder.mkdir(mode=0o700)
    if len(os.fsencode(folder)) + 9 > _PATH_BYTES:
        raise KernelStartError(f"the path of the temporary folder is too long for a socket: {folder}. Set TMPDIR.")
    listeners = []
    for channel in CHANNELS:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(folder / channel))
        listener.listen(8)
        listeners.append(listener)
    return listeners


class Wire:
    """A client of one kernel. Used from the event loop that made it."""

    def __init__(self, context: zmq.asyncio.Context, folder: Path, output_bytes: int) -> None:
        self.key = uuid.uuid4().hex
        self._session = Session(key=self.key.encode(), username="cellwright")
        # JSON may write a byte as six (a control character); the kernel cuts cells at output_bytes.
        largest_bytes = 8 * output_bytes + _SLACK_BYTES
        self._shell = _connect(context, zmq.DEALER, folder / "shell", largest_bytes)
        # Nobody reads what comes back on this one.
        self._control = _connect(context, zmq.DEALER, folder / "control", _CONTROL_BYTES)
        self._iopub = _connect(context, zmq.SUB, folder / "iopub", largest_bytes)
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watches = [asyncio.create_task(self._watch(s)) for s in (self._shell, self._iopub)]

    async def _watch(self, channel: zmq.asyncio.Socket) -> None:
        await channel.get_monitor_socket(zmq.EVENT_DISCONNECTED).recv_multipart()
        if not self.lost.done():
            self.lost.set_result(None)

    async def ready(self) -> None:
        """Wait until the kernel answers and its outputs reach us."""
        while True:
            await self._reply(self._request(self._shell, "kernel_info_request", {}))
            # A kernel's queue of outputs takes a subscription a moment after it takes a request.
            if await self._iopub.poll(int(_SUBSCRIBED_S * 1000)):
                return

    async def run_cell(self, code: str, take: Callable[[str, dict[str, Any]], None]) -> tuple[str, int]:
        """Run a cell and pass every output message to `take`: its status, and the bytes dropped by the kernel."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        request = self._request(self._shell, "execute_request", content)
        outputs = asyncio.create_task(self._until_idle(request, take))
        try:
            reply = await self._reply(request)
            done, _ = await asyncio.wait({outputs}, timeout=_IDLE_GRACE_S)
            return str(reply.get("status")), outputs.result() if done else 0
        finally:
            await cancelled(outputs)

    def interrupt(self) -> None:
        """Ask the kernel to interrupt itself and the processes of its group."""
        self._request(self._control, "interrupt_request", {})

    async def close(self) -> None:
        for watch in self._watches:
            await cancelled(watch)
        for channel in (self._shell, self._control, self._iopub):
            channel.disable_monitor()
            channel.close(linger=0)

    def _request(self, channel: zmq.asyncio.Socket, kind: str, content: dict[str, Any]) -> str:
        """Send a request; its id."""
        message = self._session.msg(kind, content)
        self._session.send(channel, message)
        return str(message["msg_id"])

    async def _until_idle(self, request: str, take: Callable[[str, dict[str, Any]], None]) -> int:
        while True:
            message = await self._receive(self._iopub)
            if message is None or message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "status":
                if message["content"].get("execution_state") == "idle":
                    return _count(message["metadata"].get("truncated_bytes"))
            else:
                take(message["msg_type"], message["content"])

    async def _reply(self, request: str) -> dict[str, Any]:
        while True:
            message = await self._receive(self._shell)
            if message is not None and message["parent_header"].get("msg_id") == request:
                content: dict[str, Any] = message["content"]
                return content

    async def _receive(self, channel: zmq.asyncio.Socket) -> dict[str, Any] | None:
        """The next message; None for one that is not a Jupyter message signed with our key."""
        frames = await channel.recv_multipart()
        try:
            _, parts = self._session.feed_identities(frames)
            message: dict[str, Any] = self._session.deserialize(parts)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        parts_hold = all(isinstance(message[part], dict) for part in ("parent_header", "metadata", "content"))
        return message if parts_hold and isinstance(message["msg_type"], str) else None


def _connect(context: zmq.asyncio.Context, kind: int, path: Path, largest_bytes: int) -> zmq.asyncio.Socket:
    channel = context.socket(kind)
    channel.set(zmq.LINGER, 0)
    channel.set(zmq.MAXMSGSIZE, largest_bytes)
    channel.set(zmq.RCVHWM, _WAITING_MESSAGES)
    # The kernel greets when its imports are done, however long that takes; the caller has the clock.
    channel.set(zmq.HANDSHAKE_IVL, 0)
    channel.set(zmq.RECONNECT_IVL, -1)
    if kind == zmq.SUB:
        channel.set(zmq.SUBSCRIBE, b"")
    channel.connect(f"ipc://{path}")
    return channel


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < _MOST_TRUNCATED_BYTES else 0


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end; what it raises is of no interest any more."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
