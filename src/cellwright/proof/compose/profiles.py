"""Profiles of tables: taken by a program in a kernel, checked here before anything is composed from them."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from cellwright.core.types import Table
from cellwright.proof.compose.inside import profiler
from cellwright.proof.compose.loading import as_texts, why_no_load
from cellwright.proof.inside import apart
from cellwright.proof.judge import Judge, Program, Run
from cellwright.proof.values import has_content

Kind = Literal["number", "id", "code", "boolean", "category", "name", "text", "date", "other"]
"""Of a column: measured numbers, whole numbers that tell rows apart, whole numbers of few values, …"""
Label: TypeAlias = str | int | float | bool
_LEAST_ROWS = 20
_NUMERIC_NAME = re.compile(r"\s*-?\d+([.,]\d+)?\s*")
_YEAR_NAME = re.compile(r"\s*(1[5-9]|20|21)\d\d\s*")
_AGAIN = re.compile(r"\.\d+$")
_NO_NAME = re.compile(r"Unnamed: \d+(_level_\d+)?")


@dataclass(frozen=True)
class DateSpan:
    """What the moments of a date column cover."""

    first: str
    """ISO date."""
    last: str
    days: int
    """Distinct days, as of the others below."""
    years: int
    months: int
    weekdays: int
    hours: int
    ordered: bool
    """Whether no row is earlier than the one before it."""
    unique: bool
    parsed: bool
    """Whether loading gives dates; otherwise they are ISO texts."""


@dataclass(frozen=True)
class Cut:
    """A round value of a numeric column, with the shares of its rows below and above."""

    value: float
    below: float
    above: float


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a table."""

    name: str
    kind: Kind
    missing: int
    """Rows without a value."""
    distinct: int
    """Values, missing ones not counted."""
    whole: bool = False
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    cuts: tuple[Cut, ...] = ()
    values: tuple[tuple[Label, int], ...] = ()
    """The most frequent labels with their counts."""
    least: int = 0
    """Rows of the rarest label."""
    dirty: bool = False
    """Labels that differ only in case or spaces."""
    words: tuple[tuple[str, float], ...] = ()
    """Words in texts, with the share of rows that contain them."""
    span: DateSpan | None = None
    sketch: tuple[int, ...] = ()
    """Smallest hashes of its values."""


@dataclass(frozen=True)
class TableProfile:
    """One table as a program finds it."""

    table: Table
    load: str
    """Expression that loads it."""
    rows: int
    columns: tuple[ColumnProfile, ...]
    names: tuple[str, ...]
    """Of all columns that have one, also those of no use here."""
    duplicated: int
    """Rows that equal an earlier one; -1 where that was not looked at."""

    def column(self, name: str) -> ColumnProfile | None:
        """The column of this name."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class Unprofiled:
    """A table that nothing can be composed over, and why."""

    table: Table
    reason: str
    detail: str


async def take_profiles(
    tables: Sequence[Table], loads: Mapping[str, Sequence[str]], judge: Judge
) -> list[TableProfile | Unprofiled]:
    """A profile of each table, loaded by the first of its expressions that gives a table with named columns."""
    programs = [(table, load) for table in tables for load in loads[table.name]]
    runs = await judge.run([_program(load) for _, load in programs])
    found: dict[str, TableProfile] = {}
    problems: dict[str, Unprofiled] = {}
    for (table, load), run in zip(programs, runs, strict=True):
        profile = _profile(table, load, run)
        if isinstance(profile, TableProfile):
            found.setdefault(table.name, profile)
        else:
            problems.setdefault(table.name, profile)
    unknown = {table.name: Unprofiled(table, why_no_load(table), table.name) for table in tables}
    return [found.get(t.name) or problems.get(t.name) or unknown[t.name] for t in tables]


def _program(load: str) -> Program:
    units = ("import pandas as pd", apart("placeholders", "placeholders.py"), profiler())
    return Program(units, f"profile({load}, {as_texts(load)}, placeholders)")


def _profile(table: Table, load: str, run: Run) -> TableProfile | Unprofiled:
    if run.value is None:
        return Unprofiled(table, "table does not load", f"{load}: {run.error}: {run.text}")
    if run.value.get("t") != "list" or not has_content(run.value):
        return Unprofiled(table, "table has no profile", load)
    try:
        head, *rest = [json.loads(item["v"]) for item in run.value["v"]]
        names = tuple(map(str, head["names"]))
        columns = tuple(_column(entry) for entry in rest)
        rows, width = int(head["rows"]), int(head["columns"])
        plain, duplicated = bool(head["row_numbers"]), int(head.get("duplicated", -1))
        like_values, no_rows = int(head.get("like_values", 0)), int(head.get("no_rows", 0))
    except (KeyError, TypeError, ValueError, AttributeError):
        return Unprofiled(table, "table has no profile", load)
    if rows < _LEAST_ROWS:
        return Unprofiled(table, "fewer rows than questions need", f"{rows} rows")
    if width < 2 or not plain:
        return Unprofiled(table, "not a table with named columns", load)
    if no_rows:
        return Unprofiled(table, "has rows of totals or notes", f"{no_rows} rows")
    numbers, unnamed = (sum(bool(form.fullmatch(name)) for name in names) for form in (_NUMERIC_NAME, _NO_NAME))
    years = sum(bool(_YEAR_NAME.fullmatch(name)) for name in names)
    data = (numbers > width / 3 and years < numbers) or numbers - years + like_values >= max(2, width / 3)
    if data or unnamed > 2 * width / 3 or len(columns) < 2:
        return Unprofiled(table, "no header row", ", ".join(names[:8]))
    named = tuple(name for name in names if not _NO_NAME.fullmatch(name))
    return TableProfile(table, load, rows, _told_apart(columns), named, duplicated)


def _told_apart(columns: Sequence[ColumnProfile]) -> tuple[ColumnProfile, ...]:
    """Without columns whose names differ in case alone: a reader of a question would take one for the other. Nor do
    names stand in the file that pandas made for columns of one name."""
    counts = Counter(column.name.casefold() for column in columns)
    again = {c.name for c in columns if _AGAIN.search(c.name) and _AGAIN.sub("", c.name).casefold() in counts}
    return tuple(
        c for c in columns if counts[c.name.casefold()] == 1 and c.name not in again and not _NO_NAME.fullmatch(c.name)
    )


def _column(entry: Mapping[str, Any]) -> ColumnProfile:
    kind: Kind = entry["kind"] if entry["kind"] in get_args(Kind) else "other"
    return ColumnProfile(
        name=str(entry["name"]),
        kind=kind,
        missing=int(entry["missing"]),
        distinct=int(entry.get("distinct", 0)),
        whole=bool(entry.get("whole", False)),
        low=float(entry.get("low", 0.0)),
        high=float(entry.get("high", 0.0)),
        mean=float(entry.get("mean", 0.0)),
        cuts=tuple(Cut(float(v), float(below), float(above)) for v, below, above in entry.get("cuts", ())),
        values=tuple((_label(label), int(count)) for label, count in entry.get("values", ())),
        least=int(entry.get("least", 0)),
        dirty=bool(entry.get("dirty", False)),
        words=tuple((str(word), float(share)) for word, share in entry.get("words", ())),
        span=_span(entry) if kind == "date" else None,
        sketch=tuple(int(value) for value in entry.get("sketch", ())),
    )


def _label(label: object) -> Label:
    if isinstance(label, (str, int, float, bool)):
        return label
    raise TypeError("a label is a plain value")


def _span(entry: Mapping[str, Any]) -> DateSpan:
    return DateSpan(
        first=str(entry["first"]),
        last=str(entry["last"]),
        days=int(entry["days"]),
        years=int(entry["years"]),
        months=int(entry["months"]),
        weekdays=int(entry["weekdays"]),
        hours=int(entry["hours"]),
        ordered=bool(entry["ordered"]),
        unique=bool(entry["unique"]),
        parsed=bool(entry["parsed"]),
    )
