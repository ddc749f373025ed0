"""Families of tasks over a made table: a program of one to three cells, and how its question is asked.

One-step tasks quote columns as the table has them, in the words of `proof.questions`; the program needs no look. Where
a question speaks of columns as people do, the first cell looks at the names. In tasks of several steps a cell has in it
what the one before it showed.
"""

import random
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

from cellwright.models.builtin.programs import METHODS, SIDES, SIGNS
from cellwright.training.scratch.tables import LabelColumn, MadeTable, NumberColumn

Family = Literal["statistic", "by-label", "by-number", "count", "top"]
FAMILIES: tuple[Family, ...] = get_args(Family)
Form = Literal["one-step", "look-first", "two-step", "three-step"]
"""Of the program: `two-step` answers from what it saw, `three-step` looks before that."""
_OF_NUMBERS: tuple[Family, ...] = ("statistic", "by-number")
SEEN = "<seen>"
"""In a later cell: the text that the cell before it showed, as a Python literal."""


@dataclass(frozen=True)
class DraftCell:
    """One cell: what it does, and the expression that it prints."""

    statements: tuple[str, ...]
    shown: str

    def code(self, seen: str = "") -> str:
        """Its source, `seen` being what the cell before it showed."""
        return "\n".join((*self.statements, f"print({self.shown})")).replace(SEEN, repr(seen))


@dataclass(frozen=True)
class Draft:
    """A program before it has run."""

    form: Form
    family: Family
    table: MadeTable
    cells: tuple[DraftCell, ...]
    setup: tuple[str, ...]
    """With `core`, the same program without prints, as `proof.questions` reads it."""
    core: str
    guard: str
    """True where the answer is the only one."""
    said: str = ""
    """The question in plain words; empty: to be worded by `proof.questions`."""


class _Asked(NamedTuple):
    """One thing to ask of a table: the expression over `df`, and its plain words in a few forms."""

    family: Family
    core: str
    said: tuple[str, ...]
    guard: str = "True"


def draft(table: MadeTable, form: Form, rng: random.Random) -> Draft:
    """A program of this form over a table. Forms of several steps need a column of labels."""
    if form in ("two-step", "three-step"):
        return _of_the_top(table, form, rng)
    asked = _FAMILY_OF[rng.choice(FAMILIES if table.labels else _OF_NUMBERS)](table, rng)
    load = _load(table)
    answer = DraftCell(load if form == "one-step" else (), _rounded(asked.core, asked.family))
    cells = (answer,) if form == "one-step" else (_look(table), answer)
    said = _typed(rng.choice(asked.said), rng) if form == "look-first" else ""
    return Draft(form, asked.family, table, cells, load, asked.core, asked.guard, said)


def _typed(question: str, rng: random.Random) -> str:
    """As people type: now and then without the mark at the end, or the capital at the beginning."""
    typed = question.removesuffix("?") if rng.random() < 0.15 else question
    return typed[0].lower() + typed[1:] if rng.random() < 0.1 else typed


def _load(table: MadeTable) -> tuple[str, ...]:
    return ("import pandas as pd", f"df = pd.read_csv({table.path!r})")


def _look(table: MadeTable) -> DraftCell:
    return DraftCell(_load(table), "list(df.columns)")


def _rounded(core: str, family: Family) -> str:
    return core if family in ("count", "top") else f"round({core}, 2)"


def _statistic(table: MadeTable, rng: random.Random) -> _Asked:
    column, (method, words) = rng.choice(table.numbers).name, _method(rng)
    x = column.said
    said = (
        f"What is the {words} of {x}?",
        f"What is the {words} {x}?",
        f"Compute the {words} of {x}.",
        f"Give me the {words} of {x} over all rows.",
        f"Find the {words} of the column {x}.",
        f"{words} of {x}",
        f"{words} {x}",
    )
    return _Asked("statistic", f"df[{column.written!r}].{method}()", said)


def _by_label(table: MadeTable, rng: random.Random) -> _Asked:
    column, (method, words), by = rng.choice(table.numbers).name, _method(rng), rng.choice(table.labels)
    x, c, v = column.said, by.name.said, rng.choice(by.labels)
    said = (
        f"What is the {words} of {x} where {c} is {v}?",
        f"What is the {words} {x} for rows where {c} is {v}?",
        f"Among rows with {c} equal to {v}, what is the {words} of {x}?",
        f"For {c} {v}, compute the {words} of {x}.",
        f"What is the {words} of {x} when {c} is {v}?",
        f"What is the {words} {x} for {c} {v}?",
        f"{words} of {x} where {c} is {v}",
        f"{words} {x} for {c} {v}",
    )
    return _Asked("by-label", f"{_rows(by, v)}[{column.written!r}].{method}()", said)


def _by_number(table: MadeTable, rng: random.Random) -> _Asked:
    column, (method, words), by = rng.choice(table.numbers).name, _method(rng), rng.choice(table.numbers)
    sign = rng.choice(tuple(SIGNS))
    cut = _cut(by, rng)
    x, z, than = column.said, by.name.said, f"{rng.choice(SIGNS[sign])} {cut}"
    said = (
        f"What is the {words} of {x} where {z} is {than}?",
        f"Among rows with {z} {than}, what is the {words} of {x}?",
        f"For rows where {z} is {than}, compute the {words} of {x}.",
        f"What is the {words} {x} when {z} is {than}?",
        f"{words} of {x} where {z} is {than}",
        f"{words} {x} for {z} {than}",
    )
    return _Asked("by-number", f"df[df[{by.name.written!r}] {sign} {cut}][{column.written!r}].{method}()", said)


def _cut(by: NumberColumn, rng: random.Random) -> float:
    """A figure as people say one that lies among those of a column."""
    point, width = rng.uniform(by.low, by.high), by.high - by.low
    decimals = 0 if width > 5 else 1 if width > 1 else 2
    if rng.random() < 0.15:
        decimals += 1
    return round(point, decimals) if decimals else round(point)


def _count(table: MadeTable, rng: random.Random) -> _Asked:
    by = rng.choice(table.labels)
    c, v = by.name.said, rng.choice(by.labels)
    said = (
        f"How many rows have {c} equal to {v}?",
        f"How many rows are there where {c} is {v}?",
        f"Count the rows where {c} is {v}.",
        f"How many rows with {c} {v}?",
        f"How many rows have {c} {v}?",
        f"What is the number of rows where {c} is {v}?",
    )
    return _Asked("count", f"(df[{by.name.written!r}] == {v!r}).sum()", said)


def _top(table: MadeTable, rng: random.Random) -> _Asked:
    by, column, side = rng.choice(table.labels), rng.choice(table.numbers).name, rng.choice(tuple(SIDES))
    method = rng.choice(("mean", "sum", "max", "median"))
    groups = f"df.groupby({by.name.written!r})[{column.written!r}].{method}()"
    words, most, c, x = rng.choice(METHODS[method]), rng.choice(SIDES[side]), by.name.said, column.said
    said = (
        f"Which {c} has the {most} {words} of {x}?",
        f"Which {c} has the {most} {words} {x}?",
        f"For which {c} is the {words} of {x} the {most}?",
        f"What is the {c} with the {most} {words} of {x}?",
    )
    return _Asked("top", f"{groups}.idx{side}()", said, f"(lambda s: int((s == s.{side}()).sum()) == 1)({groups})")


_FAMILY_OF = {"statistic": _statistic, "by-label": _by_label, "by-number": _by_number, "count": _count, "top": _top}


def _of_the_top(table: MadeTable, form: Form, rng: random.Random) -> Draft:
    """The label that comes first; then something of its rows alone."""
    by = rng.choice(table.labels)
    top = _top(replace(table, labels=(by,)), rng)
    counts = rng.random() < 0.3
    column, (method, words) = rng.choice(table.numbers).name, _method(rng)
    ended = f"[{column.written!r}].{method}()"
    chosen = f"df[df[{by.name.written!r}] == {SEEN}]"
    shown = f"(df[{by.name.written!r}] == {SEEN}).sum()" if counts else f"round({chosen}{ended}, 2)"
    find, follow = DraftCell(_load(table), top.core), DraftCell((), shown)
    cells = (find, follow) if form == "two-step" else (_look(table), DraftCell((), top.core), follow)
    setup = (*_load(table), f"top = {top.core}", f"chosen = df[df[{by.name.written!r}] == top]")
    first = rng.choice(top.said[:2])
    said = (
        f"{first} How many rows has it?"
        if counts
        else rng.choice(
            (f"{first} What is the {words} of {column.said} there?", f"{first} What is its {words} {column.said}?")
        )
    )
    core = "len(chosen)" if counts else f"chosen{ended}"
    return Draft(
        form,
        "count" if counts else "statistic",
        table,
        cells,
        setup,
        core,
        top.guard,
        said if form == "three-step" else "",
    )


def _rows(by: LabelColumn, label: str) -> str:
    return f"df[df[{by.name.written!r}] == {label!r}]"


def _method(rng: random.Random) -> tuple[str, str]:
    method = rng.choice(tuple(METHODS))
    return method, rng.choice(METHODS[method])
