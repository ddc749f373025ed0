"""A whole notebook: run as it is, mended in a second kernel, and proved in a third; the better one is kept."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from cellwright.core.errors import KernelDied
from cellwright.core.types import Notebook
from cellwright.kernels import Kernel
from cellwright.proof.execution import Execution, ExecutionLimits, execute
from cellwright.proof.repair.cells import hides_errors, statements
from cellwright.proof.repair.failures import HARMLESS, Loss, Losses
from cellwright.proof.repair.order import ordered
from cellwright.proof.repair.proposers import Proposer, RuleProposer
from cellwright.proof.repair.python2 import PYTHON2, modernised
from cellwright.proof.repair.session import MendingRun, Repair
from cellwright.proof.repair.silent import SEED, silent_repairs
from cellwright.proof.repair.witness import witnesses
from cellwright.proof.repair.writes import may_lose_writes

Kernels = Callable[[], AbstractAsyncContextManager[Kernel]]
_MOST_ROUNDS = 3


@dataclass(frozen=True)
class Repaired:
    """What came of a notebook."""

    notebook: Notebook
    """As it runs: with the repairs, or as it was."""
    execution: Execution
    """Of `notebook`, from its first line, in a kernel that has run nothing."""
    repairs: tuple[Repair, ...] = ()
    losses: tuple[Loss, ...] = ()
    """Statements that could not be made to run."""
    before: Execution | None = None
    """Of the notebook as it was, where it was repaired."""


async def repair(
    notebook: Notebook, kernels: Kernels, limits: ExecutionLimits, proposers: Sequence[Proposer] = ()
) -> Repaired:
    """Run a notebook, mend what fails, and prove the result. Raises KernelDied when a kernel does not even start."""
    before = await _execute(notebook, kernels, limits)
    found = _Attempt(notebook)
    if _failed(before):
        found.reorder()
    found.change_silently()
    sources = [cell.source for cell in notebook.code_cells]
    seems_clean = not _failed(before) and not any(map(hides_errors, sources)) and not may_lose_writes(sources)
    if seems_clean and not found.repairs:
        return Repaired(notebook, before)
    after = before
    for _ in range(_MOST_ROUNDS):
        if not await found.mend(kernels, limits, (RuleProposer(), *proposers)) and not found.repairs:
            break
        after = await _execute(found.notebook, kernels, limits)
        if not _failed(after):
            break
    if not found.repairs or not _is_better(found, after, before):
        return Repaired(notebook, before, losses=found.losses)
    return Repaired(found.notebook, after, tuple(found.repairs), found.losses, before)


class _Attempt:
    """A notebook under repair."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.repairs: list[Repair] = []
        self._losses = Losses()
        self.hid_errors: set[int] = set()
        """Cells that only seemed to run."""

    @property
    def losses(self) -> tuple[Loss, ...]:
        """Of all rounds."""
        return tuple(self._losses.rows)

    def reorder(self) -> None:
        """Put the code cells in the order in which they were run, where that explains names used before they exist."""
        order = ordered(self.notebook.code_cells)
        if order is None:
            return
        cells = self.notebook.code_cells
        for place, index in enumerate(order):
            if place != index:
                why = "the cell uses names that cells further down define"
                self.repairs.append(Repair("cell-order", place, cells[place].source, cells[index].source, why))
        moved = iter([cells[index] for index in order])
        self.notebook = replace(
            self.notebook,
            cells=tuple(next(moved) if cell.kind == "code" else cell for cell in self.notebook.cells),
        )

    def change_silently(self) -> None:
        """What does not fail and means another thing today."""
        self._modernise()
        cells = self.notebook.code_cells
        shown = "\n".join(
            text
            for cell in cells
            for output in cell.outputs
            for text in (output.text, output.data.get("text/plain", ""))
        )
        sources, repairs = silent_repairs([cell.source for cell in cells], shown)
        self._take(sources)
        self.repairs.extend(repairs)

    def _modernise(self) -> None:
        """What one cell of Python 2 says of the others, too: how whole numbers are divided."""
        new = modernised(self.notebook)
        for place, (was, cell) in enumerate(zip(self.notebook.code_cells, new.code_cells, strict=True)):
            if was.source != cell.source:
                self.repairs.append(Repair("python2", place, was.source, cell.source, PYTHON2))
        self.notebook = new

    async def mend(self, kernels: Kernels, limits: ExecutionLimits, proposers: Sequence[Proposer]) -> bool:
        """One mending run; whether it changed anything."""
        cells = self.notebook.code_cells
        drawn_from = min((made.cell for made in self.repairs if made.rule == SEED), default=len(cells))
        async with kernels() as kernel:
            run = MendingRun(cells, kernel, proposers, limits, witnesses(cells, drawn_from), self._losses)
            try:
                await run.run()
            except KernelDied:
                return False
        self._take(run.sources)
        self.hid_errors |= run.hid_errors
        self.repairs.extend([*run.repairs, *run.drops])
        return bool(run.repairs or run.drops)

    def _take(self, sources: Sequence[str]) -> None:
        new = iter(sources)
        cells = tuple(replace(c, source=next(new)) if c.kind == "code" else c for c in self.notebook.cells)
        self.notebook = replace(self.notebook, cells=cells)


async def _execute(notebook: Notebook, kernels: Kernels, limits: ExecutionLimits) -> Execution:
    async with kernels() as kernel:
        return await execute(notebook, kernel, limits)


def _failed(execution: Execution) -> bool:
    return any(cell.status != "ok" for cell in execution.cells)


def _is_better(found: _Attempt, after: Execution, before: Execution) -> bool:
    """Whether more cells run than did; as many will do where nothing fails that ran."""
    lost = {loss.cell for loss in found.losses if loss.cause not in HARMLESS}
    ran_before = [cell.status == "ok" and index not in found.hid_errors for index, cell in enumerate(before.cells)]
    ran_after = [cell.status == "ok" and index not in lost for index, cell in enumerate(after.cells)]
    if sum(ran_after) != sum(ran_before):
        return sum(ran_after) > sum(ran_before)
    changed = {made.cell for made in found.repairs}  # a write that is mended shows nothing any more
    shown = [sum(value.cell not in changed for value in execution.shown) for execution in (before, after)]
    return ran_after == ran_before and shown[1] >= shown[0]


@dataclass(frozen=True)
class Mended:
    """A guess at a notebook that runs: nobody has run it from its first line yet."""

    notebook: Notebook
    repairs: tuple[Repair, ...]
    losses: tuple[Loss, ...]


async def mend(notebook: Notebook, kernels: Kernels, limits: ExecutionLimits) -> Mended:
    """What the rules make of a notebook, in one mending run, for whoever judges by more than that it runs.

    Also where nothing fails: a write that pandas loses in silence is found by mending only.
    """
    found = _Attempt(notebook)
    found.change_silently()
    await found.mend(kernels, limits, (RuleProposer(),))
    return Mended(found.notebook, tuple(found.repairs), found.losses)


def cells_that_ran(repaired: Repaired) -> int:
    """How many cells ran whole."""
    return sum(ran_whole(repaired, cell) for cell in range(len(repaired.execution.cells)))


def ran_whole(repaired: Repaired, cell: int) -> bool:
    """Whether all statements that the author wrote in a cell ran, repaired or not; what computes nothing aside."""
    lost = any(loss.cell == cell and loss.cause not in HARMLESS for loss in repaired.losses)
    return repaired.execution.cells[cell].status == "ok" and not lost


def ran_in_part(repaired: Repaired, cell: int) -> bool:
    """Whether some statements of a cell ran and others were lost."""
    source = repaired.notebook.code_cells[cell].source
    return not ran_whole(repaired, cell) and bool(statements(source)) and repaired.execution.cells[cell].status == "ok"
