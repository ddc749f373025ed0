"""Does a very small student learn more from its own failures than from as much of the same lessons, at equal cost?

`python -m benchmarks.distil [--quick]`. Needs the extras [data] and [train]. The teacher is the program that proved a
task: what is asked is which tasks are worth their steps, not what a better teacher would be worth. No download, no GPU.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.distil.run import FULL, QUICK, WAYS, Outcome, Size, make_material, run_seed
from benchmarks.tables import circumstances, table, write_section
from cellwright.core.errors import CellwrightError
from cellwright.training.scratch.trial import score

_TITLE = "Distillation of a very small student"


def main() -> int:
    """Exit code 2 where something is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distil", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed and less of everything; writes no page")
    parser.add_argument("--seeds", type=int, help="students from other random weights")
    order = parser.parse_args()
    size = QUICK if order.quick else FULL
    size = replace(size, seeds=order.seeds or size.seeds)
    try:
        with tempfile.TemporaryDirectory(prefix="cellwright-distil-") as folder:
            report = run(size, Path(folder))
    except CellwrightError as error:
        _say(str(error))
        return 2
    _say(f"{circumstances()}\n\n{report}")
    if not order.quick:
        write_section(_TITLE, "make bench-distil", report)
    return 0


def run(size: Size, folder: Path) -> str:
    """All seeds; the report in Markdown."""
    material = asyncio.run(make_material(size, folder / "tables"))
    seeds = []
    for seed in range(size.seeds):
        seeds.append(run_seed(material, size, seed, folder / f"seed-{seed}"))
        _say("\n".join(f"seed {seed}, {' | '.join(row)}" for row in _rows([seeds[-1]])))
    return (
        f"A student after {size.steps} steps on {size.lessons} lessons does the tasks of {size.pool} others, once "
        f"each; then it goes on, each way at the cost of that sitting and {size.further_steps} steps; the way that "
        f"needs no sitting has all of it as steps. On policy the built-in model is the teacher. Seeds, taken together: "
        f"{size.seeds}. Wilson's interval of 95%, which takes tasks of one table for independent.\n\n"
        f"{table(['goes on with', 'lessons', 'steps', 'CPU-s', *size.exam], _rows(seeds))}"
    )


def _rows(seeds: Sequence[Sequence[Outcome]]) -> list[list[str]]:
    """A row for each way: means over the seeds, and the scores of all together."""
    rows = []
    for number, way in enumerate(WAYS):
        found = [outcomes[number] for outcomes in seeds]
        means = [
            sum(values) / len(found) for values in zip(*((o.lessons, o.steps, o.cpu_s) for o in found), strict=True)
        ]
        scores = [str(score([s for one in found for s in one.sittings[form]])) for form in found[0].sittings]
        rows.append([way, *(f"{mean:.0f}" for mean in means), *scores])
    return rows


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
