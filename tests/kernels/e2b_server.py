"""A server on this machine that answers E2B's SDK as E2B does, with stock ipykernels behind it.

It speaks the control plane (sandboxes: create, time to live, kill), the sandbox's files (upload, health) and its code
interpreter (contexts, execute). Their forms were read from the SDK, e2b 2.63 and e2b-code-interpreter 2.11, and from
E2B's own code interpreter (github.com/e2b-dev/code-interpreter, commit 7df1757), whose faults it keeps: text loses its
quotes, a traceback its line ends, and updates and `clear_output` are lost. A sandbox is a folder and its kernels are
plain processes: nothing is isolated here. The first kernel of a sandbox is a new Python for each order.
"""

import asyncio
import contextlib
import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

T = TypeVar("T")
KEY = "e2b_" + "0" * 40
_POLL_S = 0.1
_PIECE = 1 << 16
_NO_PROCESS = (1 << 22) + 1
"""Past the largest number that Linux gives a process."""
_MEDIA = {
    "text/plain": "text",
    "text/html": "html",
    "text/markdown": "markdown",
    "image/svg+xml": "svg",
    "image/png": "png",
    "image/jpeg": "jpeg",
    "application/pdf": "pdf",
    "text/latex": "latex",
    "application/json": "json",
    "application/javascript": "javascript",
    "e2b/data": "data",
    "e2b/chart": "chart",
}


class Kernels:
    """One event loop, in a thread of its own, for all stock kernels."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Awaitable[T]) -> T:
        async def done() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Context:
    """A stock ipykernel."""

    def __init__(self, kernels: Kernels, home: Path, language: str) -> None:
        self.id, self.language = str(uuid.uuid4()), language
        self.lock = threading.Lock()
        self._kernels = kernels
        specs = KernelSpecManager(kernel_dirs=[str(home / ".local/share/jupyter/kernels")])
        name = "python3" if language == "python" else language
        self._manager = AsyncKernelManager(kernel_name=name, kernel_spec_manager=specs)
        kernels.run(self._start(home))

    async def _start(self, home: Path) -> None:
        await self._manager.start_kernel(cwd=str(home), env=_environment(home))
        self._client = self._manager.client()
        self._client.start_channels()
        await self._client.wait_for_ready(timeout=60)

    def execute(self, code: str) -> Iterator[dict[str, Any]]:
        """What the code interpreter streams for one cell; an empty answer now and then where there is none."""
        request = self._client.execute(code, allow_stdin=False)
        while True:
            message = self._kernels.run(self._message())
            if message is None:
                if not self._kernels.run(self._manager.is_alive()):
                    yield {
                        "type": "error",
                        "name": "ContextRestarting",
                        "value": "Context was restarted",
                        "traceback": "",
                    }
                    return
                yield {}
            elif message["parent_header"].get("msg_id") == request:
                if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                    return
                yield from _answer(message["msg_type"], message["content"])

    async def _message(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = await self._client.get_iopub_msg(timeout=_POLL_S)
        except queue.Empty:
            return None
        return found

    def interrupt(self) -> None:
        self._kernels.run(self._manager.interrupt_kernel())

    def close(self) -> None:
        self._kernels.run(self._close())

    async def _close(self) -> None:
        self._client.stop_channels()
        await self._manager.shutdown_kernel(now=True)


class Idle:
    """Stands for a kernel where a test needs none: it says that it is ready, and shows 1 for every cell."""

    def __init__(self, language: str) -> None:
        self.id, self.language = str(uuid.uuid4()), language
        self.lock = threading.Lock()

    def execute(self, code: str) -> Iterator[dict[str, Any]]:
        if "guest.settle" in code:
            found = {"pid": _NO_PROCESS, "sizes": {}, "hash_seed": None}
            yield {"type": "stdout", "text": json.dumps(found), "timestamp": "2026-01-01T00:00:00Z"}
        else:
            yield {"type": "result", "is_main_result": True, "text": "1"}

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        pass


def _answer(kind: str, content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if kind == "stream":
        yield {"type": content["name"], "text": content["text"], "timestamp": "2026-01-01T00:00:00Z"}
    elif kind in ("display_data", "execute_result"):
        data = dict(content["data"])
        text = data.get("text/plain")
        if text and text[0] == text[-1] and text[0] in "'\"":
            data["text/plain"] = text[1:-1]
        known = {name: data.pop(media) for media, name in _MEDIA.items() if media in data}
        yield {"type": "result", "is_main_result": kind == "execute_result", **known, "extra": data}
    elif kind == "error":
        traceback = "".join(content["traceback"])
        yield {"type": "error", "name": content["ename"], "value": content["evalue"], "traceback": traceback}


@dataclass
class Sandbox:
    """A folder with kernels."""

    order: dict[str, Any]
    ends_at: float
    home: Path
    contexts: dict[str, Context | Idle] = field(default_factory=dict)
    streams: set[socket.socket] = field(default_factory=set)
    renewals: int = 0

    def close(self) -> None:
        for stream in tuple(self.streams):
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
        for context in self.contexts.values():
            context.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def first_kernel(self, code: str) -> Iterator[dict[str, Any]]:
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, cwd=self.home, env=_environment(self.home), capture_output=True, text=True, check=False
        )
        if done.stdout:
            yield {"type": "stdout", "text": done.stdout, "timestamp": "2026-01-01T00:00:00Z"}
        if done.returncode:
            yield {"type": "error", "name": "Error", "value": done.stderr[-200:], "traceback": done.stderr}


class E2BServer(ThreadingHTTPServer):
    """Runs in a thread of its own while its context is open."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, *, with_kernels: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.with_kernels = with_kernels
        self.kernels = Kernels()
        self.sandboxes: dict[str, Sandbox] = {}
        self.created: list[dict[str, Any]] = []
        self.most_alive = 0
        self.quota = 100
        self.create_delay_s = 0.0
        self.context_delay_s = 0.0
        self.cells_fail_with = ""
        self._lock = threading.Lock()
        self._leaving = 0
        self._root = tempfile.mkdtemp(prefix="e2b-")
        self._ending = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start_sandbox(self, order: dict[str, Any]) -> str:
        name = uuid.uuid4().hex[:20]
        time.sleep(self.create_delay_s)
        with self._lock:
            self.created.append(order)
            self.sandboxes[name] = Sandbox(
                order, time.monotonic() + order.get("timeout", 300), Path(tempfile.mkdtemp(dir=self._root))
            )
            self.most_alive = max(self.most_alive, len(self.sandboxes))
        return name

    def end_sandbox(self, name: str) -> bool:
        with self._lock:
            sandbox = self.sandboxes.pop(name, None)
            self._leaving += sandbox is not None
        if sandbox is not None:
            sandbox.close()
            with self._lock:
                self._leaving -= 1
        return sandbox is not None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that a client drops are no news."""

    def __enter__(self) -> "E2BServer":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self._reaper = threading.Thread(target=self._reap, daemon=True)
        self._reaper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._ending.set()
        self._reaper.join()
        for name in tuple(self.sandboxes):
            self.end_sandbox(name)
        while self._leaving:
            time.sleep(_POLL_S)
        self.server_close()
        self.kernels.close()
        shutil.rmtree(self._root, ignore_errors=True)

    def _reap(self) -> None:
        while not self._ending.wait(_POLL_S):
            late = [name for name, box in tuple(self.sandboxes.items()) if time.monotonic() > box.ends_at]
            for name in late:
                self.end_sandbox(name)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: E2BServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._route("GET")

    def do_POST(self) -> None:
        self._route("POST")

    def do_DELETE(self) -> None:
        self._route("DELETE")

    def _route(self, method: str) -> None:
        address = urlsplit(self.path)
        upload = address.path == "/files"
        body = b"" if upload else b"".join(self._pieces())
        name = self.headers.get("E2b-Sandbox-Id")
        if name is None:
            self._control(method, address.path.strip("/").split("/"), body)
        elif (sandbox := self.server.sandboxes.get(name)) is None:
            self._send(502, {"sandboxId": name, "message": "The sandbox was not found", "code": 502})
        elif self.headers.get("E2b-Sandbox-Port") == "49983":
            self._files(sandbox, method, address.path, parse_qs(address.query))
        else:
            self._interpreter(sandbox, method, address.path, body)

    # --- the control plane ---

    def _control(self, method: str, parts: list[str], body: bytes) -> None:
        if self.headers.get("X-API-Key") != KEY:
            self._send(401, {"code": 401, "message": "Invalid API key"})
        elif method == "POST" and parts[-1] == "sandboxes":
            if len(self.server.sandboxes) >= self.server.quota:
                self._send(429, {"code": 429, "message": "you have reached the maximum number of concurrent sandboxes"})
                return
            name = self.server.start_sandbox(json.loads(body))
            answer = {"templateID": "t", "sandboxID": name, "clientID": "c", "envdVersion": "0.6.7"}
            self._send(201, answer | {"envdAccessToken": "envd-token"})
        elif method == "POST" and parts[-1] == "timeout":
            sandbox = self.server.sandboxes.get(parts[-2])
            if sandbox is None:
                self._send(404, {"code": 404, "message": "not found"})
                return
            sandbox.ends_at = time.monotonic() + json.loads(body)["timeout"]
            sandbox.renewals += 1
            self._send(204)
        elif method == "DELETE":
            found = self.server.end_sandbox(parts[-1])
            self._send(204) if found else self._send(404, {"code": 404, "message": "not found"})
        else:
            self._send(404, {"code": 404, "message": f"{method} {parts}"})

    # --- a sandbox's files ---

    def _files(self, sandbox: Sandbox, method: str, path: str, query: dict[str, list[str]]) -> None:
        if path == "/health":
            self._send(204)
        elif self.headers.get("X-Access-Token") != "envd-token":
            self._send(401, {"code": 401, "message": "unauthorized"})
        elif method == "POST" and path == "/files":
            place = sandbox.home / query["path"][0]
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as file:
                file.writelines(self._pieces())
            self._send(200, [{"name": place.name, "path": str(place), "type": "file"}])
        else:
            self._send(404, {"code": 404, "message": path})

    # --- its code interpreter ---

    def _interpreter(self, sandbox: Sandbox, method: str, path: str, body: bytes) -> None:
        if method == "POST" and path == "/contexts":
            language = json.loads(body).get("language", "python")
            time.sleep(self.server.context_delay_s)
            kernels = self.server.kernels
            context = Context(kernels, sandbox.home, language) if self.server.with_kernels else Idle(language)
            sandbox.contexts[context.id] = context
            self._send(200, {"id": context.id, "language": context.language, "cwd": "/home/user"})
        elif method == "POST" and path == "/execute":
            self._execute(sandbox, json.loads(body))
        else:
            self._send(404, {"code": 404, "message": path})

    def _execute(self, sandbox: Sandbox, order: dict[str, Any]) -> None:
        context = sandbox.contexts.get(order["context_id"]) if order["context_id"] else None
        if order["context_id"] and context is None:
            self._send(404, {"message": "Context not found"})
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sandbox.streams.add(self.connection)
        self.connection.settimeout(30)
        try:
            if context is None:
                self._stream(sandbox.first_kernel(order["code"]))
            elif self.server.cells_fail_with:
                self._chunk(self.server.cells_fail_with.encode())
            else:
                with context.lock:
                    self._stream_until_left(context, order["code"])
            self._chunk(b'{"type": "end_of_execution"}\n')
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
        finally:
            sandbox.streams.discard(self.connection)

    def _stream_until_left(self, context: Context | Idle, code: str) -> None:
        """A client that leaves interrupts its cell, and the next cell waits for the end of this one."""
        left = False
        for answer in context.execute(code):
            if left:
                continue
            try:
                self._watch()
                self._stream(iter([answer] if answer else []))
            except OSError:
                left = True
                context.interrupt()
        if left:
            raise ConnectionResetError

    def _watch(self) -> None:
        """Raise when the client has closed its end."""
        self.connection.setblocking(False)
        try:
            if self.connection.recv(1, socket.MSG_PEEK) == b"":
                raise ConnectionResetError
        except BlockingIOError:
            pass
        finally:
            self.connection.settimeout(30)

    def _stream(self, answers: Iterator[dict[str, Any]]) -> None:
        for answer in answers:
            self._chunk(json.dumps(answer).encode() + b"\n")

    # --- HTTP ---

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _pieces(self) -> Iterator[bytes]:
        """The body of a request as it comes."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            left = int(self.headers.get("Content-Length", 0))
            while left:
                piece = self.rfile.read(min(left, _PIECE))
                left -= len(piece)
                yield piece
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, status: int, answer: Any = None) -> None:
        data = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
