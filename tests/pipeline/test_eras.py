"""A build with a second environment: notebooks run where they fare best, tasks end where today's libraries answer."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from cellwright.core.errors import UsageError
from cellwright.core.records import read_shard
from cellwright.core.types import MODERN, Reject, Task
from cellwright.dataset.accounts import NotebookAccount
from cellwright.pipeline.build import BuildResult
from cellwright.pipeline.environments import eras_of, open_pool
from cellwright.pipeline.port import PortStage
from cellwright.pipeline.stage import Folder
from cellwright.pipeline.verify import verify
from tests.eras import other_environment
from tests.pipeline.building import Quiet, build, settings
from tests.writing import write_notebook

SETTINGS = ("compose.tasks_per_table=0", "prove.runs=1", "prove.gates=false", "execute.cell_s=20", "port.keep=true")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"old={other_environment(tmp_path_factory.mktemp('environments') / 'old')}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, environment: str) -> BuildResult:
    """Of one notebook that needs the other environment, one that does as well here, and one that fares ill in both."""
    folder = tmp_path_factory.mktemp("corpus") / "shop"
    (folder / "data").mkdir(parents=True)
    rows = [f"{['north', 'south', 'east'][n % 3]},{n * 7 % 23},{n % 9 + 0.5}" for n in range(45)]
    (folder / "data" / "sales.csv").write_text("region,sold,price\n" + "\n".join(rows) + "\n")
    (folder / "data" / "late.csv").write_text(
        "region,sold\n" + "\n".join(f"west,{n * 3 % 17}" for n in range(30)) + "\n"
    )
    load = "import pandas as pd\ndf = pd.read_csv('data/sales.csv')"
    old = ("import gone_since\nlate = pd.read_csv('data/late.csv', encoding='shop-1999')", "late.sold.max()")
    write_notebook(folder / "old.ipynb", load, *old, "df.sold.mean()")
    write_notebook(folder / "either.ipynb", load, "df[df.region == 'north'].price.median()")
    write_notebook(folder / "neither.ipynb", load, "import not_anywhere", "df[df.region == 'east'].sold.max()")
    return build(folder, folder.parent / "dataset", *SETTINGS, f"environments=[{environment}]")


@pytest.mark.slow
def test_notebooks_run_where_they_fare_best(built: BuildResult) -> None:
    """Most cells decide; where both do as well, the notebook runs in the modern environment."""
    rows = {row.path: row for row in read_shard(built.out / "notebooks.parquet", NotebookAccount)}
    assert {path: row.era for path, row in rows.items()} == {
        "old.ipynb": "old",
        "either.ipynb": MODERN,
        "neither.ipynb": MODERN,
    }
    assert (rows["old.ipynb"].cells_ok, rows["old.ipynb"].cells) == (4, 4)


@pytest.mark.slow
def test_tasks_say_in_which_environment_they_hold(built: BuildResult) -> None:
    """What needs the other environment is proved there; what does not is modern, and tells where it came from."""
    of_old = [task for task in built.tasks if task.provenance.path == "old.ipynb"]
    needing = [task for task in of_old if task.oracle is not None and "gone_since" in "".join(task.oracle.cells)]
    others = [task for task in of_old if task not in needing]
    assert needing
    assert others
    assert {task.era for task in needing} == {"old"}
    assert {task.era for task in others} == {MODERN}
    assert all(task.proof.passed for task in of_old)
    assert all(task.proof.gates[0].gate == "era" for task in of_old)
    assert json.loads(others[0].proof.gates[0].evidence_json)["the notebook ran in"] == "old"
    assert all(gate.gate != "era" for task in built.tasks if task not in of_old for gate in task.proof.gates)


@pytest.mark.slow
def test_dataset_with_two_environments_verifies(built: BuildResult, environment: str) -> None:
    """verify runs each program in its environment, and says what to do where that is not here."""
    with pytest.raises(UsageError, match="there is no environment 'old'"):
        eras_of(built.tasks, [])

    async def job() -> list[bool]:
        async with open_pool(1, eras_of(built.tasks, [environment]), trusted=True) as pool:
            config = settings()
            verdicts = await verify(built.out, pool, config.limits, config.prove, Quiet())
            return [verdict.correct for verdict in verdicts]

    assert all(asyncio.run(job()))


@pytest.mark.slow
def test_what_only_the_other_environment_answers_stays_out(built: BuildResult) -> None:
    """By default such a task is rejected, with a reason that can be counted and what was seen."""
    (asked,) = (built.out / "work").glob("*-ask")
    tasks = [task for task in Folder(asked, Task).records() if task.era == "old"]
    assert tasks

    async def job() -> Sequence[Task | Reject]:
        async with open_pool(1, trusted=True) as pool:
            return await PortStage(pool, built.out / "work" / "tables", settings()).run(tasks)

    outcome = asyncio.run(job())
    assert {found.era for found in outcome if isinstance(found, Task)} == {MODERN}
    stopped = [found for found in outcome if isinstance(found, Reject)]
    assert {reject.reason for reject in stopped} == {"era: in modern, the program fails"}
    assert all("gone_since" in reject.detail for reject in stopped)


def test_build_without_an_environment_that_is_named_says_so(tmp_path: Path) -> None:
    """The environments are looked for before anything is written."""
    with pytest.raises(UsageError, match="has no interpreter at"):
        build(tmp_path, tmp_path / "out", "environments=[old=/no/such/python]")
    assert not (tmp_path / "out").exists()
