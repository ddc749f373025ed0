"""Records the values that cells show, and judges programs in forks of the kernel.

A fork sees the kernel as it was when the program was asked for: a kernel that has run nothing gives every program a
fresh start. Each fork has its own empty work folder with the tables under `data/`, and is killed, with all that it
started, at its time limit. What a program prints is thrown away.
"""

import ast
import importlib
import io
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import warnings
from typing import Any

# The three parts are one module inside a kernel.
if "snapshot" not in globals():
    from cellwright.proof.inside.snapshots import snapshot, to_text
    from cellwright.proof.inside.targets import Marker

_VALUES_MIME = "application/vnd.cellwright.values+json"
_RUNS_MIME = "application/vnd.cellwright.runs+json"
_MAX_REPLY_BYTES = 8 << 20
_recorded: list[dict[str, Any]] = []
_position = [-1]


def _shell() -> Any:
    return importlib.import_module("IPython").get_ipython()


def at(statement: int) -> None:
    """Called by a marked cell before each of its statements."""
    _position[0] = statement


def note(statement: int, number: int, value: Any) -> Any:
    """Called by a marked cell with each value that it shows; gives the value back unchanged."""
    _recorded.append({"statement": statement, "number": number, "value": snapshot(value)})
    return value


def watch() -> None:
    """From the next cell on, record what cells show."""
    shell = _shell()

    class Watch(ast.NodeTransformer):
        def visit_Module(self, module: ast.Module) -> ast.Module:
            names = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
            return module if "__cellwright__" in names else Marker("__cellwright__", False).visit_Module(module)

    shell.ast_transformers.append(Watch())


def flush() -> None:
    """Hand out, as a display, what was recorded since the last time, and the statement that ran last."""
    content = {"position": _position[0], "values": list(_recorded)}
    _recorded.clear()
    _position[0] = -1
    _shell().display_pub.publish(data={_VALUES_MIME: to_text(content)})


def judge(request: str) -> None:
    """Run each program of a JSON request in its own fork and hand out, as a display, what came of it.

    Request: {"programs": [{"units": [source, ...], "expression": source or null}], "timeout_s": seconds, "seed": n,
    "preload": [module, ...]}. Reply: a list of {"value": snapshot} or {"error": name, "text": text, "unit": index}
    or {"error": "Timeout"}, each with "cpu_s".
    """
    order = json.loads(request)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in order.get("preload", ()):
            try:
                importlib.import_module(module)
            except Exception:  # noqa: BLE001, S112 - a library that does not import is the program's to find out
                continue
    runs = [_run(program, order["timeout_s"], order["seed"]) for program in order["programs"]]
    _shell().display_pub.publish(data={_RUNS_MIME: to_text(runs)})


def _run(program: dict[str, Any], timeout_s: float, seed: int) -> dict[str, Any]:
    reader, writer = os.pipe()
    folder = tempfile.mkdtemp(prefix="run-")
    if os.path.isdir("data"):
        os.symlink(os.path.abspath("data"), os.path.join(folder, "data"))
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _child(program, seed, folder, writer)
    os.close(writer)
    try:
        reply = _collect(reader, child, timeout_s)
    finally:
        os.close(reader)
        _end(child)
        _, _, usage = os.wait4(child, 0)
        shutil.rmtree(folder, ignore_errors=True)
    return {**reply, "cpu_s": round(usage.ru_utime + usage.ru_stime, 4)}


def _end(child: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _collect(reader: int, child: int, timeout_s: float) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_s
    chunks: list[bytes] = []
    size = 0
    while size <= _MAX_REPLY_BYTES:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return {"error": "Timeout", "text": f"over {timeout_s} s", "unit": -1}
        chunk = os.read(reader, 1 << 16)
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    try:
        reply: dict[str, Any] = json.loads(b"".join(chunks))
    except ValueError:
        return {"error": "Died", "text": "the program ended its process", "unit": -1}
    return reply


def _child(program: dict[str, Any], seed: int, folder: str, writer: int) -> None:
    """Never returns: the process ends here, whatever happens."""
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(folder)
        _silence(writer)
        reply = _execute(program, seed)
        data = to_text(reply).encode("utf-8", "surrogatepass")
        while data:
            data = data[os.write(writer, data) :]
    finally:
        os._exit(0)


def _silence(writer: int) -> None:
    """No input, and nothing that the program shows reaches the kernel's own sockets."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123 - lives as long as the process
    sys.stdout = sys.stderr = _Sink()
    shell = _shell()
    shell.display_pub.publish = lambda *arguments, **named: None
    shell.displayhook = lambda value: None
    for event in ("pre_execute", "post_execute", "pre_run_cell", "post_run_cell"):
        shell.events.callbacks[event] = []


class _Sink(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)

    def fileno(self) -> int:
        return 1


def _execute(program: dict[str, Any], seed: int) -> dict[str, Any]:
    warnings.simplefilter("ignore")
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
    namespace = _shell().user_ns
    unit = -1
    try:
        for unit, source in enumerate(program["units"]):
            exec(compile(source, f"<unit {unit}>", "exec"), namespace)
        if program.get("expression") is None:
            return {"value": {"t": "null"}}
        unit = len(program["units"])
        return {"value": snapshot(eval(compile(program["expression"], "<answer>", "eval"), namespace))}
    except BaseException as error:  # noqa: BLE001 - a program may fail in any way, and that is its result
        return {"error": type(error).__name__, "text": str(error)[:500], "unit": unit}
