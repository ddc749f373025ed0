"""A chat that outgrows the model's window is folded: old observations go, oldest first.

The question, the contract, the system prompt and the code of every cell stay: code defines the variables that are
alive. What is folded stays folded, and more is folded at once than is needed, so that servers can keep the beginning of
the chat in their caches.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from cellwright.core.errors import ContextOverflow
from cellwright.core.types import Message
from cellwright.models import Reply
from cellwright.models.tokens import estimate_message, estimate_tokens

_RESERVED_FOR_REPLY = 0.15
_FOLD_DOWN_TO = 0.7
"""Share of the room that is filled after folding."""
_KEPT_MESSAGES = 2
"""At the end of the chat, never folded while others can be: the last turn and its observation."""
_LEAST_TOKENS = 40
"""A message shorter than this is not worth its fold."""
_OVERFLOW_SHARE = 0.7


class Window:
    """What is sent of a run's messages. One per run."""

    def __init__(self, window_tokens: int | None, reply_tokens: int | None = None) -> None:
        self._room: int | None = None
        if window_tokens is not None:
            self._room = window_tokens - (reply_tokens or int(window_tokens * _RESERVED_FOR_REPLY))
        self._folded: dict[int, Message] = {}
        self._sizes: list[int] = []
        """Estimates of the messages as they are sent."""
        self._ratio = 1.0
        """Tokens that the endpoint counts for one that we estimate."""

    @property
    def folded(self) -> int:
        """Messages that are folded."""
        return len(self._folded)

    def view(self, messages: Sequence[Message], tools_json: str) -> list[Message]:
        """The chat as it is sent. Raises ContextOverflow where it does not fit with all folded that may be."""
        if self._room is not None and self._size(messages, tools_json) > self._room:
            self._fold(messages, tools_json, self._room)
            if self._size(messages, tools_json) > self._room:
                raise ContextOverflow("the chat is longer than the model's window, with all outputs left out")
        return self._shown(messages)

    def learn(self, messages: Sequence[Message], tools_json: str, reply: Reply) -> None:
        """Compare the estimate of what was sent with what the endpoint counted."""
        estimate = self._estimate(messages, tools_json)
        if reply.usage.input_tokens and estimate:
            self._ratio = max(0.5, min(3.0, reply.usage.input_tokens / estimate))

    def overflowed(self, messages: Sequence[Message], tools_json: str) -> bool:
        """The endpoint says that the chat is too long: the room is smaller than was thought. False: nothing to fold."""
        before = self.folded
        size = self._size(messages, tools_json)
        self._room = int(min(size if self._room is None else self._room, size) * _OVERFLOW_SHARE)
        self._fold(messages, tools_json, self._room)
        return self.folded > before

    def _shown(self, messages: Sequence[Message]) -> list[Message]:
        return [self._folded.get(number, message) for number, message in enumerate(messages)]

    def _size(self, messages: Sequence[Message], tools_json: str) -> int:
        return int(self._estimate(messages, tools_json) * self._ratio)

    def _estimate(self, messages: Sequence[Message], tools_json: str) -> int:
        self._sizes += map(estimate_message, messages[len(self._sizes) :])
        return sum(self._sizes) + _tools_estimate(tools_json)

    def _fold(self, messages: Sequence[Message], tools_json: str, room: int) -> None:
        """Fold observations from the oldest on, down to a share of the room; the last ones only where they must go."""
        for end, target in ((len(messages) - _KEPT_MESSAGES, int(room * _FOLD_DOWN_TO)), (len(messages), room)):
            surplus = self._size(messages, tools_json) - target
            for number, message in enumerate(messages[:end]):
                if surplus <= 0:
                    break
                if number in self._folded or message.role != "tool" or self._sizes[number] < _LEAST_TOKENS:
                    continue
                short = self._folded[number] = _short(message)
                before, self._sizes[number] = self._sizes[number], estimate_message(short)
                surplus -= int((before - self._sizes[number]) * self._ratio)


@cache
def _tools_estimate(tools_json: str) -> int:
    return estimate_tokens(tools_json)


def _short(message: Message) -> Message:
    count = len(message.content)
    words = f"(output of {count} characters left out to save room; run the cell again to see it)"
    return replace(message, content=words, images=())
