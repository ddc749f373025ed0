"""A task whose answer depends on what nobody states is stopped, with the condition that it depends on."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cellwright.core.types import Contract, Task
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.pipeline.execute import table_paths
from cellwright.pipeline.prove import seeds
from cellwright.proof.gates import Judged, Tried, subject_of
from cellwright.proof.gates.determinism import Determinism
from cellwright.proof.judge import Judge, Run
from cellwright.proof.oracles import answer_json, program_of
from tests.proof.gates.proving import asked_task, judged_by, proved, stopped, stored

WHOLE = Contract("integer")
READ = "import pandas as pd\ndf = pd.read_csv('data/shop.csv')\n"
SHOP = "city,sold,weight,rating\n" + "".join(
    f"{['Rome', 'Oslo', 'Bern'][n % 3]},{n},{1_000_000 + n / 100:.2f},{'' if n % 5 else n}\n" for n in range(30)
)
SUM = "In `shop.csv`, what is the sum of `sold`?"
CASES = {
    "the number of threads": (
        SUM,
        "import threadpoolctl\nint(df.sold.sum()) + threadpoolctl.threadpool_info()[0]['num_threads']",
    ),
    "more than seven digits": (
        "In `shop.csv`, how many different values of `weight` are there?",
        "df.weight.nunique()",
    ),
    "how text is stored": (SUM, "int(df.sold.sum()) + int((df.dtypes == object).sum())"),
    "how missing values are stored": (
        "In `shop.csv`, how many rows have another `rating` than 10, be it a missing one?",
        "int((df.rating != 10).sum())",
    ),
    "the seed": (SUM, "import random\nint(df.sold.sum()) + int(random.random() * 1000)"),
}
"""What an answer depends on, with a question and an expression over the shop's table."""
DRAWN = "import random\nint(df.sold.sum()) + int(random.random() * 0)"
HASHED = "int(df.sold.sum()) + hash('Rome') % 1000"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Judged]:
    """The cases through the gate, and two tasks as a build proves them: each with the answer of a proof's first run."""
    store = tmp_path_factory.mktemp("store")
    shop = stored(store, "shop.csv", SHOP)
    asked = {**CASES, **{program: (SUM, program) for program in (DRAWN, HASHED)}}
    tasks = [asked_task(name, question, WHOLE, READ + code, 0, shop) for name, (question, code) in asked.items()]
    answered = asyncio.run(_first_answers(tasks, table_paths([shop], store)))
    of_gate, of_build = answered[: len(CASES)], answered[len(CASES) :]
    return {**judged_by([Determinism()], store, of_gate), **proved(store, of_build)}


async def _first_answers(tasks: list[Task], tables: Mapping[str, Path]) -> list[Task]:
    """The tasks with what their programs give under the seeds of a proof's first run."""
    seed, hash_seed = seeds(1)[0]
    async with (
        LocalPool(1, rung="trusted", preload=("pandas",)) as pool,
        pool.kernel(KernelSettings(tables, hash_seed)) as kernel,
    ):
        runs = await Judge(kernel, timeout_s=20, seed=seed).run([program_of(task) for task in tasks])
    return [
        replace(task, answer_json=answer_json(run.value or {}, WHOLE)) for task, run in zip(tasks, runs, strict=True)
    ]


@pytest.mark.parametrize("condition", CASES)
def test_what_an_answer_depends_on(condition: str, judged: Mapping[str, Judged]) -> None:
    """Each condition stops the task whose answer it changes."""
    assert stopped(judged[condition]) == f"determinism: depends on {condition}", judged[condition].gates


def test_another_hash_seed_gives_another_answer(judged: Mapping[str, Judged]) -> None:
    """Each run of a proof has a hash seed of its own: the first gives the answer, and the second does not."""
    failed = judged[HASHED].failed
    assert stopped(judged[HASHED]) == "re-execution: another answer comes out"
    assert failed is not None
    assert [run["correct"] for run in json.loads(failed.evidence_json)["runs"]] == [True, False]


def test_draws_without_a_seed_stop_a_task(judged: Mapping[str, Judged]) -> None:
    """Who draws without a seed is stopped also where all runs give one answer."""
    assert stopped(judged[DRAWN]) == "re-execution: random numbers without a seed"


def test_a_condition_that_cannot_be_made_is_told() -> None:
    """Where a condition's own statement fails it was not tried; where the program fails under it, it was."""
    subject = subject_of(asked_task("sum", SUM, WHOLE, READ + "df.sold.sum()", 435))
    good = Run({"t": "int", "v": 435}, "", "", -1, 0.0)
    outcomes = {
        "1 thread": Run(None, "ModuleNotFoundError", "No module named 'threadpoolctl'", 0, 0.0),
        "float32": Run(None, "TypeError", "no such type", 1, 0.0),
    }
    gate = Determinism()
    told = gate.verdict(subject, [Tried(t, outcomes.get(t.label, good)) for t in gate.trials(subject)])
    conditions = json.loads(told.evidence_json)["conditions"]
    assert told.passed
    assert conditions["1 thread"] == "not tried: ModuleNotFoundError: No module named 'threadpoolctl'"
    assert conditions["2 threads"] == "same"
    assert conditions["float32"] == "fails: TypeError: no such type"
