"""Traces of oracles: what the agent that replays one sees of its files."""

import asyncio
from pathlib import Path

from cellwright.core.hashing import sha256_file
from cellwright.core.types import Contract, Oracle, Provenance, Table, Task
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
