"""Re-execution: the program gives the task's answer each time, in kernels that have run nothing."""

from collections.abc import Sequence

from cellwright.answers import compare, from_json
from cellwright.core.types import GateResult, Task
from cellwright.proof.gates.protocol import result
from cellwright.proof.judge import Run
from cellwright.proof.values import python_value

NAME = "re-execution"


def reexecution(task: Task, runs: Sequence[Run], run_seeds: Sequence[int]) -> GateResult:
    """Whether every run gave the task's answer, under its contract. No Gate: its runs are in kernels of their own."""
    expected = from_json(task.answer_json, task.contract)
    seen: list[dict[str, object]] = []
    reason = ""
    for run, seed in zip(runs, run_seeds, strict=True):
        if run.value is None:
            seen.append({"seed": seed, "error": run.error, "text": run.text, "correct": False})
            reason = reason or "the program fails"
            continue
        try:
            grade = compare(expected, python_value(run.value), task.contract)
            row: dict[str, object] = {
                "seed": seed,
                "verdict": grade.verdict,
                "why": grade.why,
                "correct": grade.verdict == "correct",
            }
        except ValueError as error:
            row = {"seed": seed, "error": "no plain value", "text": str(error), "correct": False}
        seen.append(row)
        if not row["correct"]:
            reason = reason or "another answer comes out"
    # Where random numbers stand at the end depends on the seed only in a program that draws without one of its own.
    if not reason and len({run.drawn for run in runs}) > 1:
        reason = "random numbers without a seed"
    return result(NAME, reason, runs=seen)
