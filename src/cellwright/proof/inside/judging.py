"""Judges programs, each in a fork of the kernel (`forks`), and makes the tables for them.

A kernel that has run nothing gives every program a fresh start. Programs of one notebook begin alike, so a fork may
wait where a slow beginning ends, and be forked again for each of them (a checkpoint): the same state, reached once.
Files that a program leaves elsewhere are taken away (`outside`).
"""

import importlib
import json
import os
import re
import shutil
import socket
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

# The parts are one module inside a kernel.
if "in_fork" not in globals():
    from cellwright.proof.inside.chance import move_clock, seed_random
    from cellwright.proof.inside.forks import end, enter, in_fork, work_folder
    from cellwright.proof.inside.outside import tidied
    from cellwright.proof.inside.programs import evaluate, execute, watching
    from cellwright.proof.inside.recording import ipython
    from cellwright.proof.inside.snapshots import to_text
    from cellwright.proof.inside.variants import forget, keep, make, new_folder, piece, survey

_RUNS_MIME = "application/vnd.cellwright.runs+json"
_TABLES_MIME = "application/vnd.cellwright.tables+json"
# A start that takes so long is worth a process that waits at its end; a unit below the first figure is not its end.
_SLOW_S, _WORTH_KEEPING_S = 0.03, 0.06
# It costs a run of its own: so many programs must have come by it, or be known to come.
_SEEN_BEFORE_KEEPING, _TO_COME = 2, 2
_NEVER = float("-inf")
_ANSWER_S = 10.0
_processor_s = time.process_time  # before a program may put something else in its place
# A beginning that may remember where its folder stands cannot go on in another.
_KNOWS_ITS_PLACE = re.compile(r"cwd\(|abspath|realpath|resolve\(|absolute\(|__file__|expanduser|chdir|'cd'")


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
        ipython().user_ns.setdefault(name, "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in order.get("preload", ()):
            try:
                importlib.import_module(module)
            except Exception:  # noqa: BLE001 - a library that does not import is the program's to find out
                continue
    watching[0] = bool(order.get("watch"))
    programs = order["programs"]
    runs = [_judged(program, programs[number:], order) for number, program in enumerate(programs, 1)]
    ipython().display_pub.publish(data={_RUNS_MIME: to_text(runs)})


def tables(request: str) -> None:
    """Hand out, as a display, what tables hold, or make changed copies of them, or hand out parts of such a copy.

    Request: {"timeout_s": seconds, "hints": {table: {...}}, and one of "survey": true; "make": {variant: [change,
    ...]}; "piece": [variant, table, offset]; "forget": [variant, ...]}. What reads or writes a table is done by a fork.
    """
    order = json.loads(request)
    reply: dict[str, Any] = {}
    if "survey" in order:
        reply = in_fork(lambda: {"tables": survey(order["hints"])}, work_folder(), order["timeout_s"], 0)
    elif "make" in order:
        folders = {name: new_folder() for name in order["make"]}
        made = {"variants": order["make"], "hints": order["hints"], "folders": folders}
        reply = in_fork(lambda: {"variants": make(**made)}, work_folder(), order["timeout_s"], 0)
        for name, folder in folders.items():
            keep(name, folder, complete=name in reply.get("variants", ()))
    elif "piece" in order:
        reply = piece(*order["piece"])
    forget(order.get("forget", ()))
    ipython().display_pub.publish(data={_TABLES_MIME: to_text(reply)})


def _judged(program: dict[str, Any], later: list[dict[str, Any]], order: dict[str, Any]) -> dict[str, Any]:
    """Run one program, from the furthest checkpoint that it passes; and make one where its start was slow."""
    # Checkpoints have read the tables as they are.
    if not order.get("checkpoints") or program["variant"]:
        reply = _run(program, order)
        reply.pop("seconds", None)
        return reply
    units: list[str] = program["units"]
    at = _conditions(program)
    alike = (point for point in _checkpoints if point.conditions == at)
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
        key = json.dumps([at, beginning])
        _beginnings[key] = _beginnings.get(key, 0) + 1
        to_come = sum(other["units"][: len(beginning)] == beginning and _conditions(other) == at for other in later)
        if _beginnings[key] >= _SEEN_BEFORE_KEEPING or (to_come >= _TO_COME and _beginnings[key] > 0):
            reply["cpu_s"] = round(reply["cpu_s"] + _keep(beginning, program, order), 4)
            is_kept = bool(_checkpoints) and _checkpoints[-1].units == beginning
            _beginnings[key] = 0 if is_kept else _NEVER  # what cannot be kept now cannot be kept later
    return reply


def _conditions(program: dict[str, Any]) -> list[Any]:
    """What a program's beginning depends on beside its units."""
    clock = [program["days_ahead"], program["seconds_ahead"]] if program["days_ahead"] else []
    return [watching[0], program["seed"], *clock]


def _keep(units: list[str], program: dict[str, Any], order: dict[str, Any]) -> float:
    """Keep a process that has run these units, in the place of the one that was used least lately. Returns the seconds
    of processor time that it took."""
    if any(_KNOWS_ITS_PLACE.search(source) for source in units):
        return 0.0
    while len(_checkpoints) >= order["checkpoints"]:
        _checkpoints.pop(0).close()
    with tidied(units) as left:
        point = _Checkpoint(units, program)
        is_up = point.starts(order["timeout_s"]) and not left()
    if is_up:
        _checkpoints.append(point)
        return point.cpu_s
    return point.close()


def _run(program: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """Run a program in a fork of this process; without a seed, random numbers go on from where they are."""
    try:
        folder = work_folder(program["variant"])
    except KeyError:
        return {"error": "NoVariant", "text": "these tables could not be made", "unit": -1, "cpu_s": 0.0, "wall_s": 0.0}
    with tidied([*program["units"], program["expression"] or ""]):
        return in_fork(
            lambda: execute(program), folder, limits["timeout_s"], program["seed"], idle_s=limits.get("idle_s")
        )


class _Checkpoint:
    """A fork that has run the first units of a program, and forks again for each that goes on from there.

    What a program does after the checkpoint happens in its own process and folder, so the next one does not see it.
    """

    def __init__(self, units: list[str], program: dict[str, Any]) -> None:
        self.units, self.conditions = units, _conditions(program)
        self._folder = work_folder()
        self._ours, theirs = socket.socketpair()
        self._child = os.fork()
        if self._child == 0:
            _serve(units, program, self._folder, theirs)
        theirs.close()

    def starts(self, timeout_s: float) -> bool:
        began = time.monotonic()
        told = self._receive(timeout_s) or {}
        self._took_s, self.cpu_s = time.monotonic() - began, float(told.get("cpu_s", 0.0))
        return bool(told)

    def run(self, program: dict[str, Any], order: dict[str, Any]) -> dict[str, Any] | None:
        """What came of a program; None when the checkpoint is lost."""
        rest = {**program, "units": program["units"][len(self.units) :], "seed": None, "days_ahead": 0}
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

    def close(self) -> float:
        """End it. Returns the seconds of processor time that it took, its programs' included."""
        self._ours.close()
        end(self._child)
        _, _, usage = os.wait4(self._child, 0)
        shutil.rmtree(self._folder, ignore_errors=True)
        return usage.ru_utime + usage.ru_stime


_checkpoints: list[_Checkpoint] = []
_beginnings: dict[str, float] = {}


def _serve(units: list[str], program: dict[str, Any], folder: str, requests: socket.socket) -> None:
    """The life of a checkpoint. Never returns."""
    try:
        enter(folder)
        seed_random(program["seed"])
        if program["days_ahead"]:
            move_clock(days=program["days_ahead"], seconds=program["seconds_ahead"])
        before = _ties()
        for source in units:
            evaluate(source, "exec")
        if _ties() != before:
            return
        _send(requests, {"cpu_s": _processor_s()})
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
