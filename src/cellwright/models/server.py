"""A scripted model behind a real HTTP server that speaks OpenAI's chat completions, on loopback.

For tests, demonstrations and measurements: what it says, and how it fails, is a function of the request. It answers
any number of requests at once on one thread. No authentication beyond one key, and no TLS.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from cellwright.core.types import Message
from cellwright.models.protocol import Reply
from cellwright.models.tokens import estimate_tokens

_MOST_HEAD_BYTES = 1 << 16
_PIECE_CHARS = 12


@dataclass(frozen=True)
class Failure:
    """A response that is no reply."""

    status: int = 500
    message: str = "the script says so"
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None


@dataclass(frozen=True)
class Broken:
    """A reply whose connection is lost after so many pieces."""

    reply: Reply | Message
    after_pieces: int = 1


@dataclass(frozen=True)
class Raw:
    """A body that is sent as it is."""

    body: bytes
    content_type: str = "application/json"


Answer = Reply | Message | Failure | Broken | Raw
Script = Callable[[Mapping[str, Any]], Answer]
"""From the body of a request, as JSON, to what is sent back."""


def in_order(answers: Sequence[Answer]) -> Script:
    """A script that gives one answer after the other. Its end is an error of status 500."""
    waiting = iter(answers)
    return lambda request: next(waiting, Failure(500, "the script of this model is over"))


class ScriptedServer:
    """A context: the server runs on a thread of its own from its entry to its end."""

    def __init__(
        self,
        script: Script,
        *,
        names: Sequence[str] = ("scripted",),
        key: str | None = None,
        latency_s: float = 0.0,
        piece_s: float = 0.0,
        port: int = 0,
    ) -> None:
        """`latency_s`: from a request to the first byte of its reply. `piece_s`: between two pieces of a stream."""
        self._script, self._names, self._key = script, tuple(names), key
        self._latency_s, self._piece_s, self._port = latency_s, piece_s, port
        self.requests: list[dict[str, Any]] = []
        """Bodies of the requests for a reply, in order of arrival."""
        self.replies = 0
        """Sent to their end."""
        self.most_at_once = 0
        self._at_once = 0
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="scripted-server", daemon=True)

    @property
    def url(self) -> str:
        """With the version."""
        return f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        going: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            going.add(task)
            try:
                await self._converse(reader, writer)
            finally:
                going.discard(task)
                writer.close()

        try:
            server = await asyncio.start_server(connected, "127.0.0.1", self._port, backlog=1024)
            self._port = server.sockets[0].getsockname()[1]
        finally:
            self._ready.set()
        await self._stop.wait()
        server.close()
        for task in tuple(going):
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests of one connection, until it ends."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                method, path, headers, body = await _request(reader)
                if not await self._respond(writer, method, path, headers, body):
                    return

    async def _respond(
        self, writer: asyncio.StreamWriter, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> bool:
        """Send one response. Returns whether the connection goes on."""
        if self._key is not None and headers.get("authorization") != f"Bearer {self._key}":
            await _send_failure(writer, Failure(401, "Incorrect API key provided", code="invalid_api_key"))
        elif method == "GET" and path == "/v1/models":
            models = [{"id": name, "object": "model", "created": 0, "owned_by": "cellwright"} for name in self._names]
            await _send(writer, 200, json.dumps({"object": "list", "data": models}).encode())
        elif method == "POST" and path == "/v1/chat/completions":
            return await self._complete(writer, json.loads(body))
        else:
            await _send_failure(writer, Failure(404, f"no such path: {path}"))
        return True

    async def _complete(self, writer: asyncio.StreamWriter, request: dict[str, Any]) -> bool:
        self.requests.append(request)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if request["model"] not in self._names:
                await _send_failure(writer, Failure(404, f"The model `{request['model']}` does not exist"))
                return True
            answer = self._script(request)
            await asyncio.sleep(self._latency_s)
            return await self._send_answer(writer, request, answer)
        finally:
            self._at_once -= 1

    async def _send_answer(self, writer: asyncio.StreamWriter, request: Mapping[str, Any], answer: Answer) -> bool:
        most_pieces: int | None = None
        if isinstance(answer, Broken):
            most_pieces, answer = answer.after_pieces, answer.reply
        match answer:
            case Failure():
                await _send_failure(writer, answer)
                return True
            case Raw():
                await _send(writer, 200, answer.body, answer.content_type)
                return True
            case Message():
                answer = Reply(answer)
        if most_pieces is not None and not request.get("stream"):
            return False
        if request.get("stream"):
            whole = await self._stream(writer, request, answer, most_pieces)
        else:
            body = {
                **_envelope(request, "chat.completion"),
                "choices": [_choice(answer)],
                "usage": _usage(request, answer),
            }
            await _send(writer, 200, json.dumps(body).encode())
            whole = True
        self.replies += whole
        return whole

    async def _stream(
        self, writer: asyncio.StreamWriter, request: Mapping[str, Any], reply: Reply, most: int | None
    ) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        sent = 0
        async for event in self._events(request, reply):
            if most is not None and sent >= most:
                await writer.drain()
                return False
            data = f"data: {event}\n\n".encode()
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
            sent += 1
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _events(self, request: Mapping[str, Any], reply: Reply) -> AsyncIterator[str]:
        head = _envelope(request, "chat.completion.chunk")
        for delta in _pieces(reply.message):
            yield json.dumps({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
            if self._piece_s:
                await asyncio.sleep(self._piece_s)
        end = {"index": 0, "delta": {}, "finish_reason": _finish(reply)}
        yield json.dumps({**head, "choices": [end]})
        if request.get("stream_options", {}).get("include_usage"):
            yield json.dumps({**head, "choices": [], "usage": _usage(request, reply)})
        yield "[DONE]"


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return method, path.partition("?")[0], headers, body


async def _send(
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> None:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Type: {content_type}"]
    lines += [f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()


async def _send_failure(writer: asyncio.StreamWriter, failure: Failure) -> None:
    error = {"message": failure.message, "type": "scripted", "code": failure.code}
    await _send(writer, failure.status, json.dumps({"error": error}).encode(), headers=failure.headers)


def _envelope(request: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-scripted", "object": kind, "created": 0, "model": request["model"]}


def _finish(reply: Reply) -> str:
    if reply.finish == "refused":
        return "content_filter"
    if reply.finish == "length":
        return "length"
    return "tool_calls" if reply.message.tool_calls else "stop"


def _choice(reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.message.content or None}
    if reply.message.reasoning:
        message["reasoning_content"] = reply.message.reasoning
    if reply.message.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments_json}}
            for call in reply.message.tool_calls
        ]
    return {"index": 0, "message": message, "finish_reason": _finish(reply)}


def _pieces(message: Message) -> list[dict[str, Any]]:
    """A turn in the pieces of a stream, of a few characters each."""
    pieces: list[dict[str, Any]] = [{"role": "assistant"}]
    pieces += [{"reasoning_content": part} for part in _cut(message.reasoning or "")]
    pieces += [{"content": part} for part in _cut(message.content)]
    for index, call in enumerate(message.tool_calls):
        function = {"name": call.name, "arguments": ""}
        pieces.append({"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]})
        pieces += [
            {"tool_calls": [{"index": index, "function": {"arguments": part}}]} for part in _cut(call.arguments_json)
        ]
    return pieces


def _cut(text: str) -> list[str]:
    return [text[at : at + _PIECE_CHARS] for at in range(0, len(text), _PIECE_CHARS)]


def _usage(request: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """What the reply says of itself, or an estimate."""
    said = reply.usage
    taken = said.input_tokens or sum(estimate_tokens(str(part.get("content") or "")) for part in request["messages"])
    written = reply.message.content + "".join(call.arguments_json for call in reply.message.tool_calls)
    given = said.output_tokens or estimate_tokens(written)
    return {
        "prompt_tokens": taken,
        "completion_tokens": given,
        "total_tokens": taken + given,
        "prompt_tokens_details": {"cached_tokens": said.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": said.reasoning_tokens},
    }
