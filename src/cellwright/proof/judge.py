"""Asks a kernel to run programs in forks of itself, and reads what came of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from cellwright.core.errors import KernelDied
from cellwright.core.types import CellResult
from cellwright.kernels import Kernel
from cellwright.proof.inside import RUNS_MIME, program
from cellwright.proof.values import Snapshot

# Libraries that are imported once, before the fork, when a program imports them: they have no say in the answer.
_PRELOADABLE = ("numpy", "pandas", "matplotlib", "seaborn", "scipy", "sklearn", "statsmodels")
CHECKPOINTS = 4
"""A good number of checkpoints for a search: each holds what its beginning loaded."""
_MARGIN_S = 30.0


@dataclass(frozen=True)
class Program:
    """Statements to run in a fresh process, and the expression whose value is wanted."""

    units: tuple[str, ...]
    expression: str | None


@dataclass(frozen=True)
class Circumstances:
    """What a run's value must not depend on. The hash seed is the kernel's."""

    seed: int
    """Of `random` and `numpy.random` at the start."""
    days_ahead: int = 0
    """How far the clock is moved."""


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
    """Where random numbers stood at the end; empty when none were drawn. Other with another seed: drawn without one."""
    operations: tuple[str, ...] = ()
    """What it did to tables, where that was watched (`inside.operations`), in order."""
    columns: tuple[str, ...] = ()
    """Columns of the files that its text names, where that was watched."""


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
        self, programs: Sequence[Program], circumstances: Circumstances | None = None, *, timeout_s: float | None = None
    ) -> list[Run]:
        """The outcome of each program, in order. `timeout_s` may shorten the judge's. Raises KernelDied when the kernel
        is lost."""
        limit_s = min(self._timeout_s, timeout_s or self._timeout_s)
        at = circumstances or Circumstances(self._seed)
        if not self._installed:
            await self._install()
        order = {
            "programs": [{"units": p.units, "expression": p.expression, **asdict(at)} for p in programs],
            "timeout_s": limit_s,
            "preload": self._preload,
            "checkpoints": self._checkpoints,
            "watch": self._watch,
        }
        code = f"__cellwright__.judge({json.dumps(order)!r})"
        result = await self._kernel.execute(code, timeout_s=limit_s * len(programs) + _MARGIN_S)
        runs = [_run(row) for row in json.loads(_display(result, RUNS_MIME))]
        self.runs += len(runs)
        self.cpu_s += sum(run.cpu_s for run in runs)
        return runs

    async def _install(self) -> None:
        result = await self._kernel.execute(program(), timeout_s=_MARGIN_S)
        if result.status != "ok":
            raise KernelDied(f"the kernel did not take the judge: {result.error}")
        self._installed = True


def _run(row: Snapshot) -> Run:
    return Run(
        row.get("value"),
        row.get("error", ""),
        row.get("text", ""),
        row.get("unit", -1),
        row["cpu_s"],
        row["wall_s"],
        row.get("drawn", ""),
        tuple(row.get("operations", ())),
        tuple(row.get("columns", ())),
    )


def _display(result: CellResult, mime: str) -> str:
    for output in result.outputs:
        if mime in output.data:
            return output.data[mime]
    raise KernelDied(f"the kernel gave no answer ({result.status}: {result.error})")
