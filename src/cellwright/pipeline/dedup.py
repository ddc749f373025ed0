"""Stage 2: of notebooks that say the same, one stays: the one that kept most of its outputs.

Of equals, the one with the shortest path stays (`report.ipynb` before `report-Copy1.ipynb`).
Exact, by normalised code and markdown; two passes, with the keys in a database on disk.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from cellwright.core.types import Notebook, Reject
from cellwright.notebooks.content import content_key
from cellwright.pipeline.stage import Folder

NAME = "dedup"


def dedup(notebooks: Folder[Notebook]) -> Iterator[Notebook | Reject]:
    """The notebooks that stay, and a reject for each that says what another one says."""
    # The empty name is SQLite's for a database on disk that goes with its connection.
    with closing(sqlite3.connect("")) as keys:
        keys.execute("CREATE TABLE best (key TEXT PRIMARY KEY, id TEXT, path TEXT, outputs INTEGER) WITHOUT ROWID")
        for notebook in notebooks.records():
            row = (content_key(notebook), notebook.id, notebook.provenance.path, _outputs(notebook))
            keys.execute(
                "INSERT INTO best VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE "
                "SET id = excluded.id, path = excluded.path, outputs = excluded.outputs "
                "WHERE (excluded.outputs, -length(excluded.path)) > (best.outputs, -length(best.path))",
                row,
            )
        for notebook in notebooks.records():
            found = keys.execute("SELECT id, path FROM best WHERE key = ?", (content_key(notebook),)).fetchone()
            if found[0] == notebook.id:
                yield notebook
            else:
                origin = notebook.provenance
                detail = f"says the same as {found[1]}"
                yield Reject(NAME, notebook.id, "exact duplicate", detail, origin.path, origin.source)


def _outputs(notebook: Notebook) -> int:
    return sum(bool(cell.outputs) for cell in notebook.code_cells)
