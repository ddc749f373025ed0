"""Stage 13: trivial and repeated tasks go, long traces go, every task gets its split."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from cellwright.core.types import Reject, Task
from cellwright.dataset.splits import TableGroups, assign_splits
from cellwright.pipeline.config import CurateConfig
from cellwright.pipeline.screen import REPEATED, question_key
from cellwright.pipeline.stage import Folder
from cellwright.pipeline.trace import TracedTask
from cellwright.proof.screening.closedbook import GUESSED, ClosedBook

NAME = "curate"


def curate(traced: Folder[TracedTask], config: CurateConfig, guessers_share: float) -> Iterator[TracedTask | Reject]:
    """The tasks that stay, each with its split. Reads its input three times: some depend on others, splits on all.

    What has gone since the screening made the dataset smaller, so that a guesser may have more than its share again.
    """
    groups = TableGroups()
    with ClosedBook() as tasks, ClosedBook() as twins:  # apart, as the screening has them
        books = {False: tasks, True: twins}
        for row in traced.records():
            groups.add(_kin(row.task))
            if _unwanted(row, config) is None:
                books[bool(row.task.twin_of)].add(row.task)
        for book in books.values():
            book.decide(guessers_share)

        def judged() -> Iterator[tuple[TracedTask, str | None]]:
            seen: set[str] = set()
            for row in traced.records():
                task, key = row.task, question_key(row.task)
                reason = _unwanted(row, config)
                if reason is None and not books[bool(task.twin_of)].gate(task).passed:
                    reason = GUESSED
                if reason is None and key in seen:
                    reason = REPEATED
                seen.add(key)
                yield row, reason

        weights = Counter(_group(row, groups) for row, reason in judged() if reason is None)
        splits = assign_splits(weights, config.test_share, config.validation_share)
        for row, reason in judged():
            if reason is not None:
                yield Reject.of(NAME, row.task.id, reason, row.task.question, row.task.provenance)
            else:
                yield replace(row, task=replace(row.task, split=splits[_group(row, groups)]))


def _group(row: TracedTask, groups: TableGroups) -> str:
    return groups.group(row.task.tables[0].sha256)


def _kin(task: Task) -> Iterator[str]:
    """Names that tasks of one side share: of the task that they are, or are a twin of, of the files that their tables
    stood in, and of the tables. After one of these the group is named: the others come after any hash."""
    yield f"~task {task.twin_of or task.id}"
    for table in task.tables:
        if table.path:
            yield f"~file {task.provenance.source}/{table.path}"
    yield from (table.sha256 for table in task.tables)


def _unwanted(row: TracedTask, config: CurateConfig) -> str | None:
    if is_trivial(row.task) and not config.keep_trivial:
        return "trivial: the answer stands in the first rows"
    if sum(len(message.content) for message in row.trace.messages) > config.max_trace_chars:
        return "trace too long"
    return None


def is_trivial(task: Task) -> bool:
    """Whether one look at the first rows answers the question."""
    return task.trivial
