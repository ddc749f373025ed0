"""The commands as a person types them, with their exit codes and what they say."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cellwright.answers import from_json, render
from cellwright.apps.texts import visible, visible_code
from cellwright.core.records import write_shard
from cellwright.core.types import Task
from cellwright.dataset.files import REJECTS, TASKS, load_traces
from cellwright.kernels.isolation import WORDS, best_rung
from cellwright.pipeline.build import BuildResult
from tests.apps.commands import cellwright, said
from tests.pipeline.conftest import built, corpus

__all__ = ["built", "corpus"]


def test_verify_runs_every_task_again(built: BuildResult) -> None:
    """All answers of a fresh dataset come out again, and the exit code is 0."""
    done = cellwright("verify", built.out, "--trusted", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"tasks": len(built.tasks), "correct": len(built.tasks), "wrong": []}


def test_isolation_is_said_once_and_kept_in_each_trace(built: BuildResult, copied: Path) -> None:
    """A command says how its kernels are isolated in one line; what was traced holds it too."""
    write_shard(copied / TASKS, Task, built.tasks[:1])
    done = cellwright("verify", copied)
    (said_of_kernels,) = [line for line in done.stderr.splitlines() if line.startswith("kernels: ")]
    assert said_of_kernels == f"kernels: {WORDS[best_rung(sys.executable)]}"
    assert {trace.kernel for trace in load_traces(built.out)} == {"local, trusted"}


@pytest.fixture
def copied(built: BuildResult, tmp_path: Path) -> Path:
    """A dataset that may be broken."""
    (tmp_path / "tables").mkdir()
    for table in (built.out / "tables").iterdir():
        (tmp_path / "tables" / table.name).write_bytes(table.read_bytes())
    (tmp_path / TASKS).write_bytes((built.out / TASKS).read_bytes())
    return tmp_path


def test_verify_finds_an_altered_answer(built: BuildResult, copied: Path) -> None:
    """One answer that its program does not give is named, and the exit code is 1."""
    first, *others = built.tasks
    lie = replace(first, answer_json="12345" if first.contract.kind != "mapping" else '[["a", 1]]')
    write_shard(copied / TASKS, Task, [lie, *others])
    done = cellwright("verify", copied, "--trusted")
    assert done.returncode == 1
    assert first.id in done.stdout
    assert f"{len(others)} of {len(built.tasks)} answers came out again" in done.stdout


def test_verify_finds_an_altered_table(built: BuildResult, copied: Path) -> None:
    """A table whose content is not what its hash says fails all its tasks."""
    with (copied / "tables" / built.tasks[0].tables[0].stored_name).open("a") as file:
        file.write("x,1,1,1\n")
    done = cellwright("verify", copied, "--trusted", "--json")
    assert done.returncode == 1
    wrong = {row["task"] for row in json.loads(done.stdout)["wrong"]}
    sha = built.tasks[0].tables[0].sha256
    assert wrong == {task.id for task in built.tasks if sha in {table.sha256 for table in task.tables}}


def test_show_prints_a_task_with_its_cells(built: BuildResult) -> None:
    """The first characters of an id are enough; the answer, the notebook and the code are there."""
    task = built.tasks[0]
    done = said("show", task.id[:10], "--in", built.out)
    assert done.returncode == 0, done.stderr
    assert render(from_json(task.answer_json, task.contract), task.contract) in done.stdout
    assert "read_csv" in done.stdout
    assert task.provenance.path in done.stdout
    assert json.loads(said("show", task.id, "--in", built.out, "--json").stdout)["id"] == task.id


MISTAKES = {
    ("build", "nowhere", "--out", "x"): "nowhere does not exist",
    ("build", "CORPUS", "--out", "x", "--set", "execute.cel_s=3"): "did you mean execute.cell_s?",
    ("build", "CORPUS", "--out", "x", "--set", "execute.cell_s=soon"): "cell_s",
    ("build", "CORPUS", "--out", "x", "--set", "workers"): "key=value",
    ("verify", "nowhere"): "holds no tasks.parquet",
    ("show", "abc", "--in", "nowhere"): "holds no tasks.parquet",
}


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_mistakes_get_one_line(arguments: tuple[str, ...], corpus: Path) -> None:
    """A mistake of the person's: exit code 2, one line that says what to do, no traceback, and nothing is made."""
    done = said(*(corpus if argument == "CORPUS" else argument for argument in arguments))
    assert done.returncode == 2
    assert MISTAKES[arguments] in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not Path("x").exists()


def test_a_build_without_tasks_says_where_the_reasons_are(tmp_path: Path) -> None:
    """There is nothing to verify then."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": "a",
        "source": "1 + 1",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    (tmp_path / "alone.ipynb").write_text(json.dumps(notebook))
    done = said("build", tmp_path / "alone.ipynb", "--out", tmp_path / "out", "--trusted")
    assert done.returncode == 0, done.stderr
    assert "0 proved tasks" in done.stdout
    assert str(tmp_path / "out" / REJECTS) in done.stdout
    assert "verify" not in done.stdout


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """The place and the system's own words."""
    (tmp_path / "file").write_text("")
    done = said("demo", "--out", tmp_path / "file" / "demo")
    assert done.returncode == 1
    assert done.stderr.startswith(f"cellwright: {tmp_path / 'file' / 'demo'}")
    assert done.stderr.endswith(": Not a directory\n")


def test_words_of_others_in_a_mistake_are_shown_and_not_obeyed() -> None:
    """Such as a file's name."""
    done = said("verify", "a\x1b]0;x\x07")
    assert done.returncode == 2
    assert "a␛]0;x␇ holds no tasks.parquet" in done.stderr


def test_a_terminal_sees_no_control_of_others() -> None:
    """A title that a label sets, a screen that a notebook clears: shown, not done."""
    assert visible("a\x1b]0;title\x07\nb\t\x9b2J\x7f") == "a␛]0;title␇\nb\t\ufffd2J␡"


def test_code_is_shown_as_it_runs() -> None:
    """Nothing hides a part of it: a return, a terminal's sequence, a change of direction, a character of no width."""
    assert visible_code("# fine\rwipe()\r\nx") == "# fine␍\nwipe()\nx"
    assert visible_code("\x1b]0;wipe()\nx\x07") == "␛]0;wipe()\nx␇"
    assert visible_code("a\u202eb\u200bc\ufeff\ud83d é") == "a⟨U+202E⟩b⟨U+200B⟩c⟨U+FEFF⟩\ufffd é"


def test_version() -> None:
    """The version is printed."""
    assert cellwright("--version").stdout.startswith("cellwright 0")
