"""The closed loop from nothing: tasks are made, a model is trained on them from random weights, and sits others.

`python -m benchmarks.loop [--quick | --controls | --built-in] [--keep DIR]`. Needs the extras [data] and
[train]; no download, no GPU. The exit code is 1 when training has made no difference.
"""

import argparse
import asyncio
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from benchmarks.loop.asked import Outcome, afterwards, ask_by_hand, told
from benchmarks.loop.run import (
    BUILT_IN,
    CONTROLS,
    FULL,
    QUICK,
    Exam,
    Size,
    Trained,
    examine,
    examine_served,
    make_all,
    samples_of,
    train_all,
)
from benchmarks.tables import circumstances, table, write_section
from cellwright.core.errors import CellwrightError
from cellwright.models.builtin import FOLDER
from cellwright.training.scratch.trial import Sitting, score

_TITLE = "The closed loop, from random weights"
_AT_LESS = (
    "What each part is worth, at a size that trains in minutes: three layers, two forms, names of syllables. In one "
    "control every lesson ends with the answer of another one, in the other no cell shows anything."
)


def main() -> int:
    """Exit code 2 where something is missing, 1 where nothing was learnt."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loop", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed, fewer lessons and tasks; writes no page")
    parser.add_argument("--controls", action="store_true", help="the controls alone; writes no page")
    parser.add_argument("--seeds", type=int, help="trainings from other random weights")
    parser.add_argument("--steps", type=int, help="of each training")
    parser.add_argument("--built-in", action="store_true", help="train the built-in model and put it into the package")
    parser.add_argument("--keep", type=Path, help="where trained models stay, for a later run of the same code")
    order = parser.parse_args()
    size = QUICK if order.quick else CONTROLS if order.controls else BUILT_IN if order.built_in else FULL
    is_whole = size is FULL
    size = replace(size, seeds=order.seeds or size.seeds, steps=order.steps or size.steps)
    try:
        report, has_learnt = run(size, order.keep, built_in=order.built_in)
        if is_whole:
            keep = order.keep / "controls" if order.keep is not None else None
            controls, has_learnt = run(CONTROLS, keep)
            report = f"{report}\n\n{_AT_LESS}\n\n{controls}"
    except CellwrightError as error:
        _say(str(error))
        return 2
    if is_whole:
        write_section(_TITLE, "make loop", report)
    if not has_learnt:
        _say("Nothing was learnt: what was trained does no better than random weights, as far as the intervals tell.")
    return 0 if has_learnt else 1


def run(size: Size, keep: Path | None, *, built_in: bool = False) -> tuple[str, bool]:
    """All of it: the report in Markdown, which is also said, and whether training made a difference to random weights,
    where these sat the exams too. The trained models go into `keep`, where one is given."""
    with tempfile.TemporaryDirectory(prefix="cellwright-loop-") as folder:
        return _run(size, Path(folder), keep, built_in=built_in)


def _run(size: Size, folder: Path, keep: Path | None, *, built_in: bool) -> tuple[str, bool]:
    began, store = time.monotonic(), folder / "tables"
    lessons, exams = asyncio.run(make_all(size, store))
    _say(f"{len(lessons)} lessons, {sum(map(len, exams.values()))} tasks, {_cpu_s():.0f} CPU-s so far")
    trained = train_all(lessons, size, keep or folder, _say)
    results: dict[str, Mapping[Exam, Sequence[Sitting]]] = {}
    for one in trained:
        results[one.name] = asyncio.run(examine(one, exams, store))
        _say(_row_text(one.name, results[one.name]))
    if size.served:
        served = asyncio.run(examine_served(trained[0], exams["one-step"][: size.served], store))
        results["seed 0, behind transformers serve"] = {"one-step": served}
    if built_in:
        shutil.copytree(trained[0].folder, FOLDER, dirs_exist_ok=True)
    report = _report(results, trained, time.monotonic() - began)
    if "real tables" in exams:
        report = f"{report}\n\n{_asked(trained[0], results[trained[0].name], store)}"
    _say(f"{circumstances()}\n\n{report}")
    scores = [
        score(results[name]["one-step"]).interval for name in ("random weights", trained[0].name) if name in results
    ]
    return report, len(scores) < 2 or scores[1][0] > scores[0][1]


def _report(results: Mapping[str, Mapping[Exam, Sequence[Sitting]]], trained: Sequence[Trained], wall_s: float) -> str:
    exams = list(dict.fromkeys(exam for found in results.values() for exam in found))
    rows = [[name, *(str(score(found[e])) if e in found else "" for e in exams)] for name, found in results.items()]
    cost = ", ".join(f"{one.name} {one.cpu_s:.0f} CPU-s" for one in trained if one.tokens)
    return (
        f"{table(['model', *exams], rows)}\n\nCorrect of all, Wilson's interval of 95%. No name of an exam's table "
        f"is in a lesson. Trainings: {cost}. All together {_cpu_s():.0f} CPU-s, {wall_s / 60:.0f} minutes."
    )


def _asked(one: Trained, found: Mapping[Exam, Sequence[Sitting]], store: Path) -> str:
    """What a person would get, who asks the built-in model: answers that do not fit the question are held back."""
    by_hand = asyncio.run(ask_by_hand(one.folder, samples_of(store)))
    rows = [[exam, *told(afterwards(sittings, store))] for exam, sittings in found.items()]
    rows += [
        ["by hand, with a right answer", *told([asked.outcome for asked in by_hand if asked.question.right])],
        ["by hand, without one", *told([asked.outcome for asked in by_hand if not asked.question.right])],
    ]
    head = ["questions", "asked", *get_args(Outcome)]
    return f"As `ask` would have it, {one.name}: what does not fit the question is held back.\n\n{table(head, rows)}"


def _row_text(name: str, found: Mapping[Exam, Sequence[Sitting]]) -> str:
    return f"{name}: " + ", ".join(f"{exam} {score(sittings)}" for exam, sittings in found.items())


def _cpu_s() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
