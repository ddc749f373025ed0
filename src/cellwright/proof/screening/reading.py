"""What stands in a question: its names, its quoted values, its numbers; and what an answer is made of."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cellwright.answers import AnswerError, Value, from_json
from cellwright.core.types import Contract, Task

_CONTRACT = re.compile(r"\s*Answer with (?:an?|the|one|yes|a) .*$", re.DOTALL)
_NAME = re.compile(r"`([^`\n]+)`")
_QUOTED = re.compile(r'"([^"\n]+)"|“([^”\n]+)”')
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?![\w]|\.\d)")
_MOST_ITEMS = 200


@dataclass(frozen=True)
class Reading:
    """The parts of a question, its contract left out."""

    prose: str
    """All but names and quoted values."""
    columns: tuple[str, ...]
    """Names in backticks that are no table's, each once, in order."""
    values: tuple[str, ...]
    """Quoted values, each once, in order."""
    numbers: tuple[str, ...]
    """Numbers in the prose, in order."""


def read_question(task: Task) -> Reading:
    """The question's parts. Backticks set off names and double quotes values, as our own wording does."""
    asked = _CONTRACT.sub("", task.question)
    tables = {table.name for table in task.tables}
    names = dict.fromkeys(name for name in _NAME.findall(asked) if name not in tables)
    bare = _NAME.sub(" ", asked)
    values = dict.fromkeys(first or second for first, second in _QUOTED.findall(bare))
    prose = _QUOTED.sub(" ", bare)
    return Reading(prose, tuple(names), tuple(values), tuple(NUMBER.findall(prose)))


def answer_of(task: Task) -> Value:
    """The answer as a value; None for one that does not fit its contract, which no gate here can judge."""
    try:
        return from_json(task.answer_json, task.contract)
    except AnswerError:
        return None


def scalars(value: Value, contract: Contract) -> Iterator[object]:
    """The values that an answer gives: a list's items, a mapping's values, or the one."""
    if isinstance(value, tuple):
        for item in value[:_MOST_ITEMS]:
            yield item[1] if contract.kind == "mapping" and isinstance(item, tuple) else item
    elif value is not None:
        yield value


def telling_number(value: object) -> bool:
    """A number that does not stand somewhere by chance: three significant digits or more, and not a year."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or is_year(value):
        return False
    digits = re.sub(r"e.*$", "", repr(abs(value))).replace(".", "").strip("0")
    whole = repr(abs(value)).removesuffix(".0")
    return len(whole.lstrip("0.") if "." in whole else whole) >= 3 or len(digits) >= 3


def is_year(value: object) -> bool:
    """A whole number that tables use as a label of time."""
    return isinstance(value, int) and not isinstance(value, bool) and 1800 <= value <= 2100


def label(value: object) -> str:
    """A text, date or year as a label; empty for what is none."""
    if isinstance(value, datetime.date) or is_year(value):
        return str(value)
    return value.strip() if isinstance(value, str) else ""
