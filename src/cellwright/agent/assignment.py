"""What a run is about, and when it ends without an answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cellwright.agent.prompts import DEFAULT_PROMPT
from cellwright.core.types import Ending, Message, Usage
from cellwright.models import Sampling


@dataclass(frozen=True)
class Assignment:
    """One run."""

    id: str
    prompt: str
    """The user's message."""
    system: str = DEFAULT_PROMPT
    """Name of the system prompt."""
    earlier: tuple[Message, ...] = ()
    """Messages of a run that this one goes on from, in the same kernel; its system prompt stays."""
    sampling: Sampling = field(default=Sampling())
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunLimits:
    """When a run ends without an answer. None: no such limit."""

    steps: int = 25
    """Turns of the model; the original's limit."""
    cell_s: float = 60.0
    """Seconds for one cell."""
    corrections: int = 3
    """Turns of no use that are corrected; one more ends the run."""
    tokens: int | None = None
    """Of all requests and replies together."""
    cost_usd: float | None = None
    """Counted from what the endpoint or a price says; where neither does, nothing is known to be spent."""
    wall_s: float | None = None
    """Seconds of the whole run."""
    observation_tokens: int = 1500
    """Of one cell's outputs, by estimate; the middle of more is left out."""

    def exceeded(self, steps: int, usage: Usage, seconds: float) -> tuple[Ending, str] | None:
        """The limit that a run has come to, with its value; None while there is none."""
        if steps >= self.steps:
            return "step limit", f"{self.steps} steps"
        if self.tokens is not None and usage.input_tokens + usage.output_tokens >= self.tokens:
            return "token limit", f"{self.tokens} tokens"
        if self.cost_usd is not None and (usage.cost_usd or 0.0) >= self.cost_usd:
            return "cost limit", f"{self.cost_usd:g} USD"
        if self.wall_s is not None and seconds >= self.wall_s:
            return "time limit", f"{self.wall_s:g} s"
        return None
