"""The screening of twins: a population of its own, held against the first rows of the tables that twins have."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from cellwright.core.types import Reject, Task
from cellwright.pipeline.config import ScreenConfig
from cellwright.pipeline.screen import OF_TWINS, Screened, screen_twins
from cellwright.proof.heads import TableHead
from cellwright.proof.screening.closedbook import GUESSED
from tests.proof.screening.making import INTEGER, NUMBER, task


def screened(store: Path, tasks: Sequence[Task], heads: Sequence[TableHead] = ()) -> list[Task | Reject]:
    for one in tasks:
        for table in one.tables:
            (store / table.stored_name).write_text(f"fare\n{table.sha256}\n")
    found = Screened(lambda: tasks, list, lambda: heads, store, OF_TWINS)
    return list(screen_twins(found, ScreenConfig(), ()))


def twin_of(parent: Task, answer_json: str, sha256: str) -> Task:
    (table,) = parent.tables
    return replace(
        parent,
        id=f"{parent.id}-{sha256[:4]}",
        answer_json=answer_json,
        tables=(replace(table, sha256=sha256),),
        twin_of=parent.id,
    )


def gone(outcome: Iterable[Task | Reject]) -> dict[str, str]:
    return {record.record: record.reason for record in outcome if isinstance(record, Reject)}


def test_twin_that_shows_its_answer_is_filed(tmp_path: Path) -> None:
    """The first rows of a twin's own table count, not those of its parent's; the parent stays as it is."""
    parent = task("what is the maximum of `fare`?", 512.33, NUMBER)
    shown, hidden = twin_of(parent, "498.61", "1" * 64), twin_of(parent, "498.61", "2" * 64)
    heads = [
        TableHead("1" * 64, ("fare",), (("498.6100",), ("7.25",))),
        TableHead("2" * 64, ("fare",), (("512.33",), ("7.25",))),
    ]
    outcome = screened(tmp_path, [parent, shown, hidden], heads)
    assert outcome[0] == parent
    assert gone(outcome) == {shown.id: "leakage: the answer stands in the first rows"}
    kept = outcome[-1]
    assert isinstance(kept, Task)
    assert [gate.gate for gate in kept.proof.gates] == ["leakage", "contamination", "closed-book"]
    assert kept.proof.passed
    rejects = [record for record in outcome if isinstance(record, Reject)]
    assert [reject.stage for reject in rejects] == [OF_TWINS]


def test_guessable_twins_go_and_their_parents_stay(tmp_path: Path) -> None:
    """Of twins that one guess answers, so many go that it is right about two; parents are not counted among them."""
    parents = [task(f"how many rows of kind {number} are there?", 1, INTEGER) for number in range(9)]
    parents = [replace(parent, id=f"p{number}") for number, parent in enumerate(parents)]
    twins = [twin_of(parent, "1", f"{number:064d}") for number, parent in enumerate(parents)]
    outcome = screened(tmp_path, [*parents, *twins])
    assert outcome[:9] == parents
    assert len(outcome) == 18
    assert list(gone(outcome).values()) == [GUESSED] * 7
