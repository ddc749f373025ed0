"""What a person gets who asks the built-in model: how much is right, how much is held back, and how much is wrong.

Of the exams that were sat; and of questions written by hand about tables of the samples, a quarter of which have no
right answer there.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from cellwright.agent import Assignment, RunLimits, run_agent
from cellwright.answers import compare, infer
from cellwright.core.types import Trace
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.models import Sampling
from cellwright.models.builtin import BuiltInModel, why_not
from cellwright.models.builtin.checking import why_not_answer
from cellwright.models.builtin.model import Loaded, what_ran
from cellwright.training.scratch.trial import Sitting

Outcome = Literal["right", "held back", "wrong"]
_QUESTIONS = Path(__file__).with_name("questions.txt")
_LIMITS = RunLimits(steps=8, cell_s=30.0, corrections=2)
_SAMPLING = Sampling(temperature=0.0, max_tokens=160)
_DECIMALS = 2


@dataclass(frozen=True)
class Question:
    """A question about a table of the samples."""

    table: str
    words: str
    right: str
    """The answer as an expression over `df`; empty where only a refusal is right."""


class Asked(NamedTuple):
    """A question, and what came of it."""

    question: Question
    trace: Trace
    outcome: Outcome


def questions() -> list[Question]:
    """Those that were written by hand."""
    lines = [line.split("|") for line in _QUESTIONS.read_text().splitlines() if not line.startswith("#")]
    return [Question(*(part.strip() for part in parts)) for parts in lines]


def told(outcomes: Sequence[Outcome]) -> list[str]:
    """How many, and how many of each outcome."""
    count = Counter(outcomes)
    return [
        str(len(outcomes)),
        *(f"{count[one]} {count[one] / max(1, len(outcomes)):.1%}" for one in get_args(Outcome)),
    ]


def afterwards(sittings: Sequence[Sitting], store: Path) -> list[Outcome]:
    """What would have come of an exam, had the model been asked as `ask` asks it."""
    return [_afterwards(sitting, store) for sitting in sittings]


def _afterwards(sitting: Sitting, store: Path) -> Outcome:
    (table,), question, trace = sitting.task.tables, sitting.task.question, sitting.trace
    if trace.answer is None or why_not(question, [table.name]):
        return "held back"
    if why_not_answer(question, _header(store / table.stored_name), what_ran(trace.messages), trace.answer):
        return "held back"
    return "right" if sitting.is_correct else "wrong"


def _header(path: Path) -> list[str]:
    import pandas as pd  # noqa: PLC0415 - comes with an extra

    return list(pd.read_csv(path, nrows=0).columns)


async def ask_by_hand(folder: Path, tables: Path) -> list[Asked]:
    """Every question that was written by hand, asked of the model of `folder`."""
    loaded, found = Loaded.of(folder), list[Asked]()
    async with LocalPool(1, preload=("pandas",)) as pool:
        for question in questions():
            path = tables / f"{question.table}.csv"
            prompt = f"{question.words}\n\nFiles:\n- data/{path.name} ({path.stat().st_size / 1e3:.1f} kB)"
            model = BuiltInModel(loaded, columns=_header(path))
            async with pool.kernel(KernelSettings({path.name: path}, 0)) as kernel:
                trace = await run_agent(Assignment("", prompt, sampling=_SAMPLING), model, kernel, limits=_LIMITS)
            found.append(Asked(question, trace, _outcome(question, trace, path)))
    return found


def _outcome(question: Question, trace: Trace, path: Path) -> Outcome:
    import pandas as pd  # noqa: PLC0415

    if trace.answer is None:
        return "held back"
    if not question.right:
        return "wrong"
    value = eval(question.right, {"df": pd.read_csv(path)})
    value = value.item() if hasattr(value, "item") else value
    contract = infer(value)
    contract = contract if contract.decimals is None else replace(contract, decimals=_DECIMALS)
    return "right" if compare(value, trace.answer, contract).verdict == "correct" else "wrong"
