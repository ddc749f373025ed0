"""A model behind an endpoint that speaks OpenAI's chat completions, through the official SDK.

vLLM, SGLang, TGI, llama.cpp, Ollama, LiteLLM, the Hugging Face router and the vendors. The SDK's errors are translated
here, once. What this does not do: the Responses API, and audio.
"""

import asyncio
import contextlib
import datetime
import email.utils
import json
import logging
import random
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from cellwright.core.errors import ContextOverflow, ModelError, ModelMisused, ModelUnavailable
from cellwright.core.types import Message, ToolCall, Usage
from cellwright.models.chat import storable, to_json
from cellwright.models.dialects import Dialect, as_text, find_calls, split_thinking
from cellwright.models.protocol import Delta, Hear, Reply, Request, Traits

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

logger = logging.getLogger(__name__)

_TOO_LONG = re.compile(
    r"context[ _]length|context size|maximum context|max_model_len|context window|prompt is too long|too many tokens"
    r"|input is too long|reduce the length|inputs` tokens|exceeds? the (?:available|model)",
    re.IGNORECASE,
)
# vLLM without a tool parser, llama.cpp without --jinja, Ollama and others for models whose template has no tools.
_NO_TOOLS = re.compile(
    r"tool choice requires|--enable-auto-tool-choice|requires? --jinja|does(?: not|n't) support (?:tools|function)"
    r"|tools?(?: use| calling| param)?(?: is| are)? not supported|tool use is not",
    re.IGNORECASE,
)
_NO_PICTURES = re.compile(
    r"image|multi-?modal|vision|content.{0,40}(?:must be|should be|expected).{0,10}str", re.IGNORECASE
)
_STATUS = re.compile(r"40[13489]|429|5\d\d")
_NO_RETRY_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "access_terminated"})
_DETAIL_CHARS = 300
_CONNECTIONS = 16
"""Of one client at the most, when all are in use."""


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    output: float
    cached: float | None = None
    """Of input that the provider had kept; None charges it as any other."""

    def cost_usd(self, usage: Usage) -> float:
        """What these tokens cost."""
        cached = self.input if self.cached is None else self.cached
        fresh = usage.input_tokens - usage.cached_tokens
        return (fresh * self.input + usage.cached_tokens * cached + usage.output_tokens * self.output) / 1e6


@dataclass(frozen=True)
class Endpoint:
    """Where a model is served, and how to speak with it."""

    url: str
    """With its version: "http://localhost:8000/v1"."""
    traits: Traits
    """`traits.name` is the model's name there."""
    key: str = field(default="", repr=False)
    dialect: Dialect = "native"
    """How tool calls are asked for. "native" goes over to text by itself where the server knows no tools."""
    price: Price | None = None
    concurrency: int = 64
    """Requests under way at once; more wait."""
    timeout_s: float = 600.0
    """For one request; of a stream, for the wait between two pieces."""
    retries: int = 5
    """After the first try, for errors that pass: 408, 409, 429, 5xx, lost connections."""
    most_wait_s: float = 60.0
    """A server that asks for a longer wait than this is unavailable."""
    first_wait_s: float = 0.5
    """Before the first retry; doubled for each one after, with jitter."""
    sends_thinking: bool = False
    """Whether the thinking of earlier turns is sent back, as `reasoning_content`. A model that was trained on whole
    runs expects it; some vendors refuse it."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the request body, as {"top_k": 20}."""


class OpenAIModel:
    """One endpoint's model. Keeps its connections: close it, or use it with `async with`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._way = _Way(endpoint.dialect, endpoint.traits.sees)
        self._clients: list[AsyncOpenAI] = []
        self._tls: ssl.SSLContext | None = None
        self._spare: list[AsyncOpenAI] = []
        """A client as often as it may be used once more."""
        self._places = asyncio.Semaphore(endpoint.concurrency)

    @property
    def traits(self) -> Traits:
        return self._endpoint.traits

    async def reply(self, request: Request, hear: Hear | None = None) -> Reply:
        """The model's turn. Tells `hear` "again" where a stream broke and the request is sent anew."""
        async with self._places:
            for attempt in range(self._endpoint.retries + 1):
                if attempt and hear is not None:
                    hear(Delta("again", ""))
                try:
                    return await self._adapted(request, hear)
                except _Passing as error:
                    await self._wait(attempt, error)
        raise AssertionError("the last try raises")

    async def close(self) -> None:
        self._spare.clear()
        while self._clients:
            await self._clients.pop().close()

    async def __aenter__(self) -> "OpenAIModel":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _wait(self, attempt: int, error: "_Passing") -> None:
        """Wait before the next try, as long as the server asks, or twice as long as the last time."""
        seconds = error.after_s
        if seconds is None:
            seconds = self._endpoint.first_wait_s * 2**attempt * random.uniform(0.5, 1.0)
        if attempt == self._endpoint.retries or seconds > self._endpoint.most_wait_s:
            tries = f"{attempt + 1} tries" if attempt else "one try"
            waits = f"; it asks to wait {seconds:.0f} s" if seconds > self._endpoint.most_wait_s else ""
            raise ModelUnavailable(f"{self._endpoint.url}: {error} (after {tries}{waits})") from error
        logger.info("%s: %s; trying again in %.1f s", self._endpoint.url, error, seconds)
        await asyncio.sleep(min(seconds, self._endpoint.most_wait_s))

    async def _adapted(self, request: Request, hear: Hear | None) -> Reply:
        """One request; once more where the server turns out to know no tools or no pictures."""
        for _ in range(3):
            way = self._way
            try:
                return await self._once(request, hear, way)
            except _Unsupported as error:
                if self._way == way:  # Otherwise another request, under way at the same time, was told it before.
                    self._do_without(error)
        raise AssertionError("there are two things to do without")

    def _do_without(self, error: "_Unsupported") -> None:
        """Change how requests are sent from now on. Raises ModelMisused where that is not known to help."""
        dialect, sees = self._way
        if error.what == "tools" and dialect == "native":
            dialect = "hermes" if re.search("qwen|hermes", self.traits.name, re.IGNORECASE) else "fenced"
            logger.warning("%s takes no tools; they are asked for in the text (%s)", self.traits.name, dialect)
        elif error.what == "pictures" and sees:
            sees = False
            logger.warning("%s takes no pictures; it is not sent any more", self.traits.name)
        else:
            raise ModelMisused(str(error)) from error
        self._way = _Way(dialect, sees)

    async def _once(self, request: Request, hear: Hear | None, way: "_Way") -> Reply:
        import openai  # noqa: PLC0415  # a second to import

        try:
            with self._client() as client:
                body = self._body(request, way)
                if hear is None:
                    # The SDK's typed call takes half as long again: it walks through request and reply by their types.
                    return self._whole(await client.post("/chat/completions", cast_to=object, body=body), way)
                stream = await client.chat.completions.create(
                    model=self.traits.name,
                    messages=[],
                    stream=True,
                    stream_options={"include_usage": True},
                    extra_body=body,
                )
                async with stream:
                    if stream.response.headers.get("content-type", "").startswith("application/json"):
                        await self._refuse_error(stream.response, way)
                    return await self._read(stream, hear, way)
        except openai.OpenAIError as error:
            self._translate(error, way)
        except ValueError as error:  # A proxy's page, for example.
            raise _Passing("its response is not JSON", None) from error

    def _whole(self, found: object, way: "_Way") -> Reply:
        """The reply of a body that came in one piece."""
        if not isinstance(found, dict):
            raise _Passing("its response is no chat completion", None)
        if found.get("error") and not found.get("choices"):
            raise self._refused(_told(found["error"]), way)
        completion = _loose(found)
        return self._reply(_Turn.of(completion), completion.usage, way)

    async def _refuse_error(self, response: "httpx2.Response", way: "_Way") -> None:
        """Raise the error that came where a stream was asked for; a stream by a wrong name is left as it is."""
        import httpx2  # noqa: PLC0415

        try:
            found = json.loads(await response.aread())
        except httpx2.HTTPError as error:
            raise _Passing("its response broke off", None) from error
        except ValueError:
            return
        if isinstance(found, dict) and found.get("error"):
            raise self._refused(_told(found["error"]), way)

    @contextlib.contextmanager
    def _client(self) -> "Iterator[AsyncOpenAI]":
        """A client with a connection to spare: each looks at all of its own at every request, so they are small."""
        import httpx2  # noqa: PLC0415  # what the SDK sends with
        import openai  # noqa: PLC0415

        if not self._spare:
            # Loading the authorities' certificates takes 50 ms of processor time: once is enough for all clients.
            self._tls = self._tls or httpx2.create_ssl_context()
            client = openai.AsyncOpenAI(
                api_key=self._endpoint.key or "none",
                base_url=self._endpoint.url,
                max_retries=0,
                timeout=self._endpoint.timeout_s,
                organization="",  # Not the one of OPENAI_ORG_ID: this may be anybody's server.
                project="",
                http_client=openai.DefaultAsyncHttpxClient(verify=self._tls),
            )
            self._clients.append(client)
            self._spare += [client] * _CONNECTIONS
        client = self._spare.pop()
        try:
            yield client
        finally:
            self._spare.append(client)

    def _body(self, request: Request, way: "_Way") -> dict[str, Any]:
        messages = request.messages
        tools: dict[str, Any] = {}
        if way.dialect != "native":
            messages = as_text(messages, request.tools_json, way.dialect)
        else:
            tools = {"tools": json.loads(request.tools_json)}
        if not way.sees:
            messages = [_without_pictures(message) for message in messages]
        sampling = request.sampling
        limit = "max_completion_tokens" if "api.openai.com" in self._endpoint.url else "max_tokens"
        values = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            limit: sampling.max_tokens,
        }
        body = {name: value for name, value in values.items() if value is not None}
        said = to_json(messages, thinking=self._endpoint.sends_thinking)
        return {"model": self.traits.name, "messages": said, **tools, **body, **self._endpoint.extra}

    async def _read(self, stream: AsyncIterator[Any], hear: Hear, way: "_Way") -> Reply:
        turn, usage = _Turn(), None
        async for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices[:1]:
                for delta in turn.take(choice.delta):
                    hear(delta)
                turn.finish = choice.finish_reason or turn.finish
        if not turn.finish and not turn.calls and not turn.text:
            raise _Passing("its stream ended before it began", None)
        return self._reply(turn, usage, way)

    def _reply(self, turn: "_Turn", usage: Any, way: "_Way") -> Reply:
        reasoning, text = turn.reasoning or None, turn.text
        if reasoning is None:
            reasoning, text = split_thinking(text)
        calls = tuple(turn.tool_calls())
        if not calls:
            found = find_calls(text, way.dialect)
            text = found.text
            calls = tuple(ToolCall(f"call_{n}", name, arguments) for n, (name, arguments) in enumerate(found.calls))
        if turn.refusal or turn.finish == "content_filter":
            message = storable(Message("assistant", turn.refusal or text, reasoning))
            return Reply(message, self._usage(usage), "refused")
        message = storable(Message("assistant", text, reasoning, calls))
        return Reply(message, self._usage(usage), "length" if turn.finish == "length" else "stop")

    def _usage(self, usage: Any) -> Usage:
        if usage is None:
            return Usage()
        found = Usage(
            usage.prompt_tokens or 0,
            getattr(usage.prompt_tokens_details, "cached_tokens", None) or 0,
            usage.completion_tokens or 0,
            getattr(usage.completion_tokens_details, "reasoning_tokens", None) or 0,
        )
        said = getattr(usage, "cost", None)  # OpenRouter says what it charged.
        price = self._endpoint.price
        cost = price.cost_usd(found) if price is not None else float(said) if isinstance(said, int | float) else None
        return Usage(found.input_tokens, found.cached_tokens, found.output_tokens, found.reasoning_tokens, cost)

    def _translate(self, error: Exception, way: "_Way") -> NoReturn:
        """Raise the SDK's error as ours: a passing one, one that no retry will mend, or a chat that is too long."""
        import openai  # noqa: PLC0415

        match error:
            case openai.APITimeoutError():
                raise _Passing(f"no answer in {self._endpoint.timeout_s:g} s", None) from error
            case openai.APIConnectionError():
                raise _Passing("it cannot be reached", None) from error
            case openai.APIStatusError():
                after_s = _retry_after(error.response.headers)
                refusal = _Refusal(error.status_code, error.code or "", _words(error), after_s)
                raise self._refused(refusal, way) from error
            case openai.APIError():  # Told in the middle of a stream.
                raise self._refused(_told(error.body or str(error)), way) from error
            case _:
                raise ModelUnavailable(f"{self._endpoint.url}: {_words(error)}") from error

    def _refused(self, refusal: "_Refusal", way: "_Way") -> ModelError:
        """What to raise for a server's refusal of a request that was sent this way."""
        url, words, status = self._endpoint.url, refusal.words, refusal.status
        lasts = refusal.code in _NO_RETRY_CODES
        if not lasts and (status in (408, 409, 429) or status >= 500):
            return _Passing(words, refusal.after_s)
        if status in (401, 403):
            return ModelMisused(f"{url} does not accept this key: {words}")
        if status == 404:
            hint = "`--model` names the model, and its URL ends in /v1 as a rule"
            return ModelMisused(f"{url} has no model {self.traits.name!r}: {words}. {hint}")
        if refusal.code == "context_length_exceeded" or _TOO_LONG.search(words):
            return ContextOverflow(f"{url}: {words}")
        if _NO_TOOLS.search(words):
            return _Unsupported("tools", f"{url}: {words}")
        if way.sees and _NO_PICTURES.search(words):
            return _Unsupported("pictures", f"{url}: {words}")
        if not lasts and not status:
            return _Passing(words, None)
        return ModelMisused(f"{url}: {words}")


class _Way(NamedTuple):
    """How a request is sent."""

    dialect: Dialect
    sees: bool
    """Whether pictures go along."""


@dataclass(frozen=True)
class _Refusal:
    """What a server says instead of a reply."""

    status: int
    """HTTP's; 0 where only words and a code are told."""
    code: str
    words: str
    after_s: float | None = None
    """Seconds that it asks to wait."""


def _told(error: object) -> _Refusal:
    """A refusal that stands in a body whose own status is 200. Its code may be the status that it would have had."""
    said = error if isinstance(error, dict) else {"message": error}
    code = str(said.get("code") or "")
    words = str(said.get("message") or json.dumps(error))
    return _Refusal(int(code) if _STATUS.fullmatch(code) else 0, code, _one_line(words))


class _Passing(ModelError):
    """An error that may be gone at the next try."""

    def __init__(self, words: str, after_s: float | None) -> None:
        super().__init__(words)
        self.after_s = after_s


class _Unsupported(ModelError):
    """The server does not take a part of the request."""

    def __init__(self, what: str, words: str) -> None:
        super().__init__(words)
        self.what = what


class _Turn:
    """A reply as it comes together from the pieces of a stream, or from one whole message."""

    def __init__(self) -> None:
        self.text = self.reasoning = self.refusal = self.finish = ""
        self.calls: dict[int, dict[str, str]] = {}

    @classmethod
    def of(cls, completion: Any) -> "_Turn":
        """Of a whole reply. One without choices is an empty turn."""
        turn = cls()
        for choice in (completion.choices or [])[:1]:
            for _ in turn.take(choice.message):
                pass
            turn.finish = choice.finish_reason or ""
        return turn

    def take(self, delta: Any) -> list[Delta]:
        """Add a piece; what a listener is told of it."""
        told: list[Delta] = []
        # vLLM and SGLang say reasoning_content, newer vLLM, Ollama and OpenRouter reasoning.
        thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
        if isinstance(thought, str):
            self.reasoning += thought
            told.append(Delta("reasoning", thought))
        if isinstance(delta.content, str) and delta.content:
            self.text += delta.content
            told.append(Delta("text", delta.content))
        if refused := getattr(delta, "refusal", None):
            self.refusal += refused
            told.append(Delta("text", refused))
        for call in delta.tool_calls or ():
            told += self._take_call(call)
        return told

    def _take_call(self, piece: Any) -> list[Delta]:
        index = getattr(piece, "index", None)
        if index is None:  # Servers that send calls whole give them no number.
            index = len(self.calls)
        is_new = index not in self.calls
        call = self.calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
        call["id"] = call["id"] or piece.id or ""
        told: list[Delta] = []
        function = piece.function
        if function is not None and function.name and (is_new or not call["name"]):
            call["name"] = function.name
            told.append(Delta("call", function.name))
        if function is not None and function.arguments:
            call["arguments"] += function.arguments
            told.append(Delta("arguments", function.arguments))
        return told

    def tool_calls(self) -> list[ToolCall]:
        return [
            ToolCall(call["id"] or f"call_{index}", call["name"], call["arguments"] or "{}")
            for index, call in sorted(self.calls.items())
        ]


class _Loose:
    """A JSON object by attribute; what is not there is None."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update({name: _loose(value) for name, value in values.items()})

    def __getattr__(self, name: str) -> None:
        return None


def _loose(value: Any) -> Any:
    if isinstance(value, dict):
        return _Loose(value)
    return [_loose(item) for item in value] if isinstance(value, list) else value


def _without_pictures(message: Message) -> Message:
    return Message(message.role, message.content, message.reasoning, message.tool_calls, message.tool_call_id)


def _words(error: Exception) -> str:
    """What the server says, in one line."""
    body = getattr(error, "body", None)
    found = body.get("message") if isinstance(body, dict) else None
    return _one_line(str(found or error))


def _one_line(words: str) -> str:
    return " ".join(words.split())[:_DETAIL_CHARS]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: RFC 9110, section 10.2.3, and OpenAI's retry-after-ms."""
    if (value := headers.get("retry-after-ms")) is not None:
        try:
            return max(0.0, float(value) / 1000)
        except ValueError:
            return None
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        date = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    now = datetime.datetime.now(date.tzinfo)
    return max(0.0, (date - now).total_seconds())
