"""A whole notebook: run as it is, mended in a second kernel, and proved in a third; the better one is kept."""

from collections.abc import Callable, Iterator, Sequence
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
from cellwright.proof.repair.silent import SEED, silent_repairs, silent_rules
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
    found = _Attempt(notebook, _refuted(before))
    after = await found.run(before, kernels, limits, proposers)
    for suspects in found.suspects(before, after):
        other = _Attempt(notebook, found.without | suspects)
        after_other = await other.run(before, kernels, limits, proposers)
        if len(_agreeing(after_other)) > len(_agreeing(after)):
            found, after = other, after_other
            break
    if not found.repairs or not _is_better(found, after, before):
        return Repaired(notebook, before, losses=found.losses)
    return Repaired(found.notebook, after, tuple(found.repairs), found.losses, before)


def _refuted(before: Execution) -> frozenset[str]:
    """The silent rules that a notebook needs none of: all, where it runs and shows what its file shows."""
    seen = {cell.agreement for cell in before.cells} - {"nothing stored"}
    is_as_stored = bool(seen) and seen <= {"same", "same values"} and not _failed(before)
    return silent_rules() if is_as_stored else frozenset()


class _Attempt:
    """A notebook under repair."""

    def __init__(self, notebook: Notebook, without: frozenset[str]) -> None:
        self.notebook = notebook
        self.without = without
        """Silent rules that are not applied."""
        self.repairs: list[Repair] = []
        self._losses = Losses()
        self._places = list(range(len(notebook.code_cells)))
        """Of each code cell, where it stood in the file."""
        self.hid_errors: set[int] = set()
        """Cells that only seemed to run."""

    async def run(
        self, before: Execution, kernels: Kernels, limits: ExecutionLimits, proposers: Sequence[Proposer]
    ) -> Execution:
        """Change and mend, until nothing fails or nothing helps; the last execution, `before` where nothing changed."""
        if _failed(before):
            self.reorder()
        self.change_silently()
        sources = [cell.source for cell in self.notebook.code_cells]
        seems_clean = not _failed(before) and not any(map(hides_errors, sources)) and not may_lose_writes(sources)
        after = before
        for _ in range(0 if seems_clean and not self.repairs else _MOST_ROUNDS):
            if not await self.mend(kernels, limits, (RuleProposer(), *proposers)) and not self.repairs:
                break
            after = await _execute(self.notebook, kernels, limits)
            if not _failed(after):
                break
        return after

    def suspects(self, before: Execution, after: Execution) -> Iterator[frozenset[str]]:
        """Silent rules that may be why cells do not show any more what their file shows: first those applied in such
        cells, then those above them, too."""
        agreed, agree = _agreeing(before), _agreeing(after)
        lost = {place for place, was in enumerate(self._places) if was in agreed and place not in agree}
        silent = [made for made in self.repairs if made.rule in silent_rules()]
        there = frozenset(made.rule for made in silent if made.cell in lost)
        above = frozenset(made.rule for made in silent if made.cell <= max(lost, default=-1))
        yield from dict.fromkeys(rules for rules in (there, above) if rules)

    @property
    def losses(self) -> tuple[Loss, ...]:
        """Of all rounds."""
        return tuple(self._losses.rows)

    @property
    def drawn_from(self) -> int:
        """The first cell that draws random numbers without a seed of its author's."""
        drawn = (made.cell for made in self.repairs if made.rule == SEED)
        return min(drawn, default=len(self.notebook.code_cells))

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
        self._places = list(order)
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
        sources, repairs = silent_repairs([cell.source for cell in cells], shown, self.without)
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
        async with kernels() as kernel:
            run = MendingRun(cells, kernel, proposers, limits, witnesses(cells, self.drawn_from), self._losses)
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


def _agreeing(execution: Execution, until: int | None = None) -> set[int]:
    """The cells, up to one, that show what their file shows."""
    cells = execution.cells[:until]
    return {place for place, cell in enumerate(cells) if cell.agreement in ("same", "same values")}


def _is_better(found: _Attempt, after: Execution, before: Execution) -> bool:
    """Whether more cells run than did; as many will do where nothing fails that ran, and where as many show what their
    file shows."""
    lost = {loss.cell for loss in found.losses if loss.cause not in HARMLESS}
    ran_before = [cell.status == "ok" and index not in found.hid_errors for index, cell in enumerate(before.cells)]
    ran_after = [cell.status == "ok" and index not in lost for index, cell in enumerate(after.cells)]
    if sum(ran_after) != sum(ran_before):
        return sum(ran_after) > sum(ran_before)
    agree, agreed = (len(_agreeing(execution, found.drawn_from)) for execution in (after, before))
    if agree < agreed:
        return False
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
    found = _Attempt(notebook, frozenset())
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
