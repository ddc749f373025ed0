"""What can be asked about an output, from its words and its value.

Each proposal is a question without its contract, and the expression that answers it. Nothing is asked that has more
than one right answer: extremes that are shared, orders with ties, labels that are missing.
"""

import datetime
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from cellwright.proof.naming import is_measured
from cellwright.proof.questions import wording
from cellwright.proof.questions.comparing import TEXT_ORDER
from cellwright.proof.questions.functions import shape_items
from cellwright.proof.questions.phrasing import Ask, Told, tell
from cellwright.proof.questions.shown import Derived, about_shown, about_shown_column
from cellwright.proof.questions.statistics import rows_count
from cellwright.proof.questions.symbols import (
    Check,
    Column,
    Condition,
    Distinct,
    Finding,
    Frame,
    Grid,
    Items,
    Labelled,
    Labels,
    Order,
    Quantity,
    Reading,
    Shape,
    Symbol,
    Unreadable,
)
from cellwright.proof.values import Snapshot, has_content, scalar

_MAX_LISTED = 8
_MAX_WORDS = 220
# Columns that number or name the rows: their statistics mean nothing.
_IDENTIFIER = re.compile(
    r"(?:unnamed.*|index|No\.?|no\.|.*(?:^|[ _.-])(?:id|zip(?:[ _]?code)?)|.*[a-z]I[dD]|"
    r"(?i:.*(?:user|customer|passenger|order|product|item|employee|student|patient|movie|account|client|row|player|"
    r"member|transaction|session|store|house|station|event|person|case))s?[ _]?(?i:id))"
)
_ROW_STEPS = ("drop the rows", "of rows that", "join ", "put the rows", "keep only the rows")


@dataclass(frozen=True)
class Proposal:
    """One question that an output could answer."""

    told: Told
    """The question in parts; complete but for its contract."""
    expression: str
    """Python, to be evaluated after the slice."""
    family: str
    decimals: int | None = None
    """Decimals that the notebook itself rounds to."""
    any_order: bool = False
    """For a list: order does not count."""
    unique_check: str | None = None
    """Expression that must be True after the slice, or the question has no single answer."""
    checks: tuple[Check, ...] = ()
    """What must be True earlier in the slice, for the same reason."""

    @property
    def question(self) -> str:
        """Its plainest wording."""
        return self.told.forms[0]


@dataclass(frozen=True)
class _Found:
    """A proposal before it is told: the rows that it starts from, and what is asked of them."""

    frame: Frame
    ask: Ask
    expression: str
    family: str
    decimals: int | None = None
    any_order: bool = False
    unique_check: str | None = None
    checks: tuple[Check, ...] = ()


def propose(reading: Reading, value: Snapshot, expression: str, most: int = 2) -> list[Proposal]:
    """At most `most` questions for one output. Raises Unreadable with the reason when there is none."""
    proposals: list[Proposal] = []
    seen: set[str] = set()
    for found in _proposals(reading.symbol, value, f"({expression})"):
        if len(proposals) == most:
            break
        proposal = _told(found, reading)
        if len(proposal.question.split()) <= _MAX_WORDS and proposal.question not in seen:
            seen.add(proposal.question)
            proposals.append(proposal)
    if not proposals:
        raise Unreadable("nothing to ask about")
    return proposals


def _told(found: _Found, reading: Reading) -> Proposal:
    return Proposal(
        tell(found.frame, found.ask, reading.notes),
        found.expression,
        found.family,
        found.decimals,
        found.any_order,
        found.unique_check,
        tuple(dict.fromkeys((*reading.checks, *found.checks))),
    )


def _proposals(symbol: Symbol, value: Snapshot, code: str) -> Iterator[_Found]:
    match symbol:
        case Quantity():
            yield _about_quantity(symbol, code)
        case Labelled():
            yield from _about_labelled(symbol, value, code)
        case Labels():
            yield from _about_labels(symbol.labelled, value, code)
        case Grid():
            yield from _about_grid(symbol, value, code)
        case Shape():
            rows, _ = shape_items(symbol.frame)
            yield _about_quantity(rows, f"{code}[0]")
        case Items(symbols=(Quantity() as only,)):
            yield _about_quantity(only, f"{code}[0]")
        case Distinct():
            yield from _about_distinct(symbol, value, code)
        case Condition(single=True):
            yield _about_quantity(Quantity(symbol.frame, symbol.words, family="boolean"), code)
        case Condition():
            count = rows_count(symbol.frame.keep(symbol.words))
            yield _about_quantity(count, f"{code}.sum()")
        case Finding():
            for place, quantity in enumerate(symbol.parts.values()):
                yield _about_quantity(quantity, f"{code}[{place}]")
        case Frame():
            yield from _about_frame(symbol, value, code)
        case Column():
            yield from _about_column(symbol, value, code)
        case _:
            raise Unreadable("value without words")


_ROWS = "the number of rows"


def _value_of(words: str) -> Ask:
    """The question for one value."""
    if words.startswith(_ROWS):
        rest = words.removeprefix(_ROWS)
        return Ask(f"how many rows are there{rest}?", words, "count" if not rest else "compute")
    return Ask(f"what is {words}?", words)


def _about_quantity(quantity: Quantity, code: str) -> _Found:
    if quantity.family == "boolean":
        ask = Ask(f"is it true that {quantity.words}?", f"whether {quantity.words}", "check")
    elif quantity.text and quantity.words.startswith("the "):
        ask = Ask(f"what is {quantity.words}?", quantity.words, "find")
    else:
        ask = _value_of(quantity.words)
    return _Found(quantity.frame, ask, code, quantity.family, quantity.decimals)


# --- labelled quantities and grids -------------------------------------------------------------------


@dataclass(frozen=True)
class _Entry:
    """One label and its quantity, as plain values."""

    label: tuple[object, ...]
    number: float | None


def _about_labelled(labelled: Labelled, value: Snapshot, code: str) -> Iterator[_Found]:
    entries = _entries(value)
    numbered = [entry for entry in entries if entry.number is not None]
    if labelled.each == "column":
        numbered = [entry for entry in numbered if not _meaningless(entry.label)]
    if labelled.family == "missing-values" and labelled.each == "column":
        yield from _about_missing(labelled, entries, code)
        return
    named = bool(labelled.each and labelled.statistic)
    if named and labelled.first is not None and labelled.order is not None:
        yield from _about_labels(labelled, {"t": "list", "v": [{}] * len(entries)}, f"{code}.index.tolist()")
    if named and len(entries) >= 3 and _whole(labelled):
        yield from _extremes(labelled, entries, code)
    listable = named and 2 <= len(entries) <= _MAX_LISTED and not labelled.taken
    if listable and len(numbered) == len(entries) and all(len(entry.label) == 1 for entry in entries):
        ask = Ask(
            f"for each {labelled.kind}, what is the {labelled.statistic}?",
            f"the {labelled.statistic} for each {labelled.kind}",
        )
        yield _Found(labelled.frame, ask, code, labelled.family, labelled.decimals)
    for entry in _picked(numbered, code, len(numbered)):
        try:
            ask = _value_of(labelled.at(entry.label))
        except Unreadable:
            continue
        pick = f"{code}.loc[{_label_code(entry.label)}]"
        yield _Found(labelled.frame, ask, pick, labelled.family, labelled.decimals)


def _about_labels(labelled: Labelled, value: Snapshot, code: str) -> Iterator[_Found]:
    """Labels in the order of their quantities."""
    items = value.get("v") if has_content(value) else None
    if labelled.order is None or not isinstance(items, list) or not labelled.each or not labelled.statistic:
        raise Unreadable("labels in no order")
    count = len(items)
    if not 2 <= count <= _MAX_LISTED or labelled.ties is None or labelled.each == "column":
        raise Unreadable("labels that tie")
    side, way = ("lowest", "lowest first") if labelled.order else ("highest", "highest first")
    which = f"{count} {labelled.each}" if labelled.first is not None else labelled.each
    if labelled.first is None:
        ask = Ask(
            f"how do the values of {which} rank by the {labelled.statistic}, {way}?",
            f"the values of {which} ranked by the {labelled.statistic}, {way}",
            "list",
        )
    else:
        plural = "combinations" if which.startswith(f"{count} combination") else "values"
        each = labelled.each.removeprefix("combination ").removeprefix("of ")
        ask = Ask(
            f"which {count} {plural} of {each} have the {side} {labelled.statistic}, {way}?",
            f"the {count} {plural} of {each} with the {side} {labelled.statistic}, {way}",
            "list",
        )
    cut = (labelled.cut,) if labelled.cut is not None else ()
    yield _Found(labelled.frame, ask, code, "top-k", checks=(*cut, labelled.ties))


def _whole(labelled: Labelled) -> bool:
    """Whether the highest quantity of all labels is among those shown."""
    return not labelled.taken or labelled.order is False


def _extremes(labelled: Labelled, entries: Sequence[_Entry], code: str) -> Iterator[_Found]:
    numbers = sorted((entry.number for entry in entries if entry.number is not None), reverse=True)
    if len(numbers) < 3 or len(numbers) != len(entries) or any(len(entry.label) != 1 for entry in entries):
        return
    if any(_meaningless(entry.label) for entry in entries) and labelled.each == "column":
        return
    if _clearly_apart(numbers[0], numbers[1]):
        yield _Found(labelled.frame, _superlative(labelled, 0), f"{code}.idxmax()", "extreme")
    if not labelled.taken and _clearly_apart(numbers[-1], numbers[-2]):
        yield _Found(labelled.frame, _superlative(labelled, 1), f"{code}.idxmin()", "extreme")


def _superlative(labelled: Labelled, side: int) -> Ask:
    if labelled.superlatives is not None:
        words = labelled.superlatives[side]
        return Ask(f"what is {words}?", words, "find")
    highest = ("highest", "lowest")[side]
    return Ask(
        f"which {labelled.kind} has the {highest} {labelled.statistic}?",
        f"the {labelled.kind} with the {highest} {labelled.statistic}",
        "find",
    )


def _clearly_apart(first: float, second: float) -> bool:
    return abs(first - second) > 1e-6 * max(abs(first), abs(second))


def _about_missing(labelled: Labelled, entries: Sequence[_Entry], code: str) -> Iterator[_Found]:
    absent = [entry for entry in entries if entry.number]
    if labelled.statistic.startswith("number of missing") and 0 < len(absent) <= _MAX_LISTED < len(entries):
        scope, among = labelled.statistic.removeprefix("number of missing values"), labelled.frame.among
        ask = Ask(
            f"which columns{among} have missing values{scope}, and how many has each?",
            f"the columns{among} that have missing values{scope}, with how many each has",
            "find",
        )
        yield _Found(labelled.frame, ask, f"{code}.loc[lambda counts: counts > 0]", "missing-values")
    if len(absent) >= 2:
        yield from _extremes(labelled, entries, code)
    for entry in _picked(absent, code, 1):
        ask = _value_of(labelled.at(entry.label))
        pick = f"{code}.loc[{_label_code(entry.label)}]"
        yield _Found(labelled.frame, ask, pick, labelled.family, labelled.decimals)


def _about_grid(grid: Grid, value: Snapshot, code: str) -> Iterator[_Found]:
    if value.get("t") != "frame" or not has_content(value):
        raise Unreadable("large table of values")
    yield from _about_top_groups(grid, value, code)
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
        yield _Found(grid.frame, _value_of(words), pick, grid.family, grid.decimals)


def _about_top_groups(grid: Grid, value: Snapshot, code: str) -> Iterator[_Found]:
    """The labels of the first rows of a sorted table of groups."""
    table, count = grid.table, len(value["v"])
    if table is None or table.taken is None or table.order is None or table.label is None:
        return
    if table.order.check is None or not 1 <= count <= _MAX_LISTED:
        return
    ask = _first_ones(table.label, table.order, table.taken, "rows", count)
    rows = replace(table, order=None, taken=None)
    yield _Found(rows, ask, f"{code}.index.tolist()", "top-k", checks=(table.order.check,))


def _first_ones(column: str, order: Order, taken: str, sorted_rows: str, count: int) -> Ask:
    """The values of a column in the first rows after sorting."""
    values, in_order = ("values", ", in that order") if count > 1 else ("value", "")
    verb = "are" if count > 1 else "is"
    what = f"the {values} of {wording.name(column)} in {taken}"
    return Ask(
        f"sort the {sorted_rows} by {order.words}: what {verb} {what}{in_order}?",
        f"{what} when the {sorted_rows} are sorted by {order.words}{in_order}",
        "list" if count > 1 else "find",
    )


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
    return label.get("t") in ("str", "int", "bool", "float", "date") and label.get("v") not in ("", " ")


def _label(label: Snapshot) -> tuple[object, ...]:
    if label.get("t") == "list":
        return tuple(scalar(part) for part in label["v"])
    return (scalar(label),)


def _label_code(label: tuple[object, ...]) -> str:
    parts = tuple(str(part) if isinstance(part, datetime.date) else part for part in label)
    return repr(parts[0]) if len(parts) == 1 else repr(parts)


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


def _about_distinct(distinct: Distinct, value: Snapshot, code: str) -> Iterator[_Found]:
    frame, words = distinct.column.frame, f"distinct values of {distinct.column.operand}"
    items = value.get("v") if has_content(value) else None
    if isinstance(items, list) and 1 < len(items) <= _MAX_LISTED and all(_usable(item) for item in items):
        ask = Ask(f"what are the {words}{frame.over}?", f"the {words}{frame.over}", "list")
        yield _Found(frame, ask, f"list{code}", "distinct", any_order=True)
    elif isinstance(items, list) and any(not _usable(item) for item in items):
        raise Unreadable("distinct values with a missing one")
    else:
        ask = Ask(
            f"how many {words} are there{frame.over} (missing values not counted)?",
            f"the number of {words}{frame.over} (missing values not counted)",
        )
        yield _Found(frame, ask, f"len([item for item in {code} if item == item])", "nunique")


def _about_frame(frame: Frame, value: Snapshot, code: str) -> Iterator[_Found]:
    derived = list(about_shown(frame, value, code))
    if frame.order is not None and (frame.taken or not (frame.where or _changes_rows(frame))):
        about = _about_top if frame.taken else _about_first
        try:
            yield from list(about(frame, value, code))
        except Unreadable:
            if not derived:
                raise
        else:
            return
    elif frame.taken is None and frame.where:
        yield _about_quantity(rows_count(frame), f"len{code}")
        yield from _about_few_rows(frame, value, code)
    elif frame.taken is None and _changes_rows(frame):
        ask = Ask("how many rows are left?", "the number of rows that are left")
        yield _Found(frame, ask, f"len{code}", "count")
    if not derived and not frame.where and not frame.steps:
        raise Unreadable("shows rows")
    for found in derived:
        yield _derived(found)


def _changes_rows(frame: Frame) -> bool:
    return bool(frame.steps) and frame.steps[-1].startswith(_ROW_STEPS)


def _derived(found: Derived) -> _Found:
    return _Found(found.frame, found.ask, found.expression, found.family, unique_check=found.unique_check)


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


def _about_few_rows(frame: Frame, value: Snapshot, code: str) -> Iterator[_Found]:
    rows = value.get("shape", [0])[0]
    position = _naming_column(value) if 2 <= rows <= _MAX_LISTED else None
    if position is None:
        return
    column = _columns(value)[position]
    words = f"the values of {wording.name(column)} in the {frame.rows}, in any order"
    ask = Ask(f"what are {words}?", words, "list")
    yield _Found(frame, ask, f"{code}[{column!r}].tolist()", "filter-list", any_order=True)


def _about_top(frame: Frame, value: Snapshot, code: str) -> Iterator[_Found]:
    count = value.get("shape", [0])[0]
    if frame.order is None or frame.taken is None:
        raise Unreadable("shows rows")
    position = _naming_column(value) if 1 <= count <= _MAX_LISTED else None
    if position is None:
        raise Unreadable("first rows without a naming column")
    column = _columns(value)[position]
    if any(key not in _columns(value) for key in frame.order.keys):
        raise Unreadable("order by a column that is not shown")
    if frame.order.check is None:
        raise Unreadable("first rows counted in another way")
    sorted_rows = replace(frame, taken=None).rows if frame.where else "rows"
    rows = replace(frame, where=(), order=None, taken=None)
    ask = _first_ones(column, frame.order, frame.taken, sorted_rows, count)
    picked = f"{code}[{column!r}].tolist()"
    yield _Found(rows, ask, picked, "top-k", checks=(frame.order.check,))


def _about_first(frame: Frame, value: Snapshot, code: str) -> Iterator[_Found]:
    """Sorted rows: who comes first."""
    order = frame.order
    if order is None or not has_content(value) or not value["v"] or len(value["v"]) < 3:
        raise Unreadable("sorted rows")
    position = _naming_column({**value, "v": value["v"]})
    if position is None or any(key not in _columns(value) for key in order.keys):
        raise Unreadable("sorted rows without a naming column")
    column = _columns(value)[position]
    rows = replace(frame, order=None)
    what = f"the {wording.name(column)} of the first row"
    ask = Ask(
        f"sort the rows by {order.words}: what is {what}?", f"{what} when the rows are sorted by {order.words}", "find"
    )
    in_order = f"all({TEXT_ORDER}({code}[key]) for key in {list(order.keys)!r})"
    check = f"not {code}.head(2).duplicated(subset={list(order.keys)!r}).any() and {in_order}"
    yield _Found(rows, ask, f"{code}[{column!r}].iloc[0]", "top-k", unique_check=check)


def _about_column(column: Column, value: Snapshot, code: str) -> Iterator[_Found]:
    frame = column.frame
    items = value.get("v") if has_content(value) else None
    if frame.taken and frame.order is not None and value.get("t") == "list" and isinstance(items, list):
        yield from _about_top_values(column, items, code)
        return
    if frame.index and value.get("t") == "series" and isinstance(items, list) and not frame.taken:
        yield from _about_rows_by_label(column, value, code)
        return
    if frame.taken or frame.order or not frame.where:
        derived = about_shown_column(column, value, code)
        if derived is None:
            raise Unreadable("shows rows")
        yield _Found(derived.frame, derived.ask, derived.expression, derived.family, unique_check=derived.unique_check)
        return
    yield _about_quantity(rows_count(frame), f"len{code}")
    if value.get("t") not in ("series", "list") or not isinstance(items, list) or not 2 <= len(items) <= _MAX_LISTED:
        return
    if all(item.get("t") in ("str", "int") and item.get("v") != "" for item in items):
        words = f"the values of {column.operand} in the {frame.rows}, in any order"
        ask = Ask(f"what are {words}?", words, "list")
        once = f"len(set{code}) == len{code}"  # nobody can tell whether one that comes twice is to be told twice
        yield _Found(frame, ask, f"list{code}", "filter-list", any_order=True, unique_check=once)


def _about_top_values(column: Column, items: Sequence[Snapshot], code: str) -> Iterator[_Found]:
    """A column of the first rows after sorting."""
    frame = column.frame
    if frame.order is None or frame.taken is None or not 1 <= len(items) <= _MAX_LISTED or column.name is None:
        raise Unreadable("shows rows")
    sorted_rows = replace(frame, taken=None).rows if frame.where else "rows"
    rows = replace(frame, where=(), order=None, taken=None)
    ask = _first_ones(column.name, frame.order, frame.taken, sorted_rows, len(items))
    if column.name in frame.order.keys and len(frame.order.keys) == 1:
        checks: tuple[Check, ...] = ()  # equal values are one and the same in a list of values
    elif frame.order.check is None:
        raise Unreadable("first rows counted in another way")
    else:
        checks = (frame.order.check,)
    yield _Found(rows, ask, f"list{code}", "top-k", checks=checks)


def _about_rows_by_label(column: Column, value: Snapshot, code: str) -> Iterator[_Found]:
    """A column whose rows have names: that of one row, and which row has the most."""
    frame, names = column.frame, column.frame.index
    each = names[0] if len(names) == 1 else ""

    def at(labels: Sequence[object]) -> str:
        if len(labels) != len(names):
            raise Unreadable("label of other parts than the keys")
        pairs = zip(names, labels, strict=True)
        condition = " and ".join(f"{wording.name(name)} is {wording.value(label)}" for name, label in pairs)
        return f"the value of {column.operand} in the row where {condition}"

    base = frame.settled()
    # Which row has the most is asked of whole tables of groups only: there a label stands once.
    shown = Labelled(
        base, at, f"value of {column.operand}", wording.name(each) if each else "", family="look-up-in-groups"
    )
    if not frame.steps or not any(step.startswith("make a new table") for step in frame.steps):
        raise Unreadable("shows rows")
    yield from _about_labelled(shown, value, code)
