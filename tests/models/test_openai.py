"""An endpoint over real HTTP: what is sent, what comes back, and every way in which it fails."""

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from cellwright.core.errors import ContextOverflow, ModelMisused, ModelUnavailable
from cellwright.core.types import Message, ToolCall, Usage
from cellwright.models import Delta, Endpoint, OpenAIModel, Price, Reply, Request, Sampling, Traits
from cellwright.models.server import Answer, Broken, Failure, Raw

from .endpoints import CHAT, CODE, TOOLS, ask, endpoint, heard, served

HI = Message("assistant", "Hi.")


def test_request_is_what_the_api_expects() -> None:
    """Messages, tools, sampling and further fields, and nothing that was not set."""
    chat = (*CHAT, CODE, Message("tool", "4", tool_call_id="c1"))
    with served([HI, HI]) as server:
        ask(endpoint(server, extra={"top_k": 20}), chat, sampling=Sampling(temperature=0.2, max_tokens=50, seed=1))
        ask(endpoint(server))
        first, second = server.requests
    assert first["messages"][2]["tool_calls"][0]["function"] == {
        "name": "execute_code",
        "arguments": '{"code": "2 + 2"}',
    }
    assert first["messages"][3] == {"role": "tool", "tool_call_id": "c1", "content": "4"}
    assert (first["temperature"], first["max_tokens"], first["seed"], first["top_k"]) == (0.2, 50, 1, 20)
    assert first["tools"] == json.loads(TOOLS)
    assert set(second) == {"model", "messages", "tools"}


def test_thinking_goes_back_only_where_it_is_wanted() -> None:
    """A model trained on whole runs is sent what it thought; other servers would refuse the field."""
    chat = (*CHAT, replace(CODE, reasoning="Add them."), Message("tool", "4", tool_call_id="c1"))
    with served([HI, HI]) as server:
        ask(endpoint(server, sends_thinking=True), chat)
        ask(endpoint(server), chat)
        wanted, unwanted = (request["messages"][2] for request in server.requests)
    assert wanted == {**unwanted, "reasoning_content": "Add them."}


def test_pictures_go_to_models_that_see() -> None:
    """They follow the tool's message; a model that does not see gets none."""
    picture = "data:image/png;base64,AAAA"
    chat = (*CHAT, CODE, Message("tool", "[figure]", tool_call_id="c1", images=(picture,)))
    with served([HI, HI]) as server:
        ask(endpoint(server, Traits("scripted", sees=True)), chat)
        ask(endpoint(server), chat)
        seeing, blind = server.requests
    assert seeing["messages"][-1]["content"][1]["image_url"]["url"] == picture
    assert blind["messages"][-1]["role"] == "tool"


def test_arguments_that_are_no_json_do_not_spoil_the_chat() -> None:
    """Servers load the arguments of earlier calls: what a model wrote wrongly is sent as JSON all the same."""
    bad = Message("assistant", "", tool_calls=(ToolCall("c1", "execute_code", "{oops"),))
    with served([HI]) as server:
        ask(endpoint(server), (*CHAT, bad, Message("tool", "bad JSON", tool_call_id="c1")))
        sent = server.requests[0]["messages"][2]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent) == {"not_json": "{oops"}


def test_usage_and_cost_are_counted() -> None:
    """Cached input has its own price; without a price the cost is unknown."""
    said = Reply(HI, Usage(1000, 600, 200, 50))
    price = Price(input=1.0, output=2.0, cached=0.1)
    with served([said, said, said]) as server:
        priced = ask(endpoint(server, price=price)).usage
        assert priced.cost_usd == pytest.approx(0.00086)
        assert replace(priced, cost_usd=None) == said.usage
        assert heard(endpoint(server))[0].usage == Usage(1000, 600, 200, 50, None)
    assert Usage(1, 0, 1, 0, None) + Usage(1, 0, 1, 0, 0.5) == Usage(2, 0, 2, 0, 0.5)


PASSING: dict[str, Answer] = {
    "rate limit": Failure(429, "slow down", {"Retry-After": "0.05"}),
    "rate limit in milliseconds": Failure(429, "slow down", {"retry-after-ms": "50"}),
    "overload": Failure(503, "overloaded"),
    "crash": Failure(500, "CUDA error"),
    "conflict": Failure(409, "locked"),
    "time-out of a gateway": Failure(408, "too slow"),
    "connection lost": Broken(HI, 0),
    "connection lost in the middle": Broken(CODE, 3),
    "error in the stream": Raw(b'data: {"error": {"message": "engine died"}}\n\n', "text/event-stream"),
    "stream without a word": Raw(b"data: [DONE]\n\n", "text/event-stream"),
}


@pytest.mark.parametrize("kind", PASSING)
def test_errors_that_pass_are_tried_again(kind: str) -> None:
    """The reply of the second try is the reply; a listener learns that what it heard is void."""
    with served([PASSING[kind], CODE]) as server:
        reply, pieces = heard(endpoint(server))
        assert len(server.requests) == 2
    assert reply.message == CODE
    assert [piece.kind for piece in pieces].count("again") == 1
    after = pieces[[piece.kind for piece in pieces].index("again") :]
    assert "".join(piece.text for piece in after if piece.kind == "text") == "Let me see."


def test_retries_are_bounded_and_wait_as_told() -> None:
    """After the last try the error says how often it was tried; a wait that is too long is not waited."""
    with served([Failure(503, "busy")] * 9) as server:
        with pytest.raises(ModelUnavailable, match=r"busy.*3 tries"):
            ask(endpoint(server, retries=2))
        assert len(server.requests) == 3
    with served([Failure(429, "slow", {"Retry-After": "0.3"}), HI]) as server:
        began = time.monotonic()
        ask(endpoint(server))
        assert time.monotonic() - began >= 0.3
    with served([Failure(429, "tomorrow", {"Retry-After": "86400"})]) as server:
        with pytest.raises(ModelUnavailable, match="asks to wait 86400 s"):
            ask(endpoint(server))
        assert len(server.requests) == 1


def test_nobody_there_is_said_in_one_line() -> None:
    """A port where nothing listens."""
    where = Endpoint("http://127.0.0.1:9/v1", Traits("m"), retries=1, first_wait_s=0.01)
    with pytest.raises(ModelUnavailable, match=r"http://127\.0\.0\.1:9/v1: it cannot be reached"):
        ask(where)


def test_silence_is_not_waited_for_for_ever() -> None:
    """A server that does not answer in time is tried again, then given up."""
    with served([HI] * 3, latency_s=3) as server, pytest.raises(ModelUnavailable, match=r"no answer in 0\.1 s"):
        ask(endpoint(server, timeout_s=0.1, retries=1))


LASTING: dict[str, tuple[Failure, str]] = {
    "no such model": (Failure(404, "The model `x` does not exist"), "has no model 'scripted'"),
    "no permission": (Failure(403, "not for you"), "does not accept this key"),
    "bad parameter": (Failure(400, "temperature must be below 2"), "temperature must be below 2"),
    "no money": (Failure(429, "You exceeded your quota", code="insufficient_quota"), "quota"),
    "not processable": (Failure(422, "wrong body"), "wrong body"),
}


@pytest.mark.parametrize("kind", LASTING)
def test_errors_that_last_fail_at_once_with_one_line(kind: str) -> None:
    """One request, and the server's words."""
    failure, words = LASTING[kind]
    with served([failure] * 3) as server:
        with pytest.raises(ModelMisused, match=words) as caught:
            ask(endpoint(server))
        assert len(server.requests) == 1
    assert "\n" not in str(caught.value)


def test_wrong_key_fails_at_once() -> None:
    """And the key itself is nowhere in the words."""
    with served([HI], key="right") as server:
        assert ask(endpoint(server, key="right")).message == HI
        with pytest.raises(ModelMisused, match="does not accept this key") as caught:
            ask(endpoint(server, key="wr0ng"))
        assert "wr0ng" not in str(caught.value) + repr(endpoint(server, key="wr0ng"))


TOO_LONG = [
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
    "the request exceeds the available context size. try increasing the context size",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096",
    "The input is too long for the model",
    "prompt is too long: 210000 tokens > 200000 maximum",
]


@pytest.mark.parametrize("words", TOO_LONG)
def test_chat_that_is_too_long_is_known(words: str) -> None:
    """By the words of vLLM, llama.cpp, TGI and the vendors."""
    with served([Failure(400, words)]) as server, pytest.raises(ContextOverflow):
        ask(endpoint(server))


NO_TOOLS = [
    '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    "tools param requires --jinja flag",
    "registry.ollama.ai/library/gemma:2b does not support tools",
]


@pytest.mark.parametrize("words", NO_TOOLS)
def test_server_without_tools_is_asked_in_the_text(words: str) -> None:
    """Then the tools stand in the system prompt, earlier calls in the texts, and calls are read out of the reply."""
    turn = Message("assistant", "I add.\n```python\n2 + 2\n```\nThe result is 5.")
    chat = (*CHAT, CODE, Message("tool", "4", tool_call_id="c1"))
    with served([Failure(400, words), turn]) as server:
        reply = ask(endpoint(server), chat)
        sent = server.requests[1]
    assert reply.message.tool_calls == (ToolCall("call_0", "execute_code", '{"code": "2 + 2"}'),)
    assert reply.message.content == "I add."
    assert "tools" not in sent
    assert "```python" in sent["messages"][0]["content"]
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "user"]
    assert sent["messages"][2]["content"] == "Let me see.\n```python\n2 + 2\n```"


def test_requests_under_way_learn_what_another_was_told() -> None:
    """All that were sent with tools are sent anew without, not only the first that was refused."""

    def script(request: Any) -> Answer:
        return Failure(400, "this model does not support tools") if "tools" in request else HI

    async def job(where: Endpoint) -> list[Reply]:
        async with OpenAIModel(where) as model:
            return await asyncio.gather(*(model.reply(Request(CHAT, TOOLS)) for _ in range(4)))

    with served(script, latency_s=0.05) as server:
        assert [reply.message for reply in asyncio.run(job(endpoint(server)))] == [HI] * 4


def test_models_that_take_no_pictures_are_sent_none_any_more() -> None:
    """The refusal is remembered."""
    chat = (Message("user", "Look.", images=("data:image/png;base64,AAAA",)),)

    async def job(where: Endpoint) -> None:
        async with OpenAIModel(where) as model:
            for _ in range(2):
                await model.reply(Request(chat, TOOLS))

    with served([Failure(400, "this model does not support image input"), HI, HI]) as server:
        asyncio.run(job(endpoint(server, Traits("scripted", sees=True))))
        kinds = [type(request["messages"][0]["content"]) for request in server.requests]
    assert kinds == [list, str, str]


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    body = {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return f"data: {json.dumps(body)}\n\n".encode()


CALL = {"name": "execute_code", "arguments": '{"code": "1"}'}
STREAMS: dict[str, list[dict[str, Any]]] = {
    "a call in one piece, without a number": [{"tool_calls": [{"id": "a", "type": "function", "function": CALL}]}],
    "a call without an id": [{"tool_calls": [{"index": 0, "function": CALL}]}],
    "the name again in each piece": [
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "execute_code", "arguments": '{"code":'}}]},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "execute_code", "arguments": ' "1"}'}}]},
    ],
    "a name without arguments at first": [
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "execute_code", "arguments": None}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"code": "1"}'}}]},
    ],
    "content that is null": [{"role": "assistant", "content": None}, {"tool_calls": [{"index": 0, "function": CALL}]}],
}


@pytest.mark.parametrize("kind", STREAMS)
def test_streams_of_all_servers_are_read(kind: str) -> None:
    """However a server cuts a call into pieces, it is one call."""
    body = b"".join([*(chunk(delta) for delta in STREAMS[kind]), chunk({}, "tool_calls"), b"data: [DONE]\n\n"])
    with served([Raw(body, "text/event-stream")]) as server:
        (call,) = heard(endpoint(server))[0].message.tool_calls
    assert (call.name, json.loads(call.arguments_json)) == ("execute_code", {"code": "1"})
    assert call.id


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_come_under_either_name(name: str) -> None:
    """As servers call them, in pieces."""
    body = b"".join([chunk({name: "Hm, "}), chunk({name: "yes."}), chunk({"content": "4"}), chunk({}, "stop")])
    with served([Raw(body + b"data: [DONE]\n\n", "text/event-stream")]) as server:
        reply, pieces = heard(endpoint(server))
    assert (reply.message.reasoning, reply.message.content) == ("Hm, yes.", "4")
    assert [piece for piece in pieces if piece.kind == "reasoning"] == [
        Delta("reasoning", "Hm, "),
        Delta("reasoning", "yes."),
    ]


def test_halves_of_characters_do_not_reach_a_reply() -> None:
    """Two that a stream was cut between are joined; a single one, also one told by its number, is replaced."""
    call = {"index": 0, "function": {"name": "execute_code", "arguments": '{"code": "\\ud83d\ude00"}'}}
    pieces: list[dict[str, Any]] = [
        {"content": "\ud83d"},
        {"content": "\ude00 \ud83d"},
        {"tool_calls": [call]},
    ]
    body = b"".join([*map(chunk, pieces), chunk({}, "stop"), b"data: [DONE]\n\n"])
    with served([Raw(body, "text/event-stream")]) as server:
        message = heard(endpoint(server))[0].message
    assert message.content == "\U0001f600 \ufffd"
    assert json.loads(message.tool_calls[0].arguments_json)["code"].encode()


def test_a_refusal_is_heard_as_it_comes() -> None:
    """A server sends it beside the text; who listens sees no difference."""
    body = b"".join([chunk({"refusal": "I will "}), chunk({"refusal": "not."}), chunk({}, "stop")])
    with served([Raw(body + b"data: [DONE]\n\n", "text/event-stream")]) as server:
        reply, pieces = heard(endpoint(server))
    assert (reply.finish, reply.message.content) == ("refused", "I will not.")
    assert [piece.text for piece in pieces if piece.kind == "text"] == ["I will ", "not."]


@pytest.mark.parametrize("text", ["<think>\nHm.\n</think>\n\n4", "Hm.</think>4"])
def test_thoughts_in_the_text_are_taken_out(text: str) -> None:
    """With or without the tag in front, which some templates write themselves."""
    with served([Message("assistant", text)]) as server:
        message = ask(endpoint(server)).message
    assert (message.reasoning, message.content) == ("Hm.", "4")


def test_requests_under_way_are_bounded() -> None:
    """No more at once than the endpoint's concurrency."""

    async def job(where: Endpoint) -> None:
        async with OpenAIModel(where) as model:
            await asyncio.gather(*(model.reply(Request(CHAT, TOOLS)) for _ in range(12)))

    with served([HI] * 12, latency_s=0.05) as server:
        asyncio.run(job(endpoint(server, concurrency=3)))
        assert (server.most_at_once, server.replies) == (3, 12)


@pytest.mark.parametrize("body", [b"<html>proxy</html>", b"", b"[]", b'"text"'])
def test_what_is_no_reply_is_an_error_of_ours(body: bytes) -> None:
    """A proxy's page and the like are tried again, then said to come from this endpoint."""
    with served([Raw(body)] * 2) as server, pytest.raises(ModelUnavailable, match=r"its response is n.*2 tries"):
        ask(endpoint(server, retries=1))


def refusal(code: object, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_with_the_status_of_a_reply_is_an_error(streamed: bool) -> None:
    """Some gateways say what failed in the body alone: what lasts fails at once, the rest is tried again."""
    one = heard if streamed else ask
    with served([Raw(refusal(401, "no such user"))]) as server:
        with pytest.raises(ModelMisused, match="does not accept this key: no such user"):
            one(endpoint(server))
        assert len(server.requests) == 1
    passing = [Raw(refusal(502, "provider is down")), Raw(b'{"error": "busy"}')]
    with served(passing) as server, pytest.raises(ModelUnavailable, match=r"busy.*2 tries"):
        one(endpoint(server, retries=1))
    too_long = [Raw(refusal(None, "this exceeds the maximum context length"))]
    with served(too_long) as server, pytest.raises(ContextOverflow):
        one(endpoint(server))


def test_an_error_that_lasts_is_known_in_a_stream() -> None:
    """By its code, as before the stream."""
    event = Raw(b"data: " + refusal(403, "not for you") + b"\n\n", "text/event-stream")
    with served([event]) as server, pytest.raises(ModelMisused, match="does not accept this key: not for you"):
        heard(endpoint(server))


@pytest.mark.parametrize("body", [b'{"choices": []}', b'{"choices": null}', b"{}"])
def test_reply_without_a_choice_is_an_empty_turn(body: bytes) -> None:
    """Which the loop corrects."""
    with served([Raw(body)]) as server:
        assert ask(endpoint(server)).message == Message("assistant", "")
