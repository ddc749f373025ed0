"""Questions about a table that a notebook shows: when its author looks at rows, the table is worth asking about.

The rows shown tell the columns and their kinds; the questions are about all rows. Which columns are asked about depends
on a hash of the table and of what was done to it, so a table shown twice is asked about once.
"""

import ast
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from cellwright.proof.naming import is_measured
from cellwright.proof.questions import picking, statistics, wording
from cellwright.proof.questions.phrasing import Ask
from cellwright.proof.questions.symbols import Column, Frame, Grouping, Quantity
from cellwright.proof.values import Snapshot, has_content

_MOST_GROUPS = 40
_CUTS = ("head", "tail", "sample")
"""Methods that show some rows of a table."""
_STATISTICS = ("mean", "median", "max", "std")
_NUMBERS = re.compile(r"u?int|float|Int|Float")
_TEXTS = ("object", "str", "string", "category")
"""pandas' names of types, by the kind of what a column holds."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Derived:
    """A question about a shown table, in parts."""

    frame: Frame
    ask: Ask
    expression: str
    family: str
    unique_check: str | None = None


def about_shown(frame: Frame, value: Snapshot, code: str) -> Iterator[Derived]:
    """Questions about the table behind the rows shown, the most telling first. None when its columns cannot be told."""
    table, is_cut = _without_head(code, frame)
    if is_cut:
        whole = replace(frame, taken=None, order=None)
    else:
        whole = frame.settled() if frame.taken else replace(frame, order=None)
    numbers, labels = _columns(value)
    if table is None:
        return
    salt = repr((whole.base, whole.where))
    for label in _ranked(labels, salt)[:2]:
        for number in _ranked(numbers, f"{salt}{label}")[:1]:
            yield _highest_group(whole, table, label, number)
            break
    for number in _ranked(numbers, salt)[:1]:
        yield _statistic(whole, table, number, _ranked(_STATISTICS, f"{salt}{number}")[0])
    for label in _ranked(labels, f"{salt}frequent")[:1]:
        yield _most_frequent(whole, table, label)


def about_shown_column(column: Column, value: Snapshot, code: str) -> Derived | None:
    """A question about the column behind the values shown; None when its kind cannot be told."""
    table, is_cut = _without_head(code, column.frame)
    name = column.name or column.pandas_name or ""
    if table is None or value.get("t") != "series" or value.get("n", 0) < 2 or not is_measured(name) or column.kind:
        return None
    frame = column.frame
    if is_cut:
        whole = replace(frame, taken=None, order=None)
    else:
        whole = frame.settled() if frame.taken else replace(frame, order=None)
    if _NUMBERS.match(str(value.get("dtype"))):
        statistic = _ranked(_STATISTICS, repr((whole.base, column.words)))[0]
        quantity: Quantity = statistics.of_column(replace(column, frame=whole), statistic)
        ask = Ask(f"what is {quantity.words}?", quantity.words)
        return Derived(whole, ask, f"{table}.{statistic}()", quantity.family)
    if value.get("dtype") in _TEXTS:
        return _frequent_value(whole, column.operand, table)
    return None


def _highest_group(frame: Frame, table: str, label: str, number: str) -> Derived:
    side = _ranked(("highest", "lowest"), f"{label}{number}")[0]
    group = statistics.per_group(Grouping(frame, (picking.column(frame, label),)), number, "mean")
    largest, picks = ("nlargest", "idxmax") if side == "highest" else ("nsmallest", "idxmin")
    means = f"{table}.groupby({label!r})[{number!r}].mean()"
    check = (
        f"(lambda means: 3 <= len(means) <= {_MOST_GROUPS} and bool(means.notna().all()) and "
        f"float(means.{largest}(2).diff().abs().iloc[-1]) > 1e-6 * float(means.abs().max()))({means})"
    )
    ask = Ask(
        f"which {wording.name(label)} has the {side} {group.statistic}?",
        f"the {wording.name(label)} with the {side} {group.statistic}",
        "find",
    )
    return Derived(frame, ask, f"{means}.{picks}()", "extreme", check)


def _statistic(frame: Frame, table: str, number: str, statistic: str) -> Derived:
    quantity: Quantity = statistics.of_column(Column(frame, wording.name(number), number), statistic)
    ask = Ask(f"what is {quantity.words}?", quantity.words)
    return Derived(frame, ask, f"{table}[{number!r}].{statistic}()", quantity.family)


def _most_frequent(frame: Frame, table: str, label: str) -> Derived:
    return _frequent_value(frame, wording.name(label), f"{table}[{label!r}]")


def _frequent_value(frame: Frame, column: str, source: str) -> Derived:
    counts = f"{source}.value_counts()"
    check = f"(lambda counts: len(counts) >= 3 and bool(counts.iloc[0] > counts.iloc[1]))({counts})"
    words = f"the most frequent value of {column}{frame.over}"
    return Derived(frame, Ask(f"what is {words}?", words, "find"), f"{counts}.idxmax()", "extreme", check)


def _columns(value: Snapshot) -> tuple[list[str], list[str]]:
    """Names of columns that hold measured numbers, and of those that hold labels."""
    if value.get("t") != "frame" or value["shape"][0] < 2 or "columns" not in value:
        return [], []
    names = [column.get("v") for column in value["columns"]]
    if len(set(map(str, names))) < len(names):
        return [], []
    if not has_content(value):
        return _by_type(names, value["dtypes"])
    numbers: list[str] = []
    labels: list[str] = []
    for position, name in enumerate(names):
        if not isinstance(name, str) or not is_measured(name):
            continue
        cells = [row[position] for row in value["v"]]
        kinds = {cell.get("t") for cell in cells} - {"null"}
        if kinds and kinds <= {"int", "float"}:
            numbers.append(name)
        elif kinds == {"str"} and all(0 < len(str(cell.get("v", "x"))) <= 40 for cell in cells):
            labels.append(name)
    return numbers, labels


def _by_type(names: Sequence[object], types: Sequence[str]) -> tuple[list[str], list[str]]:
    """The same for a table too long to be kept, by its columns' types alone: what makes no groups, a check refuses."""
    named = [(name, kind) for name, kind in zip(names, types, strict=True) if isinstance(name, str)]
    measured = [(name, kind) for name, kind in named if is_measured(name)]
    numbers = [name for name, kind in measured if _NUMBERS.match(kind)]
    return numbers, [name for name, kind in measured if kind in _TEXTS]


def _without_head(code: str, frame: Frame) -> tuple[str | None, bool]:
    """The expression of the table of which an expression shows some rows, and whether it shows only those: the first
    rows of every group are a table of their own."""
    node = ast.parse(code, mode="eval").body
    is_cut = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CUTS
    is_cut = is_cut and frame.taken is not None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_cut:
        node = node.func.value
    if isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)):
        text = ast.unparse(node)
        return (text if len(text) <= 200 else None), is_cut
    return None, is_cut


def _ranked(items: Sequence[_T], salt: str) -> list[_T]:
    """The items in an order that a hash decides, the same in every build."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{salt}{item!r}".encode()).digest())
