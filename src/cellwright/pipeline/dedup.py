"""Stage 2: of notebooks that say the same of the same tables, one stays: the one that kept most of its outputs.

Of equals, the one with the shortest path stays (`report.ipynb` before `report-Copy1.ipynb`).
Exact, by normalised code and markdown, and by the bytes of the files that they read: `2019/report.ipynb` and
`2020/report.ipynb` are two where each has its own `data.csv` beside it. Three passes, with the keys in a database on
disk; files are read only for notebooks that have the words of another one.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from cellwright.core.errors import is_of_machine
from cellwright.core.hashing import short_id
from cellwright.core.types import Notebook, Reject
from cellwright.corpus.links import tables_read
from cellwright.corpus.sources import UNREADABLE, Source, Sources
from cellwright.notebooks.content import content_key
from cellwright.pipeline.stage import Folder
from cellwright.proof.repair.python2 import modernised

NAME = "dedup"
_CHUNK_BYTES = 1 << 20


def dedup(notebooks: Folder[Notebook], sources: Sequence[Path]) -> Iterator[Notebook | Reject]:
    """The notebooks that stay, and a reject for each that says what another one says."""
    # The empty name is SQLite's for a database on disk that goes with its connection.
    with closing(sqlite3.connect("")) as keys, Sources(sources) as opened:
        keys.execute("CREATE TABLE said (id TEXT PRIMARY KEY, words TEXT, key TEXT) WITHOUT ROWID")
        keys.execute("CREATE TABLE file (place TEXT PRIMARY KEY, digest TEXT) WITHOUT ROWID")
        keys.execute("CREATE TABLE best (key TEXT PRIMARY KEY, id TEXT, path TEXT, outputs INTEGER) WITHOUT ROWID")
        rows = ((notebook.id, words := content_key(notebook), words) for notebook in notebooks.records())
        keys.executemany("INSERT INTO said VALUES (?, ?, ?)", rows)
        keys.execute("CREATE INDEX by_words ON said (words)")
        for notebook in notebooks.records():
            _enter(notebook, keys, opened)
        for notebook in notebooks.records():
            query = "SELECT best.id, best.path FROM best JOIN said USING (key) WHERE said.id = ?"
            best, path = keys.execute(query, (notebook.id,)).fetchone()
            if best == notebook.id:
                yield notebook
            else:
                detail = f"says the same as {path}"
                yield Reject.of(NAME, notebook.id, "exact duplicate", detail, notebook.provenance)


def _enter(notebook: Notebook, keys: sqlite3.Connection, sources: Sources) -> None:
    """Give a notebook its key, and see whether it is the best of that key so far."""
    query = "SELECT words, (SELECT count(*) FROM said AS other WHERE other.words = said.words) FROM said WHERE id = ?"
    key, alike = keys.execute(query, (notebook.id,)).fetchone()
    if alike > 1:
        key = short_id(key, *_contents(notebook, keys, sources.by_name[notebook.provenance.source]))
        keys.execute("UPDATE said SET key = ? WHERE id = ?", (key, notebook.id))
    keys.execute(
        "INSERT INTO best VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE "
        "SET id = excluded.id, path = excluded.path, outputs = excluded.outputs "
        "WHERE (excluded.outputs, -length(excluded.path)) > (best.outputs, -length(best.path))",
        (key, notebook.id, notebook.provenance.path, _outputs(notebook)),
    )


def _contents(notebook: Notebook, keys: sqlite3.Connection, source: Source) -> Iterator[str]:
    """A hash of each file that a notebook reads; of one that cannot be read, its path. Each file is read once."""
    for path in tables_read(modernised(notebook), source):
        place = f"{source.name}/{path}"
        known = keys.execute("SELECT digest FROM file WHERE place = ?", (place,)).fetchone()
        if known is None:
            known = (_content(path, source) or place,)
            keys.execute("INSERT INTO file VALUES (?, ?)", (place, *known))
        yield known[0]


def _content(path: str, source: Source) -> str:
    """The hash of a file; nothing for one that cannot be read."""
    digest = hashlib.sha256()
    try:
        with source.open(path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except UNREADABLE as error:
        if is_of_machine(error):
            raise
        return ""
    return digest.hexdigest()


def _outputs(notebook: Notebook) -> int:
    return sum(bool(cell.outputs) for cell in notebook.code_cells)
