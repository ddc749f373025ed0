"""Reports for tests: one with the worst that a notebook can put into it, and one of a build that gave nothing."""

import json

from cellwright.core.types import (
    CellResult,
    Contract,
    GateResult,
    Oracle,
    Output,
    Proof,
    Provenance,
    Step,
    Table,
    Task,
    Trace,
)
from cellwright.dataset.accounts import CodeChange, NotebookAccount
from cellwright.dataset.report import GateCount, GuesserCount, Report, StageCount

NASTY = "<script>alert(1)</script>\"><img src=x onerror=alert(2)></pre></article>'|`{{ 7 * 7 }}"
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def task() -> Task:
    """A task whose every text is hostile."""
    evidence = json.dumps([{"seed": 1, "correct": True}, {"seed": 2, "correct": True}])
    return Task(
        id="0123456789abcdef",
        question=f"What is {NASTY}?",
        contract=Contract("text"),
        answer_json=json.dumps(NASTY),
        tables=(Table("ab" * 32, f"{NASTY}.csv", 10, "x.csv", NASTY),),
        level=2,
        family=NASTY,
        provenance=Provenance("zip", f"{NASTY}.ipynb", "0" * 64, author=NASTY),
        notebook_id="n",
        cell=0,
        oracle=Oracle((NASTY,), (NASTY,), (0,)),
        proof=Proof((GateResult("re-execution", True, evidence),)),
        split="train",
        environment=NASTY,
    )


def trace() -> Trace:
    """A trace that shows everything a cell can show."""
    outputs = (
        Output("stream", name="stdout", text=NASTY + "\n" + "\n".join(f"line {n}" for n in range(100))),
        Output("result", data={"text/html": "<b id='raw'>raw</b>", "text/plain": "plain text"}),
        Output("display", data={"image/png": PICTURE, "text/plain": "<Figure>"}),
        Output("display", data={"image/png": f'{PICTURE}" onload="alert(3)', "text/plain": "no picture"}),
        Output("error", name=NASTY, text=NASTY),
    )
    step = Step(NASTY, f"print('''{NASTY}''')", CellResult("error", outputs, 0.1), 0.1)
    return Trace("t", "0123456789abcdef", (), (step,), NASTY, "answered", "oracle", "local", {})


def hostile() -> Report:
    """A report in which every text is hostile."""
    return Report(
        title=NASTY,
        stages=(
            StageCount("read", 9, 3, (("truncated JSON", 2), (NASTY, 1)), "notebooks"),
            StageCount("ask", 5, 0, (), "tasks"),
        ),
        tasks=1,
        notebooks=1,
        kinds=((NASTY, 1),),
        levels=(("L2", 1),),
        families=((NASTY, 1),),
        splits=(("train", 1),),
        licences=((NASTY, 1),),
        samples=((task(), trace()),),
        seconds=100,
        config_yaml=NASTY,
        versions={"cellwright": "0.1.0", NASTY: NASTY},
        accounts=(
            NotebookAccount(
                *(NASTY, "zip", "read", NASTY, 0, 0, 0, 0, 0, 0),
                changes=(
                    CodeChange(3, "guessed", NASTY, NASTY, NASTY, NASTY),
                    CodeChange(0, "lost", NASTY, NASTY, "", NASTY),
                ),
            ),
        ),
        origins=((NASTY, 1),),
        eras=((NASTY, 1),),
        gates=(GateCount(NASTY, 30, 10),),
        guessers=(GuesserCount(NASTY, 0.08, 0.016), GuesserCount("always 1", 0.0, 0.0)),
        guessers_share=0.02,
    )


def nothing() -> Report:
    """A report of a build that gave nothing."""
    stages = (StageCount("read", 0, 0, (), "notebooks"),)
    return Report("empty", stages, 0, 0, (), (), (), (), (), (), 1.0, "", {"cellwright": "0.1.0"})
