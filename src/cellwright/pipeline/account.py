"""What became of every notebook, gathered in a database on disk: memory does not grow with the corpus."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import astuple
from typing import Any, Literal

from cellwright.core.types import Reject
from cellwright.dataset.accounts import CodeChange, NotebookAccount
from cellwright.pipeline import curate, execute, link, read, slice  # noqa: A004 - a stage
from cellwright.pipeline.execute import ExecutedNotebook
from cellwright.pipeline.stage import Folder
from cellwright.proof.repair import HARMLESS

_TABLES = """
CREATE TABLE notebook (id TEXT PRIMARY KEY, path TEXT, source TEXT, author TEXT, licence TEXT,
    cells INTEGER DEFAULT 0, ok INTEGER DEFAULT 0, same INTEGER DEFAULT 0, different INTEGER DEFAULT 0,
    repairs INTEGER DEFAULT 0, lost INTEGER DEFAULT 0, era TEXT DEFAULT 'modern',
    outputs INTEGER DEFAULT 0, tasks INTEGER DEFAULT 0) WITHOUT ROWID;
CREATE TABLE change (id TEXT, place INTEGER, cell INTEGER, kind TEXT, rule TEXT, before TEXT, after TEXT, why TEXT,
    PRIMARY KEY (id, place)) WITHOUT ROWID;
CREATE TABLE reject (path TEXT, source TEXT, place INTEGER, stage TEXT, reason TEXT, count INTEGER,
    PRIMARY KEY (path, source, place, reason)) WITHOUT ROWID;
"""


def accounts(stages: Iterable[tuple[str, Folder[Any]]]) -> Iterator[NotebookAccount]:
    """A row for every notebook of the sources, those that could not be read first."""
    folders = dict(stages)
    # The empty name is SQLite's for a database on disk that goes with its connection.
    with closing(sqlite3.connect("")) as found:
        found.executescript(_TABLES)
        _gather(found, folders)
        yield from _unread(folders[read.NAME].rejects())
        columns = "id, path, source, author, licence, cells, ok, same, different, repairs, lost, outputs, tasks, era"
        for row in found.execute(f"SELECT {columns} FROM notebook ORDER BY path"):
            yield _account(found, *row)


def _gather(found: sqlite3.Connection, folders: Mapping[str, Folder[Any]]) -> None:
    for notebook in folders[read.NAME].records():
        origin = notebook.provenance
        row = (notebook.id, origin.path, origin.source, origin.author, origin.licence)
        found.execute("INSERT OR IGNORE INTO notebook (id, path, source, author, licence) VALUES (?, ?, ?, ?, ?)", row)
    for executed in folders[execute.NAME].records():
        changed = (len(executed.repairs), len(executed.losses), executed.era)
        counts = (*_cells(executed), *changed, executed.linked.notebook.id)
        columns = "cells = ?, ok = ?, same = ?, different = ?, repairs = ?, lost = ?, era = ?"
        found.execute(f"UPDATE notebook SET {columns} WHERE id = ?", counts)
        for place, change in enumerate(_changes(executed)):
            row = (executed.linked.notebook.id, place, *astuple(change))
            found.execute("INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    for output in folders[slice.NAME].records():
        found.execute("UPDATE notebook SET outputs = outputs + 1 WHERE id = ?", (output.notebook_id,))
    for traced in folders[curate.NAME].records():
        found.execute("UPDATE notebook SET tasks = tasks + 1 WHERE id = ?", (traced.task.notebook_id,))
    for place, (name, folder) in enumerate(folders.items()):
        for reject in folder.rejects() if name != read.NAME else ():
            of_record = found.execute("SELECT path, source FROM notebook WHERE id = ?", (reject.record,)).fetchone()
            whose = of_record or (reject.notebook, reject.source)
            found.execute(
                "INSERT INTO reject VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                (*whose, place, reject.stage, reject.reason),
            )


def _changes(executed: ExecutedNotebook) -> Iterator[CodeChange]:
    for repair in executed.repairs:
        if not repair.is_drop:  # a loss, of which the loss itself tells more
            kind: Literal["guessed", "repaired"] = "guessed" if repair.is_guess else "repaired"
            yield CodeChange(repair.cell, kind, repair.rule, *map(_text, (repair.before, repair.after, repair.why)))
    for loss in executed.losses:
        why = loss.error if loss.is_direct else f"depends on what was lost before; {loss.error}"
        yield CodeChange(loss.cell, "lost", loss.cause, _text(loss.source), "", _text(why))


def _text(text: str) -> str:
    """As a database takes it: half of a surrogate pair is no text."""
    return text.encode(errors="replace").decode()


def _cells(executed: ExecutedNotebook) -> tuple[int, int, int, int]:
    cells = executed.execution.cells
    agreements = Counter(cell.agreement for cell in cells)
    same = agreements["same"] + agreements["same values"]
    return len(cells), len(whole_cells(executed)), same, agreements["different"]


def whole_cells(executed: ExecutedNotebook) -> list[int]:
    """The code cells that ran, and of which nothing that computes a value was dropped, by their index among them."""
    lost = {loss.cell for loss in executed.losses if loss.cause not in HARMLESS}
    cells = executed.execution.cells
    return [index for index, cell in enumerate(cells) if cell.status == "ok" and index not in lost]


def _unread(rejects: Iterable[Reject]) -> Iterator[NotebookAccount]:
    for reject in rejects:
        yield NotebookAccount(reject.record, reject.source, read.NAME, reject.reason, 0, 0, 0, 0, 0, 0)


def _account(found: sqlite3.Connection, notebook: str, path: str, source: str, *rest: Any) -> NotebookAccount:
    author, licence, cells, ok, same, different, repairs, lost, outputs, tasks, era = rest
    outcome, reason = "tasks", ""
    if not tasks:
        # The furthest stage that it reached; there, the most frequent reason.
        query = (
            "SELECT stage, reason FROM reject WHERE path = ? AND source = ?"
            " ORDER BY place DESC, count DESC, reason LIMIT 1"
        )
        outcome, reason = found.execute(query, (path, source)).fetchone() or (link.NAME, "nothing came of it")
    counts = (tasks, outputs, cells, ok, same, different, repairs, lost)
    columns = "cell, kind, rule, before, after, why"
    rows = found.execute(f"SELECT {columns} FROM change WHERE id = ? ORDER BY place", (notebook,))
    changes = tuple(CodeChange(*row) for row in rows)
    return NotebookAccount(path, source, outcome, reason, *counts, era, author, licence, changes)
