"""Stage 11: trivial tasks go, long traces go, every task gets its split."""

from collections.abc import Iterator
from dataclasses import replace

from cellwright.core.types import Reject, Task
from cellwright.dataset.splits import TableGroups, assign_splits
from cellwright.pipeline.config import CurateConfig
from cellwright.pipeline.stage import Folder
from cellwright.pipeline.trace import TracedTask
from cellwright.proof.screening.closedbook import GUESSED, ClosedBook

NAME = "curate"


def curate(traced: Folder[TracedTask], config: CurateConfig, guessers_share: float) -> Iterator[TracedTask | Reject]:
    """The tasks that stay, each with its split. Reads its input three times: some depend on others, splits on all.

    What has gone since the screening made the dataset smaller, so that a guesser may have more than its share again.
    """
    groups = TableGroups()
    weights: dict[str, int] = {}
    with ClosedBook() as book:
        for row in traced.records():
            if _unwanted(row, config) is None:
                book.add(row.task)
        book.decide(guessers_share)
        for row in traced.records():
            groups.add(table.sha256 for table in row.task.tables)
        for row in traced.records():
            group = groups.group(row.task.tables[0].sha256)
            weights[group] = weights.get(group, 0) + 1
        splits = assign_splits(weights, config.test_share, config.validation_share)
        for row in traced.records():
            reason = _unwanted(row, config) or (None if book.gate(row.task).passed else GUESSED)
            if reason is not None:
                yield Reject(NAME, row.task.id, reason, row.task.question, row.task.provenance.path)
            else:
                split = splits[groups.group(row.task.tables[0].sha256)]
                yield replace(row, task=replace(row.task, split=split))


def _unwanted(row: TracedTask, config: CurateConfig) -> str | None:
    if is_trivial(row.task) and not config.keep_trivial:
        return "trivial: the answer stands in the first rows"
    if sum(len(message.content) for message in row.trace.messages) > config.max_trace_chars:
        return "trace too long"
    return None


def is_trivial(task: Task) -> bool:
    """Whether one look at the first rows answers the question."""
    return task.trivial
