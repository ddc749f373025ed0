"""What every model must do, one suite for all kinds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from cellwright.core.errors import ContextOverflow, ModelError, ModelUnavailable
from cellwright.core.types import Message
from cellwright.models import (
    CachedModel,
    Delta,
    Model,
    OpenAIModel,
    Reply,
    ReplyCache,
    Request,
    Sampling,
    ScriptedModel,
    Traits,
)
from cellwright.models.server import Failure

from .endpoints import CHAT, CODE, TOOLS, endpoint, served

Turn = Reply | Message
Maker = Callable[[Callable[[str], Turn]], AbstractAsyncContextManager[Model]]
"""Makes a model whose turn is a function of the last user message."""


@asynccontextmanager
async def scripted(script: Callable[[str], Turn]) -> AsyncIterator[Model]:
    yield ScriptedModel(lambda request: script(request.messages[-1].content), Traits("m"))


@asynccontextmanager
async def over_http(script: Callable[[str], Turn]) -> AsyncIterator[Model]:
    def answer(body: dict[str, object]) -> Turn | Failure:
        messages = body["messages"]
        assert isinstance(messages, list)
        try:
            return script(messages[-1]["content"])
        except ContextOverflow:
            return Failure(400, "This model's maximum context length is 100 tokens", code="context_length_exceeded")
        except ModelError as error:
            return Failure(503, str(error))

    with served(answer, names=["m"]) as server:
        model = OpenAIModel(endpoint(server, Traits("m"), retries=1))
        yield model
        await model.close()


@pytest.fixture(params=["scripted", "openai", "cached"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Maker:
    @asynccontextmanager
    async def cached(script: Callable[[str], Turn]) -> AsyncIterator[Model]:
        cache = ReplyCache(tmp_path / "replies.sqlite")
        async with over_http(script) as inner:
            yield CachedModel(inner, cache)
        cache.close()

    makers: dict[str, Maker] = {"scripted": scripted, "openai": over_http, "cached": cached}
    return makers[request.param]


def chat(text: str) -> Request:
    return Request((CHAT[0], Message("user", text)), TOOLS)


def test_a_turn_arrives_as_it_was_said(make: Maker) -> None:
    """Words, thoughts and calls, whole or streamed."""
    said = Message("assistant", "Let me see.", "2 and 2 …", CODE.tool_calls)

    async def job() -> None:
        async with make(lambda text: said) as model:
            assert (await model.reply(chat("a"))).message == said
            pieces: list[Delta] = []
            assert (await model.reply(chat("b"), pieces.append)).message == said
            whole = {
                kind: "".join(p.text for p in pieces if p.kind == kind) for kind in ("reasoning", "text", "arguments")
            }
            assert whole == {"reasoning": "2 and 2 …", "text": "Let me see.", "arguments": '{"code": "2 + 2"}'}
            assert [piece.text for piece in pieces if piece.kind == "call"] == ["execute_code"]

    asyncio.run(job())


def test_many_runs_at_once_get_their_own_replies(make: Maker) -> None:
    """Fifty chats at the same time, each with its answer."""

    async def job() -> None:
        async with make(lambda text: Message("assistant", f"to {text}")) as model:
            replies = await asyncio.gather(*(model.reply(chat(str(n))) for n in range(50)))
            assert [reply.message.content for reply in replies] == [f"to {n}" for n in range(50)]

    asyncio.run(job())


@pytest.mark.parametrize("finish", ["stop", "length", "refused"])
def test_why_a_turn_ended_is_told(make: Maker, finish: str) -> None:
    """A reply that was cut off, or refused, is known as one."""

    async def job() -> None:
        async with make(lambda text: Reply(Message("assistant", "I"), finish=finish)) as model:  # type: ignore[arg-type]
            assert (await model.reply(chat("a"))).finish == finish
            assert (await model.reply(chat("b"), lambda delta: None)).finish == finish

    asyncio.run(job())


def test_failures_are_ours(make: Maker) -> None:
    """A chat that is too long, and an endpoint that keeps failing, are the errors that the protocol names."""

    def script(text: str) -> Turn:
        raise ContextOverflow("long") if text == "long" else ModelUnavailable("down")

    async def job() -> None:
        async with make(script) as model:
            with pytest.raises(ContextOverflow):
                await model.reply(chat("long"))
            with pytest.raises(ModelUnavailable, match="down"):
                await model.reply(chat("down"))

    asyncio.run(job())


def test_a_reply_can_be_cancelled(make: Maker) -> None:
    """A cancelled request ends at once, and the next one is answered."""

    async def job() -> None:
        async with make(lambda text: Message("assistant", text)) as model:
            waiting = asyncio.create_task(model.reply(chat("a")))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting})
            assert (await model.reply(chat("b"))).message.content == "b"

    asyncio.run(job())


def test_closing_twice_is_fine(make: Maker) -> None:
    """And a model that was never used can be closed."""

    async def job() -> None:
        async with make(lambda text: Message("assistant", text)) as model:
            await model.close()
            await model.close()

    asyncio.run(job())


def test_traits_and_sampling_have_names(make: Maker) -> None:
    """The name is the endpoint's."""

    async def job() -> str:
        async with make(lambda text: Message("assistant", text)) as model:
            await model.reply(Request(CHAT, TOOLS, Sampling(0.5, 0.9, 100, 7, 2)))
            return model.traits.name

    assert asyncio.run(job()) == "m"
