"""One run of a notebook in which statements that fail are mended where they stand.

A proposal is believed when the statement that failed runs with it, in the live kernel that it failed in; one that only
moves the failure elsewhere is kept on trial and the next failure is treated in its turn. What cannot be mended is
dropped: it becomes a comment that says why. The result is a guess until the whole notebook has run in a fresh kernel.

A proposal that may give another value is held against what the author saw, as soon as the statement or the rest of its
cell shows something: where they differ, the next one is tried, and where there is none, the statement is lost.
"""

import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from IPython.core.inputtransformer2 import TransformerManager

from cellwright.core.errors import KernelDied
from cellwright.core.types import Cell, CellResult
from cellwright.kernels import Kernel
from cellwright.proof.execution import ExecutionLimits
from cellwright.proof.inside import FAILURE_MIME, program
from cellwright.proof.repair.cells import (
    Statement,
    captured_name,
    dropped,
    hides_errors,
    is_cell_magic,
    one_name_each,
    replaced,
    rest_after,
    statements,
    told_by_shell,
)
from cellwright.proof.repair.failures import Failure, Loss, Losses, Site, cause_of
from cellwright.proof.repair.proposers import Proposal, Proposer
from cellwright.proof.repair.python2 import PYTHON2, as_python3
from cellwright.proof.repair.witness import Seen, contradiction
from cellwright.proof.repair.writes import writes_into_copies
from cellwright.proof.units import Unit, parse_cell

_SETUP_TIMEOUT_S = 60.0
_ASK_TIMEOUT_S = 30.0
_MOST_FAILURES = 60
"""In one cell; a cell with more is left as it is."""
_MOST_STEPS = 8
_MOST_TRIALS = 40
_DROPPED = "dropped: "
_POPPED = re.compile(r"\.pop\(\s*['\"]([^'\"]*)['\"]\s*\)")
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
    is_guess: bool = False
    """Whether it could give another value; nothing in the notebook's file speaks against it."""

    @property
    def is_drop(self) -> bool:
        """Whether the statement was taken out: a loss tells why."""
        return self.rule.startswith(_DROPPED)


class _Place(NamedTuple):
    """Where the text of an execution stands: the cell, and its source when it ran."""

    cell: int
    source: str
    above: int
    """Blank lines at the text's beginning, which IPython leaves out: a traceback does not count them."""


class _Trouble(NamedTuple):
    """What a kernel says of a failure."""

    error: str
    message: str
    position: int
    frames: list[tuple[str, int]]


@dataclass(frozen=True)
class _Guess:
    """A statement of the cell under way that runs by guess."""

    failure: Failure
    """As it failed when nothing of it was changed."""
    first: int
    count: int
    """The statements that stand in its place."""
    repair: Repair


class MendingRun:
    """Runs the cells in order, once. Afterwards `sources` are the mended cells."""

    def __init__(
        self,
        cells: Sequence[Cell],
        kernel: Kernel,
        proposers: Sequence[Proposer],
        limits: ExecutionLimits,
        seen: Sequence[Seen],
        losses: Losses,
    ) -> None:
        """`limits` of one execution: mending may take twice as long. `seen`: what `witnesses` found. `losses`: those of
        the rounds before; this one's are added."""
        self.sources = [cell.source for cell in cells]
        self.repairs: list[Repair] = []
        self.losses = losses
        self.drops: list[Repair] = []
        self.hid_errors: set[int] = set()
        """Cells that failed behind a magic, so that they seemed to run."""
        self._cells, self._kernel, self._proposers = cells, kernel, proposers
        self._cell_s, self._notebook_s = limits.cell_s, 2 * limits.notebook_s
        self._witnesses = seen
        self._places: dict[str, _Place] = {}
        self._deadline = 0.0
        self._trials = 0
        self._seen: set[tuple[str, ...]] = set()
        """Of the statement being mended: failures met, each with the statements that it came through."""
        self._mended_from = 0
        """Of the statement being mended: the first of its repairs."""
        self._contradiction = ""
        """Of the statement being mended: what spoke against the last guess that made it run."""
        self._guesses: list[_Guess] = []
        """Of the cell under way."""
        self.is_over = False
        """Whether later cells were not looked at: the kernel died, the time ran out, or what it holds is not to be had
        again."""

    async def run(self) -> None:
        """Mend what fails. Raises KernelDied when the kernel does not even start."""
        self._deadline = time.monotonic() + self._notebook_s
        setup = f"{program()}\n__cellwright__.watch()\n__cellwright__.strict(True)"
        result = await self._kernel.execute(setup, timeout_s=_SETUP_TIMEOUT_S)
        if result.status != "ok":
            raise KernelDied(f"the kernel did not take the recorder: {result.error}")
        for cell in range(len(self.sources)):
            self.losses.begin(cell)
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
        """Run and mend a cell; without its magic where that would keep errors to itself."""
        source = self.sources[cell]
        body = source.lstrip().partition("\n")[2]
        is_covered = hides_errors(source) and bool(statements(body))
        if is_covered:
            self.sources[cell] = body
        try:
            await self._run_statements(cell)
        finally:
            if is_covered and self.sources[cell] == body:
                self.sources[cell] = source
            elif is_covered:
                self.hid_errors.add(cell)
                why = "what hides the cell's errors is left out"
                self.repairs.append(Repair("cell-magic", cell, source, body, why))
        if is_covered and (name := captured_name(source)):
            bind = f"{name} = __import__('IPython.utils.capture').utils.capture.CapturedIO(None, None)"
            await self._kernel.execute(bind, timeout_s=_ASK_TIMEOUT_S)

    async def _run_statements(self, cell: int) -> None:
        self._modernise(cell)
        self._guesses = []
        done = 0
        for _ in range(_MOST_FAILURES):
            chunk = self._chunk(cell, done)
            if not chunk.strip():
                return
            result = await self._execute(cell, chunk)
            if result.status == "ok":
                wrong = self._contradicted(cell, done, result)
                if wrong is None:
                    self.losses.ran(self._units(cell)[done:])
                    return
                done = await self._take_back(*wrong)
                continue
            trouble = await self._trouble(result)
            failure = self._failure(cell, done, trouble)
            self.losses.ran(self._units(cell)[done : failure.statement.index])
            mended = await self._mend(failure)
            if mended is None and self._parted(failure):
                done = failure.statement.index
                continue
            done = failure.statement.index + mended if mended is not None else self._drop(failure)
            self.is_over |= trouble.error == "Died"
            if self.is_over:
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
        self._places[_transformed(text)] = _Place(cell, self.sources[cell], _blank_lines(text))
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
        error = result.error
        position, frames = await self._where()
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
            tuple(loss.source for loss in self.losses.rows),
        )

    def _sites(self, cell: int, statement: Statement, frames: Sequence[tuple[str, int]]) -> Iterator[Site]:
        seen: set[tuple[int, str]] = set()
        for text, line in reversed(frames):
            place = self._places.get(text)
            if place is None or is_cell_magic(place.source):
                continue
            there = [s for s in statements(place.source) or [] if s.holds(line + place.above)]
            # Of several on one line, the one that failed.
            there.sort(key=lambda s: (place.cell, s.source) != (cell, statement.source))
            was = next(iter(there), None)
            now = next((s for s in statements(self.sources[place.cell]) or [] if was and s.source == was.source), None)
            if was is not None and now is not None and (place.cell, now.source) not in seen:
                seen.add((place.cell, now.source))
                yield Site(place.cell, now, line + place.above - was.first_line + now.first_line)
        if (cell, statement.source) not in seen:
            yield Site(cell, statement, statement.first_line)

    # --- mending ---

    async def _mend(self, failure: Failure) -> int | None:
        """Make the statement run: the number of statements that stand in its place, None when nothing helped."""
        self._trials, self._seen = 0, {_key(failure)}
        self._mended_from, self._contradiction = len(self.repairs), ""
        if failure.is_as_author_saw() or failure.error in ("Timeout", "Died"):
            return None
        if failure.error == _LOST_WRITE and await self._is_of_copies(failure):
            return await self._leniently(failure)
        count = await self._search(failure, 1, _MOST_STEPS)
        made = self.repairs[self._mended_from :]
        # Of one that took several changes, or one elsewhere, only what it shows by itself was held against the file.
        is_its_own = len(made) == 1 and (made[0].cell, made[0].before) == (failure.cell, failure.statement.source)
        if count is not None and is_its_own and made[0].is_guess:
            self._guesses.append(_Guess(failure, failure.statement.index, count, made[0]))
        return count

    async def _search(self, failure: Failure, count: int, steps: int, rule: str = "") -> int | None:
        """Try proposals, and after one that only moves the failure, those for the next failure, depth first.

        `rule`: the only one that may propose, where it mended one of several forms that fail with the same words.
        """
        async for proposal in _proposals(self._proposers, failure):
            if rule and proposal.rule != rule:
                continue
            self._trials += 1
            if self._trials > _MOST_TRIALS or time.monotonic() > self._deadline:
                return None
            kept, made = list(self.sources), len(self.repairs)
            outcome = await self._try(proposal, failure, count)
            if isinstance(outcome, int):
                return outcome
            new, new_count = outcome
            if steps > 1 and proposal.may_be_part and _key(new) not in self._seen and _is_progress(new):
                self._seen.add(_key(new))
                same = proposal.rule if new.text == failure.text else ""
                mended = await self._search(new, new_count, steps - 1, same)
                if mended is not None:
                    return mended
            self.sources = kept
            del self.repairs[made:]
            if proposal.cell != failure.cell or proposal.statement.index < failure.statement.index:
                # What stands elsewhere ran in another form meanwhile, and with it what is made of its names.
                until = (failure.cell, failure.statement.index)
                for place in self._again(proposal.cell, proposal.statement.index, 1, until):
                    await self._execute(place[0], self._span(*place))
        return None

    async def _try(self, proposal: Proposal, failure: Failure, count: int) -> "int | tuple[Failure, int]":
        """Apply a proposal and run: the number of statements in the failed one's place, or how it failed now."""
        cell = proposal.cell
        new_count = len(statements(proposal.text) or [0])
        self.sources[cell] = replaced(self.sources[cell], proposal.statement, proposal.text)
        before, after = proposal.statement.source, proposal.text
        self.repairs.append(Repair(proposal.rule, cell, before, after, proposal.why, proposal.is_guess))
        first = failure.statement.index
        is_itself = cell == failure.cell and first <= proposal.statement.index < first + count
        if is_itself:
            count += new_count - 1
        else:
            if cell == failure.cell:
                first += new_count - 1
            for place in self._again(cell, proposal.statement.index, new_count, (failure.cell, first)):
                again = await self._execute(place[0], self._span(*place))
                if again.status != "ok":
                    return self._failure(failure.cell, first, await self._trouble(again)), count
        result = await self._execute(failure.cell, self._span(failure.cell, first, count))
        if result.status == "ok":
            if any(made.is_guess for made in self.repairs[self._mended_from :]):
                self._contradiction = contradiction(self._witnesses[failure.cell], result.outputs)
                if self._contradiction:
                    return failure, count  # as if it still failed: the next proposal is tried
            self.losses.ran(self._units(failure.cell)[first : first + count])
            return count
        trouble = await self._trouble(result)
        if trouble.error == "KeyError" and trouble.message.strip("'") in _POPPED.findall(failure.statement.source):
            # The statement as it was had taken that out before it failed: only a fresh kernel can tell.
            self.is_over = True
            return count
        return self._failure(failure.cell, first, trouble), count

    def _again(self, cell: int, first: int, count: int, until: tuple[int, int]) -> list[tuple[int, int, int]]:
        """Cell, index and count of what must run again, up to a statement of a cell, when some statements were changed:
        these, and the later ones that make something of what they bind. A statement that changes other things too would
        change them twice, and is left out: the result is a guess, until the notebook runs in a fresh kernel."""
        found = [(cell, first, count)]
        given = {name for unit in self._units(cell)[first : first + count] for name in unit.defines}
        for later in range(cell, until[0] + 1):
            for index, unit in enumerate([] if is_cell_magic(self.sources[later]) else self._units(later)):
                is_between = (cell, first + count) <= (later, index) < until
                touches = (unit.uses | unit.changes) & given
                if is_between and touches and unit.changes <= given and unit.defines & unit.uses <= given:
                    found.append((later, index, 1))
                    given |= unit.defines
        return found

    def _span(self, cell: int, first: int, count: int) -> str:
        """Some statements of a cell, on their own lines."""
        source = self.sources[cell]
        found = statements(source)
        if found is None or is_cell_magic(source):
            return source
        last = found[min(first + count, len(found)) - 1]
        return "\n" * (found[first].first_line - 1) + source[found[first].start : last.end]

    async def _is_of_copies(self, failure: Failure) -> bool:
        """Whether a write that is lost was lost in every version, for what it writes into is a copy."""
        told = writes_into_copies(failure.sites[0].statement.source)
        result = await self._kernel.execute(f"assert {told}", timeout_s=_ASK_TIMEOUT_S)
        return result.status == "ok"

    async def _leniently(self, failure: Failure) -> int | None:
        """Run a statement whose write is lost, and was lost when it was written: a copy's."""
        await self._kernel.execute("__cellwright__.strict(False)", timeout_s=_ASK_TIMEOUT_S)
        result = await self._execute(failure.cell, self._span(failure.cell, failure.statement.index, 1))
        await self._kernel.execute("__cellwright__.strict(True)", timeout_s=_ASK_TIMEOUT_S)
        return 1 if result.status == "ok" else None

    def _contradicted(self, cell: int, done: int, result: CellResult) -> "tuple[_Guess, str] | None":
        """A guess that what came after it in its cell speaks against, and what was seen.

        Only what the cell's end shows, and only where all of it hangs on the guess: an output does not say which
        statement it is of.
        """
        units = self._units(cell)
        for guess in self._guesses:
            told = contradiction(self._witnesses[cell], result.outputs)
            if told and set(units[done:]) <= set(_hanging_on(units, guess)):
                return guess, told
        return None

    async def _take_back(self, guess: _Guess, told: str) -> int:
        """Undo a guess: its statement goes, with the names that it bound; returns the index of the one after it."""
        cell, source = guess.failure.cell, self.sources[guess.failure.cell]
        # What hangs on it fails by name from now on, and is filed under the same cause.
        names = sorted({name for unit in _hanging_on(self._units(cell), guess) for name in unit.defines})
        forget = f"[globals().pop(name, None) for name in {names!r}] and None"
        await self._kernel.execute(forget, timeout_s=_ASK_TIMEOUT_S)
        found = statements(source) or []
        start, end = found[guess.first].start, found[guess.first + guess.count - 1].end
        self.sources[cell] = source[:start] + guess.failure.statement.source + source[end:]
        self.repairs = [repair for repair in self.repairs if repair is not guess.repair]
        self._guesses.remove(guess)
        statement = (statements(self.sources[cell]) or [])[guess.first]
        self._contradiction = told
        return self._drop(replace(guess.failure, statement=statement, sources=tuple(self.sources)))

    def _parted(self, failure: Failure) -> bool:
        """Whether an import of several names was made one for each: what is there is not lost for what is not."""
        cell, source = failure.cell, failure.statement.source
        text = one_name_each(source)
        is_about_one = failure.error == "ImportError" or source.startswith("import ")
        if text is None or not is_about_one or failure.is_as_author_saw():
            return False
        self.sources[cell] = replaced(self.sources[cell], failure.statement, text)
        self.repairs.append(Repair("import-parted", cell, source, text, "each name is imported by itself"))
        return True

    def _drop(self, failure: Failure) -> int:
        """Turn a statement into a comment; returns the index of the statement after it."""
        source, first = self.sources[failure.cell], failure.statement.index
        units = self._units(failure.cell)
        # A cell magic takes all of its cell with it, and what it should have told.
        told = told_by_shell(source)
        whole = [replace(unit, defines=unit.defines | told) for unit in units]
        lost = whole if is_cell_magic(source) else units[first : first + 1]
        loss = self.losses.add(failure, lost, self._contradiction)
        self._contradiction = ""
        text = dropped(source, failure.statement, _reason(loss))
        self.sources[failure.cell] = text
        self.drops.append(Repair(f"{_DROPPED}{loss.cause}", failure.cell, failure.statement.source, "", _reason(loss)))
        before, after = len(statements(source) or [0]), len(statements(text) or [])
        return failure.statement.index + 1 - (before - after)


def _reason(loss: Loss) -> str:
    said = loss.error[:200]
    return f"{loss.cause}: {said}" if loss.is_direct else f"depends on what was dropped before ({loss.cause}): {said}"


def _hanging_on(units: Sequence[Unit], guess: _Guess) -> list[Unit]:
    """The statements in a guess's place, and those after them that use what it gave, at first or second hand."""
    found = list(units[guess.first : guess.first + guess.count])
    given = {name for unit in found for name in unit.defines | unit.changes}
    for unit in units[guess.first + guess.count :]:
        if unit.uses & given:
            given |= unit.defines | unit.changes
            found.append(unit)
    return found


def _key(failure: Failure) -> tuple[str, ...]:
    """What makes a failure another one: its words, and the statements that it came through as they are now."""
    return (failure.text, *(site.statement.source for site in failure.sites))


def _is_progress(failure: Failure) -> bool:
    """Whether another failure is worth going on from: not one that says that the change itself was wrong."""
    return failure.error not in ("Timeout", "Died", "SyntaxError") and cause_of(failure) in ("unknown", "plot", "file")


async def _proposals(proposers: Sequence[Proposer], failure: Failure) -> AsyncIterator[Proposal]:
    for proposer in proposers:
        async for proposal in proposer.propose(failure):
            yield proposal


def _whole(source: str) -> Statement:
    return Statement(0, 0, len(source), 1, source.count("\n") + 1, source)


def _blank_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def _transformed(text: str) -> str:
    try:
        return str(TransformerManager().transform_cell(text))  # type: ignore[no-untyped-call]
    except (SyntaxError, ValueError):
        return text
