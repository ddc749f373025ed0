"""Composed tasks in a build: what they say of themselves, that they are proved, and that a seed decides them."""

from pathlib import Path

import pytest

from cellwright.core.records import read_shard, to_row
from cellwright.core.types import Reject, Task
from cellwright.pipeline.build import BuildResult
from cellwright.pipeline.compose import mix
from cellwright.pipeline.plan import Room, settle
from tests.pipeline.building import build
from tests.proof.compose.tables import lay_out
from tests.writing import write_notebook

ON = ("compose.tasks_per_table=5",)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    lay_out(folder)
    names = ("sales_2019.csv", "sales_2020.csv", "shops.csv", "headless.csv")
    cells = [f"pd.read_csv('{name}').shape" for name in names]
    write_notebook(folder / "first.ipynb", "import pandas as pd", *cells)
    write_notebook(folder / "second.ipynb", "import pandas as pd", f"{cells[0]}", "pd.read_csv('shops.csv').area.max()")
    write_notebook(folder / "third.ipynb", "import pandas as pd", "pd.read_csv('members.csv').shape")
    write_notebook(folder / "fourth.ipynb", "import pandas as pd", "pd.read_csv('cards.csv').shape")
    return folder


@pytest.fixture(scope="module")
def composed(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    return build(shop, tmp_path_factory.mktemp("built") / "dataset", *ON)


def tasks(result: BuildResult) -> list[Task]:
    return [task for task in result.tasks if task.origin == "composed"]


@pytest.mark.slow
def test_composed_tasks_are_whole_and_proved(composed: BuildResult) -> None:
    """Each has its program, its level from what ran, four hints, and gates that it passed."""
    found = tasks(composed)
    assert len(found) >= 15
    for task in found:
        assert task.cell == -1
        assert task.proof.passed
        assert task.operations[0] == "load"
        assert 1 <= task.level <= 5
        assert len(task.hints) == 4
        assert task.oracle is not None
        assert task.oracle.source_cells == ()
        assert len(task.oracle.cells) == len(task.oracle.comments)
        assert all(table.name in task.question for table in task.tables)


@pytest.mark.slow
def test_several_tables_are_used(composed: BuildResult) -> None:
    """Where tables join or stack, some tasks need more than one of them."""
    found = tasks(composed)
    assert any("join" in task.operations for task in found)
    assert any(len(task.tables) > 1 and "join" not in task.operations for task in found)


@pytest.mark.slow
def test_tables_are_composed_over_once(composed: BuildResult) -> None:
    """The second notebook reads what the first one does: nothing is composed again for it."""
    alone = {task.provenance.path for task in tasks(composed) if task.tables[0].name.startswith(("sales", "shops"))}
    assert alone == {"first.ipynb"}
    questions = [task.question for task in tasks(composed)]
    assert len(set(questions)) == len(questions)


@pytest.mark.slow
def test_tables_of_one_folder_are_brought_together(composed: BuildResult) -> None:
    """Members and cards, which different notebooks read, are joined; what one notebook reads is not joined anew."""
    found = [task for task in tasks(composed) if {table.name for table in task.tables} == {"members.csv", "cards.csv"}]
    assert found
    own = {task.notebook_id for task in tasks(composed) if len(task.tables) == 1}
    assert not own & {task.notebook_id for task in found}
    assert composed.notebooks == len({task.provenance.path for task in composed.tasks}) <= 4


@pytest.mark.slow
def test_shares_are_met(composed: BuildResult) -> None:
    """A good part of what is composed needs a join, and more needs several files."""
    found = tasks(composed)
    joins, several = (
        sum(wanted) / len(found)
        for wanted in (["join" in task.operations for task in found], [len(task.tables) > 1 for task in found])
    )
    assert joins >= 0.15
    assert several >= 0.2


def test_the_plan_gives_the_wanted_shares_where_there_is_room() -> None:
    """Joins of several tables, of a table with its own groups, and tables beside each other add up to the shares."""
    wanted = settle(Room(alone=100, joins=500, own=500, several=500), 0.2, 0.3)
    whole = wanted.alone + wanted.joins + wanted.own + wanted.several
    assert (wanted.joins + wanted.own) / whole == pytest.approx(0.2)
    assert (wanted.joins + wanted.several) / whole == pytest.approx(0.3)
    scarce = settle(Room(alone=100, joins=6, own=4, several=0), 0.2, 0.3)
    assert (scarce.joins, scarce.own, scarce.several) == (6, 4, 0)
    assert settle(Room(alone=100, joins=50, own=50, several=50), 0, 0) == Room(alone=100)


@pytest.mark.slow
def test_what_is_left_out_is_counted(composed: BuildResult) -> None:
    """A table without a header row, and programs that give no task, have their reasons."""
    rejects = [r for r in read_shard(composed.out / "rejects.parquet", Reject) if r.stage in ("profile", "compose")]
    assert "no header row" in {reject.reason for reject in rejects}
    assert any("programs over" in reject.detail for reject in rejects)


@pytest.mark.slow
def test_a_seed_decides(shop: Path, composed: BuildResult, tmp_path: Path) -> None:
    """The same build again composes the same tasks, before anything is proved of them."""
    again = build(shop, tmp_path / "again", *ON, "prove.gates=false", "prove.runs=1")
    made, before = (
        [
            to_row(task)
            for shard in sorted((result.out / "work").glob("*-compose/*.parquet"))
            if "rejects" not in shard.name
            for task in read_shard(shard, Task)
        ]
        for result in (again, composed)
    )
    assert len(made) >= len(tasks(composed)) > 0
    assert made == before


def test_nothing_is_composed_when_turned_off(built: BuildResult) -> None:
    """With no tasks per table, a build asks its notebooks only."""
    assert not tasks(built)


@pytest.mark.slow
def test_the_mix_follows_the_shares(composed: BuildResult) -> None:
    """Of tasks enough, those are kept whose levels are wanted."""
    found = tasks(composed)
    hardest = max(task.level for task in found)
    shares = [float(level == hardest) for level in range(1, 6)]
    kept = mix(found, 2, shares)
    assert len(kept) == 2
    assert kept[0].level == hardest
