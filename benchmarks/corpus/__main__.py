"""What a corpus gives: a build of all its notebooks, in figures; writes a section of docs/benchmarks.md.

`python -m benchmarks.corpus CORPUS --out DIR [--set KEY=VALUE ...] [--environment NAME[=PATH]]`. The build is that of
`cellwright build`, in a process of its own, whose processor time is taken with that of all its kernels. A build that
DIR holds already is only counted; `--cpu-s` then says what it took.
"""

import argparse
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import table, write_section
from cellwright.core.types import Notebook, Reject, Task
from cellwright.dataset.files import load_tasks
from cellwright.pipeline import curate, execute, prove, read, screen, slice  # noqa: A004 - a stage
from cellwright.pipeline.account import whole_cells
from cellwright.pipeline.execute import ExecutedNotebook
from cellwright.pipeline.slice import SlicedOutput
from cellwright.pipeline.stage import Folder
from cellwright.proof.repair import HARMLESS

_LEVELS = range(1, 6)
_JOINS = ("join",)
_MOST_FREQUENT = 25


@dataclass(frozen=True)
class Built:
    """A build, as its folder has it."""

    notebooks: Sequence[Notebook]
    tasks: Sequence[Task]
    executed: Sequence[ExecutedNotebook]
    sliced: Sequence[SlicedOutput]
    stopped: Sequence[Reject]
    """By the screening, the gates, and the curation."""
    unsliced: Sequence[Reject]
    cpu_s: float

    @classmethod
    def load(cls, folder: Path, cpu_s: float) -> "Built":
        """Raises DatasetError where there is no dataset."""
        tasks = load_tasks(folder)
        stages = {path.name.partition("-")[2]: path for path in (folder / "work").iterdir() if path.is_dir()}
        judged = (name for name in (screen.NAME, prove.NAME, curate.NAME) if name in stages)
        return cls(
            list(Folder(stages[read.NAME], Notebook).records()),
            list(tasks),
            list(Folder(stages[execute.NAME], ExecutedNotebook).records()),
            list(Folder(stages[slice.NAME], SlicedOutput).records()),
            [reject for name in judged for reject in Folder(stages[name], Task).rejects()],
            list(Folder(stages[slice.NAME], SlicedOutput).rejects()),
            cpu_s,
        )


def main() -> int:
    """The exit code of the build where it fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--set", action="append", default=[], help="a setting of the build, KEY=VALUE")
    parser.add_argument("--environment", action="append", default=[], help="as for a build")
    parser.add_argument("--cpu-s", type=float, default=0.0, help="what the build took that DIR holds")
    given = parser.parse_args()
    order = [sys.executable, "-m", "cellwright", "build", str(given.corpus), "--out", str(given.out)]
    order += [word for value in given.set for word in ("--set", value)]
    order += [word for name in given.environment for word in ("--environment", name)]
    done = subprocess.run(order, check=False, stdout=sys.stderr)
    if done.returncode:
        return done.returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    body = report(Built.load(given.out, given.cpu_s or used.ru_utime + used.ru_stime))
    sys.stdout.write(f"{body}\n")
    settings = " ".join(given.set) or "no settings changed"
    write_section("A corpus", "make bench-corpus", f"`{given.corpus.name}`, {settings}.\n\n{body}")
    return 0


def report(built: Built) -> str:
    """The tables."""
    parts = [table(("what", "count", "goal"), [*_notebooks(built), *_tasks(built)])]
    parts += [_levels(built.tasks), _gates(built), _ranked("reason at a gate", (r.reason for r in built.stopped))]
    parts += [
        _ranked("repair", (repair.rule for one in built.executed for repair in one.repairs)),
        _ranked("lost statements", (loss.cause for one in built.executed for loss in one.losses)),
        _ranked("output without a slice", (reject.reason for reject in built.unsliced)),
        _ranked("family", (task.family for task in built.tasks)),
    ]
    return "\n\n".join(parts)


def _notebooks(built: Built) -> list[tuple[str, str, str]]:
    cells = sum(bool(cell.source.strip()) for notebook in built.notebooks for cell in notebook.code_cells)
    whole = sum(map(_whole, built.executed))
    clean = sum(
        not {loss.cause for loss in one.losses} - HARMLESS and all(c.status == "ok" for c in one.execution.cells)
        for one in built.executed
    )
    seconds = sum(one.cpu_s for one in built.sliced)
    minimal = sum(one.minimal for one in built.sliced)
    return [
        ("notebooks", str(len(built.notebooks)), ""),
        ("run whole, after repair", _of(clean, len(built.notebooks)), ""),
        ("code cells with code that run whole, after repair", _of(whole, cells), "80%"),
        ("outputs with a slice", f"{len(built.sliced)} of {len(built.sliced) + len(built.unsliced)}", ""),
        ("of those, no statement can go", _of(minimal, len(built.sliced)), ""),
        ("processor seconds a slice, of those found", f"{seconds / max(1, len(built.sliced)):.2f}", "0.5"),
        ("notebooks with outputs that have a slice", str(len({one.notebook_id for one in built.sliced})), ""),
    ]


def _whole(executed: ExecutedNotebook) -> int:
    sources = [cell.source for cell in executed.linked.notebook.code_cells]
    return sum(bool(sources[index].strip()) for index in whole_cells(executed))


def _tasks(built: Built) -> list[tuple[str, str, str]]:
    read = [task for task in built.tasks if task.origin == "notebook"]
    composed = [task for task in built.tasks if task.origin == "composed"]
    sources = {(task.provenance.source, task.provenance.path) for task in read}
    hours = built.cpu_s / 3600
    return [
        ("proved tasks read from slices", str(len(read)), "250"),
        ("of so many notebooks", str(len(sources)), "40"),
        ("proved tasks composed over tables", str(len(composed)), "2,000"),
        ("proved tasks per processor hour", f"{len(built.tasks) / hours:.0f} ({hours:.1f} hours)", "500"),
        ("need a join", _of(_count(built.tasks, _joins), len(built.tasks)), "20%"),
        ("need a join of two files", _of(_count(built.tasks, _joins_files), len(built.tasks)), ""),
        ("need more than one file", _of(_count(built.tasks, lambda t: len(t.tables) > 1), len(built.tasks)), "30%"),
        ("level 4 or 5", _of(_count(built.tasks, lambda t: t.level >= 4), len(built.tasks)), "25%"),
    ]


def _joins(task: Task) -> bool:
    return any(operation in _JOINS for operation in task.operations)


def _joins_files(task: Task) -> bool:
    return _joins(task) and len(task.tables) > 1


def _levels(tasks: Sequence[Task]) -> str:
    rows = []
    for name, fits in (("read from slices", "notebook"), ("composed", "composed")):
        found = [task for task in tasks if task.origin == fits]
        counts = Counter(task.level for task in found)
        rows.append([name, *(f"{counts[level]} ({_share(counts[level], len(found))})" for level in _LEVELS)])
    return table(["tasks", *(f"L{level}" for level in _LEVELS)], rows)


def _gates(built: Built) -> str:
    """In the order in which they are passed: what a gate stops does not come to the next."""
    stopped = Counter(reject.reason.partition(":")[0] for reject in built.stopped)
    order = dict.fromkeys([*(gate.gate for task in built.tasks for gate in task.proof.gates), *stopped])
    rows, came = [], len(built.tasks) + sum(stopped.values())
    for gate in order:
        rows.append((gate, str(came), str(stopped[gate]), _fine_share(came - stopped[gate], came)))
        came -= stopped[gate]
    return table(("gate", "came to it", "stopped", "yield"), rows)


def _fine_share(count: int, total: int) -> str:
    return f"{count / total:.1%}" if total else ""


def _ranked(name: str, values: Iterable[str]) -> str:
    counts = Counter(values)
    rows = [(value, str(count)) for value, count in counts.most_common(_MOST_FREQUENT)]
    rest = sum(counts.values()) - sum(count for _, count in counts.most_common(_MOST_FREQUENT))
    return table((name, "count"), [*rows, ("others", str(rest))] if rest else rows)


def _count(tasks: Iterable[Task], fits: Callable[[Task], bool]) -> int:
    return sum(map(fits, tasks))


def _of(count: int, total: int) -> str:
    return f"{count} of {total} ({_share(count, total)})"


def _share(count: int, total: int) -> str:
    return f"{count / total:.0%}" if total else "0%"


if __name__ == "__main__":
    sys.exit(main())
