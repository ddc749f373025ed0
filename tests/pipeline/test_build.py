"""The whole job on a small corpus: what gets in, what does not and why, and what a reader of the dataset finds."""

import fcntl
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pyarrow.parquet as pq
import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cellwright.core.errors import UsageError
from cellwright.core.records import read_shard
from cellwright.core.types import Reject
from cellwright.dataset.accounts import NotebookAccount
from cellwright.dataset.files import load_tasks, load_traces
from cellwright.pipeline.build import BuildResult
from tests.pipeline.building import FAST, build
from tests.writing import write_notebook

# Untyped libraries.
nb: Any = nbformat
client: Any = nbclient


def rejects(result: BuildResult) -> dict[str, str]:
    """Notebook to reason, of those that went out as whole notebooks."""
    stages = {"read", "dedup", "link", "execute"}
    found = read_shard(result.out / "rejects.parquet", Reject)
    return {reject.notebook: reject.reason for reject in found if reject.stage in stages}


def test_every_notebook_is_accounted_for(built: BuildResult) -> None:
    """What gives no task has a reason that its author would find right."""
    assert rejects(built) == {
        "sub/staff-copy.ipynb": "exact duplicate",
        "no-file.ipynb": "reads no file",
        "no-table.ipynb": "its tables are not in the source",
        "in-r.ipynb": "not a Python notebook",
        "no-output.ipynb": "no cell showed a value",
        "truncated.ipynb": "truncated JSON",
        "empty.ipynb": "empty file",
    }
    assert {task.provenance.path for task in built.tasks} == {"sales.ipynb", "sub/staff.ipynb"}
    kept = {stage.stage: (stage.kept, stage.rejected) for stage in built.stages}
    assert kept["read"] == (6, 3)
    assert kept["dedup"] == (5, 1)


def test_each_notebook_has_its_row(built: BuildResult) -> None:
    """notebooks.parquet tells of every notebook what came of it, or why nothing did."""
    rows = {row.path: row for row in read_shard(built.out / "notebooks.parquet", NotebookAccount)}
    assert len(rows) == 9
    assert rows["empty.ipynb"].reason == "empty file"
    assert rows["no-table.ipynb"].outcome == "link"
    sales = rows["sales.ipynb"]
    assert (sales.outcome, sales.reason) == ("tasks", "")
    assert sales.tasks == sum(task.provenance.path == "sales.ipynb" for task in built.tasks)
    assert (sales.cells, sales.cells_ok) == (8, 7)
    assert sales.statements_lost == 1
    assert [(change.cell, change.kind, change.rule, change.before, change.after) for change in sales.changes] == [
        (2, "repaired", "renamed-np.product", "six = np.product([2, 3])", "six = np.prod([2, 3])"),
        (2, "lost", "unknown", "broken = undefined_name + 1", ""),
    ]
    assert sales.changes[1].why.startswith("NameError: ")
    assert rows["sub/staff.ipynb"].changes == ()


def test_tasks_say_all_and_are_proved(built: BuildResult) -> None:
    """A task has its question with contract, its answer, its tables by hash, its program and three runs that agree."""
    tasks = {wording: task for task in built.tasks for wording in (task.question, *task.phrasings)}
    assert all(len(task.phrasings) >= 3 for task in built.tasks)
    missing = tasks["In `Staff.csv`, how many rows are there where `age` is missing? Answer with an integer."]
    assert missing.answer_json == "1"
    assert [table.path for table in missing.tables] == ["data/Staff.csv"]
    assert missing.proof.passed
    gates = {gate.gate: json.loads(gate.evidence_json) for gate in missing.proof.gates}
    screened, proved = (
        ["leakage", "contamination", "closed-book"],
        ["wording", "sanity", "first rows", "ambiguity", "determinism"],
    )
    assert list(gates) == [*screened, "re-execution", *proved, "mutation"]
    assert len({run["seed"] for run in gates["re-execution"]["runs"]}) == 3
    mean = tasks[
        "In `sales.csv`, what is the mean of `sold`? "
        "Leave missing values out of statistics. Answer with a number rounded to 2 decimals."
    ]
    sold = [
        int(line.split(",")[2]) for line in (built.out / "tables" / mean.tables[0].stored_name).read_text().split()[1:]
    ]
    assert float(mean.answer_json) == round(sum(sold) / len(sold), 2)
    assert mean.oracle is not None
    assert "undefined_name" not in "".join(mean.oracle.cells)
    assert "random" not in "".join(task.answer_json for task in built.tasks)
    assert all(task.split and task.level and "pandas" in task.environment for task in built.tasks)


def test_card_counts_what_each_gate_stopped(built: BuildResult) -> None:
    """A task that the gates stopped is counted beside the gate that stopped it."""
    found = read_shard(built.out / "rejects.parquet", Reject)
    stopped = Counter(reject.reason.partition(":")[0] for reject in found if reject.stage == "prove")
    assert stopped
    rows = [line.strip("| ").split(" | ") for line in (built.out / "README.md").read_text().split("\n")]
    counts = {row[0]: row[2] for row in rows if len(row) == 3}
    assert {gate: counts.get(gate) for gate in stopped} == {gate: str(count) for gate, count in stopped.items()}


def test_tables_stand_on_one_side_only(built: BuildResult) -> None:
    """No table is in two splits."""
    sides: dict[str, set[str | None]] = {}
    for task in built.tasks:
        for table in task.tables:
            sides.setdefault(table.sha256, set()).add(task.split)
    assert all(len(splits) == 1 for splits in sides.values())


# What chat templates of the usual models do with tools, calls and reasoning.
_TEMPLATE = """{% for tool in tools %}{{ tool | tojson }}{% endfor %}{% for m in messages %}<|{{ m.role }}|>\
{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}\
{% for call in m.tool_calls or [] %}<call>{"name": "{{ call.function.name }}", "arguments": \
{{ call.function.arguments if call.function.arguments is string else call.function.arguments | tojson }}}</call>\
{% endfor %}{% endfor %}"""


def test_traces_are_what_a_chat_template_takes(built: BuildResult) -> None:
    """Both renderings of each task: same code, the words in the comment argument or in the reasoning."""
    rows = pq.read_table(built.out / "traces.parquet").to_pylist()
    assert len(rows) == 2 * len(built.tasks)
    template = ImmutableSandboxedEnvironment().from_string(_TEMPLATE)
    for row in rows:
        text = template.render(messages=row["messages"], tools=json.loads(row["tools"]))
        assert row["question"] in text
        assert row["answer"] in text
        roles = [message["role"] for message in row["messages"]]
        assert roles[:3] == ["system", "user", "assistant"]
        assert roles.count("tool") >= 2
        assert ("<think>" in text) == (row["rendering"] == "thinking")
        assert ('"comment"' in text) == (row["rendering"] == "non-thinking")


def shown(notebook: Any) -> list[str]:
    """What the cells of a notebook show, as text."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return [output.text if output.output_type == "stream" else output.data["text/plain"] for output in outputs]


def test_answer_notebooks_run_again(built: BuildResult) -> None:
    """The exported notebook of a task runs from top to bottom and shows what it showed."""
    task = built.tasks[0]
    path = built.out / "notebooks" / task.notebook_id / f"{task.id}.ipynb"
    notebook = nb.read(path, as_version=4)
    nb.validate(notebook)
    before = shown(notebook)
    client.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(path.parent)}}).execute()
    after = shown(notebook)
    assert before
    assert before == after


def test_page_card_and_configuration_are_written(built: BuildResult) -> None:
    """A person finds a page, a card and the settings."""
    assert "sales.csv" in (built.out / "report.html").read_text()
    assert "traces.parquet" in (built.out / "README.md").read_text()
    assert "questions_per_notebook: 7" in (built.out / "config.yaml").read_text()


def test_second_build_changes_nothing_and_is_quick(built: BuildResult, corpus: Path) -> None:
    """The same command again finds all stages done."""
    before = (built.out / "tasks.parquet").read_bytes()
    started = time.monotonic()
    build(corpus, built.out)
    assert (built.out / "tasks.parquet").read_bytes() == before
    assert time.monotonic() - started < built.seconds / 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "end", "code"),
    [("trace", signal.SIGKILL, -9), pytest.param("prove", signal.SIGINT, 130, marks=pytest.mark.slow)],
)
def test_ended_build_goes_on_and_gives_the_same_dataset(
    built: BuildResult, corpus: Path, tmp_path: Path, stage: str, end: signal.Signals, code: int
) -> None:
    """kill -9 or Ctrl-C in the middle of a stage; the next run does what is missing, and the dataset is the same to the
    byte."""
    out = tmp_path / "dataset"
    command = [sys.executable, "-m", "cellwright", "build", str(corpus), "--out", str(out), "--trusted", "--json"]
    command += [part for change in FAST for part in ("--set", change)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    _wait_for(lambda: any((out / "work").glob(f"*-{stage}/*.journal")), first)
    first.send_signal(end)
    _, told = first.communicate()
    assert first.returncode == code
    assert (b"the same command goes on" in told) == (end == signal.SIGINT)
    assert b"Traceback" not in told
    assert not (out / "tasks.parquet").exists()
    executed = next((out / "work").glob("*-execute/*.parquet"))
    stamp = executed.stat().st_mtime_ns
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["tasks"] == len(built.tasks)
    assert executed.stat().st_mtime_ns == stamp
    for name in ("tasks.parquet", "traces.parquet", "rejects.parquet"):
        assert (out / name).read_bytes() == (built.out / name).read_bytes(), name


def _wait_for(condition: Any, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, "the build ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)


HOSTILE = {
    "never-ends": "while True: pass",
    "gigabyte": "for _ in range(20_000): print('x' * 50_000)",
    "kills-itself": "import os\nos.kill(os.getpid(), 9)",
    "no-package": "import a_package_that_is_not_there",
    "network": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/x.csv')",
}


@pytest.mark.slow
def test_hostile_cells_cost_themselves_only(tmp_path: Path) -> None:
    """A cell that never ends, floods, dies or needs what is missing loses nothing of the notebook before it."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "t.csv").write_text("a,b\n1,2\n3,4\n5,9\n")
    for number, (name, code) in enumerate(HOSTILE.items()):  # a question of its own each: repeated ones go
        cells = ["import pandas as pd", f"df = pd.read_csv('t.csv')\ndf[df.a > {number}].b.sum()", code]
        write_notebook(folder / f"{name}.ipynb", *cells)
    result = build(folder, tmp_path / "out", "execute.cell_s=2", "ask.questions_per_notebook=1", "prove.runs=2")
    assert rejects(result) == {}
    executed = next(stage for stage in result.stages if stage.stage == "execute")
    assert executed.kept == len(HOSTILE)
    proved = next(stage for stage in result.stages if stage.stage == "prove")
    assert proved.kept == len(HOSTILE)


def test_notebooks_of_one_path_in_two_sources_have_accounts_of_their_own(tmp_path: Path) -> None:
    """Neither takes the other's reason."""
    write_notebook(tmp_path / "one" / "a.ipynb", "import pandas as pd\npd.read_csv('gone.csv')")
    write_notebook(tmp_path / "two" / "a.ipynb", "6 * 7")
    made = build(tmp_path / "one", tmp_path / "out", beside=[tmp_path / "two"])
    accounts = read_shard(made.out / "notebooks.parquet", NotebookAccount)
    assert {(account.source, account.path): account.reason for account in accounts} == {
        ("one", "a.ipynb"): "its tables are not in the source",
        ("two", "a.ipynb"): "reads no file",
    }


def test_source_without_notebooks_says_so(tmp_path: Path) -> None:
    """An empty folder is a mistake, not an empty dataset."""
    (tmp_path / "corpus").mkdir()
    with pytest.raises(UsageError, match=r"no notebook \(.ipynb\)"):
        build(tmp_path / "corpus", tmp_path / "out")


def test_out_that_cannot_be_written_says_so(tmp_path: Path, corpus: Path) -> None:
    """An --out below a file names the folder and says what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="Choose another folder"):
        build(corpus, tmp_path / "file" / "out")


def test_two_builds_into_one_folder_do_not_meet(corpus: Path, tmp_path: Path) -> None:
    """The second one says so and leaves what the first one has."""
    (tmp_path / ".cellwright").touch()
    with (tmp_path / ".cellwright").open() as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another program builds into"):
            build(corpus, tmp_path)
    assert not list((tmp_path / "work").iterdir())


def test_dataset_is_read_back(built: BuildResult) -> None:
    """Tasks and traces come back as the nouns that were written."""
    assert load_tasks(built.out) == list(built.tasks)
    assert {row.task_id for row in load_traces(built.out)} == {task.id for task in built.tasks}
