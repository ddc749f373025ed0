"""Readings of rows in order: sorted, the first, the last, the largest; each with the ties that there must not be."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from cellwright.proof.questions import comparing, picking
from cellwright.proof.questions.symbols import (
    BINS,
    NEVER,
    SAMPLE,
    Arguments,
    Check,
    Constant,
    Evaluator,
    Frame,
    Order,
    Unreadable,
)

Reading = Callable[[Frame, Arguments, Evaluator], Frame]


def sort_values(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
    """The rows sorted by columns."""
    keys = picking.names_of(arguments.take("by", 0) or Constant(None))
    ascending = arguments.constant("ascending", None, True)
    arguments.ignore("kind")
    is_numbered_anew = arguments.constant("ignore_index", None, False)
    if arguments.constant("na_position", None, "last") != "last":
        raise Unreadable("rows with a missing value first")
    if arguments.constant("axis", 1, 0) not in (0, "index"):
        raise Unreadable("sorting of columns")
    flags = tuple(bool(flag) for flag in ascending) if isinstance(ascending, list) else (bool(ascending),) * len(keys)
    if any(kind in BINS for name, kind in frame.kinds if name in keys):
        raise Unreadable("order of bins")
    if len(flags) != len(keys):
        raise Unreadable("argument ascending of sort_values()")
    base = frame.settled() if frame.taken else frame
    ordered = replace(base, order=Order(keys, flags, _no_ties(frame, keys, arguments, reader)))
    return picking.relabelled(ordered) if is_numbered_anew else ordered


def _no_ties(frame: Frame, keys: Sequence[str], arguments: Arguments, reader: Evaluator) -> Check | None:
    """Whether no two rows are equal in what they are sorted by, and none lacks it: asked at this place."""
    table = f"({arguments.receiver})" + (".reset_index()" if set(keys) & set(frame.index) else "")
    plain = f"all({comparing.TEXT_ORDER}(rows[key]) for key in {list(keys)!r}) and not rows[{list(keys)!r}].isna()"
    unlike = f"not rows.duplicated(subset={list(keys)!r}).any()"
    try:
        return reader.check(f"(lambda rows: {unlike} and {plain}.to_numpy().any())({table})")
    except Unreadable:
        # Inside a function the check cannot be made, so whatever depends on this order has no words.
        return NEVER


def head(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
    """The first rows; where they are sorted, the cut must not part equal ones."""
    count = arguments.constant("n", 0, 5)
    if not isinstance(count, int) or count < 1:
        raise Unreadable("head of a computed length")
    keeps_keys = frame.order is not None and (
        frame.selection is None or set(frame.order.keys) <= {*frame.selection, *frame.index}
    )
    if frame.order is None or frame.taken or not keeps_keys:
        frame = picking.counted(frame.settled() if frame.taken else frame, reader)
    else:
        keys = list(frame.order.keys)
        rows = f"({arguments.receiver})" + (".reset_index()" if set(keys) & set(frame.index) else "")
        reader.require(reader.check(f"all({comparing.TEXT_ORDER}({rows}[key]) for key in {keys!r})"))
        reader.require(_no_tie_at(frame, count, frame.order.keys, f"({arguments.receiver})", "head", reader))
        frame = replace(frame, order=_untied(frame, count, frame.order, f"({arguments.receiver})", reader))
    return picking.take_rows(frame, 0, count)


def _untied(frame: Frame, count: int, order: Order, table: str, reader: Evaluator) -> Order:
    """The order of the first rows, with the check that no two of them, or the next one, tie."""
    labels = ".reset_index()" if set(order.keys) & set(frame.index) else ""
    check = reader.check(f"not {table}.head({count + 1}){labels}.duplicated(subset={list(order.keys)!r}).any()")
    return replace(order, check=check)


def _no_tie_at(frame: Frame, count: int, keys: Sequence[str], table: str, method: str, reader: Evaluator) -> Check:
    """Whether the last row that is taken differs from the first that is not."""
    picks = f".{method}({count + 1})" if method == "head" else f".{method}({count + 1}, {list(keys)!r})"
    labels = ".reset_index()" if set(keys) & set(frame.index) else ""
    tie = f"rows.tail(2){labels}.duplicated(subset={list(keys)!r}).any()"
    return reader.check(f"(lambda rows: len(rows) <= {count} or not {tie})({table}{picks})")


def tail(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
    """The last rows."""
    count = arguments.constant("n", 0, 5)
    if not isinstance(count, int) or count < 1:
        raise Unreadable("tail of a computed length")
    base = picking.counted(frame.settled() if frame.taken else frame, reader)
    return replace(base, taken="the last row" if count == 1 else f"the last {count} rows")


def sample(frame: Frame, arguments: Arguments, _: Evaluator) -> Frame:
    """Rows that chance picks."""
    arguments.ignore("n", "0", "frac", "1", "random_state")
    base = frame.settled() if frame.taken else frame
    return replace(base, order=None, taken=SAMPLE)


def sort_index(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
    """The rows sorted by the column that labels them."""
    if frame.label is None:
        raise Unreadable("method sort_index")
    ascending = bool(arguments.constant("ascending", None, True))
    base = frame.settled() if frame.taken else frame
    check = _no_ties(frame, (frame.label,), arguments, reader)
    return replace(base, order=Order((frame.label,), (ascending,), check))


def largest(ascending: bool) -> Reading:
    """The reading of `nlargest`, or of `nsmallest`: the first rows after sorting."""

    def reading(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
        count = arguments.constant("n", 0)
        keys = picking.names_of(arguments.take("columns", 1) or Constant(None))
        base = frame.settled() if frame.taken else frame
        method = "nsmallest" if ascending else "nlargest"
        reader.require(_no_tie_at(frame, count, keys, f"({arguments.receiver})", method, reader))
        order = Order(keys, (ascending,) * len(keys))
        longer = f"({arguments.receiver}).{method}({count + 1}, {list(keys)!r})"
        ordered = replace(base, order=_untied(frame, count, order, longer, reader))
        return picking.take_rows(ordered, 0, count)

    return reading
