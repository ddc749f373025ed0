"""The shortest list of statements that computes an output: guessed from the syntax tree, judged by running it.

First a static guess; where it does not give the value, a guess that takes every argument of every call as changed;
where that fails too, all statements before the output, and what the static guess lacks of them. What gives the value
is then shrunk by delta debugging, statement by statement, and then inside statements. Last, what is left is run under
other seeds and on another day. A list of whole cells is found the same way (`units.whole_cells`).

A slice is minimal for the value, not for its meaning: cleaning that does not change the value goes. What is asked about
a slice must therefore be read from the slice, and never from the notebook around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cellwright.proof.judge import Circumstances, Judge, Program, Run
from cellwright.proof.minimising import Minimised, Spent, minimise, missing
from cellwright.proof.nested import without_one
from cellwright.proof.units import BUILTINS, Unit, free_names, whole_cells
from cellwright.proof.values import Snapshot, identical, is_opaque

_PATIENCE_S, _PATIENCE = 1.5, 10.0
"""Seconds, and times the duration of what gave the value: how long a candidate may take."""
_ANOTHER_DAY = Circumstances(seed=90_001, days_ahead=400)
_LUCK = tuple(Circumstances(seed=70_000 + number) for number in range(12))
"""What draws without a seed and gives one value in all of these has 1 chance in 4,096 or less to be a coin."""
Level = Literal["statement", "cell"]
CHANCE, VALUE_DIFFERS = "value depends on chance or the day", "value differs when run again"


@dataclass(frozen=True)
class Effort:
    """How much one output may cost."""

    trials: int = 160
    """Lists of statements that are tried."""
    cpu_s: float = 20.0
    """Processor seconds of these."""


@dataclass(frozen=True)
class Wanted:
    """An output to slice."""

    units: tuple[Unit, ...]
    """The statements that ran before it."""
    expression: str
    expected: Snapshot
    by: Level = "statement"
    """Whether single statements may go, or whole cells only."""


@dataclass(frozen=True)
class Slice:
    """The statements that compute one output."""

    units: tuple[Unit, ...]
    """In the order of the notebook; each a whole cell where cells were asked for."""
    guess: str
    """Where the search began: "static", "cautious" or "prefix"."""
    minimal: bool
    """Whether no statement can go: each, also inside loops and branches, was left out, and the rest gave another value
    or surely fails. False only when the effort was spent before.
    """
    trials: int
    cpu_s: float


@dataclass(frozen=True)
class NoSlice:
    """Why an output has no slice."""

    reason: str
    detail: str


async def find_slice(wanted: Wanted, judge: Judge, effort: Effort | None = None) -> Slice | NoSlice:
    """The shortest program that gives the wanted value, whatever chance has in store.

    The order in which a set hands out texts is chance too, but a kernel's own: `confirming` asks other kernels.
    """
    if is_opaque(wanted.expected):
        return NoSlice("value cannot be compared", f"{wanted.expected}"[:400])
    search = _Search(wanted, judge, effort or Effort())
    units = wanted.units if wanted.by == "statement" else tuple(whole_cells(wanted.units))
    found = await search.slice(units)
    if isinstance(found, Slice) and not await search.is_steady(found.units):
        # A statement went that only luck made look idle, such as a seed; or there is nothing but luck.
        search.is_strict = True
        found = await search.slice(units)
    return found


class _Search:
    """The search for one slice: what was tried, and what it cost."""

    def __init__(self, wanted: Wanted, judge: Judge, effort: Effort) -> None:
        self._wanted, self._judge, self._effort = wanted, judge, effort
        self._uses, self._needs = free_names(wanted.expression)
        self._trials, self._cpu_s = 0, judge.cpu_s
        self._longest_s = 0.0
        self._tried: dict[tuple[str, ...], bool] = {}
        self._last: Run | None = None
        self.is_strict = False
        """Whether each trial is run under several seeds and on another day."""

    async def slice(self, units: Sequence[Unit]) -> Slice | NoSlice:
        self._tried.clear()
        try:
            begun = await self._begin(units)
        except Spent:
            return NoSlice("too dear to search", f"over {self._effort.trials} trials or {self._effort.cpu_s:g} s")
        if begun is None:
            return self._refused()
        guess, candidate = begun
        left = await minimise(candidate, self.gives, _able)
        if self._wanted.by == "statement" and left.is_minimal:
            left = await self._without_nested(left.kept)
        cost = round(self._judge.cpu_s - self._cpu_s, 3)
        return Slice(left.kept, guess, left.is_minimal, self._trials, cost)

    async def _begin(self, units: Sequence[Unit]) -> tuple[str, Sequence[Unit]] | None:
        """A first list that gives the value, and how it was guessed."""
        static = static_slice(units, self._uses)
        if await self.gives(static):
            return "static", static
        cautious = static_slice(units, self._uses, cautious=True)
        if await self.gives(cautious):
            return "cautious", cautious
        if not await self.gives(units):
            return None

        async def gives_with(also: Sequence[Unit]) -> bool:
            return await self.gives(static_slice(units, self._uses, also=also))

        lacking = await missing([], [unit for unit in units if unit not in static], gives_with)
        return "prefix", units if lacking is None else static_slice(units, self._uses, also=lacking)

    async def _without_nested(self, units: tuple[Unit, ...]) -> Minimised[Unit]:
        kept = list(units)
        try:
            for place in reversed(range(len(kept))):
                shrunk = True
                while shrunk:
                    shrunk = False
                    for source in without_one(kept[place].source):
                        candidate = [*kept[:place], replace(kept[place], source=source), *kept[place + 1 :]]
                        if await self.gives(candidate):
                            kept, shrunk = candidate, True
                            break
        except Spent:
            return Minimised(tuple(kept), False)
        if tuple(kept) == units:
            return Minimised(units, True)
        return await minimise(kept, self.gives, _able)  # what only the statements inside had needed may go too

    async def gives(self, candidate: Sequence[Unit]) -> bool:
        """Whether these statements give the value. Raises Spent when no more may be run."""
        key = tuple(unit.source for unit in candidate)
        if key not in self._tried:
            self._tried[key] = not _surely_broken(candidate, self._needs) and await self._judged(candidate)
        return self._tried[key]

    async def _judged(self, candidate: Sequence[Unit]) -> bool:
        if self._trials >= self._effort.trials or self._judge.cpu_s - self._cpu_s > self._effort.cpu_s:
            raise Spent
        self._trials += 1
        if self.is_strict:
            return await self.is_steady(candidate)
        return await self._is_right(candidate)

    async def is_steady(self, candidate: Sequence[Unit]) -> bool:
        """Whether these statements give the value under other seeds and on another day, and not by luck."""
        if not await self._is_right(candidate):
            return False
        here = self._last
        if not await self._is_right(candidate, _ANOTHER_DAY):
            return False
        if here is not None and self._last is not None and here.drawn == self._last.drawn:
            return True
        for circumstances in _LUCK:
            if not await self._is_right(candidate, circumstances):
                return False
        return True

    async def _is_right(self, candidate: Sequence[Unit], circumstances: Circumstances | None = None) -> bool:
        program = Program(tuple(unit.source for unit in candidate), self._wanted.expression)
        # Without the statement that ends a loop it runs for ever; what takes so much longer than what is right is that.
        is_search = self._longest_s and circumstances is None
        limit_s = _PATIENCE_S + _PATIENCE * self._longest_s if is_search else None
        (self._last,) = await self._judge.run([program], circumstances, timeout_s=limit_s)
        if self._last.value is None or not identical(self._last.value, self._wanted.expected):
            return False
        self._longest_s = max(self._longest_s, self._last.wall_s)
        return True

    def _refused(self) -> NoSlice:
        last = self._last
        if last is None or last.error:
            reason = CHANCE if self.is_strict else "does not run again"
            return NoSlice(reason, f"{last.error}: {last.text}" if last else "")
        reason = CHANCE if self.is_strict else VALUE_DIFFERS
        return NoSlice(reason, f"{last.value} instead of {self._wanted.expected}"[:400])


def static_slice(
    units: Sequence[Unit], uses: frozenset[str], *, cautious: bool = False, also: Sequence[Unit] = ()
) -> list[Unit]:
    """The units that definitions and uses lead to, walking back from the end; those of `also` are among them.

    `cautious` takes each name that a kept name's statement uses as possibly changed by any statement that uses it.
    """
    modules = {name for unit in units if unit.imports for name in unit.defines}
    own = BUILTINS - {name for unit in units for name in unit.defines | unit.changes}
    live = set(uses) - own
    kept: list[Unit] = []
    for unit in reversed(units):
        changes = unit.changes | (unit.uses - modules - own if cautious and not unit.imports else frozenset())
        if unit.settings or unit.opaque or unit.defines & live or changes & live or unit in also:
            kept.append(unit)
            live -= unit.defines - unit.changes
            live |= (unit.uses | (unit.changes - modules)) - own
    return kept[::-1]


def _able(units: Sequence[Unit]) -> list[Unit]:
    """The units without those that would surely fail, a name that they need having no definition left before them."""
    able: list[Unit] = []
    defined: set[str] = set()
    for unit in units:
        if unit.needs <= defined or any(other.opaque for other in able):
            able.append(unit)
            defined |= unit.defines | unit.changes
    return able


def _surely_broken(units: Sequence[Unit], needs: frozenset[str]) -> bool:
    """Whether a unit, or the output that needs these names, would only give NameError."""
    if len(_able(units)) < len(units):
        return True
    return not any(unit.opaque for unit in units) and not needs <= {n for u in units for n in u.defines | u.changes}
