"""`cellwright audit` and `cellwright fingerprint` as a person and a program use them."""

import json
import os
import pty
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cellwright.core.records import write_shard
from cellwright.core.types import Task
from cellwright.dataset.files import TASKS, TRACES
from cellwright.pipeline.build import BuildResult
from tests.apps.commands import said
from tests.pipeline.conftest import built, corpus

__all__ = ["built", "corpus"]
_ASKS = "quit  "


@pytest.fixture
def dataset(built: BuildResult, tmp_path: Path) -> Path:
    """A dataset without verdicts."""
    for name in (TASKS, TRACES):
        (tmp_path / name).write_bytes((built.out / name).read_bytes())
    return tmp_path


class Terminal:
    """A person's terminal with a command running in it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def until(self, words: str) -> str:
        """What is shown up to these words."""
        shown, deadline = "", time.monotonic() + 60
        while words not in shown:
            assert time.monotonic() < deadline, shown
            if select.select([self._descriptor], [], [], 1)[0]:
                shown += os.read(self._descriptor, 1 << 16).decode(errors="replace")
        return shown

    def types(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())


@contextmanager
def terminal(*arguments: str | Path) -> Iterator[Terminal]:
    """Run a command in a real terminal, to its end."""
    process, descriptor = pty.fork()
    if process == 0:
        os.environ.update(COLUMNS="120", TERM="dumb")
        os.execv(sys.executable, [sys.executable, "-m", "cellwright", *map(str, arguments)])
    try:
        yield Terminal(descriptor)
    finally:
        os.close(descriptor)
        os.waitpid(process, 0)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_person_judges_in_a_terminal(built: BuildResult, dataset: Path) -> None:
    """Keys give verdicts, `b` takes one back, `q` ends; the same command goes on where it was left."""
    with terminal("audit", dataset, "--n", "4", "--judge", "Ada") as screen:
        first = screen.until(_ASKS)
        for words in ("1 of 4", "question", "contract", "read_csv", "re-execution", "closed-book"):
            assert words in first
        screen.types("v")
        screen.until(_ASKS)
        screen.types("b")
        assert "so far: valid" in screen.until(_ASKS)
        screen.types("i")
        screen.until("why?")
        screen.types("the answer is rounded down\n")
        screen.until(_ASKS)
        screen.types("q")
        assert "2 drawn" not in screen.until("the same command goes on")
    with terminal("audit", dataset, "--n", "4", "--judge", "Ada") as screen:
        assert "2 of 4" in screen.until(_ASKS)
        screen.types("vvu")
        screen.until("why?")
        screen.types("\n")
        shown = screen.until("are invalid")
    assert "a person (Ada) judged 4 of 4 tasks" in " ".join(shown.split())
    facts = json.loads(said("audit", dataset, "--n", "4", "--judge", "Ada", "--json").stdout)
    assert (facts["valid"], facts["invalid"], facts["unsure"], facts["pending"]) == (2, 1, 1, [])
    assert facts["not_valid"][0]["reason"] == "the answer is rounded down"
    assert (facts["kind"], facts["tasks"]) == ("person", len(built.tasks))


def test_program_hands_in_verdicts(built: BuildResult, dataset: Path, tmp_path: Path) -> None:
    """A file of verdicts counts for the tasks that were drawn, and the certificate says that a program judged."""
    ids = json.loads(said("audit", dataset, "--n", "3", "--seed", "3", "--json").stdout)["pending"]
    assert len(ids) == 3
    others = [task.id for task in built.tasks if task.id not in ids]
    rows = [{"task": one, "verdict": "valid"} for one in [*ids, others[0]]]
    (tmp_path / "v.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    order = ("audit", dataset, "--n", "3", "--seed", "3", "--judge", "checker 1.0", "--verdicts", tmp_path / "v.jsonl")
    done = said(*order)
    words = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stderr
    assert "a program (checker 1.0) judged 3 of 3 tasks" in words
    assert "at most 63.16% of the tasks are invalid" in words
    assert "1 verdicts are on tasks that were not drawn" in words
    person = json.loads(said("audit", dataset, "--n", "3", "--seed", "3", "--judge", "Ada", "--json").stdout)
    assert person["judged"] == 0
    assert person["other_judges"][0]["kind"] == "program"


def test_verdict_on_a_changed_task_is_none(built: BuildResult, dataset: Path, tmp_path: Path) -> None:
    """When an answer has changed since it was judged, the task waits for a verdict again."""
    rows = [{"task": task.id, "verdict": "valid"} for task in built.tasks]
    (tmp_path / "v.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said("audit", dataset, "--judge", "x", "--verdicts", tmp_path / "v.jsonl")
    first, *rest = built.tasks
    changed = Task(**{**{name: getattr(first, name) for name in first.__dataclass_fields__}, "question": "Another?"})
    write_shard(dataset / TASKS, Task, [changed, *rest])
    facts = json.loads(said("audit", dataset, "--judge", "x", "--kind", "program", "--json").stdout)
    assert facts["pending"] == [first.id]


def test_words_of_verdicts_are_shown_and_not_obeyed(built: BuildResult, dataset: Path, tmp_path: Path) -> None:
    """Neither a terminal nor the console acts on a reason, or on the name of a judge."""
    row = {"task": built.tasks[0].id, "verdict": "unsure", "reason": "\x1b]0;x\x07[/b]"}
    (tmp_path / "v.jsonl").write_text(json.dumps(row))
    done = said("audit", dataset, "--judge", "\x1b[2J[/i]", "--verdicts", tmp_path / "v.jsonl")
    assert done.returncode == 0, done.stderr
    assert "␛]0;x␇[/b]" in done.stdout
    assert "(␛[2J[/i])" in done.stdout


MISTAKES = {
    '{"task": 1': "line 1",
    '{"task": "x", "verdict": "good"}': "'good' is not valid, invalid or unsure",
    '{"task": "x", "verdict": "invalid"}': "needs a reason",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_broken_verdicts_are_named(dataset: Path, tmp_path: Path, line: str) -> None:
    """A line that is no verdict stops the command, which says which line and why; nothing is kept."""
    (tmp_path / "v.jsonl").write_text(line + "\n")
    done = said("audit", dataset, "--judge", "x", "--verdicts", tmp_path / "v.jsonl")
    assert done.returncode == 2
    assert MISTAKES[line] in " ".join(done.stderr.split())
    assert not (dataset / "audit.jsonl").exists()


def test_fingerprint_command(tmp_path: Path) -> None:
    """The command counts what it hashed and says how a build uses it."""
    (tmp_path / "q.jsonl").write_text('{"question": "Which of the five boats is the longest one?"}\n')
    done = said("fingerprint", tmp_path / "q.jsonl", "--out", tmp_path / "boats.json")
    assert done.returncode == 0, done.stderr
    assert "1 questions" in done.stdout
    assert "screen.fingerprints=" in done.stdout
