"""Our kernels under Jupyter's own clients: nbclient, papermill, `jupyter run`, a real Jupyter server."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import papermill
import pytest
import websocket
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from cellwright.core.errors import KernelStartError, NoSandbox, UsageError
from cellwright.kernels.isolation import best_rung
from cellwright.kernels.jupyter.host import IDLE_VARIABLE
from cellwright.kernels.jupyter.hosts import host_path, runtime_folder
from cellwright.kernels.jupyter.specs import Spec, install, installed, uninstall

from .test_lifetime import gone

CELLS = [
    "import csv, os\nrows = list(csv.DictReader(open('a.csv')))",
    "len(rows), sorted(os.listdir('.'))",
    "open('new', 'w').write('x')\nprint('written')",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()",
]


@pytest.fixture(scope="module", autouse=True)
def jupyter() -> Iterator[None]:
    """Kernelspecs and a host of our own, which ends soon after the last test."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setenv("JUPYTER_DATA_DIR", folder)
        patch.setenv("XDG_RUNTIME_DIR", folder)
        patch.setenv(IDLE_VARIABLE, "2")
        patch.setenv("PYTHONWARNINGS", "ignore")
        try:
            best_rung(sys.executable)
            rung = None
        except NoSandbox:
            rung = "trusted"
        install(Spec(rung=rung), user=True)  # type: ignore[arg-type]
        yield
        deadline = time.monotonic() + 15
        while list(Path(folder, "cellwright").glob("host-????????????????")):
            assert time.monotonic() < deadline, "the host has not ended"
            time.sleep(0.05)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    return tmp_path


def notebook(*sources: str) -> Any:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]  # type: ignore[no-untyped-call]
    return nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]


def execute(desk: Path, *sources: str, **options: Any) -> Any:
    found = notebook(*sources)
    resources = {"metadata": {"path": str(desk)}}
    nbclient.NotebookClient(found, kernel_name="cellwright", resources=resources, **options).execute()
    return found


def test_nbclient_runs_a_notebook(desk: Path) -> None:
    """Files beside it are read, writes are the kernel's own, figures are pictures, cells are counted from 1."""
    cells = execute(desk, *CELLS).cells
    assert cells[1].outputs[0].data["text/plain"] == "(2, ['a.csv'])"
    assert cells[2].outputs[0].text == "written\n"
    assert not (desk / "new").exists()
    assert "image/png" in cells[3].outputs[0].data
    assert [cell.execution_count for cell in cells] == [1, 2, 3, 4]
    assert cells[1].outputs[0].execution_count == 2


def test_errors_and_deaths_are_nbclients_own(desk: Path) -> None:
    """An exception is a CellExecutionError; a dead kernel is known at once, not at a time-out."""
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="ZeroDivisionError"):
        execute(desk, "1 / 0")
    began = time.monotonic()
    with pytest.raises(nbclient.exceptions.DeadKernelError):
        execute(desk, "import os; os._exit(3)", timeout=60)
    assert time.monotonic() - began < 20


def test_many_outputs_arrive_in_order(desk: Path) -> None:
    """Also when there are thousands of them."""
    (cell,) = execute(desk, "for n in range(3000): print(n, flush=True)").cells
    text = "".join(output.text for output in cell.outputs)
    assert text.split() == [str(n) for n in range(3000)]


def test_a_folder_of_hundreds_of_files_is_shown(desk: Path) -> None:
    """More than one message can carry."""
    for number in range(300):
        (desk / f"{number}.txt").write_text(str(number))
    desk.chmod(0o755)
    (cell,) = execute(desk, "import os; len(os.listdir('.')), open('299.txt').read()").cells
    assert cell.outputs[0].data["text/plain"] == "(301, '299')"


def test_papermill_runs_it_with_parameters(desk: Path) -> None:
    """Another client with an engine of its own."""
    source = notebook("a = 1", "print(a + 1)")
    source.cells[0].metadata["tags"] = ["parameters"]
    source.metadata["language_info"] = {"name": "python"}
    nbformat.write(source, desk / "in.ipynb")  # type: ignore[no-untyped-call]
    done = papermill.execute_notebook(
        str(desk / "in.ipynb"), None, {"a": 41}, kernel_name="cellwright", progress_bar=False, cwd=str(desk)
    )
    assert done.cells[-1].outputs[0].text == "42\n"


def test_jupyter_run_runs_a_script(desk: Path) -> None:
    """As a person types it."""
    (desk / "s.py").write_text("print(open('a.csv').readline().strip())\n")
    command = [sys.executable, "-m", "jupyter_client.runapp", "--kernel", "cellwright", "s.py"]
    done = subprocess.run(command, cwd=desk, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "x,y\n", done.stderr


CLIENT = """
import sys, time
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
manager = KernelManager(kernel_name="cellwright")
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready()
child = "[sys.executable, '-c', 'import time; time.sleep(600)', '{marker}']"
client.execute_interactive(f"import subprocess, sys; p = subprocess.Popen({child})")
print("up", flush=True)
time.sleep(600)
"""


def test_killed_client_leaves_no_kernel(desk: Path) -> None:
    """What the kernel had started goes with it."""
    marker = uuid.uuid4().hex
    program = CLIENT.replace("{marker}", marker)
    with subprocess.Popen([sys.executable, "-c", program], cwd=desk, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "up\n"
        assert not gone(marker, 0)
        client.kill()
    assert gone(marker)


def test_a_host_that_ends_as_it_is_asked_is_not_the_last_word(desk: Path) -> None:
    """It had no kernel for long enough just now; another one is started."""
    path = host_path()
    deadline = time.monotonic() + 15
    while path.exists():
        assert time.monotonic() < deadline, "the host has not ended"
        time.sleep(0.05)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)

        def end() -> None:
            caller, _ = listener.accept()
            path.unlink()
            caller.close()

        ending = threading.Thread(target=end)
        ending.start()
        manager = KernelManager(kernel_name="cellwright")
        manager.start_kernel(cwd=str(desk))
        ending.join()
    try:
        assert manager.is_alive()
    finally:
        manager.shutdown_kernel(now=True)


def test_messages_that_are_not_signed_are_not_heard(desk: Path) -> None:
    """Whoever finds the port does not have the key."""
    manager = KernelManager(kernel_name="cellwright")
    manager.start_kernel(cwd=str(desk))
    client, stranger = manager.client(), BlockingKernelClient()
    stranger.load_connection_info({**manager.get_connection_info(), "key": "wrong"})
    try:
        stranger.start_channels()
        client.start_channels()
        client.wait_for_ready(timeout=20)
        stranger.execute("treasure = 'stolen'")
        reply = client.execute_interactive("treasure = globals().get('treasure', 'safe')\nprint(treasure)", timeout=20)
        assert reply["content"]["status"] == "ok"
        found = client.execute("", user_expressions={"t": "treasure"}, reply=True, timeout=20)
        assert found["content"]["user_expressions"]["t"]["data"]["text/plain"] == "'safe'"
    finally:
        stranger.stop_channels()
        client.stop_channels()
        manager.shutdown_kernel(now=True)


# --- a Jupyter server ---------------------------------------------------------------------------------------------


class Server:
    """A Jupyter server and one session of it, spoken to as a browser does."""

    def __init__(self, port: int) -> None:
        self._at = f"127.0.0.1:{port}"

    def ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self._at}/api/{path}", data, method=method)
        request.add_header("Authorization", "token secret")
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
        return json.loads(text) if text else None

    def connect(self, kernel: str) -> websocket.WebSocket:
        url = f"ws://{self._at}/api/kernels/{kernel}/channels"
        return websocket.create_connection(url, header={"Authorization": "token secret"}, timeout=30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = tmp_path_factory.mktemp("root")
    (root / "a.csv").write_text("x,y\n")
    options = {
        "ServerApp.port": port,
        "ServerApp.ip": "127.0.0.1",
        "IdentityProvider.token": "secret",
        "ServerApp.root_dir": str(root),
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(root / "runtime"), "JUPYTER_CONFIG_DIR": str(root / "c")}
    command = [sys.executable, "-m", "jupyter_server", *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        found = Server(port)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                found.ask("GET", "status")
                break
            time.sleep(0.1)
        yield found
        process.send_signal(signal.SIGTERM)


class Tab:
    """A notebook's tab: sends cells over a websocket and reads what comes."""

    def __init__(self, line: websocket.WebSocket, patience_s: float = 30) -> None:
        """Silence for longer than `patience_s` raises WebSocketTimeoutException."""
        self._line = line
        line.settimeout(patience_s)
        self._session = uuid.uuid4().hex

    def send(self, kind: str, content: dict[str, Any], channel: str = "shell", parent: Any = None) -> str:
        name = uuid.uuid4().hex
        header = {
            "msg_id": name,
            "msg_type": kind,
            "username": "",
            "session": self._session,
            "version": "5.3",
            "date": "",
        }
        message = {
            "header": header,
            "parent_header": parent or {},
            "metadata": {},
            "content": content,
            "channel": channel,
        }
        self._line.send(json.dumps(message))
        return name

    def execute(self, code: str) -> str:
        return self.send("execute_request", {"code": code, "silent": False, "allow_stdin": True, "stop_on_error": True})

    def until(self, kind: str, request: str = "") -> Any:
        """The next message of a kind, in answer to a request."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            message = json.loads(self._line.recv())
            if message["msg_type"] == kind and request in ("", message["parent_header"].get("msg_id")):
                return message
        raise TimeoutError(f"no {kind} in answer to {request}")

    def run(self, code: str) -> Any:
        request = self.execute(code)
        return self.until("execute_reply", request)["content"]


def test_a_server_interrupts_restarts_and_asks(server: Server) -> None:
    """The buttons of JupyterLab, over HTTP and a websocket: run, run all, input, stop, restart, shut down."""
    kernel = server.ask("POST", "kernels", {"name": "cellwright", "path": ""})["id"]
    with contextlib.closing(server.connect(kernel)) as line:
        tab = Tab(line)
        request = tab.execute("x = 5\nprint(open('a.csv').read())")
        assert tab.until("stream", request)["content"]["text"] == "x,y\n\n"

        failed, waiting = tab.execute("import time; time.sleep(0.5); 1 / 0"), tab.execute("x = 7")
        assert tab.until("execute_reply", failed)["content"]["status"] == "error"
        assert tab.until("execute_reply", waiting)["content"]["status"] == "aborted"

        request = tab.execute("name = input('who? ')\nprint('hello', name)")
        asked = tab.until("input_request", request)
        assert asked["content"]["prompt"] == "who? "
        tab.send("input_reply", {"value": "Ada"}, "stdin", asked["header"])
        assert tab.until("stream", request)["content"]["text"] == "hello Ada\n"

        request = tab.execute("import time\nprint('begun', flush=True)\ntime.sleep(60)")
        tab.until("stream", request)
        began = time.monotonic()
        server.ask("POST", f"kernels/{kernel}/interrupt")
        assert tab.until("execute_reply", request)["content"]["ename"] == "KeyboardInterrupt"
        assert time.monotonic() - began < 5
        assert tab.run("assert x == 5")["status"] == "ok"

        server.ask("POST", f"kernels/{kernel}/restart")
    with contextlib.closing(server.connect(kernel)) as line:
        tab = Tab(line)
        reply = tab.run("x")
        assert (reply["status"], reply["ename"], reply["execution_count"]) == ("error", "NameError", 1)
    server.ask("DELETE", f"kernels/{kernel}")
    assert server.ask("GET", "kernels") == []


def test_a_kernel_that_dies_is_started_again(server: Server) -> None:
    """As Jupyter does it: the tab hears of the death, and the next kernel answers."""
    kernel = server.ask("POST", "kernels", {"name": "cellwright", "path": ""})["id"]
    with contextlib.closing(server.connect(kernel)) as line:
        tab = Tab(line)
        tab.execute("import os; os._exit(1)")
        while tab.until("status")["content"]["execution_state"] not in ("restarting", "dead"):
            pass
    assert _answered(server, kernel) == "ok"
    server.ask("DELETE", f"kernels/{kernel}")


def _answered(server: Server, kernel: str) -> str:
    """What comes of a cell sent to a kernel that starts: like a person, it is sent again when nothing comes, as what
    reaches the one that is about to end is lost with it."""
    for _ in range(3):
        with (
            contextlib.closing(server.connect(kernel)) as line,
            contextlib.suppress(websocket.WebSocketTimeoutException),
        ):
            return str(Tab(line, patience_s=10).run("1")["status"])
    return "no answer"


# --- kernelspecs --------------------------------------------------------------------------------------------------


def test_kernelspecs_are_written_listed_and_removed(tmp_path: Path) -> None:
    """With their options; others' are left alone."""
    target = install(Spec("other", "Other", rung="trusted", network=True), user=True)
    config = json.loads((target / "kernel.json").read_text())["metadata"]["kernel_provisioner"]["config"]
    assert (config["rung"], config["network"], config["files"]) == ("trusted", True, True)
    assert {"cellwright", "other"} <= set(installed())
    assert uninstall("other") == target
    assert "other" not in installed()
    with pytest.raises(UsageError, match="no kernel 'python3' of Cellwright's"):
        uninstall("python3")
    inside = install(Spec("here"), prefix=str(tmp_path))
    assert inside == tmp_path / "share/jupyter/kernels/here"


def test_a_folder_that_others_can_write_to_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The host's socket would be anybody's."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "cellwright").mkdir(mode=0o777)
    (tmp_path / "cellwright").chmod(0o777)
    with pytest.raises(KernelStartError, match="mode 0700"):
        runtime_folder()
