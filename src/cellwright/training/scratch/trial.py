"""A trial: a model does held-out tasks through the agent's own loop, each in a fresh kernel; `answers` grades it."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import msgspec

from cellwright.agent import EXECUTE_CODE, Assignment, RunLimits, run_agent
from cellwright.answers import compare, from_json
from cellwright.core.types import Task, ToolCall, Trace
from cellwright.kernels import KernelSettings, Pool
from cellwright.models import Hear, Model, Reply, Request, Sampling, Traits
from cellwright.models.chat import arguments_object
from cellwright.pipeline.execute import table_paths
from cellwright.pipeline.trace import user_prompt
from cellwright.training.scratch.slips import slip

_LIMITS = RunLimits(steps=6, cell_s=30.0, corrections=2)
_SAMPLING = Sampling(temperature=0.0, max_tokens=160)
_Z = 1.959964
"""Of a 95% interval."""


@dataclass(frozen=True)
class Score:
    """How many of some tasks were done."""

    correct: int
    total: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, at 95%."""
        if not self.total:
            return 0.0, 1.0
        share, z2 = self.correct / self.total, _Z * _Z / self.total
        middle, half = share + z2 / 2, _Z * sqrt(share * (1 - share) / self.total + z2 / self.total / 4)
        return (middle - half) / (1 + z2), (middle + half) / (1 + z2)

    def __str__(self) -> str:
        low, high = self.interval
        share = self.correct / self.total if self.total else 0.0
        return f"{self.correct}/{self.total} {share:.1%} [{low:.1%}, {high:.1%}]"


@dataclass(frozen=True)
class Sitting:
    """One task done, or not."""

    task: Task
    trace: Trace

    @property
    def is_correct(self) -> bool:
        return self.trace.grade is not None and self.trace.grade.verdict == "correct"

    @property
    def was_slipped(self) -> bool:
        """Whether a cell of the run failed."""
        return any(step.result is not None and step.result.status != "ok" for step in self.trace.steps)


def score(sittings: Sequence[Sitting], fits: Callable[[Sitting], bool] = lambda sitting: True) -> Score:
    """Of those that fit."""
    chosen = [sitting for sitting in sittings if fits(sitting)]
    return Score(sum(sitting.is_correct for sitting in chosen), len(chosen))


async def sit(
    tasks: Sequence[Task], model_for: Callable[[Task], Model], pool: Pool, store: Path, *, at_once: int = 1
) -> list[Sitting]:
    """Every task once, each in a fresh kernel, graded. `model_for` may give one model for all; it says what is
    likeliest."""
    places = asyncio.Semaphore(at_once)

    async def one(task: Task) -> Sitting:
        settings = KernelSettings(table_paths(task.tables, store), 0)
        assignment = Assignment(task.id, user_prompt(task), sampling=_SAMPLING)
        async with places, pool.kernel(settings) as kernel:
            trace = await run_agent(assignment, model_for(task), kernel, limits=_LIMITS)
        wanted = from_json(task.answer_json, task.contract)
        grade = None if trace.answer is None else compare(wanted, trace.answer, task.contract)
        return Sitting(task, replace(trace, grade=grade))

    return list(await asyncio.gather(*(one(task) for task in tasks)))


class Slipping:
    """A model whose n-th cell of a run is run with a mistake in it: can it recover from what is not its own?"""

    def __init__(self, model: Model, seed: str, cell: int = 0) -> None:
        self._model, self._rng, self._cell = model, random.Random(seed), cell

    @property
    def traits(self) -> Traits:
        return self._model.traits

    async def reply(self, request: Request, hear: Hear | None = None) -> Reply:
        """The model's turn, with a mistake where it is the one."""
        reply = await self._model.reply(request, hear)
        calls = reply.message.tool_calls
        done = sum(message.role == "tool" for message in request.messages)
        if done != self._cell or len(calls) != 1 or calls[0].name != EXECUTE_CODE:
            return reply
        arguments = msgspec.json.decode(arguments_object(calls[0]), type=dict[str, str])
        arguments["code"] = slip(arguments.get("code", ""), self._rng)
        call = ToolCall(calls[0].id, EXECUTE_CODE, msgspec.json.encode(arguments).decode())
        return replace(reply, message=replace(reply.message, tool_calls=(call,)))

    async def close(self) -> None:
        """The model is the caller's."""
