"""A model that says what it was told to say: for replaying programs, and for tests."""

from collections.abc import Sequence

from cellwright.core.errors import CellwrightError
from cellwright.core.types import Message
from cellwright.models.protocol import Reply


class ScriptedModel:
    """Gives its turns one after the other, whatever it is asked."""

    def __init__(self, turns: Sequence[Message], name: str = "scripted") -> None:
        self._turns = list(turns)
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    async def reply(self, messages: Sequence[Message], tools_json: str) -> Reply:
        """The next turn. Raises CellwrightError when the script is over."""
        if not self._turns:
            raise CellwrightError("the script of this model is over")
        return Reply(self._turns.pop(0))
