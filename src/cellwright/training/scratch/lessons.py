"""Drafts become lessons: a kernel runs every cell, `proof` words the question, `answers` says what it must look like.

What a lesson shows of an output is what the agent's loop would show of it; a test holds the two together.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cellwright.answers import AnswerError, compare, from_json, infer, round_value, state, to_json
from cellwright.core.hashing import short_id
from cellwright.core.types import Contract, Oracle, Provenance, Task
from cellwright.proof.judge import Program, Run
from cellwright.proof.questions import Unreadable, propose, read_slice
from cellwright.proof.values import Snapshot, python_value
from cellwright.training.scratch.families import Draft
from cellwright.training.scratch.running import Runner
from cellwright.training.scratch.slips import slip

_DECIMALS = 2
_SOURCE = "made tables"
_COMMENTS = {True: "I look at the names of the columns.", False: "I compute what is asked."}


@dataclass(frozen=True)
class Turn:
    """A cell and the last line that it showed."""

    code: str
    shown: str
    is_slip: bool = False
    """It fails, and is there to be recovered from, not to be learnt."""


@dataclass(frozen=True)
class Lesson:
    """A task and how it is done."""

    task: Task
    question: str
    """As it is asked here: with its contract in words, or without."""
    turns: tuple[Turn, ...]
    answer: str
    """What the last cell showed."""
    stems: tuple[str, ...]
    """Of which the table's names are made."""
    folder: str = "data/"
    """Where the table is said to stand."""


@dataclass
class _Play:
    """A draft under way."""

    draft: Draft
    slips_at: int | None
    turns: list[Turn]
    is_lost: bool = False

    @property
    def done(self) -> tuple[str, ...]:
        """The cells before it that ran."""
        return tuple(turn.code for turn in self.turns if not turn.is_slip)

    @property
    def code(self) -> str:
        """Of the cell that comes next."""
        done = [turn for turn in self.turns if not turn.is_slip]
        return self.draft.cells[len(done)].code(done[-1].shown if done else "")


async def play(drafts: Sequence[Draft], runner: Runner, rng: random.Random, *, slips: float = 0.0) -> list[Lesson]:
    """The lessons of those drafts that have one clear answer. `slips`: the share with a mistake before a right cell."""
    plays = [_Play(draft, rng.randrange(len(draft.cells)) if rng.random() < slips else None, []) for draft in drafts]
    wanted = await runner.run([Program(d.setup, f"({d.core}, {d.guard})") for d in drafts])
    for number in range(max((len(draft.cells) for draft in drafts), default=0)):
        live = [p for p in plays if not p.is_lost and len(p.draft.cells) > number]
        await _slip([p for p in live if p.slips_at == number], runner, rng)
        runs = await runner.run([program(*p.done, p.code) for p in live])
        for one, run in zip(live, runs, strict=True):
            _go_on(one, run)
    lessons = [_lesson(one, run, rng) for one, run in zip(plays, wanted, strict=True) if not one.is_lost]
    return [lesson for lesson in lessons if lesson is not None]


async def _slip(plays: Sequence[_Play], runner: Runner, rng: random.Random) -> None:
    """A failing cell before the right one, where the mistake makes it fail."""
    codes = [slip(one.code, rng) for one in plays]
    runs = await runner.run([program(*one.done, code) for one, code in zip(plays, codes, strict=True)])
    for one, code, run in zip(plays, codes, runs, strict=True):
        if run.value is None:
            one.turns.append(Turn(code, f"{run.error}: {run.text}".split("\n")[-1], is_slip=True))


def program(*cells: str) -> Program:
    """Some cells, and as its value the text that the last line of the last one prints."""
    lines = [line for cell in cells for line in cell.split("\n")]
    statements = [line for line in lines[:-1] if not line.startswith("print(")]
    return Program(tuple(statements), f"str({lines[-1].removeprefix('print(').removesuffix(')')})")


def _go_on(one: _Play, run: Run) -> None:
    shown = run.value.get("v") if run.value is not None else None
    if not isinstance(shown, str) or shown in ("", "nan"):
        one.is_lost = True
        return
    one.turns.append(Turn(one.code, shown))


def _lesson(one: _Play, run: Run, rng: random.Random) -> Lesson | None:
    if run.value is None:
        return None
    core, is_only = run.value["v"]
    try:
        value = python_value(core)
        contract = _contract(value)
        answer = to_json(round_value(value, contract))
        worded = _question(one.draft, core, rng)
    except (AnswerError, Unreadable, ValueError):
        return None
    if (
        is_only.get("v") is not True
        or compare(from_json(answer, contract), one.turns[-1].shown, contract).verdict != "correct"
    ):
        return None
    task = _task(one, state(worded, contract), contract, answer)
    question = task.question if rng.random() < 0.6 else worded
    return Lesson(task, question, tuple(one.turns), one.turns[-1].shown, one.draft.table.stems)


def _contract(value: object) -> Contract:
    contract = infer(value)
    return contract if contract.decimals is None else replace(contract, decimals=_DECIMALS)


def _question(draft: Draft, core: Snapshot, rng: random.Random) -> str:
    if draft.said:
        return draft.said
    proposals = propose(read_slice(draft.setup, draft.core), core, draft.core, 1)
    if not proposals:
        raise Unreadable("no question")
    return rng.choice(proposals[0].told.forms)


def _task(one: _Play, question: str, contract: Contract, answer: str) -> Task:
    draft, cells = one.draft, tuple(turn.code for turn in one.turns if not turn.is_slip)
    table = draft.table.table
    looks = [code.endswith("print(list(df.columns))") for code in cells]
    return Task(
        id=short_id(table.sha256, question, *cells),
        question=question,
        contract=contract,
        answer_json=answer,
        tables=(table,),
        level=0,
        family=f"{draft.form}, {draft.family}",
        provenance=Provenance(_SOURCE, table.name, table.sha256),
        notebook_id="",
        cell=-1,
        oracle=Oracle(cells, tuple(_COMMENTS[look] for look in looks), ()),
        origin="composed",
    )
