"""Stage 12: the oracle plays the agent: a look at the data, its cells one by one with real outputs, the answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cellwright
from cellwright.agent import EXECUTE_CODE, FINAL_ANSWER, Assignment, RunLimits, run_agent
from cellwright.answers import compare, from_json, render
from cellwright.core.types import Grade, Message, Oracle, Output, Reject, Table, Task, ToolCall, Trace
from cellwright.corpus.links import DATA
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.models import ScriptedModel
from cellwright.pipeline.execute import table_paths
from cellwright.proof.gates.reading import read_oracle
from cellwright.proof.heads import look_at
from cellwright.proof.oracles import program_of
from cellwright.proof.replay import shows

NAME = "trace"
_MODEL = "oracle"
_CELL_S = 60.0


@dataclass(frozen=True)
class TracedTask:
    """A proved task with the trace of its oracle."""

    task: Task
    trace: Trace


class TraceStage:
    """Makes the trace of each task of one notebook, each in a kernel of its own."""

    def __init__(self, pool: Pool, store: Path, limits: Limits) -> None:
        self._pool, self._store, self._limits = pool, store, limits

    async def run(self, group: Sequence[Task]) -> Sequence[TracedTask | Reject]:
        return [await self._trace(task) for task in group]

    async def _trace(self, task: Task) -> TracedTask | Reject:
        if task.oracle is None:
            return Reject.of(NAME, task.id, "no oracle", task.question, task.provenance)
        turns = oracle_turns(task, task.oracle)
        settings = KernelSettings(table_paths(task.tables, self._store), 0, self._limits, era=task.era)
        limits = RunLimits(steps=len(turns), cell_s=_CELL_S)
        versions = {"cellwright": cellwright.__version__, "environment": task.environment}
        async with self._pool.kernel(settings) as kernel:
            model = ScriptedModel(turns, _MODEL)
            assignment = Assignment(task.id, user_prompt(task), versions=versions)
            trace = await run_agent(assignment, model, kernel, limits=limits)
        failed = next((step.result for step in trace.steps if step.result and step.result.status != "ok"), None)
        if failed is not None or trace.answer is None:
            detail = str(failed.error) if failed is not None else trace.ending
            return Reject.of(NAME, task.id, "trace fails where the proof did not", detail, task.provenance)
        grade = _grade(task, trace)
        if grade.verdict != "correct":
            return Reject.of(NAME, task.id, "answer text does not parse back", grade.explanation, task.provenance)
        if not _shows_answer(task, trace):
            detail = "\n".join([str(trace.answer), *map(_text, _last(trace))])[:1000]
            return Reject.of(NAME, task.id, "no output shows the answer", detail, task.provenance)
        return TracedTask(task, replace(trace, grade=grade))


def _grade(task: Task, trace: Trace) -> Grade:
    return compare(from_json(task.answer_json, task.contract), str(trace.answer), task.contract)


def _shows_answer(task: Task, trace: Trace) -> bool:
    """Whether the last cell shows what the trace answers: who learns from it is to learn to read, not to know."""
    outputs = _last(trace)
    if task.contract.kind == "boolean":
        return any(json.dumps(json.loads(task.answer_json)) in _text(output).lower() for output in outputs)
    return shows(outputs, str(trace.answer))


def _last(trace: Trace) -> Sequence[Output]:
    return next((step.result.outputs for step in reversed(trace.steps) if step.result is not None), ())


def _text(output: Output) -> str:
    return output.text or output.data.get("text/plain", "")


def user_prompt(task: Task) -> str:
    """The user's message: the question and the files."""
    files = "\n".join(f"- data/{table.name} ({_size(table)})" for table in task.tables)
    return f"{task.question}\n\nFiles:\n{files}"


def _size(table: Table) -> str:
    return f"{table.bytes / 1e6:.1f} MB" if table.bytes >= 1e5 else f"{table.bytes / 1e3:.1f} kB"


def oracle_turns(task: Task, oracle: Oracle) -> list[Message]:
    """What a model would say that solved the task as the oracle does."""
    look = look_at(task.tables, _read_in_another_way(task))
    turns = [_call(0, EXECUTE_CODE, "code", look, "I first look at the files: their columns and rows.")]
    for code, comment in zip(oracle.cells, oracle.comments, strict=True):
        turns.append(_call(len(turns), EXECUTE_CODE, "code", code, comment))
    answer = render(from_json(task.answer_json, task.contract), task.contract)
    turns.append(_call(len(turns), FINAL_ANSWER, "answer", answer, "The last output gives the answer."))
    return turns


def _read_in_another_way(task: Task) -> set[str]:
    """Names of the tables that the oracle does not read by their path alone."""
    reading = read_oracle(program_of(task))
    return {
        table.name
        for table in task.tables
        for call in reading.calls
        if call.path == f"{DATA}{table.name}" and call.given
    }


def _call(number: int, tool: str, argument: str, content: str, comment: str) -> Message:
    arguments = json.dumps({argument: content, "comment": comment}, ensure_ascii=False)
    return Message("assistant", "", tool_calls=(ToolCall(f"call_{number}", tool, arguments),))
