"""Who looks on at a run: hears the model, may forbid a cell, sees outputs come, and keeps the Trace."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cellwright.core.types import Output, Step, Trace
from cellwright.models import Delta


@dataclass(frozen=True)
class Approval:
    """What a person says of a cell before it runs."""

    allowed: bool = True
    code: str | None = None
    """The cell as the person has changed it; None leaves it as the model wrote it."""
    reason: str = ""
    """Why it is not allowed, for the model."""


class Watcher(Protocol):
    """Each is called in the order of the run, and none may raise."""

    @property
    def hear(self) -> Callable[[Delta | Output], None] | None:
        """Told of each piece of the model's turn and of the running cell's output. None: replies are not streamed."""
        ...

    async def approve(self, code: str, comment: str) -> Approval:
        """Asked before each cell."""
        ...

    def keep(self, trace: Trace, step: Step | None) -> None:
        """The run so far, after each of its steps, and once more at its end, then without a step."""
        ...


class Nobody:
    """Hears nothing, allows everything, keeps nothing."""

    hear: None = None

    async def approve(self, code: str, comment: str) -> Approval:
        return Approval()

    def keep(self, trace: Trace, step: Step | None) -> None:
        """Whoever started the run has its Trace in the end."""
