"""Work that is done in a fork of this process: in a folder of its own, in silence, and not for longer than it may.

A fork sees the kernel as it was when the work was asked for. Its folder is empty but for the tables under `data/`, as
they are or as a variant of them (`variants`), and it has another for temporary files; it is killed, with all that it
started, at its time limit. What it prints is thrown away.
"""

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
from collections.abc import Callable
from pathlib import Path
from typing import Any

# The parts are one module inside a kernel.
if "ipython" not in globals():
    from cellwright.proof.inside.chance import seed_random, unnoticed
    from cellwright.proof.inside.outside import TEMPORARY, watch_files
    from cellwright.proof.inside.recording import ipython
    from cellwright.proof.inside.snapshots import to_text
    from cellwright.proof.inside.variants import folder_of

_MAX_REPLY_BYTES = 8 << 20
_GLANCE_S = 0.1
_kernel = os.getpid()
_set_random = random.setstate  # before a program's draws are watched


def work_folder(variant: str = "") -> str:
    """A new folder with `tmp`, and with `work`: what stands in the present one, a variant's or its tables as a link."""
    with unnoticed():
        folder = tempfile.mkdtemp(prefix="run-", dir=TEMPORARY)
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


def in_fork(
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
        end(child)
        _, _, usage = os.wait4(child, 0)
        shutil.rmtree(folder, ignore_errors=True)
    wall_s = round(time.monotonic() - began, 4)
    return {**reply, "cpu_s": round(usage.ru_utime + usage.ru_stime, 4), "wall_s": wall_s}


def end(child: int) -> None:
    """Kill a process, with all of its group."""
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
        enter(folder)
        if seed is not None:
            seed_random(seed)
        data = to_text(work()).encode("utf-8", "surrogatepass")
        while data:
            data = data[os.write(writer, data) :]
    finally:
        os._exit(0)


def enter(folder: str) -> None:
    """Become a process of one's own: a session, a folder, no output, the usual ways to be ended."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    os.chdir(Path(folder, "work"))
    watch_files(folder)
    os.environ["TMPDIR"] = tempfile.tempdir = str(Path(folder, "tmp"))
    _silence()


def _silence() -> None:
    """No input, and nothing that the program shows reaches the kernel's own sockets."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123 - lives as long as the process
    sys.stdout = sys.stderr = _Sink()
    shell = ipython()
    shell.display_pub.publish = lambda *arguments, **named: None
    shell.displayhook.quiet = lambda: True
    for event in ("pre_execute", "post_execute", "pre_run_cell", "post_run_cell"):
        shell.events.callbacks[event] = []


class _Sink(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)

    def fileno(self) -> int:
        return 1
