"""Chats as the built-in model reads them: rendered by its own template, as transformers renders it."""

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox

from cellwright.core.types import Message
from cellwright.models.chat import arguments_object, to_json

END = "<|im_end|>"
"""Ends a turn."""


class _Generation(jinja2.ext.Extension):
    """The tag {% generation %} of training templates, which marks what a model says; here its body alone counts."""

    tags = {"generation"}  # noqa: RUF012 - jinja2's own declaration

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def template_text() -> str:
    """The template's source, for the tokenizer's files."""
    return resources.files(__package__).joinpath("chat.jinja").read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation]
    )
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.from_string(template_text())


def render(messages: Sequence[Message], *, asks: bool) -> str:
    """The text of a chat; with `asks`, up to where the model speaks next."""
    return _template().render(messages=[_message(part) for part in messages], add_generation_prompt=asks)


def _message(message: Message) -> dict[str, object]:
    (part,) = to_json([Message(message.role, message.content, None, message.tool_calls, message.tool_call_id)])
    calls = [
        {"function": {"name": call.name, "arguments": json.loads(arguments_object(call))}}
        for call in message.tool_calls
    ]
    return {**part, "content": part.get("content") or "", "tool_calls": calls}
