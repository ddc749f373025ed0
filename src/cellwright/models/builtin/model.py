"""The model that ships with Cellwright: a Qwen3 of some hundred thousand weights, trained from nothing on made tables.

It answers a few families of questions about one CSV file, and refuses, in plain words, what it can tell is none of
them; where it knows the table's columns it also holds back an answer whose program is not what was asked. It makes
demonstrations, tests and documentation real without a download. It promises no more: it knows no language beyond its
families, and no facts. It always says what is likeliest: of `Sampling` only `max_tokens` counts.
"""

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cellwright.core.errors import ContextOverflow
from cellwright.core.types import Message, ToolCall, Usage
from cellwright.models.builtin import chat, network
from cellwright.models.builtin.checking import Ran, why_not_answer
from cellwright.models.builtin.scope import held_back, question_of, why_not_go_on
from cellwright.models.builtin.synonyms import in_its_words
from cellwright.models.builtin.tokens import Tokenizer
from cellwright.models.chat import arguments_object
from cellwright.models.dialects import find_calls
from cellwright.models.protocol import Hear, Reply, Request, Traits, deltas

NAME = "built-in"
FOLDER = Path(__file__).parent / "weights"
"""As transformers reads it: config.json, model.safetensors, tokenizer.json, tokenizer_config.json."""
WHAT_IT_IS = (
    "a very small network that comes with Cellwright, trained from nothing on made tables. It works out one statistic "
    "of one column of one CSV file, of all rows or of those that meet one condition; how many rows meet one; which "
    "label has the highest or lowest. It says so where it cannot."
)
_MOST_TOKENS = 256
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True)
class Loaded:
    """What a folder holds."""

    network: network.Network
    tokenizer: Tokenizer

    @classmethod
    def of(cls, folder: Path) -> "Loaded":
        """Raises ModelMisused for a folder that holds no such model, and MissingExtra without numpy."""
        shape = network.Shape.load(folder / network.CONFIG)
        weights = network.load_weights(folder / network.WEIGHTS)
        return cls(network.Network(shape, weights), Tokenizer.load(folder / TOKENIZER))


class BuiltInModel:
    """The model of a folder, run by numpy in this process. `checks_scope`: refuse what is beyond its families.

    `columns`, of the table that is asked about: hold back answers whose program is not what was asked. None: let all
    go.
    """

    def __init__(
        self,
        loaded: Loaded,
        name: str = NAME,
        *,
        checks_scope: bool = True,
        columns: Sequence[str] | None = None,
    ) -> None:
        self._loaded, self._checks_scope, self._columns = loaded, checks_scope, columns
        self._traits = Traits(name, window_tokens=loaded.network.shape.window)

    @classmethod
    def load(
        cls,
        folder: Path = FOLDER,
        name: str = NAME,
        *,
        checks_scope: bool = True,
        columns: Sequence[str] | None = None,
    ) -> "BuiltInModel":
        """Raises ModelMisused, and MissingExtra without numpy."""
        return cls(Loaded.of(folder), name, checks_scope=checks_scope, columns=columns)

    @property
    def traits(self) -> Traits:
        return self._traits

    async def reply(self, request: Request, hear: Hear | None = None) -> Reply:
        """The likeliest turn. Raises ContextOverflow for a chat that leaves no room for a token."""
        reply = await self._turn(request)
        if hear is not None:
            for delta in deltas(reply.message):
                hear(delta)
        return reply

    async def _turn(self, request: Request) -> Reply:
        messages = self._in_its_words(request.messages)
        if self._checks_scope and (refusal := why_not_go_on(messages)):
            return Reply(Message("assistant", refusal), finish="refused")
        numbers = self._loaded.tokenizer.encode(chat.render(messages, asks=True))
        room = self._loaded.network.shape.window - len(numbers)
        if room <= 0:
            raise ContextOverflow(
                f"the chat has {len(numbers)} tokens, the model's window {self._traits.window_tokens}"
            )
        stop = threading.Event()
        try:
            said = await asyncio.to_thread(
                self._say, numbers, min(room, request.sampling.max_tokens or _MOST_TOKENS), stop
            )
        finally:
            stop.set()
        return self._checked(self._reply(said, len(numbers)), messages)

    def _in_its_words(self, messages: Sequence[Message]) -> list[Message]:
        """The chat with its questions in words that lessons have, where it is known what the columns are called."""
        if self._columns is None:
            return list(messages)
        return [
            replace(message, content=in_its_words(message.content, self._columns))
            if message.role == "user"
            else message
            for message in messages
        ]

    async def close(self) -> None:
        """The memory goes with the last reference."""

    def _say(self, numbers: list[int], most: int, stop: threading.Event) -> list[int]:
        end = self._loaded.tokenizer.id_of(chat.END)

        def unstopped() -> Iterator[int]:
            for number in network.greedy(self._loaded.network, numbers, end, most):
                if stop.is_set():
                    return
                yield number

        return list(unstopped())

    def _checked(self, reply: Reply, messages: Sequence[Message]) -> Reply:
        """The reply, or in place of an answer why it is held back."""
        calls = [call for call in reply.message.tool_calls if call.name == "final_answer"]
        if self._columns is None or not calls:
            return reply
        answer = str(json.loads(arguments_object(calls[0])).get("answer", ""))
        if why := why_not_answer(question_of(messages), self._columns, what_ran(messages), answer):
            return Reply(Message("assistant", held_back(why)), reply.usage, "refused")
        return reply

    def _reply(self, said: list[int], taken: int) -> Reply:
        text = self._loaded.tokenizer.decode(said)
        found = find_calls(text.removesuffix(chat.END), "native")
        calls = tuple(ToolCall(f"call_{n}", name, arguments) for n, (name, arguments) in enumerate(found.calls))
        message = Message("assistant", found.text, None, calls)
        return Reply(message, Usage(taken, 0, len(said)), "stop" if text.endswith(chat.END) else "length")


def what_ran(messages: Sequence[Message]) -> list[Ran]:
    """The cells of a chat, each with the last line that it showed, as the model sees it."""
    codes: dict[str, str] = {}
    found: list[Ran] = []
    for message in messages:
        for call in message.tool_calls:
            codes[call.id] = str(json.loads(arguments_object(call)).get("code", ""))
        if message.role == "tool" and codes.get(message.tool_call_id or ""):
            found.append(Ran(codes[message.tool_call_id or ""], message.content.split("\n")[-1]))
    return found
