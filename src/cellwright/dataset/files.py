"""The files of a built dataset: their names, and who reads them."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from cellwright.core.errors import DatasetError
from cellwright.core.records import read_shard
from cellwright.core.types import Table, Task
from cellwright.dataset.chat import ChatRow

TASKS, TRACES, REJECTS, ACCOUNTS = "tasks.parquet", "traces.parquet", "rejects.parquet", "notebooks.parquet"
TABLES, NOTEBOOKS = "tables", "notebooks"


def load_tasks(folder: Path) -> list[Task]:
    """The tasks of a built dataset. Raises DatasetError where there is none."""
    path = folder / TASKS
    if not path.exists():
        raise DatasetError(f"{folder} holds no {TASKS}: is it the --out folder of a finished `cellwright build`?")
    return list(read_shard(path, Task))


def find_task(folder: Path, start: str) -> Task:
    """The one task of a dataset whose id begins so. Raises DatasetError for none and for several."""
    found = [task for task in load_tasks(folder) if task.id.startswith(start)]
    if len(found) != 1:
        problem = "no task" if not found else f"{len(found)} tasks"
        raise DatasetError(f"{problem} in {folder} with an id that begins with {start!r}")
    return found[0]


def load_traces(folder: Path) -> list[ChatRow]:
    """The chat rows of a built dataset."""
    return list(read_shard(folder / TRACES, ChatRow))


def missing_tables(folder: Path, tasks: Iterable[Task]) -> list[Table]:
    """Tables that tasks read and the dataset does not hold."""
    tables = {table.sha256: table for task in tasks for table in task.tables}
    return [table for table in tables.values() if not (folder / TABLES / table.stored_name).exists()]


def link(source: Path, target: Path) -> None:
    """A second name for the same file, a copy where the file system has no such thing."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
