"""Sanity: the answer has the kind, unit and range that its question speaks of, and the tables are named."""

import datetime
import math
import re
from collections.abc import Iterator, Sequence

from cellwright.answers import AnswerError, Value, compare, from_json
from cellwright.core.types import Contract, GateResult
from cellwright.proof.gates.protocol import Subject, Trial, Tried, result

NAME = "sanity"
_COUNTS = re.compile(r"\bhow many\b|what is the number of\b", re.IGNORECASE)
_ARITHMETIC = re.compile(r"\bminus\b|difference|divided by|\btimes\b|\bplus\b|change|growth|per 100", re.IGNORECASE)
_FRACTION = re.compile(r"what is the (fraction|proportion|share)\b", re.IGNORECASE)
_NEVER_NEGATIVE = re.compile(
    r"what is the (sample |population )?(standard deviation|variance|interquartile range)\b", re.IGNORECASE
)
_CORRELATION = re.compile(r"what is the (\w+ )?correlation\b", re.IGNORECASE)
_CONDITION = re.compile(r"\b(rows|records|entries)\b[^.?]*\bwhere\b", re.IGNORECASE)
_FILE = re.compile(r"`([^`/]+\.(?:csv|tsv|txt|xlsx?|json|parquet|feather|pkl|data|dat|gz|zip))`")
_LIMITS = ("nrows", "chunksize", "skipfooter", "max_rows", "n_rows")
_NO_ANSWERS = frozenset(("", "nan", "none", "null", "nat", "<na>", "inf", "-inf"))
_YEARS = range(1000, 2200)
_EPOCH = datetime.date(1970, 1, 1)


class Sanity:
    """Reads the task and what its tables hold; runs nothing."""

    name = NAME

    def trials(self, subject: Subject) -> Sequence[Trial]:
        return []

    def verdict(self, subject: Subject, tried: Sequence[Tried]) -> GateResult:
        task = subject.task
        try:
            answer = from_json(task.answer_json, task.contract)
        except AnswerError as error:
            return result(NAME, "the answer does not fit its contract", text=str(error))
        parts = list(_scalars(answer))
        checks = (
            _tables_named(subject),
            "reads only a part of a table" if unstated_limit(subject) else "",
            "no answer" if not parts or any(_is_none(part) for part in parts) else "",
            _not_to_be_listed(answer, subject.task.contract),
            _out_of_range(subject, answer),
            _of_all_rows(subject, answer),
        )
        return result(
            NAME, next((reason for reason in checks if reason), ""), parts=len(parts), read=unstated_limit(subject)
        )


def _scalars(value: Value) -> Iterator[object]:
    """All single values of an answer, keys of a mapping too."""
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from _scalars(item)
    else:
        yield value


def _measured(answer: Value, contract: Contract) -> Iterator[object]:
    """The single values of an answer; of a mapping, what its keys are mapped to."""
    if contract.kind == "mapping" and isinstance(answer, tuple):
        answer = tuple(pair[1] for pair in answer if isinstance(pair, tuple))
    return _scalars(answer)


def _not_to_be_listed(answer: Value, contract: Contract) -> str:
    """A comma-separated list of texts with commas is told from no other one; nor is one with other marks of a list."""
    items = answer if isinstance(answer, (tuple, list)) else ()
    texts = [item for item in items if isinstance(item, str)]
    if any("," in text for text in texts):
        return "a comma in an item of a list"
    if texts and len(texts) == len(items) and compare(answer, ", ".join(texts), contract).verdict != "correct":
        return "a mark of lists in an item of one"
    return ""


def _is_none(part: object) -> bool:
    if isinstance(part, float):
        return not math.isfinite(part)
    return part is None or (isinstance(part, str) and part.strip().lower() in _NO_ANSWERS)


def _tables_named(subject: Subject) -> str:
    """Whether the question names the tables that there are, and no other one."""
    task = subject.task
    tables = [table.name for table in task.tables]
    read = {call.path.removeprefix("data/") for call in subject.reading.calls if call.path.startswith("data/")}
    if not read <= set(tables):
        return "reads a table that it does not have"
    for question in (task.question, *task.phrasings):
        text = question.casefold()
        if any(name.casefold() not in text and _stem(name) not in text for name in tables):
            return "does not name its table"
        if any(
            found not in tables and found.casefold() not in map(str.casefold, tables)
            for found in _FILE.findall(question)
        ):
            return "names a table that it does not have"
    return ""


def _stem(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0].casefold()


def _out_of_range(subject: Subject, answer: Value) -> str:
    task, contract = subject.task, subject.task.contract
    question = task.question
    numbers = [n for n in _measured(answer, contract) if isinstance(n, (int, float)) and not isinstance(n, bool)]
    low, high = min(numbers, default=0), max(numbers, default=0)
    plain = not _ARITHMETIC.search(question)
    if contract.kind == "integer" and _COUNTS.search(question) and plain and low < 0:
        return "a negative count"
    asks_share = contract.kind == "number" and contract.unit is None and plain and _FRACTION.search(question)
    if (contract.unit == "fraction" or asks_share) and not 0 <= low <= high <= 1:
        return "a fraction that is not between 0 and 1"
    if contract.kind == "percent" and numbers and 0 < max(abs(low), abs(high)) <= 1 and contract.unit != "fraction":
        return "" if "100" in subject.reading.source else "a fraction where a percentage is asked for"
    if _NEVER_NEGATIVE.search(question) and plain and low < 0:
        return "a negative spread"
    if _CORRELATION.search(question) and plain and contract.kind == "number" and not -1 <= low <= high <= 1:
        return "a correlation that is not between -1 and 1"
    days = [part for part in _scalars(answer) if isinstance(part, datetime.date)]
    if any(day.year not in _YEARS for day in days):
        return "a date out of range"
    if any(day.year == 1970 and day.timetuple()[:3] == _EPOCH.timetuple()[:3] for day in days):
        return "the first day of the epoch: numbers were read as dates"
    return ""


def _of_all_rows(subject: Subject, answer: Value) -> str:
    """A count under a condition that keeps every row of the only table: the condition says nothing."""
    task = subject.task
    if len(task.tables) != 1 or not isinstance(answer, int) or isinstance(answer, bool):
        return ""
    facts = subject.survey.tables.get(task.tables[0].name)
    if facts is None or facts.problem or not _COUNTS.search(task.question) or not _CONDITION.search(task.question):
        return ""
    return "the condition keeps every row" if answer == facts.rows else ""


def unstated_limit(subject: Subject) -> str:
    """A limit on how much of a file is read (`nrows=1000`) that the question does not state; empty for none."""
    question = subject.task.question.replace(",", "")
    for call in subject.reading.calls:
        for name in _LIMITS:
            value = call.given.get(name)
            if value is not None and not re.search(rf"(?<![\d.]){re.escape(str(value))}(?![\d.])", question):
                return f"{name}={value if value is not ... else '(computed)'}"
    return ""
