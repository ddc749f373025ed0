"""Templates and masks, on every trace of a built dataset: what is trained, and that use sees what training saw."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from cellwright.core.errors import UsageError
from cellwright.core.types import Message, ToolCall
from cellwright.dataset.chat import Rendering
from cellwright.models import Request
from cellwright.models.local import TransformersModel
from cellwright.models.protocol import Traits
from cellwright.training.fresh import make_tokenizer
from cellwright.training.recipe import FreshConfig
from cellwright.training.rows import Talk, read_talks, texts
from cellwright.training.templates import AUTO, Template, check, encode, find_template, prompt, shipped, spans
from tests.training.small import RENDERINGS

trl = pytest.importorskip("trl", reason="NOT TESTED HERE: training; run `make test-train`")

# The templates that models of these families come with, as TRL 1.16.0 keeps them.
STOCK = {
    "qwen3-instruct": ("qwen3_instruct_2507.jinja", "64f85b198065d0fba2a81f37e10ed68161ce2c19a754c7100e67e0ca2ee9c326"),
    "qwen3-thinking": ("qwen3.jinja", "a55ee1b1660128b7098723e0abcd92caa0788061051c62d51cbe87d9cf1974d8"),
}


def talks_of(dataset: Path, rendering: Rendering) -> list[Talk]:
    return [talk for side in read_talks(dataset, rendering).values() for talk in side]


@pytest.fixture(scope="module", params=RENDERINGS, ids=lambda pair: pair[1])
def case(request: pytest.FixtureRequest, dataset: Path) -> tuple[list[Talk], Any, Template]:
    """Every trace of a rendering, a tokenizer, and our template for it."""
    rendering, name = request.param
    talks = talks_of(dataset, rendering)
    tokenizer = make_tokenizer(FreshConfig(vocabulary=600), texts(talks), 4096)
    return talks, tokenizer, find_template(name, tokenizer)


def said_by(message: Any) -> str:
    """What a model has to say for this message, written out independently of any template."""
    calls = []
    for call in message["tool_calls"]:
        arguments = json.dumps(call["function"]["arguments"], ensure_ascii=False)
        calls.append(f'<tool_call>\n{{"name": "{call["function"]["name"]}", "arguments": {arguments}}}\n</tool_call>')
    thought = f"{message['reasoning_content']}\n</think>\n\n" if "reasoning_content" in message else ""
    return thought + "\n".join([*([message["content"]] if message["content"] else []), *calls]) + "<|im_end|>"


def test_trained_tokens_are_what_the_assistant_says_and_nothing_else(case: tuple[list[Talk], Any, Template]) -> None:
    """Thinking, content, calls and the end of the turn, decoded from real traces; no null, no header, no line end."""
    talks, tokenizer, template = case
    assert len(talks) >= 5
    for talk in talks:
        encoded = encode(tokenizer, template, talk.messages, talk.tools)
        decoded = [tokenizer.decode(encoded.ids[start:stop]) for start, stop in spans(encoded.trained)]
        assert decoded == [said_by(message) for message in talk.messages if message["role"] == "assistant"]


def test_nothing_that_was_not_in_the_data_is_in_the_text(case: tuple[list[Talk], Any, Template]) -> None:
    """The call of one tool does not get the other's arguments as nulls, in what is trained and in what is not."""
    talks, tokenizer, template = case
    for talk in talks:
        encoded = encode(tokenizer, template, talk.messages, talk.tools)
        text = tokenizer.decode(encoded.ids)
        in_data = json.dumps([talk.messages, talk.tools]).count("null")
        assert text.count("null") == in_data
        for message in talk.messages:
            if message["role"] in ("tool", "user"):
                assert message["content"] in text


def test_what_use_sees_is_what_training_saw(case: tuple[list[Talk], Any, Template]) -> None:
    """Each prompt is, token by token, the beginning of the training text, and the turn to say follows it."""
    talks, tokenizer, template = case
    for talk in talks:
        encoded = encode(tokenizer, template, talk.messages, talk.tools)
        turns = [n for n, message in enumerate(talk.messages) if message["role"] == "assistant"]
        for turn, (start, _) in zip(turns, spans(encoded.trained), strict=True):
            assert prompt(tokenizer, template, talk.messages[:turn], talk.tools) == encoded.ids[:start]


def test_a_model_in_this_process_is_given_what_training_saw(case: tuple[list[Talk], Any, Template]) -> None:
    """Through our own client: its requests carry the thinking of earlier turns, and arguments in the same writing."""
    talks, tokenizer, template = case
    tokenizer.chat_template = template.inference
    talk = talks[0]
    encoded = encode(tokenizer, template, talk.messages, talk.tools)
    turn = max(n for n, message in enumerate(talk.messages) if message["role"] == "assistant")
    request = Request(tuple(as_message(m) for m in talk.messages[:turn]), json.dumps(talk.tools))

    class Device:
        device = "cpu"

    client = TransformersModel(Device(), tokenizer, Traits("none"))
    start, _ = spans(encoded.trained)[-1]
    assert tuple(client._tokens(request)["input_ids"][0].tolist()) == encoded.ids[:start]


def as_message(message: Any) -> Message:
    calls = tuple(
        ToolCall(c["id"], c["function"]["name"], json.dumps(c["function"]["arguments"], ensure_ascii=False))
        for c in message.get("tool_calls", ())
    )
    return Message(
        message["role"], message["content"], message.get("reasoning_content"), calls, message.get("tool_call_id")
    )


def test_our_templates_say_what_the_models_own_say(case: tuple[list[Talk], Any, Template]) -> None:
    """The text of a whole trace is, to the character, that of the template that the family comes with."""
    talks, tokenizer, template = case
    name, sha256 = STOCK[template.name]
    stock = (Path(trl.__file__).parent / "chat_templates" / name).read_bytes()
    assert hashlib.sha256(stock).hexdigest() == sha256, "TRL has another text for it now: look what changed"
    for talk in talks:
        ours, theirs = (
            tokenizer.apply_chat_template(
                list(talk.messages), tools=list(talk.tools), tokenize=False, chat_template=text
            )
            for text in (template.inference, stock.decode())
        )
        assert ours == theirs


def test_without_tags_the_text_is_the_same(case: tuple[list[Talk], Any, Template]) -> None:
    """What is saved with the model differs from what it was trained with by the tags alone."""
    talks, tokenizer, template = case
    assert "generation %}" not in template.inference
    for talk in talks:
        trained, saved = (
            tokenizer.apply_chat_template(
                list(talk.messages), tools=list(talk.tools), tokenize=False, chat_template=text
            )
            for text in (template.training, template.inference)
        )
        assert trained == saved


# What real traces of the test dataset do not have: text before a call, two calls, two outputs, awkward characters.
AWKWARD = (
    {"role": "system", "content": "S"},
    {"role": "user", "content": "Q <tool_response>"},
    {
        "role": "assistant",
        "content": "I look.",
        "reasoning_content": "x < 3 & 'é'",
        "tool_calls": [
            {"function": {"name": "execute_code", "arguments": {"code": 'print("a<b & c")\n# é', "comment": None}}},
            {"function": {"name": "execute_code", "arguments": {"code": "2"}}},
        ],
    },
    {"role": "tool", "content": "a<b & c"},
    {"role": "tool", "content": ""},
    {"role": "assistant", "content": "Done.", "reasoning_content": "So.", "tool_calls": []},
)


@pytest.mark.parametrize("name", shipped())
def test_awkward_chats_are_written_as_the_models_own_template_does(dataset: Path, name: str) -> None:
    """Text before calls, several calls and outputs, quotes, angle brackets; a null that is in the data stays."""
    tokenizer = make_tokenizer(FreshConfig(vocabulary=600), texts(talks_of(dataset, "thinking")), 4096)
    template = find_template(name, tokenizer)
    chat = [m if name == "qwen3-thinking" else without_thinking(m) for m in AWKWARD]
    stock = (Path(trl.__file__).parent / "chat_templates" / STOCK[name][0]).read_text()
    for tools in ([], [{"type": "function", "function": {"name": "é<"}}]):
        for messages in (chat, chat[1:]):
            ours, theirs = (
                tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, chat_template=text)
                for text in (template.training, stock)
            )
            assert ours == theirs
            assert '"comment": null' in ours
            check(tokenizer, template, messages, tools)


def without_thinking(message: Any) -> Any:
    return {key: value for key, value in message.items() if key != "reasoning_content"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("qwen5", "there is no template 'qwen5': take qwen3-instruct, qwen3-thinking"),
        ("none.jinja", "there is no template"),
        ("plain.jinja", "has no generation tags"),
        ("headers.jinja", "trains 1 turns of a chat that has 2"),
        ("forgetful.jinja", "is not how its training text begins"),
        ("endless.jinja", "does not train the end of a turn"),
    ],
)
def test_a_template_that_would_train_something_else_is_refused(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown, without tags, training only one turn, dropping earlier turns, without the end of the turn."""
    monkeypatch.chdir(tmp_path)
    turn = "{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}"
    start = "{% if add_generation_prompt %}<|im_start|>{% endif %}"
    tags = "{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}"
    other = "{%% else %%}{{ m.content }}<|im_end|>{%% endif %%}{%% endfor %%}"
    body = "{%% for m in messages %%}<|im_start|>{%% if %s %%}%s" + other
    Path("plain.jinja").write_text(turn + start)
    Path("headers.jinja").write_text(body % ("loop.last and m.role == 'assistant'", tags) + start)
    last = "{% set messages = messages[-1:] if add_generation_prompt else messages %}"
    Path("forgetful.jinja").write_text(last + body % ("m.role == 'assistant'", tags) + start)
    bare = "{% generation %}{{ m.content }}{% endgeneration %}<|im_end|>"
    Path("endless.jinja").write_text(body % ("m.role == 'assistant'", bare) + start)
    tokenizer = make_tokenizer(FreshConfig(vocabulary=300), ["a b c"], 64)
    roles = ("user", "assistant", "user", "assistant")
    chat = [{"role": role, "content": word} for role, word in zip(roles, "abcd", strict=True)]
    with pytest.raises(UsageError) as caught:
        check(tokenizer, find_template(name, tokenizer), chat, [])
    assert said in str(caught.value)


def test_a_model_of_another_family_is_told_from_ours() -> None:
    """Our templates need their tokens; `auto` needs a template of the model's own that TRL knows, or one with tags."""
    import tokenizers  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    other = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer(tokenizers.models.WordLevel({"</s>": 0}, unk_token="</s>")),
        eos_token="</s>",
        name_or_path="other/model",
    )
    with pytest.raises(UsageError, match=r"does not fit this model: its tokenizer has no <\|im_start\|>"):
        find_template("qwen3-instruct", other)
    with pytest.raises(UsageError, match="other/model has no chat template"):
        find_template(AUTO, other)
    other.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    with pytest.raises(UsageError, match="TRL knows no form of it"):
        find_template(AUTO, other)


def test_the_models_own_template_does_where_trl_knows_it(dataset: Path) -> None:
    """TRL's form for training gives the tokens and the mask of ours; its line end after a turn is not trained."""
    talks = talks_of(dataset, "non-thinking")
    tokenizer = make_tokenizer(FreshConfig(vocabulary=600), texts(talks), 4096)
    stock = Path(trl.__file__).parent / "chat_templates" / STOCK["qwen3-instruct"][0]
    tokenizer.chat_template = stock.read_text()
    own, ours = find_template(AUTO, tokenizer), find_template("qwen3-instruct", tokenizer)
    assert own.inference == stock.read_text()
    for talk in talks[:3]:
        check(tokenizer, own, talk.messages, talk.tools)
        assert encode(tokenizer, own, talk.messages, talk.tools) == encode(tokenizer, ours, talk.messages, talk.tools)
