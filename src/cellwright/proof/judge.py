"""Asks a kernel to run programs in forks of itself, and reads what came of them."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from cellwright.core.errors import KernelDied
from cellwright.core.types import CellResult
from cellwright.kernels import Kernel
from cellwright.proof.inside import RUNS_MIME, TABLES_MIME, program
from cellwright.proof.tables import ReadHint, Survey, Variant, facts
from cellwright.proof.values import Snapshot, plain

# Libraries that are imported once, before the fork, when a program imports them: they have no say in the answer.
_PRELOADABLE = ("numpy", "pandas", "matplotlib", "seaborn", "scipy", "sklearn", "statsmodels")
CHECKPOINTS = 4
"""A good number of checkpoints for a search: each holds what its beginning loaded."""
_MARGIN_S = 30.0
_MAKING = 5
"""Changed copies of all tables together may take so many times as long as one program."""


@dataclass(frozen=True)
class Program:
    """Statements to run in a fresh process, and the expression whose value is wanted."""

    units: tuple[str, ...]
    expression: str | None
    variant: str = ""
    """Name of the changed tables that it reads (`Judge.make`); empty for the tables as they are."""


@dataclass(frozen=True)
class Circumstances:
    """What a run's value must not depend on. The hash seed is the kernel's."""

    seed: int
    """Of `random` and `numpy.random` at the start."""
    days_ahead: int = 0
    """How far the clock is moved; 0 leaves it alone."""
    seconds_ahead: int = 20_220
    """How much further it is moved, where it is."""


@dataclass(frozen=True)
class Run:
    """What came of one program."""

    value: Snapshot | None
    """None when it failed."""
    error: str
    """Name of the exception; "Timeout" or "Died" where the process was ended; empty when it succeeded."""
    text: str
    unit: int
    """Index of the unit that failed; the number of units when the expression did; -1 when unknown."""
    cpu_s: float
    wall_s: float = 0.0
    """Seconds from the first line, those that a checkpoint saved among them."""
    drawn: str = ""
    """Where random numbers stood after draws; empty if there were none. Other with another seed: drawn without one."""
    asked_time: bool = False
    """Whether it asked for the time of day, where the clock was moved."""
    operations: tuple[str, ...] = ()
    """What it did to tables, where that was watched (`inside.operations`), in order."""
    columns: tuple[str, ...] = ()
    """Columns of the files that its text names, where that was watched."""
    exact: Snapshot | None = None
    """The value with all that is known of its kind, as slices compare it (`values.identical`)."""


def preload_list(sources: Sequence[str]) -> list[str]:
    """Modules of well-known libraries that the sources import, most general first."""
    wanted: set[str] = set()
    for source in sources:
        for line in source.splitlines():
            words = line.replace(",", " ").split()
            if len(words) > 1 and words[0] in ("import", "from") and words[1].split(".")[0] in _PRELOADABLE:
                wanted.add(words[1])
    return sorted(wanted)


class Judge:
    """Runs programs in forks of one kernel that has run nothing else.

    With `checkpoints`, a beginning that programs have in common is run once and forked from: for searching, where a
    program is judged many times over. A proof runs every program from its first line. With `watch`, runs tell what they
    did to tables.
    """

    def __init__(
        self,
        kernel: Kernel,
        *,
        timeout_s: float,
        seed: int,
        preload: Sequence[str] = (),
        checkpoints: int = 0,
        watch: bool = False,
    ) -> None:
        self._checkpoints = checkpoints
        self._watch = watch
        self._kernel = kernel
        self._timeout_s = timeout_s
        self._seed = seed
        self._preload = list(preload)
        self._installed = False
        self.runs = 0
        self.cpu_s = 0.0

    async def run(
        self,
        programs: Sequence[Program],
        circumstances: Circumstances | None = None,
        *,
        timeout_s: float | None = None,
        idle_s: float | None = None,
    ) -> list[Run]:
        """The outcome of each program, in order. `timeout_s` may shorten the judge's; `idle_s`: how long a program may
        wait and do nothing. Raises KernelDied when the kernel is lost."""
        limit_s = min(self._timeout_s, timeout_s or self._timeout_s)
        at = circumstances or Circumstances(self._seed)
        if not self._installed:
            await self._install()
        # Where programs that begin alike are neighbours, what they begin with is still kept when the next one comes.
        places = sorted(range(len(programs)), key=lambda n: programs[n].units if self._checkpoints else ())
        order = {
            "programs": [{**asdict(programs[place]), **asdict(at)} for place in places],
            "timeout_s": limit_s,
            "idle_s": idle_s,
            "preload": self._preload,
            "checkpoints": self._checkpoints,
            "watch": self._watch,
        }
        code = f"__cellwright__.judge({json.dumps(order)!r})"
        result = await self._kernel.execute(code, timeout_s=limit_s * len(programs) + _MARGIN_S)
        found = dict(zip(places, map(_run, json.loads(_display(result, RUNS_MIME))), strict=True))
        runs = [found[place] for place in range(len(programs))]
        self.runs += len(runs)
        self.cpu_s += sum(run.cpu_s for run in runs)
        return runs

    async def survey(self, hints: Mapping[str, ReadHint]) -> Survey:
        """What the tables hold. One that cannot be read, or not in time, has that as its problem."""
        told = await self._tables({"survey": True}, hints)
        problem = {"problem": f"{told.get('error', 'lost')}: {told.get('text', '')}"}
        rows = told.get("tables", dict.fromkeys(hints, problem))
        return Survey({name: facts(row) for name, row in rows.items()})

    async def make(self, variants: Sequence[Variant], hints: Mapping[str, ReadHint]) -> dict[str, str]:
        """Make changed tables for programs that name them. Returns those that could not be made, and why."""
        wanted = {v.name: [change.data() for change in v.changes] for v in variants}
        told = await self._tables({"make": wanted}, hints, self._timeout_s * _MAKING)
        lost = {"problems": {"tables": f"{told.get('error', 'lost')}: {told.get('text', '')}"}}
        made = told.get("variants", {})
        problems = {name: made.get(name, lost)["problems"] for name in wanted}
        return {name: "; ".join(map(": ".join, found.items())) for name, found in problems.items() if found}

    async def forget(self, variants: Sequence[Variant]) -> None:
        """Remove changed tables that no program needs any more."""
        await self._tables({"forget": [variant.name for variant in variants]}, {})

    async def content(self, variant: Variant, table: str, most_bytes: int) -> bytes | None:
        """The bytes of a changed table; None for one that was not changed, or that is larger."""
        data = b""
        while True:
            told = await self._tables({"piece": [variant.name, table, len(data)]}, {})
            size = int(told.get("size", -1))
            if not 0 <= size <= most_bytes:
                return None
            piece = base64.b64decode(str(told["data"]))
            data += piece
            if len(data) >= size or not piece:
                return data if len(data) == size else None

    async def _tables(
        self, order: Mapping[str, object], hints: Mapping[str, ReadHint], timeout_s: float | None = None
    ) -> Snapshot:
        if not self._installed:
            await self._install()
        timeout_s = timeout_s or self._timeout_s
        told = {**order, "hints": {name: hint.data() for name, hint in hints.items()}, "timeout_s": timeout_s}
        code = f"__cellwright__.tables({json.dumps(told)!r})"
        result = await self._kernel.execute(code, timeout_s=timeout_s + _MARGIN_S)
        reply: Snapshot = json.loads(_display(result, TABLES_MIME))
        self.cpu_s += reply.get("cpu_s", 0.0)
        return reply

    async def _install(self) -> None:
        result = await self._kernel.execute(program(), timeout_s=_MARGIN_S)
        if result.status != "ok":
            raise KernelDied(f"the kernel did not take the judge: {result.error}")
        self._installed = True


def _run(row: Snapshot) -> Run:
    exact = row.get("value")
    return Run(
        plain(exact) if exact is not None else None,
        row.get("error", ""),
        row.get("text", ""),
        row.get("unit", -1),
        row["cpu_s"],
        row["wall_s"],
        row.get("drawn", ""),
        row.get("asked_time", False),
        tuple(row.get("operations", ())),
        tuple(row.get("columns", ())),
        exact,
    )


def _display(result: CellResult, mime: str) -> str:
    for output in result.outputs:
        if mime in output.data:
            return output.data[mime]
    raise KernelDied(f"the kernel gave no answer ({result.status}: {result.error})")
