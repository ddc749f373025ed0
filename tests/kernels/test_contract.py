"""What every local kernel promises, whatever keeps it from the machine."""

import asyncio
import base64
import time
import tracemalloc
from pathlib import Path

import pytest

from cellwright.core.errors import KernelDied, KernelStartError
from cellwright.core.types import CellResult
from cellwright.kernels import Kernel, KernelSettings, Limits

from .bench import Bench, Laboratory


def test_isolation_names_the_rung(cell: Bench, laboratory: Laboratory) -> None:
    """A trace can say how its kernel was isolated."""
    assert cell.kernel.isolation == f"local, {laboratory.kind}"


def test_state_lives_across_cells(cell: Bench) -> None:
    """A name bound in one cell is there in the next."""
    assert cell("a = 6").outputs == ()
    assert cell.value("a * 7") == "42"


def test_outputs_keep_the_order_in_which_they_were_made(cell: Bench) -> None:
    """Prints on both streams, a child process, a display and a result come in program order, chunks merged."""
    result = cell(
        "import os, sys\n"
        "print('one'); print('two', flush=True)\n"
        "os.system('echo three')\n"
        "print('four', file=sys.stderr)\n"
        "print('five'); display('six'); print('seven'); 8"
    )
    seen = [(o.kind, o.name, o.text or o.data.get("text/plain")) for o in result.outputs]
    assert seen == [
        ("stream", "stdout", "one\ntwo\nthree\n"),
        ("stream", "stderr", "four\n"),
        ("stream", "stdout", "five\n"),
        ("display", "", "'six'"),
        ("stream", "stdout", "seven\n"),
        ("result", "", "8"),
    ]


def test_output_of_a_child_process_belongs_to_its_cell(cell: Bench) -> None:
    """Nothing that a finished child process wrote is late, and its UTF-8 is not torn."""
    code = "import subprocess\n_ = subprocess.run(['printf', 'é' * 5000])"
    assert [cell(code).stdout for _ in range(5)] == ["é" * 5000] * 5


def test_error_has_name_message_and_plain_traceback(cell: Bench) -> None:
    """Failing user code is a result whose traceback has no terminal colours."""
    result = cell("1 / 0")
    assert result.status == "error"
    assert result.error is not None
    assert (result.error.name, result.error.text) == ("ZeroDivisionError", "division by zero")
    assert "1 / 0" in "\n".join(result.error.traceback)
    assert "\x1b" not in "".join(result.error.traceback)


def test_syntax_error_is_an_error(cell: Bench) -> None:
    """Code that does not parse gives a SyntaxError and the kernel goes on."""
    error = cell("for in x").error
    assert error is not None
    assert error.name == "SyntaxError"
    assert cell.value("1") == "1"


def test_system_exit_is_an_error_and_the_kernel_lives(cell: Bench) -> None:
    """`sys.exit` in a cell ends the cell, not the kernel."""
    assert cell("import sys; sys.exit(3)").status == "error"
    assert cell.value("2") == "2"


def test_unicode_goes_in_and_out(cell: Bench) -> None:
    """Text outside ASCII, and even a lone surrogate, does no harm."""
    assert cell("print('Tromsø 東京 🐟')").stdout == "Tromsø 東京 🐟\n"
    assert cell("print('a\\ud800b')").stdout == "a\\ud800b\n"


def test_figure_comes_as_png(cell: Bench) -> None:
    """A plot needs no magic to arrive as an image."""
    result = cell("import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])")
    png = next(output.data["image/png"] for output in result.outputs if "image/png" in output.data)
    assert base64.b64decode(png).startswith(b"\x89PNG")


def test_json_media_become_json_text(cell: Bench) -> None:
    """Every value of a MIME bundle is text."""
    result = cell("display({'application/json': {'é': [1, None]}}, raw=True)")
    assert result.outputs[0].data == {"application/json": '{"é": [1, null]}'}


def test_updated_display_stands_in_the_place_of_the_old(cell: Bench) -> None:
    """`update` replaces the display's content and adds nothing."""
    result = cell("h = display('old', display_id=True); print('x'); h.update('new')")
    assert [o.data.get("text/plain", o.text) for o in result.outputs] == ["'new'", "x\n"]


def test_clear_output_clears(cell: Bench) -> None:
    """What was cleared is not in the result; with wait=True the next output clears."""
    code = "from IPython.display import clear_output\nprint('a'); clear_output(wait={}); print('b')"
    assert cell(code.format(True)).stdout == "b\n"
    assert cell(code.format(False)).stdout == "b\n"


def test_input_fails_at_once(cell: Bench) -> None:
    """Nobody can answer, so asking is an error."""
    result = cell("input('name? ')", timeout_s=10)
    assert result.error is not None
    assert result.error.name == "StdinNotImplementedError"


def test_magics_and_shell_lines_work(cell: Bench) -> None:
    """IPython's own syntax is there, as in any notebook."""
    assert cell.value("%time 20 + 1") == "21"
    assert "hello" in cell("!echo hello").stdout
    assert cell.value("files = !ls\n'data' in files") == "True"


def test_subprocess_has_the_same_python(cell: Bench) -> None:
    """`sys.executable` starts a Python that sees the same packages."""
    code = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import zmq; print(6)'], capture_output=True)"
    assert "stdout=b'6\\n'" in cell.value(code)


def test_cell_can_fork(cell: Bench) -> None:
    """`os.fork` works, the child can compute and print, and its parent goes on."""
    code = (
        "import os\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    print('child'); os._exit(7)\n"
        "os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])"
    )
    for _ in range(5):
        result = cell(code)
        assert [o.data["text/plain"] for o in result.outputs if o.kind == "result"] == ["7"]


def test_forked_children_can_be_killed_by_the_hundred(cell: Bench) -> None:
    """Children with sessions of their own end, or are killed with all that they started, and the kernel lives."""
    code = (
        "import os, signal, time\n"
        "def child():\n"
        "    os.setsid()\n"
        "    os.fork()\n"
        "    time.sleep(600)\n"
        "ends = []\n"
        "for i in range(100):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        try: child() if i % 2 else None\n"
        "        finally: os._exit(0)\n"
        "    if i % 2:\n"
        "        while os.getpgid(pid) != pid: time.sleep(0.001)\n"
        "        os.killpg(pid, signal.SIGKILL)\n"
        "    ends.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    assert cell(code, timeout_s=40).status == "ok"
    assert cell.value("sorted(set(ends)), len(ends)") == "([-9, 0], 100)"
    assert cell("print('goes on')").stdout == "goes on\n"


def test_limits_hold_for_children(laboratory: Laboratory) -> None:
    """A forked child and a started program have the kernel's bounds on memory and files, and cannot raise them."""
    code = (
        "import os, resource, subprocess, sys\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    try: bytearray(2 << 30)\n"
        "    except MemoryError: os._exit(7)\n"
        "    os._exit(0)\n"
        "ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n"
        "ask = 'import resource as r; print(r.getrlimit(r.RLIMIT_DATA)[1] < 3 << 30, r.getrlimit(r.RLIMIT_FSIZE))'\n"
        "print(ended, subprocess.run([sys.executable, '-c', ask], capture_output=True, text=True).stdout, end='')\n"
    )
    limits = Limits(memory_bytes=1 << 30, disk_bytes=1 << 20)
    with laboratory.kernel(KernelSettings(limits=limits)) as cell:
        assert cell(code).stdout == f"7 True {(1 << 20, 1 << 20)}\n"
        if laboratory.kind != "trusted":
            error = cell("resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))").error
            assert error is not None
            assert error.name == "ValueError"


def test_table_stands_under_data(cell: Bench) -> None:
    """A table is read under its own name, whatever its file is called."""
    assert cell.value("len(open('data/x.csv').readlines())") == "3"


def test_hash_seed_is_honoured(cell: Bench) -> None:
    """With a seed the order of sets repeats; 0 turns the randomness off."""
    assert cell.value("import sys; sys.flags.hash_randomization") == "0"


def test_environment_is_clean(cell: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook sees no variable of the program that runs it."""
    names = cell.value("import os; [n for n in os.environ if n.startswith(('PYTEST', 'VIRTUAL_ENV', 'SSH', 'AWS'))]")
    assert names == "[]"
    assert cell.value("os.environ['OMP_NUM_THREADS']") == "'1'"


def test_nothing_stands_in_the_work_folder_but_data(laboratory: Laboratory) -> None:
    """The kernel's own files are elsewhere, so that a listing shows the notebook's."""
    with laboratory.kernel() as cell:
        assert cell.value("import os; os.listdir()") == "['data']"


@pytest.mark.parametrize("code", ["import time\nwhile True: time.sleep(1)", "while True: pass", "!sleep 60"])
def test_endless_cell_is_interrupted(cell: Bench, code: str) -> None:
    """A cell over its time is stopped and keeps what it printed; the kernel lives."""
    result = cell(f"kept = 5\nprint('so far')\n{code}", timeout_s=0.5)
    assert result.status == "timeout"
    assert result.stdout.startswith("so far\n")
    assert result.seconds < 5
    assert cell.value("kept") == "5"


def test_interrupt_stops_the_running_cell(laboratory: Laboratory, cell: Bench) -> None:
    """The stop button ends the cell with KeyboardInterrupt."""

    async def scenario() -> CellResult:
        run = asyncio.create_task(cell.kernel.execute("import time; time.sleep(60)", timeout_s=20))
        await asyncio.sleep(0.3)
        await cell.kernel.interrupt()
        return await run

    result = laboratory.run(scenario())
    assert result.status == "error"
    assert result.error is not None
    assert result.error.name == "KeyboardInterrupt"


def test_cancelled_cell_does_not_hold_up_the_next(laboratory: Laboratory, cell: Bench) -> None:
    """Whoever stops waiting for a cell frees the kernel."""

    async def scenario() -> CellResult:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(cell.kernel.execute("import time; time.sleep(60)"), 0.3)
        return await cell.kernel.execute("print('next')", timeout_s=10)

    assert laboratory.run(scenario()).stdout == "next\n"


def test_cell_that_swallows_interrupts_is_killed(laboratory: Laboratory) -> None:
    """Code that catches everything is over its time like any other, but ends with its kernel."""
    with laboratory.kernel() as cell:
        result = cell("import time\nwhile True:\n  try: time.sleep(9)\n  except BaseException: pass", timeout_s=0.3)
        assert result.status == "timeout"
        assert result.seconds < 4
        with pytest.raises(KernelDied):
            cell("1")


@pytest.mark.parametrize("code", ["os._exit(1)", "os.kill(os.getpid(), 9)", "import ctypes; ctypes.string_at(0)"])
def test_death_is_noticed_at_once(laboratory: Laboratory, code: str) -> None:
    """A lost process is "dead" without waiting for a timeout, and the next cell says so."""
    with laboratory.kernel() as cell:
        result = cell(f"import os, time\nprint('before', flush=True); time.sleep(0.1)\n{code}")
        assert (result.status, result.stdout) == ("dead", "before\n")
        assert result.seconds < 3
        with pytest.raises(KernelDied):
            cell("1")


def test_memory_bomb_is_a_memory_error(laboratory: Laboratory) -> None:
    """Too large an allocation fails in the cell and the kernel lives."""
    with laboratory.kernel(KernelSettings(limits=Limits(memory_bytes=1 << 30))) as cell:
        result = cell("x = []\nwhile True: x.append(bytearray(50_000_000))")
        assert result.error is not None
        assert result.error.name == "MemoryError"
        assert cell.value("x = None; 1") == "1"


def test_large_file_is_refused(laboratory: Laboratory) -> None:
    """A file over the limit is an OSError, not a full disk."""
    with laboratory.kernel(KernelSettings(limits=Limits(disk_bytes=1 << 20))) as cell:
        result = cell("open('big', 'wb').write(bytes(2 << 20))")
        if laboratory.kind == "landlock" and result.status == "dead":  # the folder was counted before the error came
            assert result.ended_by == "it went over its limit of disk: 1 MiB"
        else:
            assert result.error is not None, result
            assert result.error.name == "OSError"


FLOODS = {
    "one line at a time": ("for i in range(150_000): print('x' * 99)", 15_000_000),
    "one piece": ("print('x' * 200_000_000)", 200_000_001),
    "from a child": (
        "import subprocess; _ = subprocess.run('yes xxxxxxx | head -c 200000000', shell=True)",
        200_000_000,
    ),
    "a result": ("'x' * 20_000_000", 20_000_002),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_flood_of_output_is_cut_and_counted(cell: Bench, flood: str) -> None:
    """The first part is kept, the rest is counted, and our memory stays small."""
    code, produced = FLOODS[flood]
    limit = Limits().output_bytes
    tracemalloc.start()
    result = cell(code)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    kept = sum(len(o.text) + len(o.data.get("text/plain", "")) for o in result.outputs)
    assert result.status == "ok"
    assert kept == limit
    assert result.truncated_bytes == produced - limit
    assert peak < 10 * limit
    assert cell("print('again')").stdout == "again\n"


def test_flood_of_small_messages_loses_none_in_silence(cell: Bench) -> None:
    """Many flushed prints and displays arrive complete, or the loss is counted."""
    result = cell("for i in range(20_000): print(i, flush=True)")
    assert result.stdout == "".join(f"{i}\n" for i in range(20_000))
    result = cell("for i in range(3_000): display(i)")
    assert len(result.outputs) == 3_000


def test_huge_error_is_cut(cell: Bench) -> None:
    """An exception with an enormous message does not flood us either."""
    result = cell("raise ValueError('x' * 50_000_000)")
    assert result.error is not None
    assert len(result.error.text) <= 1 << 20
    assert result.truncated_bytes > 0


def test_code_that_floods_around_the_bounds_ends_bounded(laboratory: Laboratory) -> None:
    """A message larger than any honest one costs the connection, and so the kernel, and not our memory."""
    code = (
        "import sys; inside = sys.modules['_cellwright.streams']\n"
        "inside.BUDGET.text = lambda text: text\n"
        "import time; print('x' * 100_000_000, flush=True); time.sleep(60)"
    )
    with laboratory.kernel() as cell:
        tracemalloc.start()
        result = cell(code, timeout_s=30)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert result.status == "dead"
    assert result.seconds < 20
    assert peak < 40 << 20


def test_malformed_messages_are_passed_over(laboratory: Laboratory) -> None:
    """Code that takes the kernel apart and sends nonsense loses its nonsense, and what it prints arrives."""
    with laboratory.kernel() as cell:
        result = cell(NONSENSE)
        assert (result.status, result.stdout) == ("ok", "before\nafter\n"), result
        assert result.truncated_bytes == 0
        assert cell("print('again')").stdout == "again\n"


NONSENSE = """
print('before', flush=True)
kernel = get_ipython().kernel
session, socket, parent = kernel.session, kernel.iopub_socket, kernel.get_parent()
def send(kind, content, metadata={}):
    frames = [session.pack(part) for part in ({**session.msg_header(kind)}, parent['header'], metadata, content)]
    socket.send_multipart([b'<IDS|MSG>', session.sign(frames), *frames])
for content in (7, None, [], 'x', {}, {'name': 5, 'text': None}, {'name': 'stdlog', 'text': 'x'}, {'data': 5},
        {'data': {'text/plain': 'x'}, 'transient': 5}, {'ename': 1, 'evalue': [], 'traceback': 'x'},
        {'ename': 'E', 'evalue': 'x', 'traceback': [5]}, {'execution_state': ['idle']}):
    for kind in ('stream', 'display_data', 'execute_result', 'update_display_data', 'error', 'status', ['stream']):
        send(kind, content)
for content in (7, {'wait': 'x'}):
    send('clear_output', content)
send('stream', {'name': 'stdout', 'text': 'x'}, metadata=5)
header = {**session.msg_header('stream')}
for frame in (b'[' * 100_000, b'{', b'\\xff', b'5', b'null'):
    frames = [session.pack(header), frame, b'{}', b'{}']
    socket.send_multipart([b'<IDS|MSG>', session.sign(frames), *frames])
socket.send_multipart([b'no message'])
print('after', flush=True)
"""


@pytest.mark.parametrize("name", ["", "/etc/x", "../x", "a/../../x"])
def test_table_name_must_stay_in_data(laboratory: Laboratory, table: Path, name: str) -> None:
    """A table cannot be put anywhere but under data/."""
    with pytest.raises(KernelStartError, match="inside data/"), laboratory.kernel(KernelSettings(tables={name: table})):
        pass


def test_missing_table_is_named(laboratory: Laboratory, tmp_path: Path) -> None:
    """The message says which table is not there."""
    settings = KernelSettings(tables={"y.csv": tmp_path / "none.csv"})
    with pytest.raises(KernelStartError, match=r"y\.csv"), laboratory.kernel(settings):
        pass


def test_trusted_or_not_the_original_table_survives(laboratory: Laboratory, table: Path) -> None:
    """A notebook that writes over its table does not touch the person's file."""
    before = table.read_bytes()
    with laboratory.kernel(KernelSettings(tables={"x.csv": table, "sub folder/é.csv": table})) as cell:
        cell("open('data/x.csv', 'w').write('gone')")
        cell("!rm -rf ~ data/* .")
        cell("open('data/new.csv', 'w').write('fine')")
    assert table.read_bytes() == before


def test_cell_starts_soon(laboratory: Laboratory) -> None:
    """Not a measurement: a start takes seconds at the most, not the ten of a plain client's polling."""

    async def first(kernel: Kernel) -> CellResult:
        return await kernel.execute("1")

    started = time.monotonic()
    assert laboratory.in_kernel(first, KernelSettings()).status == "ok"
    assert time.monotonic() - started < 10


def test_installing_packages_fails_and_changes_nothing(cell: Bench) -> None:
    """`pip install` of a notebook reaches no package index, sandboxed or trusted: the environment stays as it is."""
    assert (
        cell.value(
            "import subprocess, sys; subprocess.run([sys.executable, '-m', 'pip', 'install', 'tomli-w'], "
            "capture_output=True).returncode != 0"
        )
        == "True"
    )
