"""A sample of the planted defects: what the benchmark of defects measures in full holds in the small."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.defects.__main__ import report
from benchmarks.defects.plant import PLANTERS
from benchmarks.defects.prove import GOOD, measure
from cellwright.core.hashing import sha256_file
from cellwright.core.types import Contract, Oracle, Provenance, Table, Task
from cellwright.pipeline.config import ProveConfig


def good_tasks(folder: Path) -> list[Task]:
    """Tasks over two tables, one with names and one without."""
    rows = [f"{chr(65 + n // 5)}{'aeiou'[n % 5]}rt,{n * 13 % 47},{n % 9 + 0.5}" for n in range(40)]
    tables = {
        "people.csv": "name,points,hours\n" + "\n".join(rows) + "\n",
        "days.csv": "day,points,hours\n" + "\n".join(f"{n},{n * 7 % 53},{n % 9 / 2}" for n in range(50)) + "\n",
    }
    tasks = []
    for name, text in tables.items():
        path = folder / name
        path.write_text(text)
        table = Table(sha256_file(path), name, path.stat().st_size)
        path.rename(folder / table.stored_name)
        read = f"import pandas as pd\ndf = pd.read_csv('data/{name}')"
        for words, code, kind in (
            ("what is the mean of `hours`", "df['hours'].mean()", Contract("number", decimals=2)),
            ("what is the sum of `points`", "df['points'].sum()", Contract("integer")),
        ):
            contract = kind
            question = f"In `{name}`, {words}? Answer with " + (
                "an integer." if kind.kind == "integer" else "a number rounded to 2 decimals."
            )
            oracle, origin = Oracle((read, code), ("", ""), (0, 0)), Provenance("tests", "a.ipynb", "0" * 64)
            task = Task(name + words, question, contract, "0", (table,), 1, "x", origin, name, 0, oracle)
            tasks.append(replace(task, answer_json=_ANSWERS[name, kind.kind]))
    return tasks


_ANSWERS = {
    ("people.csv", "number"): "4.25",
    ("people.csv", "integer"): "928",
    ("days.csv", "number"): "1.9",
    ("days.csv", "integer"): "1261",
}


@pytest.mark.slow
def test_planted_defects_are_caught_and_good_tasks_are_not(tmp_path: Path) -> None:
    """Of one or two tasks with each of the twelve defects none gets through; the good ones do."""
    tables = tmp_path / "tables"
    tables.mkdir()
    cases = asyncio.run(measure(good_tasks(tables), tables, tmp_path / "store", 1, ProveConfig(runs=1), "trusted"))
    assert {case.defect for case in cases} == {*PLANTERS, GOOD}
    through = [(case.defect, case.question) for case in cases if case.defect != GOOD and not case.gate]
    lost = [(case.question, case.gate, case.reason) for case in cases if case.defect == GOOD and case.gate]
    assert (through, lost) == ([], [])
    assert "lost 0 of 4 good tasks" in report(cases)
