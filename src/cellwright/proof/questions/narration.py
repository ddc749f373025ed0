"""What each statement of a slice does, in a short sentence: the comments of an oracle's cells."""

import ast
import re
from collections.abc import Sequence

from cellwright.proof.questions import wording
from cellwright.proof.questions.reader import NOTHING_SEEN, Reader
from cellwright.proof.questions.symbols import Column, Condition, Frame, FrameBox, Grouping, Quantity, Seen, Symbol

IMPORTS, PREPARES = "Import what is needed.", "Prepare the next step."
"""What is said of statements that have no words of their own."""


def narrate(units: Sequence[str], seen: Seen = NOTHING_SEEN) -> list[str]:
    """One sentence per unit, and one more for each value on the side that it names first. Raises Unreadable where a
    unit is."""
    reader = Reader(seen)
    sentences: list[str] = []
    defined: set[str] = set()
    for unit in units:
        before = _held(reader)
        for statement in ast.parse(unit).body:
            reader.run(statement)
        files = {table for symbol in reader.names.values() for table in _tables(symbol)}
        frames = [symbol for symbol in before.values() if isinstance(symbol, Frame)]
        new = [symbol for name, symbol in _held(reader).items() if symbol != before.get(name)]
        changed = [words for symbol in new if (words := _words(symbol, frames, len(files) > 1))]
        sentence = changed[0] if changed else _plain(unit)
        for note in reader.notes.values():
            if note.name not in defined and re.search(rf"\b{re.escape(note.name)}\b", sentence):
                defined.add(note.name)
                sentence = f"{sentence} Here {note.name} is {note.text}."
        sentences.append(sentence)
    return sentences


def _held(reader: Reader) -> dict[str, Symbol]:
    """What names stand for; a table as it is now."""
    return {name: s.frame if isinstance(s, FrameBox) else s for name, s in reader.names.items()}


def _tables(symbol: Symbol) -> tuple[str, ...]:
    if isinstance(symbol, FrameBox):
        return symbol.frame.tables
    return symbol.frame.tables if isinstance(symbol, (Column, Quantity)) else ()


def _plain(unit: str) -> str:
    return IMPORTS if unit.startswith(("import ", "from ")) else PREPARES


def _words(symbol: Symbol, frames: Sequence[Frame], has_several_files: bool) -> str:
    match symbol:
        case Frame():
            return _frame(symbol, frames)
        case Column() | Quantity():
            files = wording.listing([wording.name(table) for table in symbol.frame.tables])
            return f"Work out {symbol.words}{f' ({files})' if has_several_files else ''}."
        case Condition():
            return f"Mark the rows where {symbol.words}."
        case Grouping():
            return f"Group the rows by {wording.listing([key.words for key in symbol.keys])}."
    return ""


def _frame(frame: Frame, frames: Sequence[Frame]) -> str:
    """What was done to a table since the nearest of those that there were before."""
    steps = frame.settled().steps
    known = [one.settled().steps for one in frames if one.tables[0] == frame.tables[0]]
    told = max((one for one in known if steps[: len(one)] == one), key=len, default=None)
    new = steps[len(told) :] if told is not None else steps[-1:]
    if new:
        return f"{wording.capital('; then '.join(new))}."
    if frame.selection is not None:
        return f"Look only at {wording.listing([wording.name(column) for column in frame.selection])}."
    return f"Load {wording.listing([wording.name(table) for table in frame.tables])}."
