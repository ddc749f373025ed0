"""Stage 9: what a task says without its data, before anything is spent on proving it; and, after stage 11, of twins.

Takes the tasks of several stages as one stream. Of the same question on the same tables, one stays: that of the
notebook that asks the fewest, so that none is lost to one that asks everything. Then the gates of `proof.screening`
look at each: leakage, contamination, and closed-book, which looks at all tasks together. Four passes over the tasks;
what must be remembered of tables, notebooks and tasks stands in databases on disk.

Twins are judged among themselves. Beside their parents they would push those out: a guesser of a twin is one of its
parent too.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from cellwright.core.hashing import short_id
from cellwright.core.types import Proof, Reject, Table, Task
from cellwright.corpus.links import LinkedNotebook
from cellwright.pipeline.config import ScreenConfig
from cellwright.proof.heads import TableHead
from cellwright.proof.screening.closedbook import GUESSED, ClosedBook
from cellwright.proof.screening.contamination import (
    Benchmarks,
    Fingerprint,
    contamination_gate,
    file_hashes,
    known_benchmarks,
    load_fingerprint,
)
from cellwright.proof.screening.leakage import leakage_gate

NAME = "screen"
OF_TWINS = "screen-twins"
REPEATED = "same question on the same tables"


def question_key(task: Task) -> str:
    """The same for two tasks that ask the same about the same tables, whichever of its wordings each leads with.

    The answer's contract is part of a question: two that differ in their rounding are two questions.
    """
    first = min((task.question, *task.phrasings))
    return short_id(" ".join(first.casefold().split()), *sorted(table.sha256 for table in task.tables))


@dataclass(frozen=True)
class Screened:
    """What the stage reads. Each of the first three is read from its beginning as often as it is called."""

    tasks: Callable[[], Iterable[Task]]
    """Of every stage that makes tasks, in order."""
    notebooks: Callable[[], Iterable[LinkedNotebook]]
    heads: Callable[[], Iterable[TableHead]]
    """Of the tasks' tables; a table without one is not looked into."""
    store: Path
    """The tables, by content."""
    stage: str = NAME
    """Under which rejects are filed."""


def fingerprints(config: ScreenConfig) -> list[Fingerprint]:
    """Those that ship with Cellwright, if they are wanted, and those that the settings name. Raises UsageError."""
    known = known_benchmarks() if config.known_benchmarks else ()
    return [*known, *(load_fingerprint(Path(path)) for path in config.fingerprints)]


def screen(found: Screened, config: ScreenConfig, known: Sequence[Fingerprint]) -> Iterator[Task | Reject]:
    """The tasks that every gate lets through, with what the gates saw."""
    # The empty name is SQLite's for a database on disk that goes with its connection.
    with closing(sqlite3.connect("")) as memory, ClosedBook() as book:
        gates = _Gates(memory, found, config, Benchmarks(known, config.ngram_share))
        for task in gates.through(found.tasks()):
            if not isinstance(task, Reject):
                book.add(task)
        book.decide(config.guessers_share)
        for task in gates.through(found.tasks()):
            if isinstance(task, Reject):
                yield task
                continue
            gate = book.gate(task)
            if gate.passed:
                yield replace(task, proof=Proof((*task.proof.gates, gate)))
            else:
                yield Reject.of(found.stage, task.id, GUESSED, _detail(task, gate.evidence_json), task.provenance)


def screen_twins(found: Screened, config: ScreenConfig, known: Sequence[Fingerprint]) -> Iterator[Task | Reject]:
    """All tasks: twins as `screen` has them, as a population of their own; the others, screened before, as they are."""
    yield from (task for task in found.tasks() if not task.twin_of)
    yield from screen(replace(found, tasks=lambda: filter(_is_twin, found.tasks())), config, known)


def _is_twin(task: Task) -> bool:
    return bool(task.twin_of)


_TABLES = """
CREATE TABLE head (sha256 TEXT PRIMARY KEY, head TEXT) WITHOUT ROWID;
CREATE TABLE known (sha256 TEXT PRIMARY KEY, found TEXT) WITHOUT ROWID;
CREATE TABLE prose (id TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID;
CREATE TABLE asks (notebook TEXT PRIMARY KEY, tasks INTEGER) WITHOUT ROWID;
CREATE TABLE asked (key TEXT PRIMARY KEY, id TEXT, among INTEGER) WITHOUT ROWID;
"""
_FEWEST = """
INSERT INTO asked SELECT ?, ?, tasks FROM asks WHERE notebook = ?
ON CONFLICT DO UPDATE SET id = excluded.id, among = excluded.among WHERE excluded.among < among
"""


class _Gates:
    """The gates that look at one task at a time, with what they need to know of its tables and its notebook."""

    def __init__(self, memory: sqlite3.Connection, found: Screened, config: ScreenConfig, known: Benchmarks) -> None:
        self._memory, self._config, self._benchmarks = memory, config, known
        self._store, self._stage = found.store, found.stage
        memory.executescript(_TABLES)
        for head in found.heads():
            told = json.dumps([head.columns, head.rows, head.text])
            memory.execute("INSERT OR REPLACE INTO head VALUES (?, ?)", (head.sha256, told))
        for task in found.tasks():
            memory.execute(
                "INSERT INTO asks VALUES (?, 1) ON CONFLICT DO UPDATE SET tasks = tasks + 1", (task.notebook_id,)
            )
        for task in found.tasks():
            memory.execute(_FEWEST, (question_key(task), task.id, task.notebook_id))
        for linked in found.notebooks():
            text = "\n".join(cell.source for cell in linked.notebook.cells if cell.kind == "markdown")
            memory.execute("INSERT OR REPLACE INTO prose VALUES (?, ?)", (linked.notebook.id, text))

    def through(self, tasks: Iterable[Task]) -> Iterator[Task | Reject]:
        """Each task with its gates, or why it goes."""
        for task in tasks:
            (chosen,) = self._memory.execute("SELECT id FROM asked WHERE key = ?", (question_key(task),)).fetchone()
            if chosen != task.id:
                yield Reject.of(self._stage, task.id, REPEATED, task.question, task.provenance)
            else:
                yield self._judged(task)

    def _judged(self, task: Task) -> Task | Reject:
        heads = [head for table in task.tables for head in self._head(table)]
        leakage = leakage_gate(task, heads, self._prose(task), told_fails=not self._config.keep_told)
        if not leakage.passed:
            places = json.loads(leakage.evidence_json)["found in"] or ["notebook's text"]
            reason = f"{leakage.gate}: the answer stands in the {places[0]}"
            return Reject.of(self._stage, task.id, reason, _detail(task, leakage.evidence_json), task.provenance)
        known = [words for table in task.tables for words in self._known(table)]
        contamination = contamination_gate(task, known, self._benchmarks)
        if not contamination.passed:
            reason = f"{contamination.gate}: it is part of a benchmark"
            return Reject.of(self._stage, task.id, reason, _detail(task, contamination.evidence_json), task.provenance)
        return replace(task, proof=Proof((*task.proof.gates, leakage, contamination)))

    def _head(self, table: Table) -> list[TableHead]:
        row = self._memory.execute("SELECT head FROM head WHERE sha256 = ?", (table.sha256,)).fetchone()
        if row is None:
            return []
        columns, rows, text = json.loads(row[0])
        return [TableHead(table.sha256, tuple(columns), tuple(map(tuple, rows)), text)]

    def _prose(self, task: Task) -> str:
        row = self._memory.execute("SELECT text FROM prose WHERE id = ?", (task.notebook_id,)).fetchone()
        return str(row[0]) if row else ""

    def _known(self, table: Table) -> list[str]:
        """What of a table is a benchmark's; each is read once."""
        row = self._memory.execute("SELECT found FROM known WHERE sha256 = ?", (table.sha256,)).fetchone()
        if row is not None:
            return list(json.loads(row[0]))
        columns = [name for head in self._head(table) for name in head.columns] if self._config.same_columns else []
        found = self._benchmarks.of_table(file_hashes(self._store / table.stored_name), columns)
        self._memory.execute("INSERT INTO known VALUES (?, ?)", (table.sha256, json.dumps(found)))
        return found


def _detail(task: Task, evidence: str) -> str:
    return f"{task.question} → {task.answer_json[:200]}; {evidence}"
