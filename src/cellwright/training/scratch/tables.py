"""Made tables: a few columns of labels and of numbers, some tens of rows, from a seed."""

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cellwright.core.hashing import sha256_bytes
from cellwright.core.types import Table
from cellwright.training.scratch.names import Name, Naming, Style

_ROWS = (20, 30, 40, 60)


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


def make_table(rng: random.Random, style: Style, *, held_out: bool) -> MadeTable:
    """A table whose names are those of training, or those kept for tests."""
    naming = Naming(rng, style, held_out=held_out)
    file = naming.file()
    labels = [
        LabelColumn(naming.column(), tuple(naming.label() for _ in range(rng.choice((2, 3, 4)))))
        for _ in range(rng.choice((1, 2, 2)))
    ]
    columns: dict[str, list[str]] = {}
    rows = rng.choice(_ROWS)
    for label in labels:
        columns[label.name.written] = [rng.choice(label.labels) for _ in range(rows)]
    numbers: list[NumberColumn] = []
    for _ in range(rng.choice((2, 3, 3))):
        name, high = naming.column(), rng.choice((10, 100, 1000))
        whole = rng.random() < 0.5
        columns[name.written] = [
            str(rng.randint(0, high) if whole else round(rng.uniform(0, high), 2)) for _ in range(rows)
        ]
        numbers.append(NumberColumn(name, 0, high))
    content = _csv(rng, columns)
    return MadeTable(
        Table(sha256_bytes(content), file, len(content)), content, tuple(labels), tuple(numbers), naming.stems
    )


def read_table(path: Path) -> MadeTable:
    """A table that is there already, as far as a program may use it; its names are said as they are written."""
    content = path.read_bytes()
    head, *rows = list(csv.reader(io.StringIO(content.decode())))
    columns = dict(zip(head, zip(*rows, strict=True), strict=True))
    numbers = {name: found for name, column in columns.items() if (found := _numbers(column))}
    return MadeTable(
        Table(sha256_bytes(content), path.name, len(content)),
        content,
        tuple(
            LabelColumn(Name(name, name), labels)
            for name, column in columns.items()
            if name not in numbers and 1 < len(labels := tuple(dict.fromkeys(column))) <= len(rows) / 4
        ),
        tuple(NumberColumn(Name(name, name), min(found), max(found)) for name, found in numbers.items()),
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
