"""What the rest of Cellwright knows of a language model: its name, and one reply at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cellwright.core.types import Message


@dataclass(frozen=True)
class Reply:
    """One turn of a model, with what it cost."""

    message: Message
    input_tokens: int = 0
    output_tokens: int = 0


class Model(Protocol):
    """A model that takes a chat and a list of tools and says its next turn."""

    @property
    def name(self) -> str:
        """Name for the record."""
        ...

    async def reply(self, messages: Sequence[Message], tools_json: str) -> Reply:
        """The assistant's next message; `tools_json` is the JSON list of tool definitions."""
        ...
