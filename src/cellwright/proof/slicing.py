"""The shortest list of statements that computes an output: guessed from the syntax tree, judged by running it.

First a static guess; where it does not give the value, a guess that takes every argument of every call as changed;
where that fails too, all statements before the output, and what the static guess lacks of them. What slices of the same
notebook did without is left out of each guess first (`learned`). What gives the value is then shrunk by delta
debugging, statement by statement, and then inside statements. Last, what is left is run on another day, where it asks
for the time at many moments, and where it draws without a seed under many seeds: of all outputs of a notebook together,
so that what their programs begin with alike is run once. A list of whole cells is found the same way
(`units.whole_cells`).

A slice is minimal for the value, not for its meaning: cleaning that does not change the value goes. What is asked about
a slice must therefore be read from the slice, and never from the notebook around it.
"""

import ast
import math
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cellwright.proof.bindings import free_names
from cellwright.proof.judge import Circumstances, Judge, Program, Run
from cellwright.proof.learned import Learned
from cellwright.proof.minimising import Minimised, Spent, minimise, missing
from cellwright.proof.needs import BUILTINS, Known, Needs, needs_of
from cellwright.proof.nested import without_one
from cellwright.proof.units import Unit, whole_cells, with_source
from cellwright.proof.values import Snapshot, identical, is_opaque

_PATIENCE_S, _PATIENCE = 1.5, 10.0
"""Seconds, and times the duration of what gave the value: how long a candidate may take."""
_IDLE_S, _IDLE = 0.4, 1.5
"""The same, of how long it may wait and do nothing."""
_ANOTHER_DAY = Circumstances(seed=90_001, days_ahead=400)
_LUCK = tuple(Circumstances(seed=70_000 + number) for number in range(12))
"""What draws without a seed and gives one value in all of these has 1 chance in 4,096 or less to be a coin."""
_MOMENTS = tuple(
    Circumstances(seed=91_000 + number, days_ahead=days, seconds_ahead=7_517 * number)
    for number, days in enumerate((1, 5, 37, 97, 163, 260, 521, 1_234, 3_700, 7_305, 14_000), 1)
)
"""Every two hours of a day, in both halves of minutes, on all days of the week, in other months and decades."""
# Clocks that cannot be moved: numpy's, that of data bases, of other programs, and of files.
_OTHER_CLOCKS = re.compile(
    r"""datetime64\(\s*['"](?:now|today)|\b(?:date|time|datetime|julianday|strftime)\([^()]*['"]now['"]"""
    r"""|\bCURRENT_(?:DATE|TIME|TIMESTAMP)\b|\bst_[acm]time|\bget[acm]time\("""
    r"""|\b(?:system|getoutput|popen|Popen|run|call|check_output)\(\s*\[?\s*[rf]?['"](?:/usr)?(?:/bin/)?date\b"""
    r"""|run_cell_magic\('(?:bash|sh)',[^)]*\bdate\b"""
)
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
    """Where the search began: "static", "cautious" or "prefix"; "learned" where slices found before led to it."""
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


NO_TIME = NoSlice("no time left for this notebook", "")


async def find_slice(wanted: Wanted, judge: Judge, effort: Effort | None = None) -> Slice | NoSlice:
    """The shortest program that gives the wanted value, whatever chance has in store.

    The order in which a set hands out texts is chance too, but a kernel's own: `confirming` asks other kernels.
    """
    (found,) = await find_slices([wanted], judge, effort)
    return found


async def find_slices(
    wanted: Sequence[Wanted], judge: Judge, effort: Effort | None = None, *, until: float = math.inf
) -> list[Slice | NoSlice]:
    """The same for outputs of one notebook, in order. `until`: when to begin nothing more, on the monotonic clock."""
    learned: dict[Level, Learned] = {"statement": Learned(), "cell": Learned()}
    searches = [_Search(one, judge, effort or Effort(), learned[one.by]) for one in wanted]
    waiting, each_s = list(searches), 0.0
    while waiting and time.monotonic() + each_s <= until:
        started, begun, owed_s = time.monotonic(), list[_Search](), 0.0
        # What is found must still be run on another day and under other seeds, or was found in vain.
        while waiting and (not begun or time.monotonic() + owed_s + each_s <= until):
            begun.append(waiting.pop(0))
            await begun[-1].begin()
            owed_s += begun[-1].owed_s
            each_s = (time.monotonic() - started + owed_s) / len(begun)
        await _settle(begun, judge, until)
        each_s = (time.monotonic() - started) / len(begun)
    for search in searches:
        if search.is_unsteady and time.monotonic() <= until:
            await search.begin_again()
    return [search.outcome for search in searches]


async def _settle(searches: Sequence["_Search"], judge: Judge, until: float) -> None:
    """Run what they found in all circumstances in which it must be run, of all of them together in each."""
    for circumstances in (_ANOTHER_DAY, *_LUCK, *_MOMENTS):
        doubtful = [search for search in searches if circumstances in search.doubts]
        if doubtful and time.monotonic() <= until:
            runs = await judge.run([search.program for search in doubtful], circumstances)
            for search, run in zip(doubtful, runs, strict=True):
                search.hear(run, circumstances)


@dataclass(frozen=True)
class _Beginning:
    """What a search shrinks."""

    guess: str
    """As a slice tells it."""
    units: Sequence[Unit]
    """They give the value."""
    whole: Sequence[Unit]
    """The same with what no slice found before has needed."""


class _Search:
    """The search for one slice: what was tried, and what it cost."""

    def __init__(self, wanted: Wanted, judge: Judge, effort: Effort, learned: Learned) -> None:
        self._wanted, self._judge, self._effort, self._learned = wanted, judge, effort, learned
        self._all = list(wanted.units) if wanted.by == "statement" else whole_cells(wanted.units)
        self._uses, self._needs = free_names(wanted.expression), needs_of(ast.parse(wanted.expression))
        self._trials, self._cpu_s = 0, 0.0
        self._longest_s = 0.0
        self._tried: dict[tuple[str, ...], bool] = {}
        self._drawn: dict[tuple[str, ...], str] = {}
        """Where random numbers stood after draws, of each list that gave the value."""
        self._last: Run | None = None
        self._found: Slice | NoSlice = NO_TIME
        self._prunes = True
        """Whether lists that would surely fail are not run."""
        self._is_strict = False
        """Whether each trial is run under several seeds and on another day."""
        self.doubts: tuple[Circumstances, ...] = ()
        """Under which what was found must still be run: on another day, and then as it draws or asks for the time."""
        self.is_unsteady = False
        """Whether what was found gave another value under another seed, or on another day."""

    @property
    def program(self) -> Program:
        """What was found."""
        return self._program(self._found.units if isinstance(self._found, Slice) else ())

    @property
    def outcome(self) -> Slice | NoSlice:
        """What was found, if all that had to be tried was."""
        if self.doubts or self.is_unsteady:
            return NO_TIME
        return replace(self._found, cpu_s=round(self._cpu_s, 3)) if isinstance(self._found, Slice) else self._found

    @property
    def owed_s(self) -> float:
        """Seconds that the runs may take by which doubts are settled."""
        draws = isinstance(self._found, Slice) and self._drawn[_key(self._found.units)]
        return (len(self.doubts) + (len(_LUCK) if draws else 0)) * self._longest_s

    async def begin(self) -> None:
        """Find a slice. Whether it is one on another day is a doubt."""
        if is_opaque(self._wanted.expected):
            self._found = NoSlice("value cannot be compared", f"{self._wanted.expected}"[:400])
            return
        self._found = await self._slice()
        self.doubts = (_ANOTHER_DAY,) if isinstance(self._found, Slice) else ()

    def hear(self, run: Run, circumstances: Circumstances) -> None:
        """What became of it on another day, under one more seed, or at one more moment."""
        self.is_unsteady = not self._is_value(run)
        if self.is_unsteady:
            self.doubts = ()
        elif circumstances == _ANOTHER_DAY and isinstance(self._found, Slice):
            self.doubts = self._doubts(self._found.units)
        else:
            self.doubts = tuple(doubt for doubt in self.doubts if doubt != circumstances)

    async def begin_again(self) -> None:
        """Try each list under all seeds: a statement went that only luck made look idle, such as a seed; or there is
        nothing but luck."""
        self._is_strict, self.is_unsteady = True, False
        self._tried.clear()
        self._found = await self._slice()

    async def _slice(self) -> Slice | NoSlice:
        try:
            begun = await self._begin(self._able(self._all))
            if begun is None and self._prunes and _surely_broken(self._all, self._needs):
                self._prunes = False  # all of it did run: what binds a name in it cannot be seen
                self._tried.clear()
                begun = await self._begin(self._all)
        except Spent:
            return NoSlice("too dear to search", f"over {self._effort.trials} trials or {self._effort.cpu_s:g} s")
        if begun is None:
            return self._refused()
        left = await self._minimised(begun)
        if left.is_minimal and not self._is_strict:
            self._learned.note(begun.whole, left.kept, named=static_slice(self._all, self._uses))
        if clock := _OTHER_CLOCKS.search("\n".join((*_key(left.kept), self._wanted.expression))):
            return NoSlice(CHANCE, f"asks a clock that cannot be moved: {clock[0]}"[:400])
        return Slice(left.kept, begun.guess, left.is_minimal, self._trials, self._cpu_s)

    async def _minimised(self, begun: "_Beginning") -> Minimised[Unit]:
        """Without statements, then without statements inside those that are left, until neither takes anything away."""
        # Where others have left out what can go, stretches of what is left are tried in vain.
        in_stretches = len(begun.units) == len(begun.whole)
        left = await minimise(begun.units, self._gives, self._able, in_stretches=in_stretches)
        while left.is_minimal and self._wanted.by == "statement":
            inside = await self._without_nested(left.kept)
            if inside.kept == left.kept or not inside.is_minimal:
                return inside
            left = await minimise(inside.kept, self._gives, self._able)
        return left

    async def _begin(self, units: Sequence[Unit]) -> "_Beginning | None":
        """A first list that gives the value, and how it was guessed."""
        for guess, whole in self._guesses(units):
            short = whole if self._is_strict else self._able(self._learned.shortened(whole))
            if short != whole and await self._gives(short):
                return _Beginning("learned", short, whole)
            if await self._gives(whole):
                return _Beginning(guess, whole, whole)
        if not await self._gives(units):
            return None
        static = static_slice(units, self._uses)

        async def gives_with(also: Sequence[Unit]) -> bool:
            return await self._gives(static_slice(units, self._uses, also=also))

        lacking = await missing([], [unit for unit in units if unit not in static], gives_with)
        found = list(units) if lacking is None else static_slice(units, self._uses, also=lacking)
        return _Beginning("prefix", found, found)

    def _guesses(self, units: Sequence[Unit]) -> Iterator[tuple[str, list[Unit]]]:
        """Lists that may give the value, each with its kind."""
        yield "static", static_slice(units, self._uses)
        if hidden := [unit for unit in self._learned.hidden if unit in units]:
            yield "learned", static_slice(units, self._uses, also=hidden)
        yield "cautious", static_slice(units, self._uses, cautious=True)

    async def _without_nested(self, units: tuple[Unit, ...]) -> Minimised[Unit]:
        kept = list(units)
        try:
            for place in reversed(range(len(kept))):
                shrunk = True
                while shrunk:
                    shrunk = False
                    for source in without_one(kept[place].source):
                        candidate = [*kept[:place], with_source(kept[place], source), *kept[place + 1 :]]
                        if await self._gives(candidate):
                            kept, shrunk = candidate, True
                            break
        except Spent:
            return Minimised(tuple(kept), False)
        return Minimised(tuple(kept), True)

    def _able(self, units: Sequence[Unit]) -> list[Unit]:
        return _able_and_known(units)[0] if self._prunes else list(units)

    async def _gives(self, candidate: Sequence[Unit]) -> bool:
        """Whether these statements give the value. Raises Spent when no more may be run."""
        key = _key(candidate)
        if key not in self._tried:
            is_run = not self._prunes or not _surely_broken(candidate, self._needs)
            self._tried[key] = is_run and await self._judged(candidate)
        return self._tried[key]

    async def _judged(self, candidate: Sequence[Unit]) -> bool:
        if self._trials >= self._effort.trials or self._cpu_s > self._effort.cpu_s:
            raise Spent
        self._trials += 1
        return await self._is_right(candidate) and (not self._is_strict or await self._is_steady(candidate))

    async def _is_steady(self, candidate: Sequence[Unit]) -> bool:
        """Whether statements that give the value do so on another day too, and not by luck."""
        if not await self._is_right(candidate, _ANOTHER_DAY):
            return False
        for circumstances in self._doubts(candidate):
            if not await self._is_right(candidate, circumstances):
                return False
        return True

    def _doubts(self, candidate: Sequence[Unit]) -> tuple[Circumstances, ...]:
        """Under which statements, just run on another day, must be run too: if they draw without a seed, random numbers
        stood elsewhere."""
        draws = self._last is None or self._last.drawn != self._drawn[_key(candidate)]
        asks = self._last is None or self._last.asked_time
        return (_LUCK if draws else ()) + (_MOMENTS if asks else ())

    async def _is_right(self, candidate: Sequence[Unit], circumstances: Circumstances | None = None) -> bool:
        # Without the statement that ends a loop it runs for ever; what takes so much longer than what is right is that.
        is_search = self._longest_s and circumstances is None
        limit_s = _PATIENCE_S + _PATIENCE * self._longest_s if is_search else None
        idle_s = _IDLE_S + _IDLE * self._longest_s if is_search else None
        (run,) = await self._judge.run([self._program(candidate)], circumstances, timeout_s=limit_s, idle_s=idle_s)
        is_right = self._is_value(run)
        if is_right and circumstances is None:
            self._drawn[_key(candidate)] = run.drawn
        return is_right

    def _program(self, candidate: Sequence[Unit]) -> Program:
        return Program(_key(candidate), self._wanted.expression)

    def _is_value(self, run: Run) -> bool:
        self._last = run
        self._cpu_s += run.cpu_s
        if run.exact is None or not identical(run.exact, self._wanted.expected):
            return False
        self._longest_s = max(self._longest_s, run.wall_s)
        return True

    def _refused(self) -> NoSlice:
        last = self._last
        if last is None or last.error:
            reason = CHANCE if self._is_strict else "does not run again"
            return NoSlice(reason, f"{last.error}: {last.text}" if last else "")
        reason = CHANCE if self._is_strict else VALUE_DIFFERS
        return NoSlice(reason, f"{last.exact} instead of {self._wanted.expected}"[:400])


def _key(units: Sequence[Unit]) -> tuple[str, ...]:
    return tuple(unit.source for unit in units)


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


def _surely_broken(units: Sequence[Unit], needs: Needs) -> bool:
    """Whether a unit, or the output that needs these names, would only give NameError."""
    able, known = _able_and_known(units)
    return len(able) < len(units) or (not any(unit.opaque for unit in units) and bool(known.lacking(needs)))


def _able_and_known(units: Sequence[Unit]) -> tuple[list[Unit], Known]:
    """The units without those that would surely fail, a name that they need having no definition left before them."""
    able, known, may_know_all = list[Unit](), Known(), False
    for unit in units:
        if may_know_all or not known.lacking(unit.needs):
            able.append(unit)
            known.bind(unit.binds, unit.defines, unit.when_called)
            may_know_all |= unit.opaque
    return able, known
