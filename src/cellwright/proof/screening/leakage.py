"""The leakage gate: does the answer stand where it can be read without computing it?

Places: the question, the names of the tables, their first rows, and the notebook's own text. The last of them is told
and does not fail a task unless it is wanted so: whoever gets the question gets the notebook's text only from elsewhere.

What it does not promise: an answer that somebody could read off by reasoning over the first rows is not found here.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from cellwright.answers import Value, compare
from cellwright.core.types import Contract, GateResult, Task
from cellwright.proof.heads import TableHead
from cellwright.proof.screening.reading import (
    NUMBER,
    Reading,
    answer_of,
    is_year,
    label,
    read_question,
    scalars,
    telling_number,
)

GATE = "leakage"
_CANDIDATES = 3
"""A question that offers so many names or values asks to choose, which the closed-book gate watches."""
_LABEL_CHARS = 3
_PROSE_CHARS = 4
_TOKENS = 5_000
"""Numbers looked at in one text."""


def leakage_gate(task: Task, heads: Sequence[TableHead], prose: str, *, told_fails: bool = False) -> GateResult:
    """Where the answer can be read. `heads` are those of the task's tables, `prose` the notebook's markdown."""
    value = answer_of(task)
    parts = list(scalars(value, task.contract))
    checked = {
        "question": _in_question(parts, value, read_question(task), task.contract),
        "table name": _in_names(parts, [table.name for table in task.tables]),
        "first rows": bool(heads) and _in_heads(parts, heads, task.contract),
    }
    told = _in_prose(parts, prose, task.contract)
    found = [place for place, stands in checked.items() if stands]
    evidence = {"found in": found, "told by the notebook's text": told, "heads": len(heads)}
    return GateResult(GATE, not found and not (told and told_fails), json.dumps(evidence))


def _in_question(parts: Sequence[object], value: Value, reading: Reading, contract: Contract) -> bool:
    """A list in order that stands in the question is a choice of orders, and so no leak."""
    # A choice leaves out at least as much as it takes.
    fewest = max(_CANDIDATES, 2 * len(parts))
    if not parts or (isinstance(value, tuple) and contract.kind == "list" and contract.ordered and len(parts) > 1):
        return False
    return all(_part_in_question(part, reading, contract, fewest) for part in parts) or _is_their_number(value, reading)


def _is_their_number(value: Value, reading: Reading) -> bool:
    """How many rows have one of these labels: where that is how many labels there are, each stands once."""
    return isinstance(value, int) and not isinstance(value, bool) and value == len(reading.values) > 1


def _part_in_question(part: object, reading: Reading, contract: Contract, fewest: int) -> bool:
    text = label(part)
    if telling_number(part) or is_year(part):
        offered = [number for number in reading.numbers if len(number) == len(str(part))]
        return len(offered) < fewest and _among(part, reading.numbers, contract)
    if not text:
        return False
    for offered_texts in (reading.values, reading.columns):
        if text.casefold() in map(str.casefold, offered_texts):
            return len(offered_texts) < fewest
    # In prose only as it is written, and only what is no everyday word there: "Total" in "the total of" is no leak.
    return (
        len(text) >= _PROSE_CHARS and not text.islower() and _stands(text, reading.prose) and not _opens(text, reading)
    )


def _opens(text: str, reading: Reading) -> bool:
    """Whether it may have its capital from standing first in a sentence."""
    return re.search(rf"(?:^|[.?!]\s+){re.escape(text)}\b", reading.prose) is not None


def _stands(text: str, where: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", where) is not None


def _in_names(parts: Sequence[object], names: Iterable[str]) -> bool:
    texts = [label(part) or (str(part) if telling_number(part) else "") for part in parts]
    if not texts or not all(len(text) >= _LABEL_CHARS for text in texts):
        return False
    stems = [_words(re.sub(r"\.\w+$", "", name)) for name in names]
    return all(any(f" {_words(text).strip()} " in stem for stem in stems if _words(text).strip()) for text in texts)


def _words(text: str) -> str:
    words = " ".join(re.findall(r"[^\W_]+", text.casefold()))
    return f" {words} "


def _in_heads(parts: Sequence[object], heads: Sequence[TableHead], contract: Contract) -> bool:
    return bool(parts) and all(_part_in_heads(part, heads, contract) for part in parts)


def _part_in_heads(part: object, heads: Sequence[TableHead], contract: Contract) -> bool:
    """A telling number anywhere; a label where the first rows show no other one in its column."""
    if telling_number(part):
        return _among(part, _shown(heads), contract)
    text = label(part).casefold()
    return bool(text) and any(len(column) > 1 and set(column) == {text} for head in heads for column in _columns(head))


def _columns(head: TableHead) -> Iterator[list[str]]:
    for place in range(len(head.columns)):
        yield [row[place].strip().casefold() for row in head.rows]


def _shown(heads: Sequence[TableHead]) -> Iterator[str]:
    for head in heads:
        yield from (value for row in head.rows for value in row)
        yield from NUMBER.findall(head.text)


def _in_prose(parts: Sequence[object], prose: str, contract: Contract) -> bool:
    """Labels stand in any text about the data; a telling number does not."""
    numbers = [match[0] for match, _ in zip(NUMBER.finditer(prose), range(_TOKENS), strict=False)]
    return bool(parts) and all(telling_number(part) and _among(part, numbers, contract) for part in parts)


def _among(part: object, numbers: Iterable[str], contract: Contract) -> bool:
    """Whether a number is one of these texts, under the rounding of the answer."""
    single = Contract("integer" if isinstance(part, int) else "number", decimals=contract.decimals)
    wanted = part if isinstance(part, (int, float)) else None
    return wanted is not None and any(
        _near(wanted, text) and compare(wanted, text, single).verdict == "correct" for text in numbers
    )


def _near(wanted: float, text: str) -> bool:
    """Cheap: most numbers are far away, and need no reading under a contract."""
    try:
        found = float(text.replace(",", ""))
    except ValueError:
        return False
    return abs(found - wanted) <= 1e-2 * max(abs(wanted), abs(found))
