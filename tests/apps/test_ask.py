"""`cellwright ask` and `cellwright replay` as a person uses them, against a real server with a scripted model."""

import asyncio
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from rich.console import Console

from cellwright.apps.asking.figures import Figures
from cellwright.apps.asking.models import BUILT_IN, IN_THIS_PROCESS, ModelOptions, find_model
from cellwright.apps.asking.screen import Screen
from cellwright.apps.asking.typed import TypedLines
from cellwright.apps.replaying import open_notebook
from cellwright.core.errors import ConfigError, ModelMisused, UsageError
from cellwright.core.types import Message, ToolCall
from cellwright.models.server import Answer, Failure, ScriptedServer
from tests.writing import notebook

from .commands import said

CSV = "day,bill,tip\nSun,10,2\nSun,20,3\nSat,15,1.5\n"
READ = "rows = [line.split(',') for line in open('sub/tips.csv').read().splitlines()[1:]]"
FIGURE = (
    "import base64\nfrom IPython.display import display\n"
    "display({'image/png': base64.b64encode(b'\\x89PNG').decode(), 'text/plain': '<Figure>'}, raw=True)"
)


def call(name: str, **arguments: str) -> Message:
    return Message("assistant", "", tool_calls=(ToolCall("c", name, json.dumps(arguments)),))


TURNS = [
    call("execute_code", code=READ, comment="I read the file."),
    call("execute_code", code="print(len(rows), 'rows')", comment="How many there are."),
    call("execute_code", code=FIGURE, comment="A figure."),
    call("execute_code", code="1 / 0", comment="A mistake."),
    call("execute_code", code="print(sum(float(r[2]) for r in rows if r[0] == 'Sun') / 2)", comment="The mean."),
    call("final_answer", answer="2.5", comment="Read off the output."),
]


def opened(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def by_turn(turns: Sequence[Answer]) -> Callable[[Any], Answer]:
    """The script that says the next turn of each chat; after its end it begins again, as a new question does."""
    return lambda request: turns[sum(m["role"] == "assistant" for m in request["messages"]) % len(turns)]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a table."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "tips.csv").write_text(CSV)
    return tmp_path


@contextmanager
def served(turns: Sequence[Answer] = TURNS, **options: Any) -> Iterator[ScriptedServer]:
    with ScriptedServer(by_turn(turns), **options) as server:
        yield server


def started(desk: Path, *arguments: str) -> "subprocess.Popen[str]":
    # Without a person's own settings and keys.
    environment = {key: value for key, value in os.environ.items() if "OPENAI" not in key and key != "HF_TOKEN"}
    return subprocess.Popen(
        [sys.executable, "-m", "cellwright", *arguments, "--trusted", "--no-preload"],
        cwd=desk,
        env={**environment, "XDG_CONFIG_HOME": str(desk / "config")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(desk: Path, *arguments: str, typed: str = "") -> tuple[int, str, str]:
    process = started(desk, *arguments)
    out, err = process.communicate(typed, timeout=60)
    return process.returncode, out, err


def ask(desk: Path, server: ScriptedServer, *arguments: str, typed: str = "") -> tuple[int, str, str]:
    return run(desk, "ask", "Mean tip on Sunday?", "sub/tips.csv", "--model", server.url, *arguments, typed=typed)


def test_answer_comes_with_its_notebook(desk: Path) -> None:
    """What is printed, what the notebook holds, that it runs from top to bottom, and that a replay says so."""
    with served() as server:
        code, out, err = ask(desk, server, "--verify", "--keep", "only-what-matters", "--out", "small.ipynb")
        assert code == 0, err
        code, whole, err = ask(desk, server, "--price", "1,2", "--max-cost", "1")
        assert code == 0, err
    for words in ("I read the file.", "3 rows", "ZeroDivisionError", "figure: small_files/figure-1.png", "2.5"):
        assert words in out
    assert "by the URL that was given" in out
    assert "kept 2 of 5 cells" in out
    assert "USD" in whole
    assert (desk / "answer_files" / "figure-1.png").read_bytes() == b"\x89PNG"

    notebook = opened(desk / "answer.ipynb")
    nbformat.validate(notebook)
    record = notebook.metadata["cellwright"]
    assert (record["model"], record["questions"][0]["answer"]) == ("scripted", "2.5")
    assert record["files"][0]["path"] == "sub/tips.csv"
    assert record["usage"]["input_tokens"] > 0
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.metadata["cellwright"]["step"] for cell in cells] == [0, 1, 2, 3, 4]
    assert all(cell.metadata["cellwright"]["by"] == "agent" for cell in cells)
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(desk)}}).execute()

    small = opened(desk / "small.ipynb")
    assert [cell.source for cell in small.cells if cell.cell_type == "code"] == [READ, cells[4].source]
    assert small.metadata["cellwright"]["replay"]["answers"] == ["same"]


def test_text_that_a_cell_calls_json_is_kept(desk: Path) -> None:
    """As any cell may: what is no JSON is written as the text that it is."""
    shows = "from IPython.display import display\ndisplay({'application/json': 'hello'}, raw=True)"
    with served([call("execute_code", code=shows, comment="So."), TURNS[5]]) as server:
        code, _, err = ask(desk, server)
    assert code == 0, err
    (cell,) = [cell for cell in opened(desk / "answer.ipynb").cells if cell.cell_type == "code"]
    assert cell.outputs[0].data == {"application/json": "hello"}


def test_a_call_that_a_server_leaves_in_the_text_is_shown_as_its_cell(desk: Path) -> None:
    """And not once more as it is written."""
    turns = [
        Message(
            "assistant", f'I look.\n<tool_call>{{"name": "{name}", "arguments": {{"{key}": "{value}"}}}}</tool_call>'
        )
        for name, key, value in (("execute_code", "code", "print(6 * 7)"), ("final_answer", "answer", "42"))
    ]
    with served(turns) as server:
        code, out, err = ask(desk, server)
    assert code == 0, err
    assert "I look." in out
    assert "print(6 * 7)" in out
    assert "tool_call" not in out


def test_files_that_are_left_out_are_told_of(desk: Path) -> None:
    """A link in a folder to a file elsewhere is not handed to the model, and the person learns of it."""
    (desk / "key").write_text("secret")
    (desk / "sub" / "link.csv").symlink_to(desk / "key")
    with served([call("final_answer", answer="1", comment="So.")]) as server:
        code, out, err = run(desk, "ask", "Q", "sub", "--model", server.url)
        asked = json.dumps(server.requests)
    assert code == 0, err
    assert "left out: sub/link.csv leads out of sub" in out
    assert "tips.csv" in asked
    assert "key" not in asked


def test_names_of_answers_count_up_unless_they_are_forced(desk: Path) -> None:
    """answer.ipynb, then answer-2.ipynb; with --force, answer.ipynb again."""
    with served([call("final_answer", answer="1", comment="So.")]) as server:
        assert [ask(desk, server)[0] for _ in range(2)] == [0, 0]
        os.utime(desk / "answer.ipynb", (0, 0))
        assert ask(desk, server, "--force")[0] == 0
    assert sorted(path.name for path in desk.glob("*.ipynb")) == ["answer-2.ipynb", "answer.ipynb"]
    assert (desk / "answer.ipynb").stat().st_mtime > 0


def test_replay_tells_what_changed(desk: Path) -> None:
    """The same notebook is the same again; with another table its cells and its answer are not."""
    with served() as server:
        assert ask(desk, server)[0] == 0
    code, out, err = run(desk, "replay", "answer.ipynb", "--json")
    assert (code, json.loads(out)["same"]) == (0, True), err
    (desk / "sub" / "tips.csv").write_text(CSV.replace("Sun,20,3", "Sun,20,9"))
    code, out, _ = run(desk, "replay", "answer.ipynb")
    assert code == 1
    assert "tips.csv is not as it was" in out
    assert "answer    differs: did not come out again; cell 5 had shown it" in out
    assert "4 of 5 cells came out the same" in out
    (desk / "sub" / "tips.csv").unlink()
    code, _, err = run(desk, "replay", "answer.ipynb")
    assert code == 2
    assert "which is not there any more" in err


RECORDS: dict[str, tuple[dict[str, object], str]] = {
    "above": ({"files": [{"path": "../key"}]}, "name it: cellwright replay in/n.ipynb key"),
    "absolute": ({"files": [{"path": "/etc/passwd"}]}, "name it: cellwright replay in/n.ipynb /etc/passwd"),
    "hidden": ({"files": [{"path": ".ssh/id"}]}, "name it: cellwright replay in/n.ipynb in/.ssh/id"),
    "by a link": ({"files": [{"path": "link"}]}, "name it: cellwright replay in/n.ipynb in/link"),
    "no name of a file": ({"files": [{"path": "a\0b"}]}, "is no name of a file"),
    "link to itself": ({"files": [{"path": "loop"}]}, "is not there any more"),
    "file without a path": ({"files": [{}]}, "under `cellwright` cannot be read"),
    "question that is none": ({"questions": [5]}, "under `cellwright` cannot be read"),
    "answer that is no text": ({"questions": [{"answer": 5}]}, "under `cellwright` cannot be read"),
}


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """It opens nothing outside the notebook's folder that the person did not name, and is no traceback."""
    record, words = RECORDS[kind]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / ".ssh").mkdir(parents=True)
    for name in ("key", "in/.ssh/id"):
        (tmp_path / name).write_text("secret")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "key")
    (tmp_path / "in" / "loop").symlink_to("loop")
    Path("in/n.ipynb").write_text(json.dumps(notebook("1", cellwright=record)))
    done = said("replay", "in/n.ipynb")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_record_may_name_what_the_person_names(tmp_path: Path) -> None:
    """The file itself or its folder, and what lies beside the notebook without being named."""
    for name in ("out/a.csv", "in/b.csv", "out/.c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    path = tmp_path / "in" / "n.ipynb"
    path.write_text(json.dumps(notebook("1", cellwright={"files": [{"path": "../out/a.csv"}, {"path": "b.csv"}]})))
    for named in ("out", "out/a.csv"):
        assert set(open_notebook(path, [tmp_path / named]).placement.paths) == {"../out/a.csv", "b.csv"}
    path.write_text(json.dumps(notebook("1", cellwright={"files": [{"path": "../out/.c.csv"}]})))
    with pytest.raises(UsageError, match="hidden or outside"):
        open_notebook(path, [tmp_path / "out"])


def test_cells_that_matter_are_written_or_the_command_fails(desk: Path) -> None:
    """Where no cell shows the answer nothing is written, and the exit code says so."""
    with served([TURNS[0], call("final_answer", answer="77", comment="A guess.")]) as server:
        assert ask(desk, server)[0] == 0
    code, _, err = run(desk, "replay", "answer.ipynb", "--keep", "only-what-matters", "--out", "small.ipynb")
    assert code == 1
    assert "small.ipynb is not written" in err
    assert not (desk / "small.ipynb").exists()


def test_an_answer_may_rest_on_the_cells_of_an_earlier_question(desk: Path) -> None:
    """A follow-up question that needs no cell is held to what was shown before it."""
    turns = [*TURNS[:2], call("final_answer", answer="3"), call("final_answer", answer="3", comment="As above.")]
    with served(turns) as server:
        code, _, err = ask(desk, server, "--continue", typed="Once more: how many rows?\n\n")
    assert code == 0, err
    assert [q["answer"] for q in opened(desk / "answer.ipynb").metadata["cellwright"]["questions"]] == ["3", "3"]
    code, out, err = run(desk, "replay", "answer.ipynb", "--json")
    assert [answer["verdict"] for answer in json.loads(out)["answers"]] == ["same", "same"], err


def test_questions_go_on_in_the_same_kernel(desk: Path) -> None:
    """With --continue the second question sees the variables of the first, and both are in the notebook."""
    turns = [
        *TURNS[:2],
        TURNS[5],
        call("execute_code", code="len(rows)", comment="Again."),
        call("final_answer", answer="3"),
    ]
    with served(turns) as server:
        code, _, err = ask(desk, server, "--continue", typed="And how many rows?\n\n")
        roles = [message["role"] for message in server.requests[-1]["messages"]]
    assert code == 0, err
    notebook = opened(desk / "answer.ipynb")
    assert [q["answer"] for q in notebook.metadata["cellwright"]["questions"]] == ["2.5", "3"]
    assert roles[5:9] == ["assistant", "tool", "assistant", "tool"] or "user" in roles[3:]


def test_cells_run_only_when_they_are_allowed(desk: Path) -> None:
    """An empty line asks again; yes, an edit, no with a reason, and the end of the input is a stop."""
    with served() as server:
        code, _, err = ask(desk, server, "--approve", typed="\ny\ne\nprint('mine')\n.\nn\nno figures\n")
        told = [m["content"] for m in server.requests[-1]["messages"] if m["role"] == "tool"]
    assert code == 130, err
    assert told[1].startswith("The person changed the cell")
    assert told[2] == "The person did not allow this cell: no figures"
    notebook = opened(desk / "answer.ipynb")
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.source for cell in cells] == [READ, "print('mine')"]
    assert [cell.metadata["cellwright"]["edited"] for cell in cells] == [False, True]


def test_an_edit_that_is_given_up_runs_nothing(desk: Path) -> None:
    """Ctrl-D in the middle of it is a no, and at the next question a stop."""
    with served() as server:
        code, _, err = ask(desk, server, "--approve", typed="e\nimport os\n")
    assert code == 130, err
    assert not [cell for cell in opened(desk / "answer.ipynb").cells if cell.cell_type == "code"]


def test_ctrl_c_ends_the_wait_for_the_next_question(desk: Path) -> None:
    """Without an Enter."""
    with served([call("final_answer", answer="1", comment="So.")]) as server:
        process = started(desk, "ask", "Q", "--continue", "--model", server.url)
        assert process.stdout is not None
        while "notebook  answer.ipynb" not in process.stdout.readline():
            pass
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        _, err = process.communicate()
    assert process.returncode == 0, err
    assert "Traceback" not in err


def test_the_cell_that_is_shown_is_the_cell_that_runs(tmp_path: Path) -> None:
    """What a terminal would hide of it is there to be seen by whoever approves."""
    console = Console(file=io.StringIO(), width=80)
    figures = Figures(tmp_path / "a.ipynb")
    screen = Screen(console, figures, lambda trace: None, approves=False, stop=asyncio.Event())
    asyncio.run(screen.approve("wipe()  #\rx = 1\n\x1b]0;\nsteal()\n\x07y = 2", ""))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(words in shown for words in ("wipe()", "x = 1", "steal()", "y = 2"))


def test_ctrl_c_stops_and_keeps_everything(desk: Path) -> None:
    """In a cell that runs: it is interrupted, its output is in the notebook, and the exit code is 130."""
    turns = [call("execute_code", code="import time\nprint('be' + 'gun', flush=True)\ntime.sleep(60)", comment="Long.")]
    with served(turns) as server:
        process = started(desk, "ask", "Q", "--model", server.url)
        assert process.stdout is not None
        while "begun" not in process.stdout.readline():
            pass
        time.sleep(0.2)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert time.monotonic() - began < 10
    notebook = opened(desk / "answer.ipynb")
    assert "begun" in json.dumps(notebook)
    assert notebook.metadata["cellwright"]["questions"][0]["ending"] == "stopped"
    assert "Traceback" not in err


def test_killed_program_leaves_the_notebook_so_far(desk: Path) -> None:
    """The notebook is written after each cell, whole."""
    turns = [
        *TURNS[:2],
        call("execute_code", code="print('beg' + 'un', flush=True)\nimport time; time.sleep(60)", comment=""),
    ]
    with served(turns) as server:
        process = started(desk, "ask", "Q", "sub/tips.csv", "--model", server.url)
        assert process.stdout is not None
        while "begun" not in process.stdout.readline():
            pass
        process.kill()
        process.communicate()
    notebook = opened(desk / "answer.ipynb")
    assert [cell.source for cell in notebook.cells if cell.cell_type == "code"] == [READ, "print(len(rows), 'rows')"]


def test_endpoint_that_fails_leaves_the_notebook_and_one_line(desk: Path) -> None:
    """What the model had done is kept; the error names the endpoint."""
    with served([TURNS[0], Failure(400, "GPU on fire")]) as server:
        code, _, err = ask(desk, server)
    assert code == 2
    assert "GPU on fire" in err
    assert "Traceback" not in err
    assert opened(desk / "answer.ipynb").metadata["cellwright"]["questions"][0]["ending"] == "model failed"


MISTAKES = {
    ("ask", "Q"): "The built-in model reads one CSV file, and this question has none.",
    ("ask", "Q", "--model", "nope"): "There is no model to ask. Any model that speaks OpenAI's API will do",
    ("ask", "Q", "none.csv", "--model", "URL"): "there is no file none.csv",
    ("ask", "Q", "--model", "URL", "--out", "x.txt"): "ends in .ipynb",
    ("ask", "Q", "--model", "URL", "--out", "taken.ipynb"): "--force",
    ("ask", "Q", "--model", "URL", "--prompt", "nope"): "there is no prompt 'nope'; there are analyst",
    ("ask", "Q", "--model", "URL", "--max-cost", "1"): "needs --price",
    ("ask", "Q", "--model", "URL", "--price", "cheap"): "IN,OUT",
    ("replay", "taken.ipynb"): "not a notebook",
    ("replay", "none.ipynb"): "there is no notebook",
}


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_mistakes_get_a_line_and_no_traceback(
    desk: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2 and what to do."""
    (desk / "taken.ipynb").write_text("{}")
    monkeypatch.chdir(desk)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(desk))
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with served() as server:
        done = said(*(server.url if word == "URL" else word for word in arguments))
    assert done.returncode == 2
    assert MISTAKES[arguments] in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_persons_settings_name_the_model(tmp_path: Path) -> None:
    """The file of settings, and what is wrong with it where something is."""
    path = tmp_path / "cellwright" / "config.yaml"
    path.parent.mkdir()
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    with served(names=["a", "b"]) as server:
        path.write_text(f"model: b\nurl: {server.url}\nprice: 1,2\nsends_thinking: true\n")
        choice = find_model(ModelOptions(), environment, {})
        assert (choice.endpoint.traits.name, choice.endpoint.url) == ("b", server.url)
        assert choice.endpoint.price is not None
        assert choice.endpoint.sends_thinking
        assert find_model(ModelOptions("a"), environment, {}).endpoint.traits.name == "a"
    path.write_text("modell: b\n")
    with pytest.raises(ConfigError, match="the keys are model"):
        find_model(ModelOptions(), environment, {})
    path.unlink()
    with pytest.raises(UsageError, match="ollama"):
        find_model(ModelOptions(), environment, {})
    assert find_model(ModelOptions("built-in"), environment, {}).endpoint.url == BUILT_IN
    assert find_model(ModelOptions(), environment, {}, or_built_in=True).endpoint.url == BUILT_IN
    path.write_text("model: built-in\n")
    assert find_model(ModelOptions(), environment, {}).endpoint.url == BUILT_IN
    with served(names=["a"]) as server:
        assert find_model(ModelOptions(url=server.url), environment, {}).endpoint.traits.name == "a"
    path.write_text("model: built-in\nurl: http://localhost:9/v1\n")
    with pytest.raises(ConfigError, match="has no url"):
        find_model(ModelOptions(), environment, {})
    path.unlink()
    with pytest.raises(ModelMisused, match="no server that listens here has a model 'x'"):
        find_model(ModelOptions("x"), environment, {})


def test_a_folder_that_holds_no_model_is_named(tmp_path: Path) -> None:
    """With what to do, where it is an adapter; the screen about servers would help nobody."""
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    for name, said_of_it in (
        ("adapter", "merge it first"),
        ("", "has no config.json"),
        ("missing", "there is no folder"),
    ):
        with pytest.raises(ModelMisused, match=said_of_it):
            find_model(ModelOptions(str(tmp_path / name)), environment, {})


def test_a_model_in_this_folder_is_not_meant_unless_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A config.json that lies here is no model to ask."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert find_model(ModelOptions(), environment, {}, or_built_in=True).endpoint.url == BUILT_IN
    assert find_model(ModelOptions("."), environment, {}).endpoint.url == IN_THIS_PROCESS


BUILT_IN_SAYS = {
    "What is the mean of tip where day is Sun?": (0, "2.5"),
    "How many rows have day equal to Sun?": (0, "2"),
    "What is the mean of tax?": (1, "could not answer this"),
}


@pytest.mark.parametrize("question", BUILT_IN_SAYS)
def test_without_any_model_the_built_in_one_answers_or_says_that_it_cannot(desk: Path, question: str) -> None:
    """It says what it is; a column that the table has not gets no answer."""
    code, out, err = run(desk, "ask", question, "sub/tips.csv")
    told = " ".join(out.split())
    assert (code, BUILT_IN_SAYS[question][1] in told) == (BUILT_IN_SAYS[question][0], True), told + err
    assert told.count("could not answer this") == (code == 1)
    assert "model: built-in, comes with Cellwright, by default" in told
    assert "a very small network" in told


def test_a_table_that_is_no_text_is_refused(desk: Path) -> None:
    """The built-in model must know the columns."""
    (desk / "x.csv").write_bytes(b"\xff\xfe\x00")
    code, _, err = run(desk, "ask", "What is the mean of tip?", "x.csv", "--model", "built-in")
    assert code == 2
    assert "cannot be read as a CSV file in UTF-8" in " ".join(err.split())


def test_what_is_typed_before_the_question_is_no_reply() -> None:
    """At a terminal, a line that was typed ahead is dropped; the next one counts."""

    async def job(terminal: int, person: int) -> str | None:
        typed = TypedLines(terminal)
        os.write(person, b"y\n")
        while not select.select([terminal], [], [], 5)[0]:
            pass
        typed.forget()
        os.write(person, b"n\n")
        return await typed.line()

    person, terminal = pty.openpty()
    try:
        assert asyncio.run(job(terminal, person)) == "n"
    finally:
        os.close(person)
        os.close(terminal)


def test_typed_lines_come_from_pipes_and_files(tmp_path: Path) -> None:
    """Line by line, the last one without its end, then None."""

    async def lines(descriptor: int) -> list[str | None]:
        typed = TypedLines(descriptor)
        return [await typed.line() for _ in range(4)]

    read, write = os.pipe()
    os.write(write, b"a\r\nb\nc")
    os.close(write)
    (tmp_path / "typed").write_bytes(b"a\nb\nc")
    with (tmp_path / "typed").open("rb") as file:
        assert asyncio.run(lines(read)) == asyncio.run(lines(file.fileno())) == ["a", "b", "c", None]
    os.close(read)
