"""Stage 14: the dataset as a folder: parquet files, tables, notebooks, card, configuration, report page.

tasks.parquet        one row per task (core.types.Task)
traces.parquet       one row per trace and rendering (dataset.chat.ChatRow)
tables/              the tables, by content hash
notebooks/NB/        data/ and one .ipynb per task of one source notebook, ready to open
rejects.parquet      everything that did not get in, with its reason
notebooks.parquet    what became of every notebook (dataset.accounts)
README.md, report.html, config.yaml
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cellwright.core.records import write_shard
from cellwright.core.types import Reject, Task, Trace
from cellwright.dataset.accounts import NotebookAccount
from cellwright.dataset.chat import RENDERINGS, ChatRow, chat_row
from cellwright.dataset.files import ACCOUNTS, NOTEBOOKS, REJECTS, TABLES, TASKS, TRACES, link
from cellwright.notebooks.write import Section, notebook_bytes
from cellwright.pipeline import curate
from cellwright.pipeline.account import accounts
from cellwright.pipeline.stage import Folder
from cellwright.pipeline.trace import TracedTask

_MOST_COPIED_BYTES = 50_000_000


def export(stages: Sequence[tuple[str, Folder[Any]]], store: Path, out: Path) -> int:
    """Write all but the report and the card, from the folders of all stages. Returns the number of tasks."""
    curated: Folder[TracedTask] = dict(stages)[curate.NAME]
    count = write_shard(out / TASKS, Task, (row.task for row in curated.records()))
    write_shard(out / TRACES, ChatRow, _chat_rows(curated.records()))
    write_shard(out / REJECTS, Reject, (reject for _, folder in stages for reject in folder.rejects()))
    write_shard(out / ACCOUNTS, NotebookAccount, accounts(stages))
    shutil.rmtree(out / NOTEBOOKS, ignore_errors=True)
    shutil.rmtree(out / TABLES, ignore_errors=True)
    for row in curated.records():
        _export_files(row, store, out)
    return count


def _chat_rows(rows: Iterable[TracedTask]) -> Iterator[ChatRow]:
    for row in rows:
        for rendering in RENDERINGS:
            yield chat_row(row.task, row.trace, rendering)


def _export_files(row: TracedTask, store: Path, out: Path) -> None:
    # A twin's tables have the names of its parent's, so they stand in a folder of their own.
    folder = out / NOTEBOOKS / (f"{row.task.notebook_id}-{row.task.id}" if row.task.twin_of else row.task.notebook_id)
    for table in row.task.tables:
        kept = out / TABLES / table.stored_name
        link(store / table.stored_name, kept)
        _copy(kept, folder / "data" / table.name)
    (folder / f"{row.task.id}.ipynb").write_bytes(_notebook(row.task, row.trace))


def _notebook(task: Task, trace: Trace) -> bytes:
    record = {
        "task": task.id,
        "model": trace.model,
        "kernel": trace.kernel,
        "files": [
            {"path": f"data/{table.name}", "sha256": table.sha256, "bytes": table.bytes} for table in task.tables
        ],
        "questions": [{"question": task.question, "answer": trace.answer, "ending": trace.ending, "run": trace.id}],
        "source": {"notebook": task.provenance.path, "author": task.provenance.author},
    }
    return notebook_bytes([Section(task.question, trace)], record)


def _copy(source: Path, target: Path) -> None:
    """A file of one's own, which a person may write to; of a large one a second name, which is read-only."""
    if source.stat().st_size > _MOST_COPIED_BYTES:
        link(source, target)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
