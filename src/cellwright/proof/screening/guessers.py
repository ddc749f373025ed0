"""Guessers: programs that answer a question without its data.

A guesser that has a rule sees one question and its contract. A guesser of the crowd answers what similar questions of
the same dataset are most often answered with. None of them sees a table, so what they hit teaches and measures nothing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cellwright.answers import compare
from cellwright.answers.values import NUMERIC, TEXTUAL
from cellwright.core.types import Task
from cellwright.proof.screening.reading import Reading, answer_of, read_question

CONSTANTS = (0, 1, 2, 3, 5, 10, 100, 0.5, 50)


@dataclass(frozen=True)
class Guesser:
    """One rule."""

    name: str
    guess: Callable[[Task, Reading], object | None]
    """What it answers; None where it has no guess."""


def _constant(number: float) -> Guesser:
    return Guesser(f"always {number}", lambda task, _: number if task.contract.kind in NUMERIC else None)


def _word(word: bool) -> Guesser:
    name = "always yes" if word else "always no"
    return Guesser(name, lambda task, _: word if task.contract.kind == "boolean" else None)


def _number(name: str, choose: Callable[[Sequence[str]], str]) -> Guesser:
    def guess(task: Task, reading: Reading) -> object | None:
        if task.contract.kind not in NUMERIC or not reading.numbers:
            return None
        return _value(choose(reading.numbers))

    return Guesser(name, guess)


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def _count(name: str, count: Callable[[Reading], int]) -> Guesser:
    def guess(task: Task, reading: Reading) -> object | None:
        found = count(reading)
        return found if task.contract.kind in NUMERIC and found else None

    return Guesser(name, guess)


def _text(name: str, texts: Callable[[Task, Reading], Sequence[str]], place: int) -> Guesser:
    def guess(task: Task, reading: Reading) -> object | None:
        found = texts(task, reading) if task.contract.kind in TEXTUAL else ()
        return found[place] if found else None

    return Guesser(name, guess)


def _several(name: str, texts: Callable[[Reading], Sequence[str]]) -> Guesser:
    def guess(task: Task, reading: Reading) -> object | None:
        return tuple(texts(reading)) or None if task.contract.kind in {"list", "set"} else None

    return Guesser(name, guess)


def _stems(task: Task, _: Reading) -> list[str]:
    return [re.sub(r"\.\w+$", "", table.name.rpartition("/")[2]) for table in task.tables]


def _choices(task: Task, _: Reading) -> Sequence[str]:
    return task.contract.choices


# What anybody would say who knows the world and not the table: words of the question, and the answer to them.
_EXPECTED: Sequence[tuple[str, object]] = (
    (r"\bduplicate", 0),
    (r"\bmissing\b|\bnull\b|\bempty\b", 0),
    (r"\bcorrelation\b", 0.5),
    (r"\b(?:share|percent(?:age)?|proportion|fraction)\b", 50),
    (r"\bp-value\b", 0.0),
    (r"(?:sex|gender)\b", "male"),
    (r"(?:country|nation|team)\b", "United States"),
    (r"city\b", "New York"),
    (r"month\b", 12),
    (r"year\b", 2020),
    (r"\bratings?\b|\bstars?\b", 5),
    (r"\b(?:minimum|lowest|smallest)\b", 0),
    (r"\b(?:maximum|highest|largest)\b", 100),
)


def _expected(task: Task, _: Reading) -> object | None:
    asked = task.question.casefold()
    wanted: type | tuple[type, ...] = (int, float) if task.contract.kind in NUMERIC else str
    if task.contract.kind not in NUMERIC | TEXTUAL:
        return None
    found = (answer for words, answer in _EXPECTED if isinstance(answer, wanted) and re.search(words, asked))
    return next(found, None)


GUESSERS: tuple[Guesser, ...] = (
    *map(_constant, CONSTANTS),
    _word(True),
    _word(False),
    _number("first number of the question", lambda numbers: numbers[0]),
    _number("last number of the question", lambda numbers: numbers[-1]),
    _number("largest number of the question", lambda numbers: max(numbers, key=_value)),
    _count("how many columns are named", lambda reading: len(reading.columns)),
    _count("how many values are quoted", lambda reading: len(reading.values)),
    _text("first quoted value", lambda _, reading: reading.values, 0),
    _text("last quoted value", lambda _, reading: reading.values, -1),
    _text("first column named", lambda _, reading: reading.columns, 0),
    _text("last column named", lambda _, reading: reading.columns, -1),
    _text("first choice of the contract", _choices, 0),
    _text("last choice of the contract", _choices, -1),
    _text("name of the file", _stems, 0),
    _several("the quoted values, in order", lambda reading: reading.values),
    _several("the columns named, in order", lambda reading: reading.columns),
    Guesser("what the words suggest", _expected),
)


def _last_column(task: Task) -> str:
    columns = read_question(task).columns
    return columns[-1] if columns else ""


CROWD: Mapping[str, Callable[[Task], tuple[object, ...]]] = {
    "most frequent answer of its kind": lambda task: (task.contract.kind,),
    "most frequent answer of its contract": lambda task: (
        task.contract.kind,
        task.contract.unit,
        task.contract.decimals,
        task.contract.item,
    ),
    "most frequent answer of its family": lambda task: (task.contract.kind, task.family),
    "most frequent answer about its column": lambda task: (task.contract.kind, task.family, _last_column(task)),
}
"""Guessers of the crowd: name, and what makes two tasks similar."""


def hits(task: Task) -> list[str]:
    """Names of the guessers with a rule that are right about this task."""
    expected = answer_of(task)
    if expected is None:
        return []
    reading = read_question(task)
    found = []
    for guesser in GUESSERS:
        guess = guesser.guess(task, reading)
        if guess is not None and compare(expected, guess, task.contract).verdict == "correct":
            found.append(guesser.name)
    return found
