"""Makes sets of lessons from a seed: tables are written, drafts are drawn over them, kernels run the drafts."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cellwright.kernels import KernelSettings, Pool
from cellwright.proof.judge import Circumstances, Judge
from cellwright.training.scratch.families import Form, draft
from cellwright.training.scratch.lessons import Lesson, play, program
from cellwright.training.scratch.names import AS_IN_THE_WILD, Style
from cellwright.training.scratch.running import Runner
from cellwright.training.scratch.tables import ANY, MadeTable, make_table

_TABLES_AT_ONCE = 100
_TIMEOUT_S = 20.0
_SEED, _DAYS = 8, 40


@dataclass(frozen=True)
class Recipe:
    """What lessons to make."""

    count: int
    forms: Mapping[Form, float]
    """Shares of the forms."""
    slips: float = 0.0
    """Share of lessons with a mistake to recover from."""
    held_out: bool = False
    """Whether names are those kept for tests."""
    seed: int = 0
    tables: tuple[MadeTable, ...] = ()
    """To take in place of made ones."""
    style: Style = AS_IN_THE_WILD
    """Of the names in made tables."""
    columns: range = ANY
    """Of made tables."""
    per_table: int = 12
    """Drafts over one table."""


async def make_lessons(recipe: Recipe, pool: Pool, store: Path) -> list[Lesson]:
    """So many lessons, the same for the same seed; their tables are in `store`, by content."""
    rng = random.Random(f"lessons {recipe.seed} {recipe.held_out}")
    lessons: list[Lesson] = []
    questions: set[str] = set()
    while len(lessons) < recipe.count:
        tables = recipe.tables or _tables(rng, recipe)
        _write(tables, store)
        for lesson in await _over(tables, recipe, rng, pool, store):
            if lesson.task.id not in questions:
                questions.add(lesson.task.id)
                lessons.append(lesson)
    return lessons[: recipe.count]


def _write(tables: Sequence[MadeTable], store: Path) -> None:
    store.mkdir(parents=True, exist_ok=True)
    for table in tables:
        (store / table.table.stored_name).write_bytes(table.content)


async def confirmed(lessons: Sequence[Lesson], pool: Pool, store: Path) -> list[Lesson]:
    """Those whose program gives the same in a fresh process of its own, under another seed and on another day."""
    tables = {table.name: store / table.stored_name for lesson in lessons for table in lesson.task.tables}
    async with pool.kernel(KernelSettings(tables, 0)) as kernel:
        judge = Judge(kernel, timeout_s=_TIMEOUT_S, seed=_SEED, preload=("pandas",))
        programs = [program(*(turn.code for turn in lesson.turns if not turn.is_slip)) for lesson in lessons]
        runs = await judge.run(programs, Circumstances(_SEED, days_ahead=_DAYS))
    return [
        lesson
        for lesson, run in zip(lessons, runs, strict=True)
        if run.value is not None and run.value.get("v") == lesson.answer
    ]


def _tables(rng: random.Random, recipe: Recipe) -> list[MadeTable]:
    """Tables with names of their own, no more than the lessons still to make can need."""
    wanted = min(_TABLES_AT_ONCE, 1 + recipe.count // recipe.per_table)
    found: dict[str, MadeTable] = {}
    while len(found) < wanted:
        table = make_table(rng, recipe.style, recipe.columns, held_out=recipe.held_out)
        found.setdefault(table.table.name, table)
    return list(found.values())


async def _over(
    tables: Sequence[MadeTable], recipe: Recipe, rng: random.Random, pool: Pool, store: Path
) -> list[Lesson]:
    """The lessons of some tables, all run in one kernel."""
    forms, shares = list(recipe.forms), list(recipe.forms.values())
    drafts = [draft(table, rng.choices(forms, shares)[0], rng) for table in tables for _ in range(recipe.per_table)]
    settings = KernelSettings({t.table.name: store / t.table.stored_name for t in tables}, 0)
    async with pool.kernel(settings) as kernel:
        return await play(drafts, Runner(kernel), rng, slips=recipe.slips)
