"""Runs a notebook again, cell by cell, in a fresh kernel, and records the values that its cells show.

A failing statement loses only itself and what depends on it: the rest of its cell, and the cells after it, still run.
What this does not promise: that a cell saw the state its author saw. That is for slices to prove.
"""

import json
import time
from dataclasses import dataclass
from typing import Literal

from cellwright.core.config import Seconds
from cellwright.core.errors import KernelDied
from cellwright.core.types import Cell, CellResult, Notebook
from cellwright.kernels import Kernel
from cellwright.proof.agreement import Agreement, agreement
from cellwright.proof.inside import VALUES_MIME, program
from cellwright.proof.units import ParsedCell, parse_cell

_SETUP_TIMEOUT_S = 60.0
_FLUSH_TIMEOUT_S = 30.0
_MAX_CONTINUATIONS = 20


@dataclass(frozen=True)
class ExecutionLimits:
    """How long a notebook may run."""

    cell_s: Seconds = 60.0
    """Seconds for one cell."""
    notebook_s: Seconds = 300.0
    """Seconds for all cells; those left over then are not run."""


@dataclass(frozen=True)
class ShownValue:
    """A value that a cell showed when it ran: of its last line, or printed."""

    cell: int
    statement: int
    number: int
    """Index among the values that the statement showed."""
    value_json: str
    """Snapshot (`proof.inside.snapshots`)."""


@dataclass(frozen=True)
class ExecutedCell:
    """What came of one code cell."""

    status: Literal["ok", "error", "timeout", "dead", "not run"]
    agreement: Agreement
    """How its outputs compare with those stored in the file."""
    seconds: float
    error: str = ""
    """Name and message of the first exception."""
    failed_statements: tuple[int, ...] = ()
    """Statements that raised; those after them were run on."""


@dataclass(frozen=True)
class Execution:
    """What came of all code cells of a notebook."""

    cells: tuple[ExecutedCell, ...]
    shown: tuple[ShownValue, ...]
    seconds: float
    kernel: str
    """Isolation of the kernel."""


async def execute(notebook: Notebook, kernel: Kernel, limits: ExecutionLimits) -> Execution:
    """Run every code cell in order in a kernel that has run nothing. Raises KernelDied if it does not even start."""
    started = time.monotonic()
    setup = await kernel.execute(program() + "\n__cellwright__.watch()", timeout_s=_SETUP_TIMEOUT_S)
    if setup.status != "ok":
        raise KernelDied(f"the kernel did not take the recorder: {setup.error}")
    cells: list[ExecutedCell] = []
    shown: list[ShownValue] = []
    over = ""
    for index, cell in enumerate(notebook.code_cells):
        left_s = limits.notebook_s - (time.monotonic() - started)
        if left_s <= 0:
            over = over or f"notebook over {limits.notebook_s:g} s"
        if over:
            cells.append(ExecutedCell("not run", "not run", 0.0, over))
            continue
        run = _CellRun(index, cell, kernel, min(limits.cell_s, left_s))
        try:
            cells.append(await run.execute())
        except KernelDied:
            # The cell before it was the end of the kernel: what that one and others showed still counts.
            cells.append(ExecutedCell("not run", "not run", 0.0, _KERNEL_GONE))
        if cells[-1].status in ("dead", "not run"):
            over = _KERNEL_GONE
        shown.extend(run.shown)
    return Execution(tuple(cells), tuple(shown), round(time.monotonic() - started, 3), kernel.isolation)


_KERNEL_GONE = "the kernel died in an earlier cell"


class _CellRun:
    """One cell and, after a failing statement, the rest of it."""

    def __init__(self, index: int, cell: Cell, kernel: Kernel, timeout_s: float) -> None:
        self._index, self._cell, self._kernel, self._timeout_s = index, cell, kernel, timeout_s
        self._parsed: ParsedCell | None = parse_cell(index, cell.source)
        self.shown: list[ShownValue] = []

    async def execute(self) -> ExecutedCell:
        """Run the cell to its end, past statements that fail."""
        if self._parsed is None:
            return ExecutedCell("error", "different", 0.0, "SyntaxError: not Python 3")
        result = first = await self._kernel.execute(self._cell.source, timeout_s=self._timeout_s)
        seconds, failed, offset = result.seconds, [], 0
        for _ in range(_MAX_CONTINUATIONS):
            at = await self._flush(offset)
            if result.status != "error" or at < 0:
                break
            failed.append(at)
            rest = [unit.source for unit in self._parsed.units if unit.statement > at]
            if not rest or seconds >= self._timeout_s:
                break
            offset = at + 1
            result = await self._kernel.execute("\n".join(rest), timeout_s=self._timeout_s - seconds)
            seconds += result.seconds
        status = first.status if result.status not in ("dead", "timeout") else result.status
        return ExecutedCell(
            status, agreement(self._cell.outputs, first.outputs), round(seconds, 3), _error(first), tuple(failed)
        )

    async def _flush(self, offset: int) -> int:
        """Take what the kernel recorded; returns the statement that ran last, -1 when that cannot be told."""
        try:
            reply = await self._kernel.execute("__cellwright__.flush()", timeout_s=_FLUSH_TIMEOUT_S)
        except KernelDied:
            return -1
        text = next((o.data[VALUES_MIME] for o in reply.outputs if VALUES_MIME in o.data), None)
        if text is None:
            return -1
        content = json.loads(text)
        for row in content["values"]:
            value = json.dumps(row["value"], ensure_ascii=False)
            self.shown.append(ShownValue(self._index, row["statement"] + offset, row["number"], value))
        return int(content["position"]) + offset if content["position"] >= 0 else -1


def _error(result: CellResult) -> str:
    error = result.error
    if error is not None:
        return f"{error.name}: {error.text}"[:500]
    return "" if result.status == "ok" else result.status
