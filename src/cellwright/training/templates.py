"""Chat templates for training, and what of a chat is trained: what the model says, to the end of each turn.

A training template marks what the model says by generation tags; without the tags it is the template that the trained
model is saved with, so that training and use see the same text. `check` makes sure of it on the chats at hand: every
prompt that the model will be given is, token by token, how its training text begins.

Ours are for Qwen3. Any other model's own template will do where it has the tags or TRL knows its form for training; a
file with tags will do too.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellwright.core.errors import UsageError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Chat = Sequence[Mapping[str, Any]]
"""Messages as chat templates take them."""

AUTO = "auto"
_TAG = re.compile(r"\{%[-+]?\s*(?:end)?generation\s*[-+]?%\}")
_END = "<|im_end|>"
_TOKENS = ("<|im_start|>", _END, "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
_THINKING_TOKENS = ("<think>", "</think>")


@dataclass(frozen=True)
class Template:
    """A chat template with generation tags."""

    name: str
    training: str
    """Its Jinja text, with the tags."""
    inference: str
    """What the trained model is saved with: the same text of a chat, without the tags."""
    end: str
    """The token that ends a turn."""
    tokens: tuple[str, ...] = ()
    """What must each be one token of the model's."""


@dataclass(frozen=True)
class Encoded:
    """A chat as tokens."""

    ids: tuple[int, ...]
    trained: tuple[bool, ...]
    """Of each token, whether the model is taught to say it."""


def shipped() -> tuple[str, ...]:
    """Names of the templates that come with Cellwright."""
    return tuple(
        sorted(path.name.removesuffix(".jinja") for path in _folder().iterdir() if path.name.endswith("jinja"))
    )


def find_template(name: str, tokenizer: "PreTrainedTokenizerBase", *, trains: bool = True) -> Template:
    """A template of ours, the one in a file, or, for "auto", the model's own; with `trains`, one that says what of a
    chat is trained.

    Raises UsageError for an unknown one, and where it does not fit the tokenizer.
    """
    if name == AUTO:
        template = _own(tokenizer, trains=trains)
    elif name in shipped():
        template = _shipped(name)
    elif name.endswith(".jinja") and Path(name).is_file():
        text = Path(name).read_text(encoding="utf-8")
        if trains and not _TAG.search(text):
            raise UsageError(f"{name} has no generation tags, so it does not say what is trained: {_TAGS_HELP}")
        template = Template(name, text, _TAG.sub("", text), str(tokenizer.eos_token))
    else:
        raise UsageError(
            f"there is no template {name!r}: take {', '.join(shipped())}, a .jinja file with generation tags, or {AUTO}"
        )
    vocabulary = tokenizer.get_vocab()
    if missing := [token for token in template.tokens if token not in vocabulary]:
        raise UsageError(
            f"the template {name} does not fit this model: its tokenizer has no {' '.join(missing)}. "
            f"Take `template: {AUTO}`, or a model of the family that the template is for"
        )
    return template


_TAGS_HELP = "put what the assistant says between {% generation %} and {% endgeneration %}"


def _folder() -> Any:
    return files(__package__) / "templates"


def _shipped(name: str) -> Template:
    text = (_folder() / f"{name}.jinja").read_text(encoding="utf-8")
    tokens = _TOKENS + (_THINKING_TOKENS if "<think>" in text else ())
    return Template(name, text, _TAG.sub("", text), _END, tokens)


def _own(tokenizer: "PreTrainedTokenizerBase", *, trains: bool) -> Template:
    """The model's own template, with `trains` in its form for training. A model trained here has one of ours."""
    from trl.chat_template_utils import get_training_chat_template  # noqa: PLC0415  # seconds to import

    own = tokenizer.chat_template
    if own is None:
        raise UsageError(
            f"{tokenizer.name_or_path} has no chat template. Name one that fits it by `template:` "
            f"({', '.join(shipped())}, or a .jinja file with generation tags), or take an instruct model"
        )
    text = own if isinstance(own, str) else own["default"]
    for name in shipped():
        if (ours := _shipped(name)).inference == text:
            return ours
    if not trains:
        return Template(AUTO, text, text, str(tokenizer.eos_token))
    try:
        training = get_training_chat_template(tokenizer) or text
    except ValueError:
        raise UsageError(
            f"the chat template of {tokenizer.name_or_path} has no generation tags, and TRL knows no form of it for "
            f"training. Name a .jinja file by `template:`; {_TAGS_HELP}"
        ) from None
    return Template(AUTO, training, _TAG.sub("", text), str(tokenizer.eos_token))


def encode(tokenizer: "PreTrainedTokenizerBase", template: Template, chat: Chat, tools: Sequence[Any]) -> Encoded:
    """A chat as tokens, with what of them is trained."""
    found = tokenizer.apply_chat_template(
        list(chat),
        tools=list(tools),
        chat_template=template.training,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    ids = tuple(found["input_ids"])
    end = tokenizer.convert_tokens_to_ids(template.end)
    return Encoded(ids, _to_the_end(ids, [bool(bit) for bit in found["assistant_masks"]], end))


def _to_the_end(ids: Sequence[int], trained: list[bool], end: int | list[int]) -> tuple[bool, ...]:
    """No token after the end of a turn is trained: others' templates have a line end there, which nobody waits for."""
    for start, stop in spans(trained):
        ends = [place for place in range(start, stop) if ids[place] == end]
        for place in range(ends[-1] + 1 if ends else stop, stop):
            trained[place] = False
    return tuple(trained)


def spans(trained: Sequence[bool]) -> list[tuple[int, int]]:
    """Where the runs of trained tokens begin and end, as ranges."""
    edges = [n for n in range(len(trained) + 1) if (n and trained[n - 1]) != (n < len(trained) and trained[n])]
    return list(zip(edges[::2], edges[1::2], strict=True))


def prompt(
    tokenizer: "PreTrainedTokenizerBase", template: Template, chat: Chat, tools: Sequence[Any]
) -> tuple[int, ...]:
    """What the saved model is given, as tokens, to say its next turn."""
    found = tokenizer.apply_chat_template(
        list(chat), tools=list(tools), chat_template=template.inference, add_generation_prompt=True, return_dict=True
    )
    return tuple(found["input_ids"])


def check(tokenizer: "PreTrainedTokenizerBase", template: Template, chat: Chat, tools: Sequence[Any]) -> None:
    """Raises UsageError where training would not see what use sees: a prompt for each turn, then the turn."""
    encoded = encode(tokenizer, template, chat, tools)
    turns = [number for number, message in enumerate(chat) if message["role"] == "assistant"]
    found = spans(encoded.trained)
    if len(found) != len(turns):
        raise UsageError(
            f"the template {template.name} trains {len(found)} turns of a chat that has {len(turns)}: {_TAGS_HELP}"
        )
    for turn, (start, stop) in zip(turns, found, strict=True):
        if prompt(tokenizer, template, chat[:turn], tools) != encoded.ids[:start]:
            raise UsageError(
                f"the template {template.name} does not fit this data: what the model is given before message "
                f"{turn + 1} is not how its training text begins. Name another by `template:` ({', '.join(shipped())})"
            )
        if tokenizer.convert_ids_to_tokens(encoded.ids[stop - 1]) != template.end:
            raise UsageError(f"the template {template.name} does not train the end of a turn, {template.end}")
