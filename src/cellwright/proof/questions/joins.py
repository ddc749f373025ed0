"""Readings of what makes one table of several: joins, and rows put one below the other.

A table that was changed before it is joined is told beside the main line, under a name: "Let table A be …".
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from cellwright.proof.questions import wording
from cellwright.proof.questions.symbols import (
    Arguments,
    Constant,
    Evaluator,
    Frame,
    Grid,
    Items,
    Quantity,
    Symbol,
    Unreadable,
)

_MOST_SIDE_STEPS = 6


def described(frame: Frame) -> str:
    """A table with all that was done to it, as a noun phrase that names its files."""
    whole = with_selection(frame).settled()
    files = wording.listing([wording.name(table) for table in whole.tables])
    if len(whole.steps) > _MOST_SIDE_STEPS:
        raise Unreadable("too many steps on the side")
    if not whole.steps:
        return files
    if len(whole.steps) == 1:
        return f"what {files} becomes after this step: {whole.steps[0]}"
    steps = "; ".join(f"({number}) {step}" for number, step in enumerate(whole.steps, 1))
    return f"what {files} becomes after these steps: {steps}"


def aside(quantity: Quantity, reader: Evaluator) -> str:
    """The name of a value that is worked out from other rows than those at hand."""
    frame = quantity.frame.settled() if quantity.frame.taken else replace(quantity.frame, where=(), order=None)
    if quantity.text:
        raise Unreadable("label from other rows")
    if not frame.steps:
        files = wording.listing([wording.name(table) for table in frame.tables])
        return reader.note("value", f"{quantity.told} in {files}")
    return reader.note("value", f"{quantity.told} in {described(frame)}")


def with_selection(frame: Frame) -> Frame:
    """The same table with its picked columns told as a step."""
    if frame.selection is None:
        return frame
    listed = wording.listing([wording.name(name) for name in (*frame.index, *frame.selection)])
    noun = "column" if len(frame.index) + len(frame.selection) == 1 else "columns"
    return frame.then(f"keep only the {noun} {listed}", selection=None)


def _is_plain(frame: Frame) -> bool:
    """Whether its files alone tell the table."""
    return not frame.settled().steps and frame.selection is None and len(frame.tables) == 1


def _side(frame: Frame, reader: Evaluator) -> tuple[str, tuple[str, ...]]:
    """The words for a table that comes to another one, and the files that those words name."""
    if _is_plain(frame):
        return wording.name(frame.tables[0]), frame.tables
    return reader.note("table", described(frame)), ()


_KINDS = {
    "inner": "keeping only the rows that match",
    "left": "keeping all rows of {first}",
    "right": "keeping all rows of {second}",
    "outer": "keeping the rows of both that do not match too",
}
_REPEATED = " (one row for each pair of rows that match)"
"""What becomes of keys that repeat; not said where the second table has one row for each key by its making."""
_MISSING_MATCH = " (a missing key matches a missing key)"


class Sides(NamedTuple):
    """The two tables of a join, with the sources of the expressions that give them."""

    left: Frame
    right: Frame
    left_code: str
    right_code: str


class _Keys(NamedTuple):
    """What a join goes by."""

    words: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    labels: tuple[str, ...] = ()
    """Names of the row labels of the result."""


def merge(sides: Sides, arguments: Arguments, reader: Evaluator, offset: int = 0) -> Frame:
    """A join of two tables, the left and right frames already taken from the arguments."""
    left, right, *_ = sides
    how = arguments.constant("how", offset, "inner")
    if how not in _KINDS:
        raise Unreadable(f"join {how}")
    keys = _keys(left, right, arguments, offset)
    arguments.ignore("validate", "sort", "copy")
    endings = _endings(arguments) + _on_missing_keys(sides, keys, reader)
    first = with_selection(left).settled()
    if _is_plain(right) and right.tables == first.tables and not first.steps:
        raise Unreadable("join of a table with itself")
    second, files = _side(right, reader)
    named = f"with {second}" if first.steps else f"{wording.name(first.tables[0])} with {second}"
    start = "the table so far" if first.steps else wording.name(first.tables[0])
    kept = _KINDS[how].format(first=start, second=second)
    repeated = "" if right.unique and set(right.unique) <= set(keys.right) else _REPEATED
    tables = tuple(dict.fromkeys((*first.tables, *files)))
    steps = (*first.steps, f"join {named} on {keys.words}, {kept}{repeated}{endings}")
    return Frame(tables, steps, index=keys.labels, shuffled=True, joined=not endings)


def _on_missing_keys(sides: Sides, keys: _Keys, reader: Evaluator) -> str:
    """pandas joins a missing key with a missing key, which nobody expects: asked only where one side has none.

    Where that cannot be looked at, the words that say so.
    """
    found = [
        f"({code})[{list(names)!r}].isna().to_numpy().any()"
        for code, names in ((sides.left_code, keys.left), (sides.right_code, keys.right))
    ]
    labels = keys.labels or sides.left.index or sides.right.index
    try:
        if labels or not all(sides[2:]):
            return _MISSING_MATCH
        reader.require(reader.check(f"not ({found[0]} and {found[1]})"))
    except Unreadable:
        return _MISSING_MATCH
    return ""


def _endings(arguments: Arguments) -> str:
    suffixes = arguments.constant("suffixes", None)
    if suffixes is None:
        return ""
    if not isinstance(suffixes, (list, tuple)) or len(suffixes) != 2:
        raise Unreadable("argument suffixes of merge()")
    ends = [f"the ending {wording.value(str(suffix))}" if suffix else "no ending" for suffix in suffixes]
    return f" (columns that both have get {ends[0]} from the first and {ends[1]} from the second)"


def _keys(left: Frame, right: Frame, arguments: Arguments, offset: int) -> _Keys:
    on = arguments.take("on", offset + 1)
    if on is not None:
        names = _names(on)
        return _Keys(wording.listing([wording.name(name) for name in names]), names, names)
    firsts, by_left = _one_side(left, "left", arguments)
    seconds, by_right = _one_side(right, "right", arguments)
    if len(firsts) != len(seconds):
        raise Unreadable("join on other numbers of columns")
    pairs = [
        wording.name(a) if a == b else f"{wording.name(a)} (in the second table {wording.name(b)})"
        for a, b in zip(firsts, seconds, strict=True)
    ]
    index = firsts if by_left and by_right and firsts == seconds else ()
    return _Keys(wording.listing(pairs), firsts, seconds, index)


def _one_side(frame: Frame, side: str, arguments: Arguments) -> tuple[tuple[str, ...], bool]:
    on = arguments.take(f"{side}_on")
    by_index = bool(arguments.constant(f"{side}_index", None, False))
    if on is not None and not by_index:
        return _names(on), False
    if by_index and frame.index and on is None:
        return frame.index, True
    raise Unreadable("join without named keys")


def _names(symbol: Symbol) -> tuple[str, ...]:
    value = symbol.value if isinstance(symbol, Constant) else None
    names = [value] if isinstance(value, str) else value
    if isinstance(names, (list, tuple)) and names and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise Unreadable("join on computed keys")


def join(sides: Sides, arguments: Arguments, reader: Evaluator) -> Frame:
    """`left.join(right)`: on the row labels of the second."""
    right = sides.right
    how, on = arguments.constant("how", 2, "left"), arguments.take("on", 1)
    arguments.ignore("sort")
    if arguments.take("lsuffix") or arguments.take("rsuffix") or not right.index:
        raise Unreadable("join on row numbers")
    given: dict[str, Symbol] = {"right_index": Constant(True), "how": Constant(how)}
    given |= {"left_on": on} if on is not None else {"left_index": Constant(True)}
    return merge(sides, Arguments("merge", [], given), reader)


def stack(frames: Sequence[Frame], reader: Evaluator) -> Frame:
    """The rows of several tables one below the other."""
    if len(frames) < 2 or len(set(frames)) != len(frames):
        raise Unreadable("one table put together")
    named: list[str] = []
    tables: list[str] = []
    for frame in frames:
        words, files = _side(frame, reader)
        named.append(words)
        tables += files
    if not tables:
        tables = [table for frame in frames for table in frame.tables]
    indexes = {frame.index for frame in frames}
    index = indexes.pop() if len(indexes) == 1 else ()
    step = f"put the rows of {wording.listing(named)} one below the other, in that order"
    return Frame(tuple(dict.fromkeys(tables)), (step,), index=index)


def parts_of(symbol: Symbol | None) -> list[Frame]:
    """The tables of a list."""
    if not isinstance(symbol, Items):
        raise Unreadable("concat of something else than tables")
    return [table_of(part, "concat") for part in symbol.symbols]


def table_of(symbol: Symbol | None, call: str = "join") -> Frame:
    """A table, or a table of groups, that is brought together with another."""
    match symbol:
        case Frame():
            return symbol
        case Grid(table=Frame() as table):
            return table
    raise Unreadable(f"{call} with something else than a table")
