"""How many planted defects the gates catch, and how many good tasks they lose; writes a table of docs/benchmarks.md.

`python -m benchmarks.defects [DATASET ...] [--each N] [--list]`. Good tasks are those of the sample notebooks, and of
the datasets named (built with `--set prove.gates=false`, so that no gate has chosen them). `--list` prints what went
wrong.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.defects.plant import PLANTERS
from benchmarks.defects.prove import GOOD, Case, as_json, measure
from benchmarks.tables import table, write_section
from cellwright.apps.progress import make_progress
from cellwright.core.types import Proof, Task
from cellwright.dataset.files import TABLES, load_tasks
from cellwright.pipeline.build import build
from cellwright.pipeline.config import ProveConfig, load_config
from cellwright.samples import lay_out


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("datasets", type=Path, nargs="*")
    arguments.add_argument("--each", type=int, default=50, help="tasks with each defect")
    arguments.add_argument("--list", action="store_true", help="print what went wrong")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        datasets = given.datasets or [_samples(folder)]
        good, tables = _good(datasets, folder / "good")
        started = time.process_time()
        cases = asyncio.run(measure(good, tables, folder / "store", given.each, ProveConfig()))
    body = report(cases)
    sys.stdout.write(f"{body}\n{time.process_time() - started:.0f} s in this process\n")
    if given.list:
        sys.stdout.write(as_json(cases) + "\n")
    write_section("Planted defects", "make bench-defects", body)


def _samples(folder: Path) -> Path:
    """A dataset of the sample notebooks, no gate asked but re-execution."""
    lay_out(folder / "notebooks")
    settings = load_config(None, ["prove.gates=false", "ask.questions_per_notebook=8"])
    with make_progress(quiet=True) as progress:
        asyncio.run(build([folder / "notebooks"], folder / "dataset", settings, progress))
    return folder / "dataset"


def _good(datasets: Sequence[Path], folder: Path) -> tuple[list[Task], Path]:
    """The tasks of all datasets, unproved, and one folder with their tables."""
    folder.mkdir()
    tasks: list[Task] = []
    for dataset in datasets:
        tasks += [replace(task, proof=Proof(())) for task in load_tasks(dataset)]
        for path in (dataset / TABLES).iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
    return tasks, folder


def report(cases: Sequence[Case]) -> str:
    """The table by defect and gate."""
    gates = list(dict.fromkeys(case.gate for case in cases if case.gate))
    rows = []
    for defect in (*PLANTERS, GOOD):
        found = Counter(case.gate for case in cases if case.defect == defect)
        total = sum(found.values())
        stopped = total - found[""]
        share = f"{stopped / total:.1%}" if total else "none"
        rows.append([defect, str(total), f"{stopped} ({share})", *(str(found[gate] or "") for gate in gates)])
    bad = [case for case in cases if case.defect != GOOD]
    caught = sum(bool(case.gate) for case in bad)
    good = [case for case in cases if case.defect == GOOD]
    lost = sum(bool(case.gate) for case in good)
    lines = (
        f"Caught {caught} of {len(bad)} planted defects ({caught / max(1, len(bad)):.1%}; goal 95%); lost {lost} of "
        f"{len(good)} good tasks ({lost / max(1, len(good)):.1%}; goal 5%).",
        table(["defect", "tasks", "stopped", *(f"by {gate}" for gate in gates)], rows),
    )
    return "\n\n".join(lines)


if __name__ == "__main__":
    main()
