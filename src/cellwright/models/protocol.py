"""What the rest of Cellwright knows of a language model: its traits, and one reply at a time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from cellwright.core.types import Message, Usage


@dataclass(frozen=True)
class Traits:
    """What a caller must know of a model to talk with it."""

    name: str
    """For the record: "oracle", "Qwen/Qwen3-4B"."""
    thinks: bool = False
    """Whether it thinks aloud before it acts. One that does not is asked for a comment with each call."""
    sees: bool = False
    """Whether it takes pictures."""
    window_tokens: int | None = None
    """Tokens of a chat with its reply; None where nobody says. Then only the endpoint's refusal tells."""


@dataclass(frozen=True)
class Sampling:
    """How a reply is drawn. None leaves a value to the endpoint."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    """Of one reply, reasoning included."""
    seed: int | None = None
    index: int = 0
    """Which of several replies to the same chat: a cache keeps them apart."""


@dataclass(frozen=True)
class Request:
    """A chat to which the model says the next turn."""

    messages: Sequence[Message]
    tools_json: str
    """JSON list of tool definitions, in the form of OpenAI's chat completions."""
    sampling: Sampling = field(default=Sampling())


@dataclass(frozen=True)
class Delta:
    """A piece of a reply under way."""

    kind: Literal["reasoning", "text", "call", "arguments", "again"]
    """`call`: a tool's name, when a call begins; `arguments`: a piece of its JSON. `again`: what was heard of this turn
    is void, its stream broke."""
    text: str


Hear = Callable[[Delta], None]


def deltas(message: Message) -> Iterable[Delta]:
    """A whole turn as the pieces that a listener of a stream would be told."""
    if message.reasoning:
        yield Delta("reasoning", message.reasoning)
    if message.content:
        yield Delta("text", message.content)
    for call in message.tool_calls:
        yield Delta("call", call.name)
        yield Delta("arguments", call.arguments_json)


@dataclass(frozen=True)
class Reply:
    """One turn of a model, with what it took."""

    message: Message
    usage: Usage = field(default=Usage())
    finish: Literal["stop", "length", "refused"] = "stop"
    """`length`: cut off at `max_tokens` or the end of the window. `refused`: by the model or its provider's filter."""


class Model(Protocol):
    """A model that takes a chat and a list of tools and says its next turn. Safe for many runs at once."""

    @property
    def traits(self) -> Traits:
        """What it is."""
        ...

    async def reply(self, request: Request, hear: Hear | None = None) -> Reply:
        """The assistant's next message; `hear` is told of its pieces where they come one by one.

        Raises ContextOverflow for a chat that is too long, ModelMisused for what no retry will mend, and
        ModelUnavailable when the retries are used up. Cancelling it ends the request.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. May be called twice."""
        ...
