"""A process that has imported everything once, and forks a sandbox with a kernel in it for each request.

It never starts a thread: a fork of a process with threads is a deadlock that waits for its day. Its requests come over
a line from the program that started it; when that line closes, it ends, and all its sandboxes with it.
"""

import contextlib
import gc
import importlib
import os
import shutil
import signal
import socket
import stat
import sys
import time
from pathlib import Path
from typing import IO, Any

from . import cgroups, line, linux, notebook, pages, sandbox

_FIRST_UID = 200_000
_UIDS = 60_000
_CHILDREN_END_S = 5.0


class Template:
    """The one object of a template process."""

    def __init__(
        self, end: socket.socket, lent: list[int], order: dict[str, Any], groups: cgroups.Groups | None
    ) -> None:
        self._end = end
        self._groups = groups
        self._machine: int | None = lent[0] if lent else None
        self._writable = lent[1:]
        self._own = os.open("/proc/self/ns/mnt", os.O_RDONLY) if lent else None
        self._rung: str = order["rung"]
        self._count = 0
        self._network: bool = order["network"]
        self._sandboxes: set[int] = set()

    def serve(self) -> None:
        """Answer requests until nobody asks any more."""
        waker, wake = socket.socketpair()
        wake.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready = sandbox.readable([self._end.fileno(), waker.fileno()], None)
            if waker.fileno() in ready:
                waker.recv(4096)
                self._reap()
            if self._end.fileno() in ready:
                received = line.receive(self._end)
                if received is None:
                    return
                self._answer(*received)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while child := os.waitpid(-1, os.WNOHANG)[0]:
                self._sandboxes.discard(child)
                if self._groups is not None:
                    self._groups.leave(child)
        self._end_strays()

    def _end_strays(self) -> None:
        """Without namespaces a sandbox's processes outlive its first one; as orphans they become children of ours."""
        if self._machine is None:
            children = Path(f"/proc/self/task/{self._pid}/children").read_text()
            for stray in {int(text) for text in children.split()} - self._sandboxes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(stray, signal.SIGKILL)

    def _answer(self, order: dict[str, Any], descriptors: list[int]) -> None:
        started = time.perf_counter()
        mounts: list[int] = []
        try:
            for source in order["tables"].values():
                mounts.append(self._table(source))
            if order["do"] == "mounts":
                line.send(self._end, {"id": order["id"]}, mounts)
                return
            child = self._clone(order, descriptors, mounts)
            pidfd = os.pidfd_open(child)
            try:
                line.send(self._end, {"id": order["id"], "fork_s": time.perf_counter() - started}, [pidfd])
            finally:
                os.close(pidfd)
        except (OSError, KeyError, ValueError) as error:
            with contextlib.suppress(OSError):
                line.send(self._end, {"id": order.get("id"), "why": str(error)})
        finally:
            line.close([*descriptors, *mounts])

    def _table(self, source: str) -> int:
        """A table, as a mount that stands nowhere yet; without namespaces, as an open file."""
        if self._machine is None or self._own is None:
            return os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        linux.setns(self._machine, linux.NEWNS)
        try:
            mode = os.stat(source).st_mode  # noqa: PTH116
            if self._rung != "root" or mode & stat.S_IROTH:
                return linux.detached_copy(source)
            if stat.S_ISDIR(mode):
                raise PermissionError(f"{source} is a folder that only its owner may read")
            private = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        finally:
            linux.setns(self._own, linux.NEWNS)
        with os.fdopen(private, "rb") as file:
            return linux.detached_copy(self._readable_copy(file))

    def _readable_copy(self, file: IO[bytes]) -> str:
        """A copy for users of our making: only their owner may read the original."""
        status = os.fstat(file.fileno())
        copy = Path(f"/tmp/tables/{status.st_dev}-{status.st_ino}-{status.st_mtime_ns}-{status.st_size}")
        if not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            part = copy.with_suffix(".part")
            with part.open("wb") as target:
                shutil.copyfileobj(file, target)
            part.chmod(0o444)
            part.rename(copy)
        return str(copy)

    def _clone(self, order: dict[str, Any], descriptors: list[int], mounts: list[int]) -> int:
        self._count += 1
        uid, gid = os.getuid(), os.getgid()
        given = {**order, "writable": self._writable}
        if self._groups is not None:
            bytes_ = sandbox.group_bytes(order["limits"])
            given["group"] = self._groups.new(self._count, bytes_)
        if self._rung == "root":
            # Users of their own, so that neighbours are strangers even where nothing else keeps them apart.
            uid = gid = _FIRST_UID + self._count % _UIDS
            os.setegid(gid)
            os.seteuid(uid)
        namespaces = linux.NEWUSER | linux.NEWNS | linux.NEWPID if self._machine is not None else 0
        gc.disable()
        try:
            child = linux.clone(namespaces)
        finally:
            if os.getpid() == self._pid and self._rung == "root":
                os.seteuid(0)
                os.setegid(0)
        if child == 0:
            sandbox.run({**given, "rung": self._rung}, descriptors, mounts, (uid, gid), notebook.serve)
        self._sandboxes.add(child)
        if self._groups is not None:
            self._groups.belongs_to(self._count, child)
            line.close(given["group"].values())
        return child

    _pid = os.getpid()


def warm(modules: list[str]) -> list[str]:
    """Build the kernel, import what notebooks import, and run a cell. Returns modules that are not there."""
    notebook.build()
    missing = []
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    notebook.rehearse()
    gc.collect()
    gc.freeze()
    pages.gather()
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads > 1:
        raise RuntimeError(f"importing {', '.join(modules)} has started {threads - 1} threads; forks would hang")
    return missing


def main() -> None:
    group, end_number, *lent = (int(text) for text in sys.argv[1:])
    end = socket.socket(fileno=end_number)
    for descriptor in (group, end_number, *lent):
        if descriptor >= 0:
            os.set_inheritable(descriptor, False)
    linux.adopt_orphans()
    received = line.receive(end)
    if received is None:
        return
    order = received[0]
    started = time.perf_counter()
    try:
        missing = warm(order["preload"])
    except Exception as error:
        line.send(end, {"is": "failed", "why": f"{type(error).__name__}: {error}"})
        raise
    line.send(end, {"is": "ready", "missing": missing, "seconds": time.perf_counter() - started})
    groups = cgroups.Groups(group) if group >= 0 else None
    try:
        Template(end, lent, order, groups).serve()
    finally:
        if groups is not None:
            _end_children()
            groups.remove()
        if order["folder"]:
            shutil.rmtree(order["folder"], ignore_errors=True)


def _end_children() -> None:
    """Their groups can be removed only when they are gone, and they end by themselves as their lines close."""
    deadline = time.monotonic() + _CHILDREN_END_S
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if not os.waitpid(-1, os.WNOHANG)[0]:
                time.sleep(0.005)
