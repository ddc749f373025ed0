"""The closed-book gate: of the tasks that a guesser hits, so many go that it hits no more than its share of the rest.

Which ones go depends on a hash of their ids, never on the order of reading. Booleans that
are true and those that are not stay in equal numbers, more or less one. What is known of tasks stands in a database on
disk: memory does not grow with them.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cellwright.core.hashing import sha256_bytes, short_id
from cellwright.core.types import GateResult, Task
from cellwright.proof.screening.guessers import CROWD, GUESSERS, hits

GATE = "closed-book"
GUESSED = f"{GATE}: a guesser without the data is right too often"
_FEWEST = 2
"""Hits that each guesser may always have: the share of a handful of tasks says nothing."""
_WORDS = ("always yes", "always no")
_TABLES = """
CREATE TABLE task (id TEXT PRIMARY KEY, rank TEXT, hits TEXT, dropped TEXT DEFAULT '[]') WITHOUT ROWID;
CREATE INDEX by_rank ON task (rank);
CREATE TABLE similar (id TEXT, guesser TEXT, key TEXT, answer TEXT, PRIMARY KEY (id, guesser)) WITHOUT ROWID;
CREATE TABLE kept (guesser TEXT, key TEXT, answer TEXT, count INTEGER,
    PRIMARY KEY (guesser, key, answer)) WITHOUT ROWID;
CREATE TABLE most (guesser TEXT, key TEXT, count INTEGER, PRIMARY KEY (guesser, key)) WITHOUT ROWID;
"""
_PAGE = "SELECT id, rank, hits FROM task WHERE rank > ? ORDER BY rank LIMIT 500"


@dataclass(frozen=True)
class GuesserRate:
    """How often one guesser is right."""

    guesser: str
    hits: int
    tasks: int

    @property
    def share(self) -> float:
        return self.hits / self.tasks if self.tasks else 0.0


class ClosedBook:
    """All tasks of a dataset as every guesser sees them: `add` each, `decide` once, then ask for each one's `gate`."""

    def __init__(self) -> None:
        # The empty name is SQLite's for a database on disk that goes with its connection.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(f"PRAGMA synchronous = OFF; {_TABLES} BEGIN;")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def add(self, task: Task) -> None:
        """Let every guesser look at one task; the same id counts once."""
        row = (task.id, sha256_bytes(task.id.encode()), json.dumps(hits(task)))
        self._db.execute("INSERT OR REPLACE INTO task (id, rank, hits) VALUES (?, ?, ?)", row)
        answer = short_id(task.answer_json.casefold())
        for guesser, similar in CROWD.items():
            key = short_id(*map(str, similar(task)))
            self._db.execute("INSERT OR REPLACE INTO similar VALUES (?, ?, ?, ?)", (task.id, guesser, key, answer))

    def decide(self, share: float) -> None:
        """Choose who stays, so that each guesser hits at most `share` of those, or two."""
        (left,) = self._db.execute("SELECT count(*) FROM task").fetchone()
        budget, words = max(_FEWEST, int(share * left)), left
        while True:
            left, found = self._choose(budget, words)
            yes, no = (found[word] for word in _WORDS)
            most, equal = max(_FEWEST, int(share * left)), min(yes, no) + 1
            if most >= budget and max(yes, no) <= equal:
                return
            # What went made the dataset smaller, and so the share: once more, with less room. Room only shrinks.
            budget, words = min(budget, most), min(words, equal)

    def _choose(self, budget: int, words: int) -> tuple[int, Counter[str]]:
        """One pass over the tasks in order of their rank: how many stay, and the hits of each guesser on those.

        `words` is the most that may stay of the booleans that are true, and of those that are not.
        """
        self._db.executescript("DELETE FROM kept; DELETE FROM most;")
        total: Counter[str] = Counter()
        left = 0
        for task_id, found in self._ranked():
            fixed, crowd = json.loads(found), self._crowd(task_id)
            room = {name: min(budget, words) if name in _WORDS else budget for name in fixed}
            over = [name for name in fixed if total[name] >= room[name]]
            over += [name for name, _, _, more in crowd if more and total[name] + more > budget]
            self._db.execute("UPDATE task SET dropped = ? WHERE id = ?", (json.dumps(over), task_id))
            if not over:
                left += 1
                total.update(fixed)
                self._keep(crowd)
                total.update({name: more for name, _, _, more in crowd})
        return left, total

    def _ranked(self) -> Iterator[tuple[str, str]]:
        """Id and hits of all tasks, in order of their rank, some at a time: they are changed on the way."""
        last = ""
        while rows := self._db.execute(_PAGE, (last,)).fetchall():
            for task_id, rank, found in rows:
                yield task_id, found
                last = rank

    def _crowd(self, task_id: str) -> list[tuple[str, str, str, int]]:
        """Guesser, key, answer, and the hits that the guesser gains if this task stays."""
        query = """SELECT s.guesser, s.key, s.answer, coalesce(k.count, 0) + 1, coalesce(m.count, 0) FROM similar s
            LEFT JOIN kept k ON k.guesser = s.guesser AND k.key = s.key AND k.answer = s.answer
            LEFT JOIN most m ON m.guesser = s.guesser AND m.key = s.key WHERE s.id = ?"""
        rows = self._db.execute(query, (task_id,)).fetchall()
        return [
            (guesser, key, answer, _mode(max(most, count)) - _mode(most)) for guesser, key, answer, count, most in rows
        ]

    def _keep(self, crowd: Iterable[tuple[str, str, str, int]]) -> None:
        for name, key, answer, _ in crowd:
            raised = "INSERT INTO kept VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count"
            (count,) = self._db.execute(raised, (name, key, answer)).fetchone()
            highest = "INSERT INTO most VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = max(count, excluded.count)"
            self._db.execute(highest, (name, key, count))

    def gate(self, task: Task) -> GateResult:
        """What the guessers had to say about a task that was added."""
        found = self._db.execute("SELECT hits, dropped FROM task WHERE id = ?", (task.id,)).fetchone()
        right, dropped = map(json.loads, found)
        evidence = {"guessers": len(GUESSERS) + len(CROWD), "right by rule": right}
        if dropped:
            evidence["right too often over the dataset"] = dropped
        return GateResult(GATE, not dropped, json.dumps(evidence))

    def rates(self) -> list[GuesserRate]:
        """How often each guesser is right about the tasks that stay, or about all before `decide`; the best first."""
        (total,) = self._db.execute("SELECT count(*) FROM task WHERE dropped = '[]'").fetchone()
        found = {guesser.name: 0 for guesser in GUESSERS} | dict.fromkeys(CROWD, 0)
        for (names,) in self._db.execute("SELECT hits FROM task WHERE dropped = '[]'"):
            for name in json.loads(names):
                found[name] += 1
        modes = """SELECT guesser, sum(most) FROM (SELECT guesser, key, max(n) AS most FROM
            (SELECT guesser, key, count(*) AS n FROM similar JOIN task USING (id) WHERE dropped = '[]'
            GROUP BY guesser, key, answer) GROUP BY guesser, key) WHERE most > 1 GROUP BY guesser"""
        found |= dict(self._db.execute(modes).fetchall())
        rates = [GuesserRate(name, count, total) for name, count in found.items()]
        return sorted(rates, key=lambda rate: (-rate.hits, rate.guesser))


def _mode(count: int) -> int:
    """Hits of who answers the most frequent answer: one that came once is no more frequent than others."""
    return count if count > 1 else 0


def measure(tasks: Iterable[Task]) -> list[GuesserRate]:
    """How often each guesser is right about these tasks."""
    with ClosedBook() as book:
        for task in tasks:
            book.add(task)
        return book.rates()
