"""One run of a notebook in which statements that fail are mended where they stand.

A proposal is believed when the statement that failed runs with it, in the live kernel that it failed in; one that only
moves the failure elsewhere is kept on trial and the next failure is treated in its turn. What cannot be mended is
dropped: it becomes a comment that says why. The result is a guess until the whole notebook has run in a fresh kernel.
"""

import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from IPython.core.inputtransformer2 import TransformerManager

from cellwright.core.errors import KernelDied
from cellwright.core.types import Cell, CellResult
from cellwright.kernels import Kernel
from cellwright.proof.inside import FAILURE_MIME, program
from cellwright.proof.repair.cells import Statement, dropped, is_cell_magic, replaced, rest_after, statements
from cellwright.proof.repair.failures import Failure, Loss, Losses, Site, cause_of
from cellwright.proof.repair.proposers import Proposal, Proposer
from cellwright.proof.repair.python2 import PYTHON2, as_python3
from cellwright.proof.units import Unit, parse_cell

_SETUP_TIMEOUT_S = 60.0
_ASK_TIMEOUT_S = 30.0
_MOST_FAILURES = 60
"""In one cell; a cell with more is left as it is."""
_MOST_STEPS = 8
_MOST_TRIALS = 40
_LOST_WRITE = "ChainedAssignmentError"


@dataclass(frozen=True)
class Repair:
    """One change of a notebook's code, as it is recorded."""

    rule: str
    cell: int
    """Index among the code cells."""
    before: str
    after: str
    why: str


class _Place(NamedTuple):
    """Where the text of an execution stands: the cell, and its source when it ran."""

    cell: int
    source: str


class _Trouble(NamedTuple):
    """What a kernel says of a failure."""

    error: str
    message: str
    position: int
    frames: list[tuple[str, int]]


class MendingRun:
    """Runs the cells in order, once. Afterwards `sources` are the mended cells."""

    def __init__(
        self, cells: Sequence[Cell], kernel: Kernel, proposers: Sequence[Proposer], cell_s: float, notebook_s: float
    ) -> None:
        self.sources = [cell.source for cell in cells]
        self.repairs: list[Repair] = []
        self.losses = Losses()
        self.drops: list[Repair] = []
        self._cells, self._kernel, self._proposers = cells, kernel, proposers
        self._cell_s, self._notebook_s = cell_s, notebook_s
        self._places: dict[str, _Place] = {}
        self._deadline = 0.0
        self._trials = 0
        self._seen: set[str] = set()
        """Of the statement being mended: proposals tried, and failures met."""
        self.is_over = False
        """Whether the kernel died or the time ran out, so that later cells were not looked at."""

    async def run(self) -> None:
        """Mend what fails. Raises KernelDied when the kernel does not even start."""
        self._deadline = time.monotonic() + self._notebook_s
        setup = f"{program()}\n__cellwright__.watch()\n__cellwright__.strict(True)"
        result = await self._kernel.execute(setup, timeout_s=_SETUP_TIMEOUT_S)
        if result.status != "ok":
            raise KernelDied(f"the kernel did not take the recorder: {result.error}")
        for cell in range(len(self.sources)):
            if self.sources[cell].strip():
                try:
                    await self._run_cell(cell)
                except KernelDied:
                    self.is_over = True
            if time.monotonic() > self._deadline:
                self.is_over = True
            if self.is_over:
                return

    async def _run_cell(self, cell: int) -> None:
        self._modernise(cell)
        done = 0
        for _ in range(_MOST_FAILURES):
            chunk = self._chunk(cell, done)
            if not chunk.strip():
                return
            result = await self._execute(cell, chunk)
            if result.status == "ok":
                self.losses.ran(self._units(cell)[done:])
                return
            trouble = await self._trouble(result)
            failure = self._failure(cell, done, trouble)
            self.losses.ran(self._units(cell)[done : failure.statement.index])
            mended = await self._mend(failure)
            done = failure.statement.index + mended if mended is not None else self._drop(failure)
            if trouble.error == "Died":
                self.is_over = True
                return

    def _modernise(self, cell: int) -> None:
        """Make Python 3 of a cell that is none: nothing of it ran, so there is nothing to lose."""
        source = self.sources[cell]
        if statements(source) is None and (text := as_python3(source)) is not None:
            self.sources[cell] = text
            self.repairs.append(Repair("python2", cell, source, text, PYTHON2))

    def _chunk(self, cell: int, done: int) -> str:
        source = self.sources[cell]
        if not done:
            return source
        found = statements(source) or []
        return rest_after(source, found[done - 1]) if done <= len(found) else ""

    def _units(self, cell: int) -> list[Unit]:
        parsed = parse_cell(cell, self.sources[cell])
        return list(parsed.units) if parsed is not None else []

    # --- failures ---

    async def _execute(self, cell: int, text: str) -> CellResult:
        self._places[_transformed(text)] = _Place(cell, self.sources[cell])
        left_s = max(1.0, min(self._cell_s, self._deadline - time.monotonic()))
        result = await self._kernel.execute(text, timeout_s=left_s)
        if result.status == "ok":
            # Until that is asked, the kernel takes what comes next for a part of the statement that ran last.
            await self._where()
        return result

    async def _trouble(self, result: CellResult) -> _Trouble:
        """Name, message and frames of what just failed."""
        if result.status in ("timeout", "dead"):
            name = "Timeout" if result.status == "timeout" else "Died"
            position = (await self._where())[0] if result.status == "timeout" else 0
            return _Trouble(name, result.ended_by or f"over {self._cell_s:g} s", position, [])
        position, frames = await self._where()
        error = result.error
        return _Trouble(error.name if error else "Error", error.text if error else "", position, frames)

    async def _where(self) -> tuple[int, list[tuple[str, int]]]:
        reply = await self._kernel.execute("__cellwright__.where()", timeout_s=_ASK_TIMEOUT_S)
        text = next((o.data[FAILURE_MIME] for o in reply.outputs if FAILURE_MIME in o.data), None)
        if text is None:
            return -1, []
        content = json.loads(text)
        return int(content["position"]), [(str(source), int(line)) for source, line in content["frames"]]

    def _failure(self, cell: int, done: int, trouble: _Trouble) -> Failure:
        source = self.sources[cell]
        found = statements(source)
        # A cell that failed before its first statement, as by a syntax error that only compiling finds: the first.
        at = min(done + max(trouble.position, 0), len(found) - 1) if found else 0
        statement = found[at] if found else _whole(source)
        return Failure(
            trouble.error,
            trouble.message,
            cell,
            statement,
            tuple(self._sites(cell, statement, trouble.frames)),
            tuple(self.sources),
            self._cells[cell].outputs,
        )

    def _sites(self, cell: int, statement: Statement, frames: Sequence[tuple[str, int]]) -> Iterator[Site]:
        seen: set[tuple[int, str]] = set()
        for text, line in reversed(frames):
            place = self._places.get(text)
            if place is None or is_cell_magic(place.source):
                continue
            was = next((s for s in statements(place.source) or [] if s.holds(line)), None)
            now = next((s for s in statements(self.sources[place.cell]) or [] if was and s.source == was.source), None)
            if was is not None and now is not None and (place.cell, now.source) not in seen:
                seen.add((place.cell, now.source))
                yield Site(place.cell, now, line - was.first_line + now.first_line)
        if (cell, statement.source) not in seen:
            yield Site(cell, statement, statement.first_line)

    # --- mending ---

    async def _mend(self, failure: Failure) -> int | None:
        """Make the statement run: the number of statements that stand in its place, None when nothing helped."""
        if failure.is_as_author_saw() or failure.error in ("Timeout", "Died"):
            return None
        self._trials, self._seen = 0, {failure.text}
        count = await self._search(failure, 1, _MOST_STEPS)
        if count is None and failure.error == _LOST_WRITE:
            return await self._leniently(failure)
        return count

    async def _search(self, failure: Failure, count: int, steps: int) -> int | None:
        """Try proposals, and after one that only moves the failure, those for the next failure, depth first."""
        async for proposal in _proposals(self._proposers, failure):
            self._trials += 1
            if self._trials > _MOST_TRIALS or time.monotonic() > self._deadline:
                return None
            kept, made = list(self.sources), len(self.repairs)
            outcome = await self._try(proposal, failure, count)
            if isinstance(outcome, int):
                return outcome
            new, new_count = outcome
            if steps > 1 and proposal.may_be_part and new.text not in self._seen and _is_progress(new):
                self._seen.add(new.text)
                mended = await self._search(new, new_count, steps - 1)
                if mended is not None:
                    return mended
            self.sources = kept
            del self.repairs[made:]
        return None

    async def _try(self, proposal: Proposal, failure: Failure, count: int) -> "int | tuple[Failure, int]":
        """Apply a proposal and run: the number of statements in the failed one's place, or how it failed now."""
        cell = proposal.cell
        new_count = len(statements(proposal.text) or [0])
        self.sources[cell] = replaced(self.sources[cell], proposal.statement, proposal.text)
        self.repairs.append(Repair(proposal.rule, cell, proposal.statement.source, proposal.text, proposal.why))
        first = failure.statement.index
        is_itself = cell == failure.cell and first <= proposal.statement.index < first + count
        if is_itself:
            count += new_count - 1
        else:
            again = await self._execute(cell, self._span(cell, proposal.statement.index, new_count))
            if again.status != "ok":
                return self._failure(failure.cell, first, await self._trouble(again)), count
            if cell == failure.cell:
                first += new_count - 1
        result = await self._execute(failure.cell, self._span(failure.cell, first, count))
        if result.status == "ok":
            self.losses.ran(self._units(failure.cell)[first : first + count])
            return count
        trouble = await self._trouble(result)
        return self._failure(failure.cell, first, trouble), count

    def _span(self, cell: int, first: int, count: int) -> str:
        """Some statements of a cell, on their own lines."""
        source = self.sources[cell]
        found = statements(source)
        if found is None or is_cell_magic(source):
            return source
        last = found[min(first + count, len(found)) - 1]
        return "\n" * (found[first].first_line - 1) + source[found[first].start : last.end]

    async def _leniently(self, failure: Failure) -> int | None:
        """Run a statement whose write is lost, and was lost when it was written: a copy's."""
        await self._kernel.execute("__cellwright__.strict(False)", timeout_s=_ASK_TIMEOUT_S)
        result = await self._execute(failure.cell, self._span(failure.cell, failure.statement.index, 1))
        await self._kernel.execute("__cellwright__.strict(True)", timeout_s=_ASK_TIMEOUT_S)
        return 1 if result.status == "ok" else None

    def _drop(self, failure: Failure) -> int:
        """Turn a statement into a comment; returns the index of the statement after it."""
        units = self._units(failure.cell)
        unit = units[failure.statement.index] if failure.statement.index < len(units) else None
        loss = self.losses.add(failure, unit)
        source = self.sources[failure.cell]
        text = dropped(source, failure.statement, _reason(loss))
        self.sources[failure.cell] = text
        self.drops.append(Repair(f"dropped: {loss.cause}", failure.cell, failure.statement.source, "", _reason(loss)))
        before, after = len(statements(source) or [0]), len(statements(text) or [])
        return failure.statement.index + 1 - (before - after)


def _reason(loss: Loss) -> str:
    said = loss.error[:200]
    return f"{loss.cause}: {said}" if loss.is_direct else f"depends on what was dropped before ({loss.cause}): {said}"


def _is_progress(failure: Failure) -> bool:
    """Whether another failure is worth going on from: not one that says that the change itself was wrong."""
    return failure.error not in ("Timeout", "Died", "SyntaxError") and cause_of(failure) in ("unknown", "plot", "file")


async def _proposals(proposers: Sequence[Proposer], failure: Failure) -> AsyncIterator[Proposal]:
    for proposer in proposers:
        async for proposal in proposer.propose(failure):
            yield proposal


def _whole(source: str) -> Statement:
    return Statement(0, 0, len(source), 1, source.count("\n") + 1, source)


def _transformed(text: str) -> str:
    try:
        return str(TransformerManager().transform_cell(text))  # type: ignore[no-untyped-call]
    except (SyntaxError, ValueError):
        return text
