"""Notebooks of other years, repaired in real kernels."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cellwright.core.types import Notebook
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.notebooks.read import read_notebook
from cellwright.proof.execution import ExecutionLimits
from cellwright.proof.repair import Proposer, Repaired, ran_whole
from cellwright.proof.repair import repair as repair_notebook
from tests.writing import notebook


def repair(*cells: str, proposers: Sequence[Proposer] = (), outputs: Sequence[Any] = ()) -> Repaired:
    """Repair a notebook with these code cells; `outputs` are those of the last one in its file."""
    content = notebook(*cells)
    content["cells"][-1]["outputs"] = list(outputs)

    async def run() -> Repaired:
        async with LocalPool(1, rung="trusted") as pool:
            return await repair_notebook(
                parsed(content), lambda: pool.kernel(KernelSettings()), ExecutionLimits(20, 60), proposers
            )

    return asyncio.run(run())
