"""Records the values that cells show, and judges programs in forks of the kernel.

A fork sees the kernel as it was when the program was asked for: a kernel that has run nothing gives every program a
fresh start. Programs of one notebook begin alike, so a fork may wait where a slow beginning ends, and be forked again
for each of them (`checkpoints`): the same state, reached once. Each fork has its own empty work folder with the tables
under `data/`, as they are or as a variant of them (`variants`), and its own folder for temporary files, and is killed,
with all that it started, at its time limit. What a program prints is thrown away, and so are files that it leaves
elsewhere under paths that stand in its text.
"""

import __future__

import ast
import asyncio
import importlib
import inspect
import io
import itertools
import json
import linecache
import os
import random
import re
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The parts are one module inside a kernel.
if "snapshot" not in globals():
    from cellwright.proof.inside.chance import asked_time, drawn, move_clock, note_request, seed_random, unnoticed
    from cellwright.proof.inside.operations import seen, watched
    from cellwright.proof.inside.snapshots import snapshot, to_text
    from cellwright.proof.inside.targets import Marker
    from cellwright.proof.inside.variants import folder_of, forget, keep, make, new_folder, piece, survey

_VALUES_MIME = "application/vnd.cellwright.values+json"
_RUNS_MIME = "application/vnd.cellwright.runs+json"
_TABLES_MIME = "application/vnd.cellwright.tables+json"
_MAX_REPLY_BYTES = 8 << 20
# A start that takes so long is worth a process that waits at its end; a unit below the first figure is not its end.
_SLOW_S, _WORTH_KEEPING_S = 0.03, 0.06
_SEEN_BEFORE_KEEPING = 2
_ANSWER_S = 10.0
_GLANCE_S = 0.1
# A beginning that may remember where its folder stands cannot go on in another.
_KNOWS_ITS_PLACE = re.compile(r"cwd\(|abspath|realpath|resolve\(|absolute\(|__file__|expanduser|chdir|'cd'")
_FUTURE = __future__.annotations.compiler_flag
_kernel = os.getpid()
_set_random = random.setstate  # before a program's draws are watched
# Where programs may leave files beside their own folders.
_TEMPORARY = tempfile.gettempdir()
_OUTSIDE = tuple({_TEMPORARY, "/tmp", "/var/tmp", "/dev/shm", str(Path.home()), str(Path.cwd())})
_own_folder = [""]
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
            # Inside a statement that is under way it is a part of that one. What %%time and %%capture hold is the cell.
            if "__cellwright__" in names or _position[0] >= 0 or _is_timed(module):
                return module
            return Marker("__cellwright__", False).visit_Module(module)

    shell.ast_transformers.append(Watch())
    _uncounted()


def _is_timed(module: ast.Module) -> bool:
    text = ast.unparse(module)
    is_timed = re.match(r"get_ipython\(\)\.run_cell_magic\('(time', ''|capture', )", text) is not None
    return is_timed and len(module.body) == 1


def _uncounted() -> None:
    """Our own cells have no number, so that Out[3] is what the notebook's third cell showed."""
    _shell().execution_count -= 1


def flush() -> None:
    """Hand out, as a display, what was recorded since the last time, and the statement that ran last."""
    _uncounted()
    content = {"position": _position[0], "values": list(_recorded)}
    _recorded.clear()
    _position[0] = -1
    _shell().display_pub.publish(data={_VALUES_MIME: to_text(content)})


def judge(request: str) -> None:
    """Run each program of a JSON request in its own fork and hand out, as a display, what came of it.

    Request: {"programs": [{"units": [source, ...], "expression": source or null, "seed": n, "days_ahead": n,
    "seconds_ahead": n, "variant": name or ""}], "timeout_s": seconds, "idle_s": seconds or null, "preload": [module,
    ...], "checkpoints": how many, "watch": whether to say what programs do}. Reply: a list of {"value": snapshot,
    "drawn": where random numbers stood, "asked_time": whether a moved clock was read} or {"error": name, "text": text,
    "unit": index} or {"error": "Timeout"}, each with "cpu_s", and "wall_s", in which what a checkpoint saved is
    counted; and with the "operations" and "columns" of one that was watched.
    """
    order = json.loads(request)
    for name in ("_", "__", "___"):  # before anything was shown
        _shell().user_ns.setdefault(name, "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in order.get("preload", ()):
            try:
                importlib.import_module(module)
            except Exception:  # noqa: BLE001 - a library that does not import is the program's to find out
                continue
    _watching[0] = bool(order.get("watch"))
    runs = [_judged(program, order) for program in order["programs"]]
    _shell().display_pub.publish(data={_RUNS_MIME: to_text(runs)})


def tables(request: str) -> None:
    """Hand out, as a display, what tables hold, or make changed copies of them, or hand out parts of such a copy.

    Request: {"timeout_s": seconds, "hints": {table: {...}}, and one of "survey": true; "make": {variant: [change,
    ...]}; "piece": [variant, table, offset]; "forget": [variant, ...]}. What reads or writes a table is done by a fork.
    """
    order = json.loads(request)
    reply: dict[str, Any] = {}
    if "survey" in order:
        reply = _in_fork(lambda: {"tables": survey(order["hints"])}, _work_folder(), order["timeout_s"], 0)
    elif "make" in order:
        folders = {name: new_folder() for name in order["make"]}
        made = {"variants": order["make"], "hints": order["hints"], "folders": folders}
        reply = _in_fork(lambda: {"variants": make(**made)}, _work_folder(), order["timeout_s"], 0)
        for name, folder in folders.items():
            keep(name, folder, complete=name in reply.get("variants", ()))
    elif "piece" in order:
        reply = piece(*order["piece"])
    forget(order.get("forget", ()))
    _shell().display_pub.publish(data={_TABLES_MIME: to_text(reply)})


def _judged(program: dict[str, Any], order: dict[str, Any]) -> dict[str, Any]:
    """Run one program, from the furthest checkpoint that it passes; and make one where its start was slow."""
    # Checkpoints have read the tables as they are, and the clock.
    if not order.get("checkpoints") or program["days_ahead"] or program["variant"]:
        reply = _run(program, order)
        reply.pop("seconds", None)
        return reply
    units: list[str] = program["units"]
    alike = (p for p in _checkpoints if p.watching == _watching[0] and p.seed == program["seed"])
    passed = [point for point in alike if point.units == units[: len(point.units)]]
    start = max(passed, key=lambda point: len(point.units), default=None)
    further = start.run(program, order) if start is not None else None
    if start is not None and further is not None:
        _checkpoints.append(_checkpoints.pop(_checkpoints.index(start)))
    else:
        start = None
    reply = further if further is not None else _run(program, order)
    seconds = reply.pop("seconds", [])
    skipped = len(start.units) if start is not None else 0
    slow = [number for number, took in enumerate(seconds) if took >= _SLOW_S]
    if slow and sum(seconds[: slow[-1] + 1]) >= _WORTH_KEEPING_S:
        beginning = units[: skipped + slow[-1] + 1]
        key = json.dumps([program["seed"], beginning])
        _beginnings[key] = _beginnings.get(key, 0) + 1
        if _beginnings[key] == _SEEN_BEFORE_KEEPING:  # it costs a run of its own, so it must be likely to come again
            _keep(beginning, program["seed"], order)
    return reply


def _keep(units: list[str], seed: int, order: dict[str, Any]) -> None:
    """Keep a process that has run these units, in the place of the one that was used least lately."""
    if any(_KNOWS_ITS_PLACE.search(source) for source in units):
        return
    while len(_checkpoints) >= order["checkpoints"]:
        _checkpoints.pop(0).close()
    with _tidied(units) as left:
        point = _Checkpoint(units, seed)
        is_up = point.starts(order["timeout_s"]) and not left()
    if is_up:
        _checkpoints.append(point)
    else:
        point.close()


class _Checkpoint:
    """A fork that has run the first units of programs, and forks again for each that goes on from there.

    What a program does after the checkpoint happens in its own process and folder, so the next one does not see it.
    """

    def __init__(self, units: list[str], seed: int) -> None:
        self.units, self.seed, self.watching = units, seed, _watching[0]
        self._folder = _work_folder()
        self._ours, theirs = socket.socketpair()
        self._child = os.fork()
        if self._child == 0:
            _serve(units, seed, self._folder, theirs)
        theirs.close()

    def starts(self, timeout_s: float) -> bool:
        began = time.monotonic()
        is_up = self._receive(timeout_s) == {"ready": True}
        self._took_s = time.monotonic() - began
        return is_up

    def run(self, program: dict[str, Any], order: dict[str, Any]) -> dict[str, Any] | None:
        """What came of a program; None when the checkpoint is lost."""
        rest = {**program, "units": program["units"][len(self.units) :], "seed": None}
        try:
            _send(self._ours, {"program": rest, "timeout_s": order["timeout_s"], "idle_s": order.get("idle_s")})
            reply = self._receive(order["timeout_s"] + _ANSWER_S)
        except OSError:
            reply = None
        if reply is None:
            _checkpoints.remove(self)
            self.close()
        else:
            reply["wall_s"] += self._took_s
            if reply.get("unit", -1) >= 0:
                reply["unit"] += len(self.units)
        return reply

    def _receive(self, timeout_s: float) -> dict[str, Any] | None:
        self._ours.settimeout(timeout_s)
        try:
            with self._ours.makefile("rb") as file:
                line = file.readline()
            found: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        except (OSError, ValueError):
            return None
        return found

    def close(self) -> None:
        self._ours.close()
        _end(self._child)
        os.waitpid(self._child, 0)
        shutil.rmtree(self._folder, ignore_errors=True)


_checkpoints: list[_Checkpoint] = []
_beginnings: dict[str, int] = {}
_watching = [False]


def _serve(units: list[str], seed: int, folder: str, requests: socket.socket) -> None:
    """The life of a checkpoint. Never returns."""
    try:
        _enter(folder)
        seed_random(seed)
        before = _ties()
        for source in units:
            _evaluate(source, "exec")
        if _ties() != before:
            return
        _send(requests, {"ready": True})
        with requests.makefile("rb") as file:
            for line in file:
                order = json.loads(line)
                _send(requests, _run(order["program"], order))
    finally:
        os._exit(0)


def _ties() -> list[object]:
    """What forks of a process would share, or lack: open files, threads, temporary files."""
    held: list[str] = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            held.append(str(descriptor.readlink()))
        except OSError:  # the one that lists them
            continue
    files = sorted(place for place in held if not place.startswith(("/dev/", "/proc/")))
    return [files, threading.active_count(), Path.cwd(), sorted(Path(tempfile.gettempdir()).iterdir())]


def _send(channel: socket.socket, content: dict[str, Any]) -> None:
    channel.sendall(to_text(content).encode("utf-8", "surrogatepass") + b"\n")


def _work_folder(variant: str = "") -> str:
    """A new folder with `tmp`, and with `work`: what stands in the present one, a variant's or its tables as a link."""
    with unnoticed():
        folder = tempfile.mkdtemp(prefix="run-", dir=_TEMPORARY)
    Path(folder, "tmp").mkdir()
    work = Path(folder, "work")
    work.mkdir()
    for entry in Path().iterdir():
        target = work / entry.name
        if entry.name == "data":
            target.symlink_to(folder_of(variant) if variant else entry.resolve())
        elif os.getpid() != _kernel:  # what the kernel's own folder holds beside the tables is no program's affair
            (shutil.copytree if entry.is_dir() else shutil.copy)(entry, target)
    return folder


def _run(program: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """Run a program in a fork of this process; without a seed, random numbers go on from where they are."""
    try:
        folder = _work_folder(program["variant"])
    except KeyError:
        return {"error": "NoVariant", "text": "these tables could not be made", "unit": -1, "cpu_s": 0.0, "wall_s": 0.0}
    with _tidied([*program["units"], program["expression"] or ""]):
        return _in_fork(
            lambda: _execute(program), folder, limits["timeout_s"], program["seed"], idle_s=limits.get("idle_s")
        )


def _in_fork(
    work: Callable[[], dict[str, Any]],
    folder: str,
    timeout_s: float,
    seed: int | None,
    *,
    idle_s: float | None = None,
) -> dict[str, Any]:
    """What some work gives, done by a fork of this process in a folder that is removed afterwards.

    `idle_s`: how long it may wait without doing anything; None for as long as it likes.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    began = time.monotonic()
    state = random.getstate()  # Python seeds `random` anew in every fork
    child = os.fork()
    if child == 0:
        _set_random(state)
        _child(work, seed, folder, writer)
    os.close(writer)
    try:
        reply = _collect(reader, child, timeout_s, idle_s)
    finally:
        os.close(reader)
        _end(child)
        _, _, usage = os.wait4(child, 0)
        shutil.rmtree(folder, ignore_errors=True)
    wall_s = round(time.monotonic() - began, 4)
    return {**reply, "cpu_s": round(usage.ru_utime + usage.ru_stime, 4), "wall_s": wall_s}


def _files_outside() -> set[str]:
    found: set[str] = set()
    for folder in _OUTSIDE:
        try:
            found.update(entry.path for entry in os.scandir(folder))
        except OSError:
            continue
    return found


@contextmanager
def _tidied(sources: list[str]) -> Iterator[Callable[[], list[str]]]:
    """Afterwards, remove what a program left outside its folder, or the next would find it. Gives what tells that.

    On a machine that others use too, only what the program names in full, or was seen to write, can be told to be its
    own.
    """
    before, outer, home = _files_outside(), _notes[0], str(Path.home())
    with unnoticed():
        notes = tempfile.TemporaryFile(dir=_TEMPORARY)  # noqa: SIM115 - a sandbox has no files in memory
    _notes[0] = notes.fileno()

    def left() -> list[str]:
        written = os.pread(notes.fileno(), _MAX_REPLY_BYTES, 0).decode("utf-8", "surrogateescape").splitlines()
        return [
            path
            for path in _files_outside() - before
            if any(name in source for source in sources for name in (path, path.replace(home, "~", 1)))
            or any(place == path or place.startswith(f"{path}/") for place in written)
        ]

    try:
        yield left
    finally:
        for path in left():
            shutil.rmtree(path) if Path(path).is_dir() else Path(path).unlink(missing_ok=True)
        _notes[0] = outer
        notes.close()


_notes = [-1]
"""The file in which a fork notes what it writes."""
_is_watching_files = [False]
# Which argument of what Python tells of files is a path that is written.
_WRITES = {"open": 0, "os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1, "sqlite3.connect": 0}
_DICE = ("/dev/urandom", "/dev/random")


def _watch_files() -> None:
    """From now on, note what this process writes in folders that others see, and whether it reads from the dice."""
    if not _is_watching_files[0]:
        _is_watching_files[0] = True
        sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    place = _WRITES.get(event)
    if place is None or not isinstance(arguments[place], (str, bytes, os.PathLike)):
        return
    text = os.fsdecode(arguments[place])
    if text in _DICE:
        note_request()
    elif event != "open" or arguments[2] & (os.O_WRONLY | os.O_RDWR):
        full = os.path.abspath(text)  # noqa: PTH100 - as it stands now, and links are nobody's business
        if _notes[0] >= 0 and full.startswith(_OUTSIDE) and not full.startswith(_own_folder[0]):
            os.write(_notes[0], os.fsencode(full) + b"\n")


def _end(child: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _collect(reader: int, child: int, timeout_s: float, idle_s: float | None) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_s
    chunks: list[bytes] = []
    size = 0
    did, since = _done_by(child), time.monotonic()
    while size <= _MAX_REPLY_BYTES:
        wait_s = deadline - time.monotonic()
        ready, _, _ = select.select([reader], [], [], max(0.0, wait_s if idle_s is None else min(wait_s, _GLANCE_S)))
        if not ready:
            did, last = _done_by(child), did
            now = time.monotonic()
            since = since if did == last else now
            if now >= deadline or (idle_s is not None and now - since > idle_s):
                return {"error": "Timeout", "text": f"over {timeout_s} s, or waits for ever", "unit": -1}
            continue
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


def _done_by(child: int) -> tuple[float, ...]:
    """Alike at two moments only if a process did nothing in between, and waits."""
    try:
        state, *figures = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return (time.monotonic(),)
    return (*map(float, figures[10:14]), *([] if state == "S" else [time.monotonic()]))


def _child(work: Callable[[], dict[str, Any]], seed: int | None, folder: str, writer: int) -> None:
    """Never returns: the process ends here, whatever happens."""
    try:
        _enter(folder)
        if seed is not None:
            seed_random(seed)
        data = to_text(work()).encode("utf-8", "surrogatepass")
        while data:
            data = data[os.write(writer, data) :]
    finally:
        os._exit(0)


def _enter(folder: str) -> None:
    """Become a process of one's own: a session, a folder, no output, the usual ways to be ended."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    os.chdir(Path(folder, "work"))
    _own_folder[0] = folder
    _watch_files()
    os.environ["TMPDIR"] = tempfile.tempdir = str(Path(folder, "tmp"))
    _silence()


def _silence() -> None:
    """No input, and nothing that the program shows reaches the kernel's own sockets."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123 - lives as long as the process
    sys.stdout = sys.stderr = _Sink()
    shell = _shell()
    shell.display_pub.publish = lambda *arguments, **named: None
    shell.displayhook.quiet = lambda: True
    for event in ("pre_execute", "post_execute", "pre_run_cell", "post_run_cell"):
        shell.events.callbacks[event] = []


class _Sink(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)

    def fileno(self) -> int:
        return 1


def _execute(program: dict[str, Any]) -> dict[str, Any]:
    seconds: list[float] = []
    try:
        if program["days_ahead"]:
            move_clock(program["days_ahead"] * 86_400 + program["seconds_ahead"])
        for source in program["units"]:
            started = time.monotonic()
            _evaluate(source, "exec")
            seconds.append(round(time.monotonic() - started, 4))
        value: dict[str, Any] = {"t": "null"}
        if program.get("expression") is not None:
            value = snapshot(_evaluate(program["expression"], "eval"))
        chance = {"drawn": drawn(), "asked_time": asked_time()}
        return {"value": value, **chance, "seconds": seconds, **(seen() if _watching[0] else {})}
    except BaseException as error:  # noqa: BLE001 - a program may fail in any way, and that is its result
        return {"error": type(error).__name__, "text": str(error)[:500], "unit": len(seconds), "seconds": seconds}


_loop: list[asyncio.AbstractEventLoop] = []
_future = [0]
_numbers = itertools.count()


def _evaluate(source: str, mode: str) -> Any:
    """Run a statement, or give an expression's value, in the notebook's namespace; `await` is allowed as in a cell."""
    text: Any = watched(source, mode) if _watching[0] else source
    name = f"<{mode} {next(_numbers)}>"
    linecache.cache[name] = (len(source), None, f"{source}\n".splitlines(keepends=True), name)
    code = compile(text, name, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | _future[0])
    _future[0] |= code.co_flags & _FUTURE
    is_coroutine = bool(code.co_flags & inspect.CO_COROUTINE)
    if not (_loop or is_coroutine or "asyncio" in source):
        return eval(code, _shell().user_ns)
    if not _loop:
        asyncio._set_running_loop(None)  # the kernel's own, of which this is a fork
        _loop.append(asyncio.new_event_loop())
        asyncio.set_event_loop(_loop[0])

    async def within() -> Any:
        result = eval(code, _shell().user_ns)
        return await result if is_coroutine else result

    return _loop[0].run_until_complete(within())
