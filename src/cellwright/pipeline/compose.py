"""Stage 7: programs composed over the tables of a group, worded by the reader, answered by a kernel.

Most of what is composed goes: what the reader cannot word, what has too few rows or no clear answer, and what would
make the mix of levels and families worse. Rejects count them by reason, one for each reason and source.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from cellwright.core.hashing import short_id
from cellwright.core.types import Reject, Task
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.pipeline.ask import Answered, Asked, answered
from cellwright.pipeline.config import ComposeConfig
from cellwright.pipeline.execute import table_paths
from cellwright.pipeline.plan import CANDIDATES_PER_TASK, DRAFTS_PER_TASK, MORE_OF_SEVERAL, PlannedGroup
from cellwright.pipeline.profile import ProfiledGroup
from cellwright.pipeline.slice import SlicedOutput, Statement
from cellwright.proof.compose import Composed, Source, compose, lesser_programs
from cellwright.proof.gates import subject_of
from cellwright.proof.judge import CHECKPOINTS, Judge, Program, Run, preload_list
from cellwright.proof.questions import Check, Proposal, Reading, Unreadable, narrate, propose, read_slice

NAME = "compose"
NO_CELL = -1
"""The cell of a task that no output of a notebook was asked about."""
_SEED = 7
_MOST_ROUNDS = 3
_PROPOSALS = 30
_MOST_WORDS = 110
_IMPORTS = ("import pandas as pd", "import numpy as np", "from scipy import stats")
_TRIVIAL = (0, 1)


@dataclass(frozen=True)
class _Worded:
    """A composed program that the reader can word."""

    composed: Composed
    reading: Reading
    comments: tuple[str, ...]


class ComposeStage:
    """Composes over the tables of one group, in one kernel that runs nothing else."""

    def __init__(self, pool: Pool, store: Path, limits: Limits, config: ComposeConfig, timeout_s: float) -> None:
        self._pool, self._store, self._limits, self._config, self._timeout_s = pool, store, limits, config, timeout_s

    async def run(self, group: Sequence[PlannedGroup]) -> Sequence[Task | Reject]:
        (planned,) = group
        profiles = planned.group.profiles
        settings = KernelSettings(table_paths([p.table for p in profiles], self._store), 0, self._limits)
        outcome: list[Task | Reject] = []
        async with self._pool.kernel(settings) as kernel:
            judge = Judge(
                kernel,
                timeout_s=self._timeout_s,
                seed=_SEED,
                preload=preload_list(_IMPORTS),
                checkpoints=CHECKPOINTS,
                watch=True,
            )
            found, quota = planned.group.sources, planned.quota
            left = 0
            for kind, wanted in (
                (found.alone, self._config.tasks_per_table * len(found.alone)),
                (found.joins, quota.joins),
                # What joins of several tables do not give, joins of a table with its own groups may.
                (found.own, quota.own),
                (found.several, quota.several),
            ):
                more = left if kind is found.own else 0
                made = await self._over(planned.group, kind, wanted + more, judge)
                left = wanted + more - sum(isinstance(record, Task) for record in made)
                outcome += made
        return outcome

    async def _over(
        self, group: ProfiledGroup, kind: Sequence[Source], wanted: int, judge: Judge
    ) -> list[Task | Reject]:
        """Tasks over sources of one kind, which share alike: what one does not give, those after it may."""
        outcome: list[Task | Reject] = []
        for number, source in enumerate(kind):
            share = -(-wanted // (len(kind) - number))
            most = self._config.tasks_per_table * (1 if len(source.tables) == 1 else MORE_OF_SEVERAL)
            count = min(share, most)
            if count > 0:
                made = await _Composing(group, source, count, self._config).run(judge)
                wanted -= sum(isinstance(record, Task) for record in made)
                outcome += made
        return outcome


@dataclass
class _Composing:
    """The work over one source: drafts are worded, run, asked about, answered, and the best mix of them is kept."""

    group: ProfiledGroup
    source: Source
    count: int
    config: ComposeConfig

    def __post_init__(self) -> None:
        self.gone: Counter[str] = Counter()
        """Reasons, with how many programs went for each."""
        self._rng = random.Random(f"{self.config.seed} {self.source.key}")
        self._drafts = compose(self.source, self.config.seed, self.config.families or None)
        self._seen: set[tuple[tuple[str, ...], str]] = set()
        self._tasks: dict[str, Task] = {}
        """By question."""

    async def run(self, judge: Judge) -> list[Task | Reject]:
        """The tasks that are kept, and a reject for each reason. Where too few come of one round, another follows."""
        for _ in range(_MOST_ROUNDS):
            worded = self._worded(self.count - len(self._tasks))
            await self._round(worded, judge)
            if len(self._tasks) >= self.count or not worded:
                break
        kept = mix(list(self._tasks.values()), self.count, self.config.level_shares)
        self.gone["a better mix without it"] += len(self._tasks) - len(kept)
        return [*kept, *self._rejects()]

    async def _round(self, worded: Sequence[_Worded], judge: Judge) -> None:
        # What is shown is worth nothing where the guard does not hold: one run tells both.
        both = [f"({entry.composed.guard}, {entry.composed.expression})" for entry in worded]
        runs = await judge.run([Program(e.composed.units, code) for e, code in zip(worded, both, strict=True)])
        asked: list[tuple[Asked, Composed]] = []
        for entry, run in zip(worded, runs, strict=True):
            try:
                proposal = self._proposal(entry, run)
            except Unreadable as unreadable:
                self.gone[unreadable.reason] += 1
            else:
                guards = (Check(entry.composed.units, entry.composed.guard),)
                asked.append(
                    (Asked(self._output(entry.composed, run), proposal, entry.comments, guards), entry.composed)
                )
        results = await answered([a for a, _ in asked], judge)
        self._add(await self._telling(results, judge), [composed for _, composed in asked])

    def _worded(self, wanted: int) -> list[_Worded]:
        """Drafts that the reader can word and that are new, more than are wanted."""
        found: list[_Worded] = []
        for composed in islice(self._drafts, wanted * DRAFTS_PER_TASK):
            try:
                reading = read_slice(composed.units, composed.expression)
                comments = tuple(narrate(composed.units))
            except Unreadable as unreadable:
                self.gone[f"no words: {unreadable.reason}"] += 1
                continue
            if (composed.units, composed.expression) not in self._seen:
                self._seen.add((composed.units, composed.expression))
                found.append(_Worded(composed, reading, comments))
            if len(found) >= wanted * CANDIDATES_PER_TASK:
                break
        return found

    def _proposal(self, worded: _Worded, run: Run) -> Proposal:
        """One question about a composed program. Raises Unreadable with the reason why there is none."""
        composed = worded.composed
        if run.value is None:
            raise Unreadable(f"program fails: {run.error}")
        guard, value = run.value["v"]
        if guard != {"t": "bool", "v": True}:
            raise Unreadable("too few rows or no clear answer")
        proposals = [
            proposal
            for proposal in propose(worded.reading, value, composed.expression, _PROPOSALS)
            if not composed.wanted or proposal.family in composed.wanted
        ]
        short = [p for p in proposals if len(p.question.split()) <= _MOST_WORDS]
        telling = [p for p in short if all(f"`{name}`" in p.question for name in composed.mentions)]
        if not telling:
            raise Unreadable("no question that needs every step" if proposals else "no question of its family")
        return self._rng.choice(telling)

    async def _telling(self, results: Sequence[Answered], judge: Judge) -> list[Answered]:
        """The same, with a reject for each task whose program gives its answer without one of its steps too."""
        programs = [
            (number, program)
            for number, (asked, _, task) in enumerate(results)
            if isinstance(task, Task)
            for program in lesser_programs(asked.units, asked.proposal.expression)
        ]
        runs = await judge.run([program for _, program in programs])
        subjects = {n: subject_of(task) for n, (_, _, task) in enumerate(results) if isinstance(task, Task)}
        idle = {n for (n, _), run in zip(programs, runs, strict=True) if subjects[n].outcome(run) == "same"}
        return [
            (asked, run, Reject(NAME, asked.output.id, "a step or condition has no say", "") if n in idle else task)
            for n, (asked, run, task) in enumerate(results)
        ]

    def _output(self, composed: Composed, run: Run) -> SlicedOutput:
        """The program as the slice of an output that no notebook has."""
        statements = tuple(
            Statement(number, statement) for number, cell in enumerate(composed.cells) for statement in cell
        )
        return SlicedOutput(
            id=short_id(self.group.id, *composed.units, composed.expression),
            notebook_id=self.group.id,
            provenance=self.group.provenance,
            tables=composed.tables,
            cell=NO_CELL,
            statements=statements,
            expression=composed.expression,
            value_json="",
            decimals=None,
            label="",
            guess="composed",
            minimal=True,
            trials=1,
            cpu_s=run.cpu_s,
        )

    def _add(self, results: Iterable[Answered], programs: Sequence[Composed]) -> None:
        """The tasks that are no repetition and whose answer says something."""
        for (_, run, task), composed in zip(results, programs, strict=True):
            if isinstance(task, Reject):
                self.gone[task.reason] += 1
            elif run.value is not None and run.value.get("v") in _TRIVIAL:
                self.gone["answer says little"] += 1
            elif task.question in self._tasks:
                self.gone["asked before of this source"] += 1
            else:
                oracle = replace(task.oracle, source_cells=()) if task.oracle else None
                self._tasks[task.question] = replace(task, family=composed.family, origin="composed", oracle=oracle)

    def _rejects(self) -> list[Reject]:
        names = ", ".join(profile.table.name for profile in self.source.tables)
        record, origin = f"{self.group.id}-{self.source.name}", self.group.provenance
        return [
            Reject.of(NAME, record, reason, f"{count} programs over {names}", origin)
            for reason, count in self.gone.items()
            if count
        ]


def mix(tasks: Sequence[Task], count: int, level_shares: Sequence[float]) -> list[Task]:
    """As many tasks, with levels in these shares as far as there are any, and families taking turns."""
    left = list(tasks)
    kept: list[Task] = []
    levels: Counter[int] = Counter()
    families: Counter[str] = Counter()
    while left and len(kept) < count:
        best = max(
            left, key=lambda t: level_shares[t.level - 1] * (len(kept) + 1) - levels[t.level] - families[t.family] / 8
        )
        left.remove(best)
        kept.append(best)
        levels[best.level] += 1
        families[best.family] += 1
    return kept
