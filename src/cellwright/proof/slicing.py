"""The shortest list of statements that computes an output: guessed from the syntax tree, judged by running it.

First a static guess; where it does not give the value, a guess that takes every argument of every call as changed;
where that fails too, all statements before the output. What gives the value is then shrunk by delta debugging
(Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002), first by cell, then by statement.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from cellwright.proof.judge import Judge, Program, Run
from cellwright.proof.units import Unit, free_names
from cellwright.proof.values import Snapshot, same

_MAX_TRIALS = 60


@dataclass(frozen=True)
class Slice:
    """The statements that compute one output."""

    units: tuple[Unit, ...]
    guess: str
    """Where the search began: "static", "cautious" or "prefix"."""
    minimal: bool
    """Whether every statement was shown to be needed, within the limit of trials."""
    trials: int
    cpu_s: float


@dataclass(frozen=True)
class NoSlice:
    """Why an output has no slice."""

    reason: str
    detail: str


async def find_slice(units: Sequence[Unit], expression: str, expected: Snapshot, judge: Judge) -> Slice | NoSlice:
    """The shortest part of `units` after which `expression` has the `expected` value."""
    uses, needs = free_names(expression)
    before_runs, before_cpu = judge.runs, judge.cpu_s
    last: Run | None = None

    async def gives_it(candidate: Sequence[Unit]) -> bool:
        nonlocal last
        (last,) = await judge.run([Program(tuple(unit.source for unit in candidate), expression)])
        return last.value is not None and same(last.value, expected)

    for guess, candidate in _guesses(units, uses):
        if await gives_it(candidate):
            kept, minimal = await shrink(candidate, needs, gives_it)
            cost = round(judge.cpu_s - before_cpu, 3)
            return Slice(tuple(kept), guess, minimal, judge.runs - before_runs, cost)
    if last is None or last.error:
        return NoSlice("does not run again", f"{last.error}: {last.text}" if last else "")
    return NoSlice("value differs when run again", f"{last.value} instead of {expected}"[:400])


def _guesses(units: Sequence[Unit], uses: frozenset[str]) -> list[tuple[str, list[Unit]]]:
    guesses: list[tuple[str, list[Unit]]] = []
    for name, candidate in (
        ("static", static_slice(units, uses)),
        ("cautious", static_slice(units, uses, cautious=True)),
        ("prefix", list(units)),
    ):
        if all(candidate != other for _, other in guesses):
            guesses.append((name, candidate))
    return guesses


def static_slice(units: Sequence[Unit], uses: frozenset[str], *, cautious: bool = False) -> list[Unit]:
    """The units that definitions and uses lead to, walking back from the end.

    `cautious` takes each name that a kept name's statement uses as possibly changed by any statement that uses it.
    """
    live = set(uses)
    kept: list[Unit] = []
    modules = {name for unit in units if unit.imports for name in unit.defines}
    for unit in reversed(units):
        changes = unit.changes | (unit.uses - modules if cautious and not unit.imports else frozenset())
        if unit.settings or unit.defines & live or changes & live:
            kept.append(unit)
            live -= unit.defines - unit.changes
            live |= unit.uses | (unit.changes - modules)
    return kept[::-1]


Test = Callable[[Sequence[Unit]], Awaitable[bool]]


async def shrink(units: Sequence[Unit], needs: frozenset[str], gives_it: Test) -> tuple[list[Unit], bool]:
    """Delta debugging by cell, then by statement. Returns what is left, and whether nothing more can go."""
    kept, trials = list(units), 0
    cells = sorted({unit.cell for unit in kept}, reverse=True)
    for cell in cells if len(cells) > 2 else ():
        candidate = [unit for unit in kept if unit.cell != cell]
        if len(candidate) == len(kept) or _surely_broken(candidate, needs):
            continue
        trials += 1
        if trials <= _MAX_TRIALS and await gives_it(candidate):
            kept = candidate
    shrunk = True
    while shrunk:
        shrunk = False
        for unit in reversed(list(kept)):
            candidate = [other for other in kept if other is not unit]
            if _surely_broken(candidate, needs):
                continue
            trials += 1
            if trials > _MAX_TRIALS:
                return kept, False
            if await gives_it(candidate):
                kept, shrunk = candidate, True
    return kept, True


def _surely_broken(units: Sequence[Unit], needs: frozenset[str]) -> bool:
    """Whether a name that is needed has no definition left before it: running would only give NameError."""
    defined: set[str] = set()
    for unit in units:
        if unit.settings:
            return False
        if not unit.needs <= defined:
            return True
        defined |= unit.defines | unit.changes
    return not needs <= defined
