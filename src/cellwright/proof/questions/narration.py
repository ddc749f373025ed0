"""What each statement of a slice does, in a short sentence: the comments of an oracle's cells."""

import ast
from collections.abc import Sequence

from cellwright.proof.questions import wording
from cellwright.proof.questions.reader import NOTHING_SEEN, Reader
from cellwright.proof.questions.symbols import Column, Condition, Frame, FrameBox, Grouping, Quantity, Seen, Symbol

IMPORTS, PREPARES = "Import what is needed.", "Prepare the next step."
"""What is said of statements that have no words of their own."""


def narrate(units: Sequence[str], seen: Seen = NOTHING_SEEN) -> list[str]:
    """One sentence per unit. Raises Unreadable where a unit is."""
    reader = Reader(seen)
    sentences: list[str] = []
    for unit in units:
        before = {name: _words(symbol) for name, symbol in reader.names.items()}
        for statement in ast.parse(unit).body:
            reader.run(statement)
        after = {name: _words(symbol) for name, symbol in reader.names.items()}
        changed = [after[name] for name in after if before.get(name) != after[name] and after[name]]
        sentences.append(changed[0] if changed else _plain(unit))
    return sentences


def _plain(unit: str) -> str:
    return IMPORTS if unit.startswith(("import ", "from ")) else PREPARES


def _words(symbol: Symbol) -> str:
    match symbol:
        case FrameBox():
            return _frame(symbol.frame)
        case Frame():
            return _frame(symbol)
        case Column() | Quantity():
            return f"Work out {symbol.words}."
        case Condition():
            return f"Mark the rows where {symbol.words}."
        case Grouping():
            return f"Group the rows by {wording.listing([key.words for key in symbol.keys])}."
    return ""


def _frame(frame: Frame) -> str:
    steps = frame.settled().steps
    if steps:
        return f"{wording.capital(steps[-1])}."
    if frame.selection is not None:
        return f"Look only at {wording.listing([wording.name(column) for column in frame.selection])}."
    return f"Load {wording.listing([wording.name(table) for table in frame.tables])}."
