"""Between one kernel and Jupyter's clients: ZeroMQ and signatures on their side, one socket on the kernel's.

The kernel never learns the key: its messages are signed here, and what clients send is checked here. Requests to stop
and to end it are answered here, so that they are heard while a cell runs.
"""

import asyncio
import hmac
import json
import socket
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import zmq
import zmq.asyncio

from cellwright.core.errors import KernelStartError
from cellwright.kernels.inside.channel import IOPUB, SHELL, STDIN, Unpacker, packed

_DELIMITER = b"<IDS|MSG>"
_PARTS = 4
_PIECE = 1 << 18
_MOST_BYTES = 1 << 30
_MOST_FRAMES = 1024
_MOST_WAITING = 100_000
"""Outputs that wait for a client that is slow; more are lost, as ZeroMQ does it."""
_VERSION = "5.3"
_INFO_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Connection:
    """What a connection file says."""

    transport: str
    ip: str
    shell_port: int
    iopub_port: int
    stdin_port: int
    control_port: int
    hb_port: int
    key: str
    signature_scheme: str = "hmac-sha256"

    def address(self, port: int) -> str:
        """Of one channel."""
        between = ":" if self.transport == "tcp" else "-"
        return f"{self.transport}://{self.ip}{between}{port}"


class Relay:
    """Serves one kernel from `start` to `close`."""

    def __init__(self, end: socket.socket, connection: Connection, interrupt: Callable[[], Awaitable[None]]) -> None:
        """`end`: the kernel's channel, which this owns from now on. `interrupt`: the stop button."""
        end.setblocking(False)
        self._end, self._connection, self._interrupt = end, connection, interrupt
        self._context = zmq.asyncio.Context()
        self._tasks: list[asyncio.Task[None]] = []
        self._digest = connection.signature_scheme.removeprefix("hmac-")
        self._session = uuid.uuid4().hex
        self._info: dict[str, Any] = {}
        self._to_kernel = asyncio.Lock()
        self.shut_down: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when a client has asked the kernel to end."""

    async def start(self) -> None:
        """Bind the channels and begin. Raises KernelStartError where a port is taken, or the kernel does not speak."""
        unpacker = Unpacker(_MOST_BYTES, _MOST_FRAMES)
        try:
            await asyncio.wait_for(self._ask_info(unpacker), _INFO_TIMEOUT_S)
            self._shell = self._bound(zmq.ROUTER, self._connection.shell_port)
            self._stdin = self._bound(zmq.ROUTER, self._connection.stdin_port)
            self._control = self._bound(zmq.ROUTER, self._connection.control_port)
            self._heartbeat = self._bound(zmq.REP, self._connection.hb_port)
            self._iopub = self._bound(zmq.PUB, self._connection.iopub_port)
        except (OSError, zmq.ZMQError, TimeoutError) as error:
            self.close()
            raise KernelStartError(f"the kernel's channels cannot be opened: {error}") from error
        work = (self._from(self._shell, SHELL), self._from(self._stdin, STDIN), self._serve_control())
        self._tasks = [asyncio.create_task(job) for job in (*work, self._echo(), self._from_kernel(unpacker))]

    def close(self) -> None:
        """Let go of everything. May be called twice."""
        for task in self._tasks:
            task.cancel()
        self._context.destroy(linger=200)
        self._end.close()

    async def tell_dead(self) -> None:
        """Tell the clients that the kernel has ended by itself."""
        await self._publish("status", {"execution_state": "dead"}, {})

    def _bound(self, kind: int, port: int) -> zmq.asyncio.Socket:
        found = self._context.socket(kind)
        found.linger = 200
        found.sndhwm = found.rcvhwm = _MOST_WAITING
        if kind == zmq.ROUTER:
            found.setsockopt(zmq.ROUTER_HANDOVER, 1)
        found.bind(self._connection.address(port))
        return found

    async def _ask_info(self, unpacker: Unpacker) -> None:
        """Ask the kernel what it is, once: clients ask for it on channels where the kernel itself does not listen."""
        request = [b"relay", _DELIMITER, b"", *self._message("kernel_info_request", {}, {})]
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._end, packed(SHELL, request))
        is_idle = False
        while not self._info or not is_idle:
            data = await loop.sock_recv(self._end, _PIECE)
            if not data:
                raise OSError("the kernel has ended")
            for number, frames in unpacker.feed(data):
                kind, content = _kind(frames), _content(frames)
                if number == SHELL and kind == "kernel_info_reply":
                    self._info = content
                is_idle |= kind == "status" and content.get("execution_state") == "idle"

    # --- from clients ---

    async def _from(self, client: zmq.asyncio.Socket, channel: int) -> None:
        loop = asyncio.get_running_loop()
        while True:
            checked = self._checked(await client.recv_multipart())
            if checked is not None:
                async with self._to_kernel:
                    await loop.sock_sendall(self._end, packed(channel, checked))

    def _checked(self, frames: Sequence[bytes]) -> list[bytes] | None:
        """A client's message without its signature; None for one whose signature is wrong, as kernels do it."""
        if _DELIMITER not in frames:
            return None
        at = list(frames).index(_DELIMITER)
        if len(frames) < at + 2 + _PARTS:
            return None
        signature, parts = frames[at + 1], frames[at + 2 : at + 2 + _PARTS]
        if self._connection.key and not hmac.compare_digest(signature, self._sign(parts)):
            return None
        return [*frames[: at + 1], b"", *frames[at + 2 :]]

    def _sign(self, parts: Sequence[bytes]) -> bytes:
        if not self._connection.key:
            return b""
        signature = hmac.new(self._connection.key.encode(), digestmod=self._digest)
        for part in parts:
            signature.update(part)
        return signature.hexdigest().encode()

    async def _serve_control(self) -> None:
        while True:
            frames = self._checked(await self._control.recv_multipart())
            if frames is None:
                continue
            at = frames.index(_DELIMITER)
            parent = json.loads(frames[at + 2])
            kind = str(parent.get("msg_type"))
            await self._publish("status", {"execution_state": "busy"}, parent)
            content: dict[str, Any] = {"status": "ok"}
            if kind == "interrupt_request":
                await self._interrupt()
            elif kind == "shutdown_request":
                content |= {"restart": bool(_content(frames).get("restart"))}
            elif kind == "kernel_info_request":
                content = self._info
            else:
                content = {"status": "error", "ename": "NotImplementedError", "evalue": f"no {kind}", "traceback": []}
            reply = self._message(kind.replace("_request", "_reply"), content, parent)
            await self._control.send_multipart([*frames[:at], _DELIMITER, self._sign(reply), *reply])
            await self._publish("status", {"execution_state": "idle"}, parent)
            if kind == "shutdown_request" and not self.shut_down.done():
                self.shut_down.set_result(None)

    async def _echo(self) -> None:
        while True:
            await self._heartbeat.send(await self._heartbeat.recv())

    # --- from the kernel ---

    async def _from_kernel(self, unpacker: Unpacker) -> None:
        loop = asyncio.get_running_loop()
        targets = {SHELL: self._shell, IOPUB: self._iopub, STDIN: self._stdin}
        while True:
            try:
                data = await loop.sock_recv(self._end, _PIECE)
                found = unpacker.feed(data)
            except (OSError, ValueError):
                return  # Its end, and why, its line says.
            if not data:
                return
            for number, frames in found:
                target = targets.get(number)
                if target is None or _DELIMITER not in frames:
                    continue
                at = frames.index(_DELIMITER)
                signed = [*frames[: at + 1], self._sign(frames[at + 2 : at + 2 + _PARTS]), *frames[at + 2 :]]
                await target.send_multipart(signed)

    async def _publish(self, kind: str, content: Mapping[str, Any], parent: Mapping[str, Any]) -> None:
        parts = self._message(kind, content, parent)
        await self._iopub.send_multipart([f"kernel.{kind}".encode(), _DELIMITER, self._sign(parts), *parts])

    def _message(self, kind: str, content: Mapping[str, Any], parent: Mapping[str, Any]) -> list[bytes]:
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": kind,
            "username": "cellwright",
            "session": self._session,
            "date": datetime.now(UTC).isoformat(),
            "version": _VERSION,
        }
        return [json.dumps(part).encode() for part in (header, parent, {}, content)]


def _kind(frames: Sequence[bytes]) -> str:
    at = list(frames).index(_DELIMITER)
    return str(json.loads(frames[at + 2]).get("msg_type"))


def _content(frames: Sequence[bytes]) -> dict[str, Any]:
    at = list(frames).index(_DELIMITER)
    found = json.loads(frames[at + 5])
    return found if isinstance(found, dict) else {}
