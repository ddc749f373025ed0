"""A pair: a right answer, a text that somebody could have given, and whether it is right by the way it was made.

No grader has a say in a label. `right` texts write the same value in a form that people and models use; `wrong` ones
write another value, several values, or none; `unclear` ones are left to nobody: a careful reader would ask back.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from cellwright.answers import to_json
from cellwright.core.records import from_row
from cellwright.core.types import AnswerKind, Contract

Label: TypeAlias = Literal["right", "wrong", "unclear"]

T = TypeVar("T")

PAIRS = Path(__file__).parent / "pairs.jsonl"


@dataclass(frozen=True)
class Pair:
    """One line of the set."""

    kind: AnswerKind
    family: str
    """The way in which the text was made, for example "off by one"."""
    label: Label
    expected: str
    """The right answer as JSON, see `cellwright.answers.to_json`."""
    given: str
    contract: Contract


class Made(NamedTuple):
    """What one draw of a family gives."""

    expected: object
    given: str


@dataclass(frozen=True)
class Family:
    """Texts that are made in one way, and so have one label."""

    name: str
    label: Label
    contract: Contract
    make: Callable[[Random], Made]
    count: int
    """Pairs that are drawn from it; repeated ones are left out."""


def forms(
    contract: Contract,
    label: Label,
    draw: Callable[[Random], tuple[object, T]],
    written: Mapping[str, Callable[[T], str]],
    count: int = 6,
) -> Iterator[Family]:
    """One family for each way to write what is drawn: the right answer, and the parts that a text is made of."""
    for name, write in written.items():

        def make(rng: Random, write: Callable[[T], str] = write) -> Made:
            expected, parts = draw(rng)
            return Made(expected, write(parts))

        yield Family(name, label, contract, make, count)


def templates(*texts: str) -> dict[str, Callable[[Any], str]]:
    """Ways to write given as texts with places, for parts that are one value or a tuple."""
    return {f"as {text!r}": partial(_fill, text) for text in texts}


def literally(texts: Iterable[str]) -> dict[str, Callable[[object], str]]:
    """Ways to write that are texts as they stand, whatever is drawn."""
    return {f"as {text!r}": constant(text) for text in texts}


def constant(text: str) -> Callable[[object], str]:
    """A way to write that is one text."""
    return lambda _: text


def _fill(text: str, parts: Any) -> str:
    return text.format(*parts) if isinstance(parts, tuple) else text.format(parts)


def pairs_of(families: Iterable[Family], seed: int) -> Iterator[Pair]:
    """The pairs of all families: those of one do not depend on what others stand beside it."""
    seen: set[str] = set()
    for family in families:
        for number in range(family.count):
            rng = Random(f"{seed} {family.contract.kind} {family.name} {family.label} {number}")
            expected, given = family.make(rng)
            pair = Pair(family.contract.kind, family.name, family.label, to_json(expected), given, family.contract)
            line = to_line(pair)
            if line not in seen:
                seen.add(line)
                yield pair


def to_line(pair: Pair) -> str:
    """The pair as one line of JSON, its contract without what is usual."""
    usual = {field.name: field.default for field in fields(Contract) if field.default is not MISSING}
    contract = {name: value for name, value in asdict(pair.contract).items() if usual.get(name, MISSING) != value}
    row = {
        "family": pair.family,
        "label": pair.label,
        "contract": contract,
        "expected": json.loads(pair.expected),
        "given": pair.given,
    }
    return json.dumps(row, ensure_ascii=True)


def from_line(line: str) -> Pair:
    """The pair of a line."""
    row: dict[str, Any] = json.loads(line)
    contract = from_row(Contract, row["contract"])
    expected = json.dumps(row["expected"], ensure_ascii=False)
    return Pair(contract.kind, row["family"], row["label"], expected, row["given"], contract)
