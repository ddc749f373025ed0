"""The loop: a model says its turn, its code runs in a kernel, it sees the output, until it gives an answer.

Knows protocols only. Every run that uses a model, or a program in a model's place, is a run of this loop.
"""

import asyncio
import time
from dataclasses import asdict

import msgspec

from cellwright.agent.assignment import Assignment, RunLimits
from cellwright.agent.context import Window
from cellwright.agent.observation import Observation, observe
from cellwright.agent.prompts import load_prompt
from cellwright.agent.stopping import Stopped, unless_stopped
from cellwright.agent.tools import GiveAnswer, Problem, RunCode, read_turn, tools_json
from cellwright.agent.watcher import Approval, Nobody, Watcher
from cellwright.core.errors import ContextOverflow, KernelDied, ModelError
from cellwright.core.types import CellResult, Ending, Message, Step, Trace, Usage
from cellwright.kernels import Kernel
from cellwright.models import Delta, Model, Reply, Request
from cellwright.models.chat import storable


async def run_agent(
    assignment: Assignment,
    model: Model,
    kernel: Kernel,
    *,
    limits: RunLimits | None = None,
    watcher: Watcher | None = None,
    stop: asyncio.Event | None = None,
) -> Trace:
    """One run from the user's prompt to an answer or another ending. Kernel and model are the caller's to close.

    `stop` ends the run between two tokens, or interrupts its cell. An endpoint that fails raises ModelError after the
    watcher was given the Trace, whose ending is then "model failed".
    """
    run = _Run(assignment, model, kernel, limits or RunLimits(), watcher or Nobody(), stop)
    try:
        while run.ending is None:
            await run.turn()
    except ModelError as error:
        run.end("model failed", str(error))
        raise
    finally:
        run.watcher.keep(run.trace(), None)
    return run.trace()


class _Run:
    """The state of one run, from which its Trace is made."""

    def __init__(
        self,
        assignment: Assignment,
        model: Model,
        kernel: Kernel,
        limits: RunLimits,
        watcher: Watcher,
        stop: asyncio.Event | None,
    ) -> None:
        self.assignment, self.model, self.kernel, self.limits = assignment, model, kernel, limits
        self.watcher, self.stop = watcher, stop
        self.ending: Ending | None = None
        self.detail = ""
        self.answer: str | None = None
        self.steps: list[Step] = []
        self.messages = list(assignment.earlier) or [Message("system", load_prompt(assignment.system))]
        self.messages.append(Message("user", assignment.prompt))
        self.tools = tools_json(thinking=model.traits.thinks)
        self.window = Window(model.traits.window_tokens, assignment.sampling.max_tokens)
        self.began = self.turn_began = time.monotonic()
        self.heard: list[Delta] = []
        self.usage = self.turn_usage = Usage()
        self.turn_folded = 0

    def end(self, ending: Ending, detail: str = "") -> None:
        """The first ending counts."""
        if self.ending is None:
            self.ending, self.detail = ending, detail

    def trace(self) -> Trace:
        return Trace(
            id=self.assignment.id,
            task_id=self.assignment.id,
            messages=tuple(self.messages),
            steps=tuple(self.steps),
            answer=self.answer,
            ending=self.ending or "stopped",  # What a trace says that nothing comes after.
            model=self.model.traits.name,
            kernel=self.kernel.isolation,
            versions=self.assignment.versions,
            detail=self.detail,
            prompt=self.assignment.system,
            sampling_json=msgspec.json.encode(asdict(self.assignment.sampling)).decode(),
            seconds=time.monotonic() - self.began,
        )

    async def turn(self) -> None:
        """One turn of the model, carried out."""
        if self.stop is not None and self.stop.is_set():
            self.end("stopped")
            return
        if over := self.limits.exceeded(len(self.steps), self.usage, time.monotonic() - self.began):
            self.end(*over)
            return
        self.turn_began, folded_before = time.monotonic(), self.window.folded
        try:
            reply = await self._reply()
        except (Stopped, TimeoutError, ContextOverflow) as error:
            self._cut_short(error)
            return
        self.turn_usage, self.turn_folded = reply.usage, self.window.folded - folded_before
        self.usage += reply.usage
        self.messages.append(reply.message)
        if reply.finish == "refused":
            self.end("model refused", reply.message.content)
            self._add(problem="refused")
            return
        match read_turn(reply.message, was_cut=reply.finish == "length"):
            case GiveAnswer() as turn:
                self.answer = turn.answer
                self.end("answered")
                self._add(turn.comment)
            case RunCode() as turn:
                await self._run_code(turn)
            case Problem() as problem:
                self._correct(problem, reply.message)

    async def _reply(self) -> Reply:
        """The model's turn to what of the chat fits its window. ContextOverflow: no more can be folded."""
        hear = self._hear if self.watcher.hear is not None else None
        while True:
            view = self.window.view(self.messages, self.tools)
            request = Request(view, self.tools, self.assignment.sampling)
            self.heard.clear()
            try:
                async with asyncio.timeout(self._seconds_left()):
                    reply = await unless_stopped(self.model.reply(request, hear), self.stop)
            except ContextOverflow:
                if not self.window.overflowed(self.messages, self.tools):
                    raise
                continue
            self.window.learn(self.messages, self.tools, reply)
            return reply

    def _hear(self, delta: Delta) -> None:
        self.heard.append(delta)
        if self.watcher.hear is not None:
            self.watcher.hear(delta)

    def _cut_short(self, error: Exception) -> None:
        """The turn did not come to its end; what was heard of it stays in the Trace."""
        text, reasoning = ("".join(d.text for d in self.heard if d.kind == kind) for kind in ("text", "reasoning"))
        if text or reasoning:
            self.messages.append(storable(Message("assistant", text, reasoning or None)))
        match error:
            case Stopped():
                self.end("stopped")
            case TimeoutError():
                self.end("time limit", f"{self.limits.wall_s:g} s")
            case _:
                self.end("token limit", str(error))

    async def _run_code(self, turn: RunCode) -> None:
        try:
            approval = await unless_stopped(self.watcher.approve(turn.code, turn.comment), self.stop)
        except Stopped:
            self.end("stopped")
            approval = Approval(allowed=False, reason="the run was stopped")
        if not approval.allowed:
            reason = f": {approval.reason}" if approval.reason else "."
            self._observe(turn.call_id, Observation(f"The person did not allow this cell{reason}"))
            self._add(turn.comment, problem="not allowed")
            return
        code = turn.code if approval.code is None else approval.code
        try:
            result = await self._execute(code)
        except KernelDied as error:
            self.end("kernel died", str(error))
            self._add(turn.comment, problem="kernel died")
            return
        seen = observe(result, self.limits.observation_tokens, sees=self.model.traits.sees)
        if code != turn.code:
            words = f"The person changed the cell before it ran. It was:\n{code}\n\nIts output:\n{seen.text}"
            seen = Observation(words, seen.images)
        self._observe(turn.call_id, seen)
        if result.status == "dead":
            self.end("kernel died", result.ended_by)
        self._add(turn.comment, code, result, edited=code != turn.code)

    async def _execute(self, code: str) -> CellResult:
        """Run a cell. One that a person stops is interrupted, and gives what it had put out."""
        left = self._seconds_left()
        timeout_s = self.limits.cell_s if left is None else min(self.limits.cell_s, left)
        cell = self.kernel.execute(code, timeout_s=timeout_s, listen=self.watcher.hear)
        if self.stop is None:
            return await cell
        running = asyncio.ensure_future(cell)
        try:
            return await unless_stopped(asyncio.shield(running), self.stop)
        except Stopped:
            self.end("stopped")
            await self.kernel.interrupt()
            return await running
        finally:
            running.cancel()

    def _correct(self, problem: Problem, message: Message) -> None:
        """Tell the model what to do instead, in answer to each of its calls. Too many such turns end the run."""
        answers = [Message("tool", problem.correction, tool_call_id=call.id) for call in message.tool_calls]
        self.messages += answers or [Message("user", problem.correction)]
        if sum(1 for step in self.steps if step.problem) >= self.limits.corrections:
            self.end("gave up", f"{problem.name}, after {self.limits.corrections} corrections")
        self._add(message.content, problem=problem.name)

    def _observe(self, call_id: str, seen: Observation) -> None:
        self.messages.append(Message("tool", seen.text, tool_call_id=call_id, images=seen.images))

    def _add(
        self,
        comment: str = "",
        code: str | None = None,
        result: CellResult | None = None,
        *,
        problem: str = "",
        edited: bool = False,
    ) -> None:
        seconds = time.monotonic() - self.turn_began
        step = Step(comment, code, result, seconds, self.turn_usage, problem, edited, self.turn_folded)
        self.steps.append(step)
        self.watcher.keep(self.trace(), step)

    def _seconds_left(self) -> float | None:
        return None if self.limits.wall_s is None else max(0.0, self.limits.wall_s - (time.monotonic() - self.began))
