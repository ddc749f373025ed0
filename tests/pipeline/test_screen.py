"""The screening of a build's tasks: of the same question, which one stays."""

from dataclasses import replace
from pathlib import Path

from cellwright.core.types import Reject, Task
from cellwright.pipeline.config import ScreenConfig
from cellwright.pipeline.screen import REPEATED, Screened, screen
from tests.proof.screening.making import INTEGER, task


def _task(notebook: str, number: int) -> Task:
    made = task(f"how many rows of kind {number} are there?", 11 + number, INTEGER)
    return replace(made, id=f"{notebook}{number}", notebook_id=notebook)


def test_same_question_stays_with_the_notebook_that_asks_the_fewest(tmp_path: Path) -> None:
    """A notebook with one question keeps it, though another asked it first; within one notebook the first stays."""
    tasks = [*(_task("many", number) for number in range(4)), _task("few", 2), replace(_task("many", 1), id="again")]
    for table in tasks[0].tables:
        (tmp_path / table.stored_name).write_text("kind\n1\n")
    outcome = list(screen(Screened(lambda: tasks, list, list, tmp_path), ScreenConfig(guessers_share=1.0), ()))
    assert [record.id for record in outcome if isinstance(record, Task)] == ["many0", "many1", "many3", "few2"]
    rejects = {record.record: record.reason for record in outcome if isinstance(record, Reject)}
    assert rejects == {"many2": REPEATED, "again": REPEATED}
