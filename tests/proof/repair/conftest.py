"""One pool of real kernels for all notebooks of a file of tests."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from cellwright.kernels import KernelSettings, LocalPool
from cellwright.notebooks.read import read_notebook
from cellwright.proof.execution import ExecutionLimits
from cellwright.proof.repair import Proposer, Repaired
from cellwright.proof.repair import repair as repair_notebook
from tests.writing import notebook

from .mending import Mend


@pytest.fixture(scope="module")
def mend() -> Iterator[Mend]:
    """Repairs a notebook with these code cells; `outputs` are those of the last one in its file."""
    with asyncio.Runner() as runner:
        pool = runner.run(_pool())

        def run(
            *cells: str,
            proposers: Sequence[Proposer] = (),
            outputs: Sequence[dict[str, Any]] = (),
            counts: Sequence[int] = (),
        ) -> Repaired:
            content = notebook(*cells)
            content["cells"][-1]["outputs"] = list(outputs)
            for cell, count in zip(content["cells"], counts, strict=False):
                cell["execution_count"] = count
            written = read_notebook(json.dumps(content).encode(), "here", "old.ipynb")
            limits = ExecutionLimits(20, 60)
            return runner.run(repair_notebook(written, lambda: pool.kernel(KernelSettings()), limits, proposers))

        yield run
        runner.run(pool.close())


async def _pool() -> LocalPool:
    return LocalPool(1, rung="trusted")
