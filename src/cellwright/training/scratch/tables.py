"""Made tables: a few columns of labels and of numbers, some tens of rows, from a seed."""

import csv
import io
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cellwright.core.hashing import sha256_bytes
from cellwright.core.types import Table
from cellwright.training.scratch.names import Name, Naming, Style

_WORDS = re.compile("[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_ROWS = (20, 30, 40, 60)
NARROW, WIDE, ANY = range(3, 6), range(6, 13), range(2, 15)
"""Numbers of columns."""
_HIGHS = (1, 10, 100, 1000, 10_000, 100_000)
_YEARS = range(1850, 1990)
"""In one of which columns of years begin."""


@dataclass(frozen=True)
class LabelColumn:
    """A column of labels."""

    name: Name
    labels: tuple[str, ...]


@dataclass(frozen=True)
class NumberColumn:
    """A column of measurements."""

    name: Name
    low: float
    high: float


@dataclass(frozen=True)
class MadeTable:
    """A table and what a program over it may use."""

    table: Table
    content: bytes
    labels: tuple[LabelColumn, ...]
    numbers: tuple[NumberColumn, ...]
    stems: tuple[str, ...]
    """Of which its names are made."""

    @property
    def path(self) -> str:
        """As programs of its tasks name it."""
        return f"data/{self.table.name}"


def make_table(rng: random.Random, style: Style, columns: range, *, held_out: bool) -> MadeTable:
    """A table of so many columns, whose names are those of training, or those kept for tests."""
    naming = Naming(rng, style, held_out=held_out)
    file, count = naming.file(), rng.choice(columns)
    names = naming.columns(count)
    labels = [
        LabelColumn(names.pop(), tuple(naming.label() for _ in range(rng.choice((2, 3, 4)))))
        for _ in range(max(1, round(count * rng.uniform(0.2, 0.5))))
    ]
    values: dict[str, list[str]] = {}
    rows = rng.choice(_ROWS)
    for label in labels:
        values[label.name.written] = [rng.choice(label.labels) for _ in range(rows)]
    numbers: list[NumberColumn] = []
    for name in names:
        low, high, decimals = _figures(rng)
        values[name.written] = [
            str(round(rng.uniform(low, high), decimals) if decimals else rng.randint(low, high)) for _ in range(rows)
        ]
        numbers.append(NumberColumn(name, low, high))
    content = _csv(rng, values)
    return MadeTable(
        Table(sha256_bytes(content), file, len(content)), content, tuple(labels), tuple(numbers), naming.stems
    )


def _figures(rng: random.Random) -> tuple[int, int, int]:
    """Of a column of numbers: lowest, highest, and decimals."""
    if rng.random() < 0.1:
        begin = rng.choice(_YEARS)
        return begin, begin + rng.randint(10, 60), 0
    high = rng.choice(_HIGHS)
    decimals = rng.choice((1, 2, 3)) if high == 1 else rng.choice((0, 0, 1, 2, 2, 4))
    return -high if rng.random() < 0.1 else 0, high, decimals


def read_table(path: Path, *, in_words: bool = False) -> MadeTable:
    """A table that is there already, as far as a program may use it; its names are said as they are written, or
    `in_words`, small and without what joins them."""
    content = path.read_bytes()
    head, *rows = list(csv.reader(io.StringIO(content.decode())))
    columns = dict(zip(head, zip(*rows, strict=True), strict=True))
    numbers = {name: found for name, column in columns.items() if (found := _numbers(column))}
    said = {name: " ".join(_WORDS.findall(name)).lower() if in_words else name for name in columns}
    return MadeTable(
        Table(sha256_bytes(content), path.name, len(content)),
        content,
        tuple(
            LabelColumn(Name(name, said[name]), labels)
            for name, column in columns.items()
            if name not in numbers and 1 < len(labels := tuple(dict.fromkeys(column))) <= len(rows) / 4
        ),
        tuple(NumberColumn(Name(name, said[name]), min(found), max(found)) for name, found in numbers.items()),
        (),
    )


def _numbers(column: Sequence[str]) -> tuple[float, ...]:
    """A column's values as numbers; none where one is no number, or all are the same."""
    try:
        found = tuple(map(float, column))
    except ValueError:
        return ()
    return found if len(set(found)) > 1 else ()


def _csv(rng: random.Random, columns: dict[str, list[str]]) -> bytes:
    order = list(columns)
    rng.shuffle(order)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(order)
    writer.writerows(zip(*(columns[name] for name in order), strict=True))
    return text.getvalue().encode()
