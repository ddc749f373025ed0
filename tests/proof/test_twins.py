"""Twins: the same task on changed tables, reworded where its labels are, with the answer of its own program."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from cellwright.answers import state
from cellwright.core.hashing import sha256_bytes, sha256_file
from cellwright.core.types import Contract, Oracle, Premise, Provenance, Table, Task
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.proof.judge import Judge
from cellwright.proof.twins import NoTwin, Twin, twin

QUESTION = 'In `shop.csv`, what is the mean of `sold` over the rows where `city` is "Rome"?'


@pytest.fixture
def task(tmp_path: Path) -> Task:
    rows = [f"{n},{['Rome', 'Oslo', 'Bern'][n % 3]},{n * 7 % 31}" for n in range(60)]
    path = tmp_path / "shop.csv"
    path.write_text("id,city,sold\n" + "\n".join(rows) + "\n")
    table = Table(sha256_file(path), "shop.csv", path.stat().st_size, "data/shop.csv")
    contract = Contract("number", decimals=2)
    cells = ("import pandas as pd\ndf = pd.read_csv('data/shop.csv')", "df[df.city == 'Rome'].sold.mean()")
    oracle = Oracle(cells, ("I read.", 'I take "Rome".'), (0, 1))
    origin = Provenance("tests", "shop.ipynb", "0" * 64)
    return Task("t", state(QUESTION, contract), contract, "0", (table,), 1, "mean", origin, "nb", 0, oracle)


def twins(task: Task, folder: Path, *seeds: int, most_bytes: int = 10_000) -> list[Twin]:
    async def job() -> list[Twin]:
        settings = KernelSettings({"shop.csv": folder / "shop.csv"})
        async with LocalPool(1, rung="trusted", preload=("pandas",)) as pool, pool.kernel(settings) as kernel:
            judge = Judge(kernel, timeout_s=20, seed=1)
            return [await twin(task, seed, judge, most_bytes=most_bytes) for seed in seeds]

    return asyncio.run(job())


def test_a_twin_is_the_task_on_another_table(task: Task, tmp_path: Path) -> None:
    """Its labels have other names everywhere, its answer is what its table gives, and the same seed gives the same."""
    first, again, other = twins(task, tmp_path, 1, 1, 2)
    assert first == again
    assert first.task.tables != other.task.tables
    made = first.task
    (table,) = made.tables
    (content,) = first.contents.values()
    assert (sha256_bytes(content), len(content)) == (table.sha256, table.bytes)
    assert made.twin_of == "t"
    assert made.id != other.task.id
    label = made.question.partition('"')[2].partition('"')[0]
    assert label.startswith("Rome ")
    assert made.oracle is not None
    assert f"== '{label}'" in made.oracle.cells[1]
    assert label in made.oracle.comments[1]
    rows = [line.split(",") for line in content.decode().splitlines()[1:]]
    sold = [int(row[2]) for row in rows if row[1] == label]
    assert json.loads(made.answer_json) == pytest.approx(sum(sold) / len(sold), abs=0.005)
    assert len({row[0] for row in rows}) == len(rows)


def test_there_is_no_twin_where_nothing_can_change(task: Task, tmp_path: Path) -> None:
    """An answer that stays, and a table that is too large, are said in words."""
    fixed = Oracle((task.oracle.cells[0], "df.shape[1]") if task.oracle else (), ("", ""), (0, 1))
    columns = replace(task, oracle=fixed, answer_json="3", contract=Contract("integer"))
    with pytest.raises(NoTwin, match="stays the same"):
        twins(columns, tmp_path, 1)
    with pytest.raises(NoTwin, match="too large"):
        twins(task, tmp_path, 1, most_bytes=50)


def test_what_a_question_takes_for_granted_holds_for_its_twins(task: Task, tmp_path: Path) -> None:
    """A label in it is renamed too; where it does not hold there is no twin."""
    assert task.oracle is not None
    setup = (task.oracle.cells[0],)
    holds, fails = Premise(setup, "bool((df.city == 'Rome').any())"), Premise(setup, "len(df) == 60")
    (made,) = twins(replace(task, oracle=replace(task.oracle, premises=(holds,))), tmp_path, 1)
    assert made.task.oracle is not None
    (premise,) = made.task.oracle.premises
    assert "'Rome'" not in premise.expression
    with pytest.raises(NoTwin, match="no one answer"):
        twins(replace(task, oracle=replace(task.oracle, premises=(holds, fails))), tmp_path, 1)
