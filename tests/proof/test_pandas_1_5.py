"""What is sent into kernels holds on pandas 1.5 as well: `make test-eras` installs it and runs these tests."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cellwright.answers import state
from cellwright.core.hashing import sha256_file
from cellwright.core.types import MODERN, Contract, Oracle, Provenance, Table, Task
from cellwright.kernels import KernelSettings, Limits, LocalPool
from cellwright.kernels.eras import pythons
from cellwright.notebooks.read import read_notebook
from cellwright.pipeline.config import ProveConfig
from cellwright.pipeline.prove import Prover
from cellwright.proof.execution import Execution, ExecutionLimits, execute
from cellwright.proof.gates import Judged
from cellwright.proof.judge import Judge, Program, Run
from cellwright.proof.porting import Mending, Ported, port
from cellwright.proof.tables import Change, ReadHint, Variant
from cellwright.proof.values import load, plain
from tests.eras import PANDAS_1_5, real_era
from tests.writing import notebook

pytestmark = pytest.mark.eras
ROWS = [f"{['Rome', 'Oslo', 'Bern'][n % 3]},{n * 7 % 23},{n % 9 + 0.5},2020-01-{n % 28 + 1:02d}" for n in range(45)]
LOAD = "import pandas as pd\ndf = pd.read_csv('data/shop.csv', parse_dates=['day'])"
SHOWN = ("df.price", "df.groupby('city').sold.sum()", "df.day.max()", "df.set_index('city').sold.idxmax()", "df.shape")
PLOT = "import matplotlib.pyplot as plt\nplt.plot(df.sold)\nplt.show()\ndf.sold.max()"
DONE = ("df[df.sold > 3].groupby('city').price.mean().max()", "df.sort_values('day').sold.diff().sum()")
GONE = (f"{LOAD}\ndf = df.append({{'city': 'Bern', 'sold': 9}}, ignore_index=True)", "df.sold.sum()")
CHANGED = Variant((Change("shop.csv", "values", columns=("sold",)),))


@dataclass(frozen=True)
class Seen:
    """What one environment gave."""

    execution: Execution
    runs: list[Run]
    problems: dict[str, str]
    """Of changed tables, why they could not be made."""


@dataclass(frozen=True)
class Everything:
    """What both gave, and what became of a task of the old one."""

    seen: dict[str, Seen]
    judged: Judged
    ported: Ported


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Everything:
    era, store = real_era(), tmp_path_factory.mktemp("tables")
    (store / "shop.csv").write_text("city,sold,price,day\n" + "\n".join(ROWS) + "\n")
    table = Table(sha256_file(store / "shop.csv"), "shop.csv", (store / "shop.csv").stat().st_size)
    (store / table.stored_name).hardlink_to(store / "shop.csv")

    async def job() -> Everything:
        async with LocalPool(2, rung="trusted", pythons=pythons([era]), preload=("pandas",)) as pool:
            seen = {name: await observed(pool, name, store / "shop.csv") for name in (MODERN, PANDAS_1_5)}
            proving = Prover(pool, store, Limits(), ProveConfig(runs=2, program_timeout_s=30))
            (judged,) = await proving.prove([task(table, (LOAD, "df.sold.max()"), "22")])
            settings = KernelSettings({"shop.csv": store / "shop.csv"}, 0)

            @contextlib.asynccontextmanager
            async def judges() -> AsyncIterator[Judge]:
                async with pool.kernel(settings) as kernel:
                    yield Judge(kernel, timeout_s=30, seed=1, watch=True)

            mending = Mending(lambda: pool.kernel(settings), ExecutionLimits(30, 90))
            total = sum(int(row.split(",")[1]) for row in ROWS) + 9
            (ported,) = await port([task(table, GONE, str(total))], judges, mending)
            return Everything(seen, judged, ported)

    return asyncio.run(job())


async def observed(pool: LocalPool, era: str, path: Path) -> Seen:
    settings = KernelSettings({"shop.csv": path}, 0, era=era)
    written = read_notebook(json.dumps(notebook(LOAD, *SHOWN, PLOT)).encode(), "here", "old.ipynb")
    async with pool.kernel(settings) as kernel:
        execution = await execute(written, kernel, ExecutionLimits(30, 90))
    async with pool.kernel(settings) as kernel:
        judge = Judge(kernel, timeout_s=30, seed=1, watch=True, checkpoints=2)
        problems = await judge.make([CHANGED], {"shop.csv": ReadHint()})
        programs = [Program((LOAD,), expression) for expression in (*DONE, GONE[1])]
        programs += [Program((GONE[0],), GONE[1]), Program((LOAD,), "df.sold.sum()", CHANGED.name)]
        return Seen(execution, await judge.run(programs), problems)


def task(table: Table, cells: tuple[str, str], answer: str) -> Task:
    contract = Contract("integer")
    question = state("In `shop.csv`, what is the highest `sold`?", contract)
    origin = Provenance("tests", "shop.ipynb", "0" * 64)
    oracle = Oracle(cells, ("", ""), (0, 0))
    return Task("t", question, contract, answer, (table,), 1, "max", origin, "nb", 0, oracle, era=PANDAS_1_5)


def test_values_are_recorded_alike(everything: Everything) -> None:
    """What cells show is the same value in both, types of text and time aside; a plot is drawn and stops nothing."""
    modern, old = (everything.seen[name].execution for name in (MODERN, PANDAS_1_5))
    assert [cell.status for cell in old.cells] == ["ok"] * len(old.cells)
    values = [[plain(load(shown.value_json)) for shown in execution.shown] for execution in (old, modern)]
    assert values[0] == values[1]
    assert len(old.shown) == len(SHOWN) + 1


def test_operations_are_seen_alike(everything: Everything) -> None:
    """What a program did to its tables is the same, whichever pandas did it."""
    modern, old = (everything.seen[name].runs for name in (MODERN, PANDAS_1_5))
    assert [run.operations for run in old[: len(DONE)]] == [run.operations for run in modern[: len(DONE)]]
    assert [run.value for run in old[: len(DONE)]] == [run.value for run in modern[: len(DONE)]]
    assert set(old[0].operations) == {"load", "compare", "filter", "group", "aggregate"}


def test_what_went_away_is_still_there(everything: Everything) -> None:
    """The old environment runs what the modern one does not: that is what it is for."""
    *_, modern, _ = everything.seen[MODERN].runs
    *_, old, _ = everything.seen[PANDAS_1_5].runs
    assert modern.error == "AttributeError"
    assert old.value is not None


def test_tables_are_changed_alike(everything: Everything) -> None:
    """A changed table is made in the old environment too, to the same values, and moves the answer."""
    old, modern = everything.seen[PANDAS_1_5], everything.seen[MODERN]
    assert (old.problems, modern.problems) == ({}, {})
    assert old.runs[-1].value == modern.runs[-1].value
    assert old.runs[-1].value != old.runs[len(DONE)].value


def test_a_task_passes_all_gates_there(everything: Everything) -> None:
    """Determinism, mutation and the others judge a task in its own environment, whose versions it then names."""
    assert everything.judged.failed is None, everything.judged.failed
    assert len(everything.judged.gates) > 4
    assert "pandas 1.5" in everything.judged.task.environment


def test_its_oracle_is_brought_to_today(everything: Everything) -> None:
    """A program of 2022 is repaired until today's pandas gives its answer."""
    assert everything.ported.reason == ""
    assert everything.ported.task.era == MODERN
    assert everything.ported.task.oracle is not None
    assert "concat" in everything.ported.task.oracle.cells[0]
