"""A model that says what it was told to say: for replaying programs, and for tests."""

from collections.abc import Callable, Iterable

from cellwright.core.errors import ModelUnavailable
from cellwright.core.types import Message
from cellwright.models.protocol import Hear, Reply, Request, Traits, deltas

Script = Callable[[Request], Reply | Message]
"""Gives the turn that follows a chat."""


class ScriptedModel:
    """Gives the turns of a list one after the other, whatever it is asked, or those of a function of the chat."""

    def __init__(self, script: Iterable[Message | Reply] | Script, traits: Traits | str = "scripted") -> None:
        self._script = script if callable(script) else _in_order(script)
        self._traits = Traits(traits) if isinstance(traits, str) else traits

    @property
    def traits(self) -> Traits:
        return self._traits

    async def reply(self, request: Request, hear: Hear | None = None) -> Reply:
        """The next turn. Raises ModelUnavailable when the script is over."""
        turn = self._script(request)
        reply = turn if isinstance(turn, Reply) else Reply(turn)
        if hear is not None:
            for delta in deltas(reply.message):
                hear(delta)
        return reply

    async def close(self) -> None:
        """There is nothing to let go of."""


def _in_order(turns: Iterable[Message | Reply]) -> Script:
    waiting = iter(list(turns))

    def script(request: Request) -> Reply | Message:
        try:
            return next(waiting)
        except StopIteration:
            raise ModelUnavailable("the script of this model is over") from None

    return script
