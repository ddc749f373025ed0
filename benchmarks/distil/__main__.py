"""Does a very small student learn more from its own failures than from as much of the same lessons, at equal cost?

`python -m benchmarks.distil [--quick] [--keep DIR]`. Needs the extras [data] and [train]. The teacher is the program
that proved a task: what is asked is which tasks are worth their steps, not what a better teacher would be worth. No
download, no GPU.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.distil.run import FULL, QUICK, WAYS, Outcome, Size, make_material, run_seeds
from benchmarks.tables import circumstances, table, write_section
from cellwright.core.errors import CellwrightError
from cellwright.training.scratch.trial import Score

_TITLE = "Distillation of a very small student"


def main() -> int:
    """Exit code 2 where something is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distil", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed and less of everything; writes no page")
    parser.add_argument("--seeds", type=int, help="students from other random weights")
    parser.add_argument("--keep", type=Path, help="where finished seeds stay, for a later run of the same code")
    order = parser.parse_args()
    size = QUICK if order.quick else FULL
    size = replace(size, seeds=order.seeds or size.seeds)
    try:
        with tempfile.TemporaryDirectory(prefix="cellwright-distil-") as folder:
            report = run(size, Path(folder), order.keep)
    except CellwrightError as error:
        _say(str(error))
        return 2
    _say(f"{circumstances()}\n\n{report}")
    if not order.quick:
        write_section(_TITLE, "make bench-distil", report)
    return 0


def run(size: Size, folder: Path, keep: Path | None = None) -> str:
    """All seeds; the report in Markdown."""
    material = asyncio.run(make_material(size, folder / "tables"))

    def tell(seed: int, outcomes: list[Outcome]) -> None:
        _say("\n".join(f"seed {seed}, {' | '.join(row)}" for row in _rows([outcomes])))

    seeds = run_seeds(material, size, folder, keep, tell)
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
        by_form = {form: [one.scores[form] for one in found] for form in found[0].scores}
        scores = [str(Score(sum(s.correct for s in all_), sum(s.total for s in all_))) for all_ in by_form.values()]
        rows.append([way, *(f"{mean:.0f}" for mean in means), *scores])
    return rows


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
