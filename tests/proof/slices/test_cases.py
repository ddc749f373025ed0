"""Slices of notebooks made to mislead: aliases, hidden state, files, chance, and what IPython adds to Python."""

import ast
import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from cellwright.core.types import Cell, Notebook, Provenance
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.proof.confirming import slice_all
from cellwright.proof.execution import ExecutionLimits, execute
from cellwright.proof.judge import Judge
from cellwright.proof.slicing import NoSlice, Slice, Wanted
from cellwright.proof.units import Unit, parse_cells
from cellwright.proof.values import load
from tests.proof.slices.cases import Case, read_cases

pytestmark = pytest.mark.slow

CASES = {case.name: case for case in read_cases()}
ABOUT_CELLS = [name for name in CASES if name.startswith(("files", "notebook"))]
PRELOAD = ("numpy", "pandas", "matplotlib.pyplot")


@dataclass(frozen=True)
class Found:
    """What became of one case, by statement and by whole cell."""

    statements: Slice | NoSlice
    cells: Slice | NoSlice | None
    """None where a case is not about cells."""


async def _wanted(case: Case, pool: LocalPool) -> Wanted:
    """The case's output as it is when the notebook runs, with all that ran before it."""
    cells = tuple(Cell("code", source) for source in case.cells)
    notebook = Notebook("case", Provenance("tests", case.name, ""), cells)
    async with pool.kernel(KernelSettings(hash_seed=0)) as kernel:
        execution = await execute(notebook, kernel, ExecutionLimits())
        await kernel.execute("import pathlib; pathlib.Path('/tmp/cellwright-case.pkl').unlink(missing_ok=True)")
    shown = execution.shown[-1]
    parsed = parse_cells(case.cells)
    last = parsed[shown.cell]
    assert last is not None
    target = next(t for t in last.targets if (t.statement, t.number) == (shown.statement, shown.number))
    units = [
        unit
        for cell in parsed
        if cell is not None
        for unit in cell.units
        if (unit.cell, unit.statement) < (shown.cell, shown.statement)
        and unit.statement not in execution.cells[unit.cell].failed_statements
    ]
    return Wanted((*units, *last.shown_before(target)), last.expression(target), load(shown.value_json))


async def _slice_every_case() -> Mapping[str, Found]:
    async with LocalPool(1, rung="trusted", preload=PRELOAD) as pool:

        @asynccontextmanager
        async def judges(hash_seed: int) -> AsyncIterator[Judge]:
            async with pool.kernel(KernelSettings(hash_seed=hash_seed)) as kernel:
                yield Judge(kernel, timeout_s=10, seed=7)

        wanted = [await _wanted(case, pool) for case in CASES.values()]
        in_cells = [replace(w, by="cell") for w, name in zip(wanted, CASES, strict=True) if name in ABOUT_CELLS]
        found = await slice_all([*wanted, *in_cells], judges, until=time.monotonic() + 600)
    by_cell = dict(zip(ABOUT_CELLS, found[len(wanted) :], strict=True))
    return {name: Found(slice_, by_cell.get(name)) for name, slice_ in zip(CASES, found, strict=False)}


@pytest.fixture(scope="module")
def found() -> Mapping[str, Found]:
    return asyncio.run(_slice_every_case())


def _meaning(units: Sequence[Unit]) -> list[str]:
    return [ast.unparse(ast.parse(unit.source)) for unit in units]


@pytest.mark.parametrize("name", [case.name for case in CASES.values() if not case.refusal])
def test_slice_is_the_shortest_program(found: Mapping[str, Found], name: str) -> None:
    """It has every statement that the value needs, and no other."""
    slice_ = found[name].statements
    assert isinstance(slice_, Slice), slice_
    assert slice_.minimal
    *kept, _ = [unit for cell in parse_cells(CASES[name].kept) if cell is not None for unit in cell.units]
    assert _meaning(slice_.units) == _meaning(kept)


@pytest.mark.parametrize("name", ABOUT_CELLS)
def test_whole_cells_are_the_fewest(found: Mapping[str, Found], name: str) -> None:
    """A slice of whole cells has the cells that hold a statement that is needed, and no other."""
    slice_ = found[name].cells
    assert isinstance(slice_, Slice), slice_
    assert slice_.minimal
    *kept, _ = [unit.cell for cell in parse_cells(CASES[name].kept) if cell is not None for unit in cell.units]
    assert [unit.cell for unit in slice_.units] == sorted(set(kept))


@pytest.mark.parametrize("name", [case.name for case in CASES.values() if case.refusal])
def test_what_chance_decides_is_refused(found: Mapping[str, Found], name: str) -> None:
    """A value that seeds, sets, addresses or the date may change has no slice, and the reason says so."""
    slice_ = found[name].statements
    assert isinstance(slice_, NoSlice), slice_
    assert CASES[name].refusal in slice_.reason
