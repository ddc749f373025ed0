"""What can be asked about an output, from its words and its value.

Each proposal is a sentence without its contract, and the expression that answers it. Nothing is asked that has more
than one right answer: extremes that are shared, orders with ties, labels that are missing.
"""

import ast
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from cellwright.proof.questions import wording
from cellwright.proof.questions.functions import shape_items
from cellwright.proof.questions.shown import about_shown, is_measured
from cellwright.proof.questions.statistics import rows_count
from cellwright.proof.questions.symbols import (
    Column,
    Condition,
    Distinct,
    Frame,
    Grid,
    Labelled,
    Quantity,
    Shape,
    Symbol,
    Unreadable,
)
from cellwright.proof.values import Snapshot, has_content, scalar

_MAX_LISTED = 8
_MAX_STEPS = 8
_MAX_WORDS = 140
# Columns that number or name the rows: their statistics mean nothing.
_IDENTIFIER = re.compile(
    r"(?:unnamed.*|index|No\.?|no\.|.*(?:^|[ _.-])(?:id|zip(?:[ _]?code)?)|.*[a-z]I[dD]|"
    r"(?i:.*(?:user|customer|passenger|order|product|item|employee|student|patient|movie|account|client|row|player|"
    r"member|transaction|session|store|house|station|event|person|case))s?[ _]?(?i:id))"
)
_CHANGES_COLUMNS = re.compile(
    r"(set a column `[^`]*` to|replace `[^`]*` by|rename the column|drop the columns?|take the first column of) "
)
_QUOTED = re.compile(r"`[^`]*`")
_ALL_COLUMNS = ("columns", "any column", "each column", "every column", "which column")
_ORDER_WORDS = re.compile(r"\b(first|last|earlier|\d+(st|nd|rd|th))\b")
_ROW_STEPS = ("drop the rows", "of rows that", "join ", "put the rows", "keep only the rows")


@dataclass(frozen=True)
class Proposal:
    """One question that an output could answer."""

    question: str
    """Complete but for its contract."""
    expression: str
    """Python, to be evaluated after the slice."""
    family: str
    decimals: int | None = None
    """Decimals that the notebook itself rounds to."""
    any_order: bool = False
    """For a list: order does not count."""
    unique_check: str | None = None
    """Expression that must be True, or the question has no single answer."""


def propose(symbol: Symbol, value: Snapshot, expression: str, most: int = 2) -> list[Proposal]:
    """At most `most` questions for one output. Raises Unreadable with the reason when there is none."""
    proposals: list[Proposal] = []
    seen: set[str] = set()
    for proposal in _proposals(symbol, value, f"({expression})"):
        if len(proposals) == most:
            break
        if len(proposal.question.split()) <= _MAX_WORDS and proposal.question not in seen:
            seen.add(proposal.question)
            proposals.append(proposal)
    if not proposals:
        raise Unreadable("nothing to ask about")
    return proposals


def _proposals(symbol: Symbol, value: Snapshot, code: str) -> Iterator[Proposal]:
    match symbol:
        case Quantity():
            yield _about_quantity(symbol, code)
        case Labelled():
            yield from _about_labelled(symbol, value, code)
        case Grid():
            yield from _about_grid(symbol, value, code)
        case Shape():
            rows, _ = shape_items(symbol.frame)
            yield _about_quantity(rows, f"{code}[0]")
        case Distinct():
            yield from _about_distinct(symbol, value, code)
        case Condition():
            count = rows_count(symbol.frame.keep(symbol.words))
            yield _about_quantity(count, f"{code}.sum()")
        case Frame():
            yield from _about_frame(symbol, value, code)
        case Column():
            yield from _about_column(symbol, value, code)
        case _:
            raise Unreadable("value without words")


def sentence(frame: Frame, question: str) -> str:
    """The question with its tables and the steps that lead to it."""
    files = wording.listing([wording.name(table) for table in frame.tables])
    found = _needed(frame.steps, question)
    if len(found) > _MAX_STEPS:
        raise Unreadable("too many steps")
    if not found:
        return f"In {files}, {question}"
    first, *others = (wording.capital(step) for step in found)
    steps = [f"Then {step[0].lower()}{step[1:]}." for step in others]
    if all(wording.name(table) in first for table in frame.tables):
        start = f"{first}."
    else:
        start = f"Start from {files}. First, {first[0].lower()}{first[1:]}."
    return " ".join([start, *steps, wording.capital(question)])


def _needed(steps: Sequence[str], question: str) -> list[str]:
    """The steps without those that make no difference to what comes after them."""
    kept: list[str] = []
    later = question
    for step in reversed(steps):
        if _matters(step, later):
            kept.append(step)
            later += step
    return kept[::-1]


def _matters(step: str, later: str) -> bool:
    """Whether later words speak of what a step changes: its columns, or the order of the rows."""
    if step.startswith("sort the rows by "):
        return bool(_ORDER_WORDS.search(later))
    if not _CHANGES_COLUMNS.match(step) or any(words in later for words in _ALL_COLUMNS):
        return True
    if step.startswith(("drop the column", "take the first column")):
        return False
    names = _QUOTED.findall(step) if step.startswith("rename") else _QUOTED.findall(step)[:1]
    return any(name in later for name in names)


def _about_quantity(quantity: Quantity, code: str) -> Proposal:
    if quantity.family == "boolean":
        question = f"is it true that {quantity.words}?"
    elif quantity.words.startswith("the number of rows"):
        question = (
            f"how many {quantity.words.removeprefix('the number of ')}".replace("rows", "rows are there", 1) + "?"
        )
    else:
        question = f"what is {quantity.words}?"
    return Proposal(sentence(quantity.frame, question), code, quantity.family, quantity.decimals)


# --- labelled quantities and grids -------------------------------------------------------------------


@dataclass(frozen=True)
class _Entry:
    """One label and its quantity, as plain values."""

    label: tuple[object, ...]
    number: float | None


def _about_labelled(labelled: Labelled, value: Snapshot, code: str) -> Iterator[Proposal]:
    entries = _entries(value)
    numbered = [entry for entry in entries if entry.number is not None]
    if labelled.each == "column":
        numbered = [entry for entry in numbered if not _meaningless(entry.label)]
    if labelled.family == "missing-values" and labelled.each == "column":
        yield from _about_missing(labelled, entries, code)
        return
    if labelled.each and labelled.statistic and len(entries) >= 3 and _whole(labelled):
        yield from _extremes(labelled, entries, code)
    listable = labelled.each and labelled.statistic and 2 <= len(entries) <= _MAX_LISTED and not labelled.taken
    if listable and len(numbered) == len(entries) and all(len(entry.label) == 1 for entry in entries):
        question = f"for each {labelled.each}, what is the {labelled.statistic}?"
        yield Proposal(sentence(labelled.frame, question), code, labelled.family, labelled.decimals)
    for entry in _picked(numbered, code, len(numbered)):
        try:
            question = f"what is {labelled.at(entry.label)}?"
        except Unreadable:
            continue
        pick = f"{code}.loc[{_label_code(entry.label)}]"
        yield Proposal(sentence(labelled.frame, _how_many(question)), pick, labelled.family, labelled.decimals)


def _whole(labelled: Labelled) -> bool:
    """Whether the highest quantity of all labels is among those shown."""
    return not labelled.taken or labelled.order is False


def _how_many(question: str) -> str:
    prefix = "what is the number of rows"
    return "how many rows are there" + question.removeprefix(prefix) if question.startswith(prefix) else question


def _extremes(labelled: Labelled, entries: Sequence[_Entry], code: str) -> Iterator[Proposal]:
    numbers = sorted((entry.number for entry in entries if entry.number is not None), reverse=True)
    if len(numbers) < 3 or len(numbers) != len(entries) or any(len(entry.label) != 1 for entry in entries):
        return
    if any(_meaningless(entry.label) for entry in entries) and labelled.each == "column":
        return
    if _clearly_apart(numbers[0], numbers[1]):
        question = _superlative(labelled, 0)
        yield Proposal(sentence(labelled.frame, question), f"{code}.idxmax()", "extreme")
    if not labelled.taken and _clearly_apart(numbers[-1], numbers[-2]):
        question = _superlative(labelled, 1)
        yield Proposal(sentence(labelled.frame, question), f"{code}.idxmin()", "extreme")


def _superlative(labelled: Labelled, side: int) -> str:
    if labelled.superlatives is not None:
        return labelled.superlatives[side]
    return f"which {labelled.each} has the {('highest', 'lowest')[side]} {labelled.statistic}?"


def _clearly_apart(first: float, second: float) -> bool:
    return abs(first - second) > 1e-6 * max(abs(first), abs(second))


def _about_missing(labelled: Labelled, entries: Sequence[_Entry], code: str) -> Iterator[Proposal]:
    absent = [entry for entry in entries if entry.number]
    if labelled.statistic.startswith("number of missing") and 0 < len(absent) <= _MAX_LISTED < len(entries):
        scope = labelled.statistic.removeprefix("number of missing values")
        question = f"which columns have missing values{scope}, and how many has each?"
        yield Proposal(sentence(labelled.frame, question), f"{code}.loc[lambda counts: counts > 0]", "missing-values")
    if len(absent) >= 2:
        yield from _extremes(labelled, entries, code)
    for entry in _picked(absent, code, 1):
        question = f"what is {labelled.at(entry.label)}?"
        pick = f"{code}.loc[{_label_code(entry.label)}]"
        yield Proposal(sentence(labelled.frame, question), pick, labelled.family, labelled.decimals)


def _about_grid(grid: Grid, value: Snapshot, code: str) -> Iterator[Proposal]:
    if value.get("t") != "frame" or not has_content(value):
        raise Unreadable("large table of values")
    cells: list[tuple[tuple[object, ...], tuple[object, ...]]] = []
    for row, numbers in zip(value["index"], value["v"], strict=True):
        for column, number in zip(value["columns"], numbers, strict=True):
            if number.get("t") in ("int", "float") and _usable(row) and _usable(column):
                cells.append((_label(row), _label(column)))
    cells = [cell for cell in cells if not _meaningless(cell[0]) and not _meaningless(cell[1])]
    if grid.family == "describe":
        cells = [cell for cell in cells if all(is_measured(str(name)) for labels in cell for name in labels)]
    for row_label, column_label in _picked(cells, code, len(cells)):
        try:
            words = grid.at(row_label, column_label)
        except Unreadable:
            continue
        if "number of non-missing" in words and grid.family == "describe":
            continue
        pick = f"{code}.loc[{_label_code(row_label)}, {_label_code(column_label)}]"
        question = _how_many(f"what is {words}?")
        yield Proposal(sentence(grid.frame, question), pick, grid.family, grid.decimals)


def _entries(value: Snapshot) -> list[_Entry]:
    if value.get("t") == "map":
        pairs = value["v"]
    elif value.get("t") == "series" and has_content(value):
        pairs = list(zip(value["index"], value["v"], strict=True))
    else:
        raise Unreadable("long list of values")
    entries: list[_Entry] = []
    for label, number in pairs:
        if not _usable(label):
            raise Unreadable("labels that are no plain values")
        plain = scalar(number) if number.get("t") in ("int", "float") else None
        entries.append(_Entry(_label(label), float(plain) if isinstance(plain, (int, float)) else None))
    return entries


def _usable(label: Snapshot) -> bool:
    if label.get("t") == "list":
        return all(_usable(part) for part in label["v"])
    return label.get("t") in ("str", "int", "bool", "float") and label.get("v") not in ("", " ")


def _label(label: Snapshot) -> tuple[object, ...]:
    if label.get("t") == "list":
        return tuple(scalar(part) for part in label["v"])
    return (scalar(label),)


def _label_code(label: tuple[object, ...]) -> str:
    return repr(label[0]) if len(label) == 1 else repr(label)


def _is_identifier(name: str) -> bool:
    return any(_IDENTIFIER.fullmatch(form) for form in (name, name.casefold()))


def _meaningless(label: tuple[object, ...]) -> bool:
    return any(isinstance(part, str) and _is_identifier(part) for part in label)


_Item = TypeVar("_Item")


def _picked(items: Sequence[_Item], salt: str, count: int) -> list[_Item]:
    """Some of the items, chosen by a hash, so that a build chooses the same each time."""
    ranked = sorted(items, key=lambda item: hashlib.sha256(f"{salt}{item!r}".encode()).digest())
    return ranked[:count]


# --- rows -----------------------------------------------------------------------------------------------


def _about_distinct(distinct: Distinct, value: Snapshot, code: str) -> Iterator[Proposal]:
    frame, words = distinct.column.frame, f"distinct values of {distinct.column.operand}"
    items = value.get("v") if has_content(value) else None
    if isinstance(items, list) and 1 < len(items) <= _MAX_LISTED and all(_usable(item) for item in items):
        question = f"what are the {words}{frame.over}?"
        yield Proposal(sentence(frame, question), f"list{code}", "distinct", any_order=True)
    elif isinstance(items, list) and any(not _usable(item) for item in items):
        raise Unreadable("distinct values with a missing one")
    else:
        question = f"how many {words} are there{frame.over} (missing values not counted)?"
        yield Proposal(sentence(frame, question), f"len([item for item in {code} if item == item])", "nunique")


def _about_frame(frame: Frame, value: Snapshot, code: str) -> Iterator[Proposal]:
    if frame.taken and frame.order is not None:
        yield from _about_top(frame, value, code)
        return
    if frame.taken is None:
        if frame.where:
            yield _about_quantity(rows_count(frame), f"len{code}")
            yield from _about_few_rows(frame, value, code)
        elif frame.steps and frame.steps[-1].startswith(_ROW_STEPS):
            yield Proposal(sentence(frame, "how many rows are left?"), f"len{code}", "count")
        elif frame.order:
            yield from _about_first(frame, value, code)
            return
    derived = list(about_shown(frame, value, code))
    if not derived and not frame.where and not frame.steps:
        raise Unreadable("shows rows")
    for found in derived:
        question = sentence(found.frame, found.question)
        yield Proposal(question, found.expression, found.family, unique_check=found.unique_check)


def _columns(value: Snapshot) -> list[str]:
    return [str(column.get("v")) for column in value.get("columns", [])]


def _naming_column(value: Snapshot) -> int | None:
    """The first column whose values tell the shown rows apart as a person would: different texts, none missing."""
    if not has_content(value):
        return None
    for position in range(len(value["columns"])):
        cells = [row[position] for row in value["v"]]
        texts = {cell.get("v") for cell in cells if cell.get("t") == "str"}
        if len(texts) == len(cells) and all(0 < len(str(text)) <= 60 for text in texts):
            return position
    return None


def _about_few_rows(frame: Frame, value: Snapshot, code: str) -> Iterator[Proposal]:
    rows = value.get("shape", [0])[0]
    position = _naming_column(value) if 2 <= rows <= _MAX_LISTED else None
    if position is None:
        return
    column = _columns(value)[position]
    question = f"list the {wording.name(column)} of the {frame.rows}, in any order."
    yield Proposal(sentence(frame, question), f"{code}[{column!r}].tolist()", "filter-list", any_order=True)


def _about_top(frame: Frame, value: Snapshot, code: str) -> Iterator[Proposal]:
    count = value.get("shape", [0])[0]
    if frame.order is None:
        raise Unreadable("shows rows")
    position = _naming_column(value) if 1 <= count <= _MAX_LISTED else None
    if position is None:
        raise Unreadable("first rows without a naming column")
    column = _columns(value)[position]
    scope = f" of the {replace(frame, taken=None).rows}" if frame.where else ""
    rows = replace(frame, where=(), order=None, taken=None)
    keys = [key for key in frame.order.keys if key in _columns(value)]
    if len(keys) != len(frame.order.keys):
        raise Unreadable("order by a column that is not shown")
    question = (
        f"sort the rows{scope} by {frame.order.words}: what are the values of {wording.name(column)} in {frame.taken}?"
    )
    longer = _one_more(code)
    if longer is None:
        raise Unreadable("first rows counted in another way")
    check = f"not {longer}.duplicated(subset={keys!r}).any()"
    list_question = f"{question[:-1]}, in that order?" if count > 1 else question
    yield Proposal(
        sentence(rows, list_question), f"{code}[{column!r}].tolist()", "top-k", any_order=False, unique_check=check
    )


def _one_more(code: str) -> str | None:
    """The same expression with one more row: whether the last row shown is tied with the next one is seen there."""
    node = ast.parse(code, mode="eval").body
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "head" and not node.args and not node.keywords:
            node.args = [ast.Constant(6)]
            return ast.unparse(node)
        if node.func.attr in ("head", "nlargest", "nsmallest") and node.args and isinstance(node.args[0], ast.Constant):
            node.args[0] = ast.Constant(int(str(node.args[0].value)) + 1)
            return ast.unparse(node)
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Slice)
        and isinstance(node.slice.upper, ast.Constant)
    ):
        node.slice.upper = ast.Constant(int(str(node.slice.upper.value)) + 1)
        return ast.unparse(node)
    return None


def _about_first(frame: Frame, value: Snapshot, code: str) -> Iterator[Proposal]:
    """Sorted rows: who comes first."""
    order = frame.order
    if order is None or not has_content(value) or not value["v"] or len(value["v"]) < 3:
        raise Unreadable("sorted rows")
    position = _naming_column({**value, "v": value["v"]})
    if position is None or any(key not in _columns(value) for key in order.keys):
        raise Unreadable("sorted rows without a naming column")
    column = _columns(value)[position]
    rows = replace(frame, order=None)
    question = f"sort the rows by {order.words}: what is the {wording.name(column)} of the first row?"
    check = f"not {code}.head(2).duplicated(subset={list(order.keys)!r}).any()"
    yield Proposal(sentence(rows, question), f"{code}[{column!r}].iloc[0]", "top-k", unique_check=check)


def _about_column(column: Column, value: Snapshot, code: str) -> Iterator[Proposal]:
    frame = column.frame
    if frame.taken or frame.order or not frame.where:
        raise Unreadable("shows rows")
    yield _about_quantity(rows_count(frame), f"len{code}")
    items = value.get("v") if has_content(value) else None
    if value.get("t") not in ("series", "list") or not isinstance(items, list) or not 2 <= len(items) <= _MAX_LISTED:
        return
    if all(item.get("t") in ("str", "int") and item.get("v") != "" for item in items):
        question = f"list the values of {column.operand} in the {frame.rows}, in any order."
        yield Proposal(sentence(frame, question), f"list{code}", "filter-list", any_order=True)
