"""A build with twins: on their parents' side, with tables of their own, each proved and verified like any task."""

import asyncio
from pathlib import Path

import pytest

from cellwright.core.types import Task
from cellwright.dataset.files import load_tasks
from cellwright.kernels import Limits, LocalPool
from cellwright.pipeline.config import ProveConfig, load_config
from cellwright.pipeline.twins import twin_of_dataset
from cellwright.pipeline.verify import verify
from tests.pipeline.building import Quiet, build
from tests.writing import write_notebook

ONE_RUN = load_config(None, ["prove.runs=1"])


def corpus(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    rows = [f"{['north', 'south', 'east'][n % 3]},{n * 7 % 23},{n % 9 + 0.5}" for n in range(45)]
    (folder / "data" / "sales.csv").write_text("region,sold,price\n" + "\n".join(rows) + "\n")
    write_notebook(
        folder / "sales.ipynb",
        "import pandas as pd\ndf = pd.read_csv('data/sales.csv')",
        "df.sold.mean()",
        "df[df.region == 'north'].price.median()",
    )
    return folder


def gates(task: Task) -> list[str]:
    return sorted(gate.gate for gate in task.proof.gates)


def verified(folder: Path) -> list[bool]:
    async def job() -> list[bool]:
        async with LocalPool(1, rung="trusted", preload=("pandas",)) as pool:
            return [found.correct for found in await verify(folder, pool, Limits(), ProveConfig(), Quiet())]

    return asyncio.run(job())


@pytest.mark.slow
def test_twins_are_tasks_of_their_own_on_their_parents_side(tmp_path: Path) -> None:
    """Each proved task has its twin on other tables in the same split; all of them verify, as does one made later."""
    settings = ("twins.per_task=1", "compose.tasks_per_table=0", "prove.runs=1", "curate.test_share=0.5")
    built = build(corpus(tmp_path / "shop"), tmp_path / "dataset", *settings)
    parents = {task.id: task for task in built.tasks if not task.twin_of}
    twins = [task for task in built.tasks if task.twin_of]
    assert {task.twin_of for task in twins} == parents.keys()
    for task in twins:
        parent = parents[task.twin_of]
        assert task.proof.passed
        assert gates(task) == gates(parent)
        assert task.split == parent.split
        assert task.answer_json != parent.answer_json
        assert {table.name for table in task.tables} == {table.name for table in parent.tables}
        assert not {table.sha256 for table in task.tables} & {table.sha256 for table in parent.tables}
    assert all(verified(built.out))

    async def later() -> object:
        async with LocalPool(1, rung="trusted", preload=("pandas",)) as pool:
            parent = next(iter(parents.values()))
            return await twin_of_dataset(parent, 9, built.out, tmp_path / "one", pool, ONE_RUN)

    made = asyncio.run(later())
    assert isinstance(made, Task)
    assert gates(made) == gates(parents[made.twin_of])
    assert load_tasks(tmp_path / "one") == [made]
    assert verified(tmp_path / "one") == [True]
