"""How much of a corpus runs as it is, and how much after repair; what was repaired, and what is still lost and why.

`python -m benchmarks.repair CORPUS [--only TEXT] [--workers N] [--environment NAME[=PATH]]`. CORPUS is a folder or zip
of notebooks with their tables; a run over all of it writes a section of docs/benchmarks.md. As-is means: as Jupyter's
"run all" does it, to the first error. With environments of other years, every notebook runs in each of them too, as it
is.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.tables import circumstances, table, write_section
from cellwright.core.errors import CellwrightError
from cellwright.core.types import Notebook
from cellwright.corpus.links import TableStore
from cellwright.corpus.sources import Sources
from cellwright.kernels import KernelSettings, Limits, LocalPool
from cellwright.kernels.eras import find_eras, pythons
from cellwright.pipeline.execute import table_paths
from cellwright.pipeline.link import link_notebook
from cellwright.pipeline.read import read
from cellwright.proof.execution import Execution, ExecutionLimits, execute
from cellwright.proof.repair import ABSENT, HARMLESS, Repaired, ran_in_part, ran_whole, repair

_ABSENT = ABSENT | HARMLESS | {"as its author saw"}


@dataclass(frozen=True)
class Outcome:
    """One notebook, before and after."""

    path: str
    repaired: Repaired
    cells: tuple[int, ...]
    """Indices of the code cells that hold code."""
    elsewhere: Mapping[str, Execution] = field(default_factory=dict)
    """Environment to the run of the notebook as it is."""

    @property
    def before(self) -> Execution:
        return self.repaired.before or self.repaired.execution

    @property
    def first_error(self) -> int:
        """How many cells run before the first that fails."""
        failing = [n for n, cell in enumerate(self.cells) if self.before.cells[cell].status != "ok"]
        return failing[0] if failing else len(self.cells)

    @property
    def whole(self) -> int:
        """How many cells run whole after repair."""
        return sum(ran_whole(self.repaired, cell) for cell in self.cells)

    def ran(self, environment: str) -> int:
        """How many cells run elsewhere, going on past errors."""
        return sum(self.elsewhere[environment].cells[cell].status == "ok" for cell in self.cells)

    @property
    def was_clean(self) -> bool:
        return self.first_error == len(self.cells)

    @property
    def is_clean(self) -> bool:
        """Whether it runs to its end with nothing lost."""
        return all(ran_whole(self.repaired, cell) for cell in self.cells)

    @property
    def is_saved(self) -> bool:
        """Whether it runs to its end, or loses only what needs something that is not there."""
        losses = self.repaired.losses
        failing = {index for index, cell in enumerate(self.repaired.execution.cells) if cell.status != "ok"}
        return failing <= {loss.cell for loss in losses} and all(loss.cause in _ABSENT for loss in losses)


def main() -> int:
    """Exit code 2 where there is nothing to measure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("corpus", type=Path)
    arguments.add_argument("--only", default="", help="notebooks whose path holds this text")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--details", action="store_true", help="each repair and each loss")
    arguments.add_argument("--cell-s", type=float, default=60.0)
    arguments.add_argument("--environment", action="append", default=[], help="NAME or NAME=PATH, as for a build")
    given = arguments.parse_args()
    try:
        body = report(asyncio.run(measured(given)))
    except CellwrightError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{body}\n\n{circumstances()}\n")
    if not given.only:
        limits = f"Limits: {given.cell_s:g} s a cell, {10 * given.cell_s:g} s a notebook, {given.workers} at once."
        write_section("Repair", "make bench-repair CORPUS=…", f"{limits}\n\n{body}")
    return 0


async def measured(given: argparse.Namespace) -> list[Outcome]:
    """Repair every notebook of a corpus, and run it in the other environments."""
    eras = find_eras(given.environment)
    with tempfile.TemporaryDirectory() as folder:
        sources, store = Sources([given.corpus]), TableStore(Path(folder))
        async with LocalPool(given.workers, pythons=pythons(eras)) as pool:
            limit = asyncio.Semaphore(given.workers)

            async def one(notebook: Notebook) -> Outcome | None:
                async with limit:
                    linked = link_notebook(notebook, sources.by_name[notebook.provenance.source], store)
                    settings = KernelSettings(table_paths(linked.tables, Path(folder)), 0, Limits())
                    limits = ExecutionLimits(given.cell_s, 10 * given.cell_s)
                    elsewhere: dict[str, Execution] = {}
                    try:
                        repaired = await repair(linked.notebook, lambda: pool.kernel(settings), limits)
                        for era in eras:
                            async with pool.kernel(replace(settings, era=era.name)) as kernel:
                                elsewhere[era.name] = await execute(linked.notebook, kernel, limits)
                    except CellwrightError as error:
                        sys.stderr.write(f"{notebook.provenance.path}: {error}\n")
                        return None
                cells = tuple(n for n, cell in enumerate(notebook.code_cells) if cell.source.strip())
                outcome = Outcome(notebook.provenance.path, repaired, cells, elsewhere)
                sys.stderr.write(line(outcome) + ("\n" + shown(outcome) if given.details else "") + "\n")
                sys.stderr.flush()
                return outcome

            records = read([given.corpus])
            notebooks = [r for r in records if isinstance(r, Notebook) and given.only in r.provenance.path]
            return [o for o in await asyncio.gather(*(one(n) for n in notebooks)) if o is not None]


def line(outcome: Outcome) -> str:
    """One notebook in one line."""
    state = "clean" if outcome.is_clean else "saved" if outcome.is_saved else "lost"
    there = "".join(f", {outcome.ran(name):4} in {name}" for name in outcome.elsewhere)
    return f"{state:5} {outcome.first_error:4} -> {outcome.whole:4} of {len(outcome.cells):4}{there}  {outcome.path}"


def shown(outcome: Outcome) -> str:
    """Each repair and each direct loss."""
    rows = [
        f"    + {r.cell} {r.rule}: {r.before[:90]!r} -> {r.after[:110]!r}"
        for r in outcome.repaired.repairs
        if not r.rule.startswith("dropped")
    ]
    rows += [
        f"    - {loss.cell} {loss.cause}{'' if loss.is_direct else ' (depends)'}: {loss.error[:120]!r}: "
        f"{loss.source[:80]!r}"
        for loss in outcome.repaired.losses
    ]
    return "\n".join(rows)


def report(outcomes: Sequence[Outcome]) -> str:
    """The tables."""
    failing = [o for o in outcomes if not o.was_clean]
    cells = sum(len(o.cells) for o in outcomes)
    first = sum(o.first_error for o in outcomes)
    past = sum(o.before.cells[cell].status == "ok" for o in outcomes for cell in o.cells)
    whole = sum(o.whole for o in outcomes)
    part = sum(ran_in_part(o.repaired, cell) for o in outcomes for cell in o.cells)
    absent = sum(_is_absent(o, cell) for o in outcomes for cell in o.cells)
    saved = sum(o.is_saved for o in failing)
    counts = [
        ("notebooks", str(len(outcomes)), ""),
        ("run clean as they are", _of(len(outcomes) - len(failing), len(outcomes)), ""),
        ("run clean after repair", _of(sum(o.is_clean for o in outcomes), len(outcomes)), ""),
        ("of those that fail: to the end, or all that is lost is absent", _of(saved, len(failing)), "70%"),
        ("code cells", str(cells), ""),
        ("before the first error, as they are", _of(first, cells), ""),
        ("going on past errors, as they are", _of(past, cells), ""),
        ("run whole after repair", _of(whole, cells), "80%"),
        ("run in part", _of(part, cells), ""),
        ("of the cells that need nothing absent", _of(whole, cells - absent), ""),
        *_elsewhere(outcomes),
    ]
    rules = Counter(r.rule for o in outcomes for r in o.repaired.repairs)
    losses = [loss for o in outcomes for loss in o.repaired.losses]
    lost = Counter((loss.cause, "itself" if loss.is_direct else "depends") for loss in losses)
    return "\n\n".join(
        [
            table(("what", "count", "goal"), counts),
            table(("repair", "count"), [(rule, str(count)) for rule, count in rules.most_common()]),
            table(("lost statements", "why", "count"), [(c, how, str(n)) for (c, how), n in lost.most_common()]),
        ]
    )


def _elsewhere(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, str, str]]:
    """How the notebooks fare in each other environment, and for how many it is better than repair."""
    cells = sum(len(o.cells) for o in outcomes)
    for name in outcomes[0].elsewhere if outcomes else ():
        clean = sum(o.ran(name) == len(o.cells) for o in outcomes)
        better = [o for o in outcomes if o.ran(name) > o.whole]
        yield f"{name}: run clean as they are", _of(clean, len(outcomes)), ""
        yield f"{name}: cells going on past errors", _of(sum(o.ran(name) for o in outcomes), cells), ""
        yield f"{name}: more cells than repaired in the modern one", _of(len(better), len(outcomes)), ""
        most = sum(max(o.ran(name), o.whole) for o in outcomes)
        yield f"{name}: cells, each notebook where it fares best", _of(most, cells), ""


def _is_absent(outcome: Outcome, cell: int) -> bool:
    causes = [loss.cause for loss in outcome.repaired.losses if loss.cell == cell and loss.cause not in HARMLESS]
    return bool(causes) and not ran_whole(outcome.repaired, cell) and all(cause in _ABSENT for cause in causes)


def _of(count: int, total: int) -> str:
    return f"{count} of {total} ({count / total:.0%})" if total else "0"


if __name__ == "__main__":
    sys.exit(main())
