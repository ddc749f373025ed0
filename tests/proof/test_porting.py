"""Tasks of another era become modern where today's libraries answer alike, as they are or repaired."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping

import pytest

from cellwright.core.types import MODERN, Contract, Oracle, Premise, Provenance, Table, Task
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.proof.execution import ExecutionLimits
from cellwright.proof.judge import Judge
from cellwright.proof.porting import Mending, Ported, port

READ = "import pandas as pd\ndf = pd.read_csv('data/shop.csv')"
LOST_WRITE = "df['price'][df.city == 'Oslo'] = 50"
CASES = {
    "as it is": ((READ, "df.price.max()"), "4"),
    "repaired": (
        (f"{READ}\ndf = df.append({{'city': 'Bern', 'price': 9}}, ignore_index=True)", "df.price.sum()"),
        "19",
    ),
    "a lost write": ((f"{READ}\n{LOST_WRITE}", "df.price.max()"), "50"),
    "no way": ((f"{READ}\nimport gone_since", "gone_since.doubled(df.price).sum()"), "20"),
    "another answer": ((READ, "df.price.min()"), "2"),
    "a premise repaired": ((READ, "df.price.max()"), "4"),
    "repaired alike": ((f"{READ}\n{LOST_WRITE}", "df.price.max()"), "50"),
    "no way for a premise": ((READ, "df.price.max()"), "4"),
    "a premise is false": ((READ, "df.price.max()"), "4"),
}
PREMISES = {
    "a premise repaired": Premise((READ, "both = df.append(df)"), "len(both) == 8"),
    "repaired alike": Premise((READ, LOST_WRITE), "bool(df.price.notna().all())"),
    "no way for a premise": Premise((READ, "import gone_since"), "gone_since.has_no_tie(df.price)"),
    "a premise is false": Premise((READ,), "bool((df.price.append(df.price) > 4).any())"),
}


@pytest.fixture(scope="module")
def ported(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Ported]:
    table = tmp_path_factory.mktemp("tables") / "shop.csv"
    table.write_text("city,price\nOslo,1\nRome,2\nBern,3\nOslo,4\n")
    tasks = [task(name, cells, answer) for name, (cells, answer) in CASES.items()]

    async def job() -> list[Ported]:
        settings = KernelSettings({"shop.csv": table}, 0)
        # One kernel at a time: stages that each hold one while they wait for another would wait for ever.
        async with LocalPool(1, rung="trusted", preload=("pandas",)) as pool:

            @contextlib.asynccontextmanager
            async def judges() -> AsyncIterator[Judge]:
                async with pool.kernel(settings) as kernel:
                    yield Judge(kernel, timeout_s=20, seed=1, watch=True)

            return await port(tasks, judges, Mending(lambda: pool.kernel(settings), ExecutionLimits(20, 60)))

    return {found.task.id: found for found in asyncio.run(job())}


def task(name: str, cells: tuple[str, ...], answer: str) -> Task:
    oracle = Oracle(cells, ("", ""), (0, 0), (PREMISES[name],) if name in PREMISES else ())
    origin = Provenance("tests", "shop.ipynb", "0" * 64)
    tables = (Table("0" * 64, "shop.csv", 10),)
    return Task(name, "What?", Contract("integer"), answer, tables, 0, "t", origin, "nb", 0, oracle, era="old")


def seen(found: Ported) -> dict[str, object]:
    (gate,) = found.task.proof.gates
    assert gate.gate == "era"
    evidence: dict[str, object] = json.loads(gate.evidence_json)
    return evidence


def test_what_answers_alike_becomes_modern_as_it_is(ported: Mapping[str, Ported]) -> None:
    """The program stays, its level and hints are told, and the gate keeps the era that it came from."""
    found = ported["as it is"]
    assert (found.reason, found.task.era) == ("", MODERN)
    assert found.task.oracle is not None
    assert found.task.oracle.cells == CASES["as it is"][0]
    assert found.task.level == 1
    assert found.task.hints[-1].endswith("df.price.max()")
    assert seen(found) == {"the notebook ran in": "old", "the same answer in": MODERN, "repairs": []}


@pytest.mark.parametrize(
    ("name", "rule", "text"), [("repaired", "append", "concat"), ("a lost write", "chained", "loc")]
)
def test_what_went_away_is_repaired(name: str, rule: str, text: str, ported: Mapping[str, Ported]) -> None:
    """An oracle that fails today, or whose write is lost today, is mended; the repair is in the evidence."""
    found = ported[name]
    assert (found.reason, found.task.era) == ("", MODERN)
    assert found.task.oracle is not None
    assert text in "".join(found.task.oracle.cells)
    assert text in found.task.hints[-1]
    assert rule in str(seen(found)["repairs"])


@pytest.mark.parametrize(
    ("name", "reason"), [("no way", "the program fails"), ("another answer", "another answer comes out")]
)
def test_what_does_not_answer_alike_keeps_its_era(name: str, reason: str, ported: Mapping[str, Ported]) -> None:
    """A task that today's libraries do not answer, or answer otherwise, stays what it was, with the reason."""
    found = ported[name]
    assert (found.reason, found.task.era) == (reason, "old")
    assert found.task.oracle is not None
    assert found.task.oracle.cells == CASES[name][0]
    assert str(seen(found)[f"in {MODERN}"]).startswith(reason)


@pytest.mark.parametrize(("name", "text"), [("a premise repaired", "concat"), ("repaired alike", "loc")])
def test_what_a_question_takes_for_granted_is_repaired(name: str, text: str, ported: Mapping[str, Ported]) -> None:
    """A premise that fails today is mended, and with an oracle that is mended one that holds as it is."""
    found = ported[name]
    assert (found.reason, found.task.era) == ("", MODERN)
    assert found.task.oracle is not None
    (premise,) = found.task.oracle.premises
    assert text in "".join(premise.setup)
    assert premise.expression == PREMISES[name].expression
    assert len(found.task.oracle.cells) == len(CASES[name][0])
    repairs = seen(found)["repairs"]
    assert isinstance(repairs, list)
    assert len(repairs) == 1


@pytest.mark.parametrize(
    ("name", "what"), [("no way for a premise", "cannot be checked"), ("a premise is false", "does not hold")]
)
def test_a_task_whose_premise_does_not_hold_today_keeps_its_era(
    name: str, what: str, ported: Mapping[str, Ported]
) -> None:
    """Although its oracle answers; the reason says what became of the premise last."""
    found = ported[name]
    assert (found.reason, found.task.era) == (f"what its question takes for granted {what}", "old")
    assert found.task.oracle is not None
    assert found.task.oracle.premises == (PREMISES[name],)
