"""Traces of oracles: what the agent that replays one sees of its files."""

import asyncio
from pathlib import Path

from cellwright.answers import infer, state, to_json
from cellwright.core.hashing import sha256_file
from cellwright.core.types import Contract, Oracle, Provenance, Reject, Table, Task
from cellwright.kernels import Limits, LocalPool
from cellwright.pipeline.trace import TracedTask, TraceStage


def test_a_file_that_a_plain_reading_does_not_take_is_looked_at_as_text(tmp_path: Path) -> None:
    """The oracle knows its separator; the look before it shows the first characters and does not end the trace."""
    path = tmp_path / "regions.csv"
    path.write_text("region\tnotes\tarea\nNorth\tcold\t4\nSouth\twarm, dry, far\t9\n")
    table = Table(sha256_file(path), "regions.csv", path.stat().st_size)
    path.rename(tmp_path / table.stored_name)
    cells = ("import pandas as pd", "regions = pd.read_csv('data/regions.csv', sep='\\t')", "regions['area'].sum()")
    oracle = Oracle(cells, ("Import.", "Load.", "Add."), ())
    origin = Provenance("tests", "regions.ipynb", "0" * 64)
    question = "In `regions.csv`, what is the sum of `area`?"
    task = Task("t", question, Contract("integer"), "13", (table,), 1, "test", origin, "nb", -1, oracle)

    async def job() -> object:
        async with LocalPool(1, rung="trusted") as pool:
            (made,) = await TraceStage(pool, tmp_path, Limits()).run([task])
            return made

    traced = asyncio.run(job())
    assert isinstance(traced, TracedTask), traced
    first = traced.trace.steps[0].result
    assert first is not None
    assert first.status == "ok"
    assert "South\twarm, dry, far\t9" in first.outputs[0].text


def test_a_trace_whose_last_output_does_not_show_the_answer_is_none(tmp_path: Path) -> None:
    """pandas prints a long number in a column with fewer digits than the answer has."""
    path = tmp_path / "sales.csv"
    path.write_text("shop,paid\na,1234567.25\nb,0.33333\n")
    table = Table(sha256_file(path), "sales.csv", path.stat().st_size)
    path.rename(tmp_path / table.stored_name)
    answer = {"a": 1234567.25, "b": 0.33}
    contract = infer(answer)
    question = state("In `sales.csv`, for each `shop`, what is the sum of `paid`?", contract)
    origin = Provenance("tests", "sales.ipynb", "0" * 64)

    def task(expression: str) -> Task:
        cells = ("import pandas as pd\nsales = pd.read_csv('data/sales.csv')", expression)
        oracle = Oracle(cells, ("Load.", "Add."), ())
        return Task("t", question, contract, to_json(answer), (table,), 1, "test", origin, "nb", -1, oracle)

    async def job() -> list[TracedTask | Reject]:
        async with LocalPool(1, rung="trusted") as pool:
            sums = "sales.groupby('shop').paid.sum()"
            return list(await TraceStage(pool, tmp_path, Limits()).run([task(sums), task(f"{sums}.to_dict()")]))

    hidden, shown = asyncio.run(job())
    assert isinstance(hidden, Reject)
    assert hidden.reason == "no output shows the answer"
    assert isinstance(shown, TracedTask), shown
