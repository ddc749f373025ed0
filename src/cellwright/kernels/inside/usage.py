"""What all processes of a sandbox use together, counted where the system does not do it for us.

Hostile code would not be counted: what a process hides of itself is taken at its most, and CPU time is kept from one
look to the next, as a parent that ignores the end of its children loses theirs.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

_WATCH_EVERY_S = 0.25
_WATCH_CLOSELY_EVERY_S = 0.03
_DISK_EVERY_S = 1.0
_MOST_FILES = 100_000
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class _Process(NamedTuple):
    parent: int
    own_ticks: int
    children_ticks: int
    """Of those that it has waited for."""
    threads: int
    started: int


class Usage:
    """Compares what a sandbox uses with its limits.

    `limits` are those of the order; `watch_memory`, `watch_processes` and `watch_disk` (a folder) among them say what
    nobody else bounds. `processes` are the sandbox's, without those of a sandbox in it.
    """

    def __init__(self, limits: dict[str, Any], processes: Callable[[], list[int]]) -> None:
        self._limits, self._processes = limits, processes
        self._started = time.monotonic()
        watched = ("cpu_s", "wall_s", "watch_memory", "watch_processes", "watch_disk")
        self._watched = any(limits.get(name) for name in watched)
        self._is_close = False
        # Who looks is a fork of the template, as the kernel is: what it has at the start, the kernel had too. The first
        # look may come when a cell has long begun, and would take that for a gift.
        self._inherited = _anonymous_bytes(os.getpid())
        self._cpu_seen: dict[tuple[int, int], int] = {}
        self._cpu_ticks = 0
        self._disk_at = self._started
        self.waited_s = 0.0
        """CPU time of processes that have ended and were waited for here."""

    @property
    def interval_s(self) -> float | None:
        """Seconds until the next look; None where there is nothing to look at."""
        if not self._watched:
            return None
        return _WATCH_CLOSELY_EVERY_S if self._is_close else _WATCH_EVERY_S

    def passed(self) -> str:
        """The limit that was passed, by name and value; empty while none is."""
        if not self._watched:
            return ""
        wall, cpu = self._limits.get("wall_s"), self._limits.get("cpu_s")
        if wall and time.monotonic() - self._started > wall:
            return f"wall time: {wall:g} s"
        pids = self._processes()
        found = {pid: process for pid in pids if (process := _process(pid)) is not None}
        self._is_close = False
        if cpu and self._cpu_s(found) > cpu:
            return f"CPU time: {cpu:g} s"
        return self._too_many(found) or self._too_much_memory(list(found)) or self._too_much_disk()

    def _too_many(self, found: dict[int, _Process]) -> str:
        if not self._limits.get("watch_processes"):
            return ""
        most: int = self._limits["processes"]
        alive = sum(process.threads for process in found.values())
        self._is_close |= alive > most // 2
        return f"processes: {most}" if alive > most else ""

    def _too_much_memory(self, pids: list[int]) -> str:
        if not self._limits.get("watch_memory"):
            return ""
        most: int = self._limits["memory_bytes"]
        used = sum(_anonymous_bytes(pid) for pid in pids)
        # A sum in which shared pages count for each process is quickly had; only where it is high the true one is.
        self._is_close |= used - self._inherited > most // 2
        if used - self._inherited > most and sum(self._own_bytes(pid) for pid in pids) > most:
            return f"memory: {most >> 20} MiB"
        return ""

    def _own_bytes(self, pid: int) -> int:
        """Memory of a process with its part of what is shared.

        One that hides itself (PR_SET_DUMPABLE) has no such figure: all that it maps counts, but what a template gave.
        """
        shared = _field(f"/proc/{pid}/smaps_rollup", "Pss:")
        if shared:
            return int(shared.split()[0]) << 10
        return max(0, _anonymous_bytes(pid) - self._inherited)

    def _cpu_s(self, found: dict[int, _Process]) -> float:
        seen = {(pid, process.started): process.own_ticks for pid, process in found.items()}
        self._cpu_ticks += sum(max(0, ticks - self._cpu_seen.get(key, 0)) for key, ticks in seen.items())
        self._cpu_seen = seen
        told = sum(process.own_ticks + process.children_ticks for process in found.values())
        return max(self._cpu_ticks / _TICKS_PER_S, told / _TICKS_PER_S + self.waited_s)

    def _too_much_disk(self) -> str:
        folder, most = self._limits.get("watch_disk"), self._limits["disk_bytes"]
        if not folder or time.monotonic() < self._disk_at:
            return ""
        started = time.monotonic()
        is_over = _is_over(folder, most)
        # A folder that takes long to count is looked at less often.
        self._disk_at = time.monotonic() + max(_DISK_EVERY_S, 10 * (time.monotonic() - started))
        return f"disk: {most >> 20} MiB" if is_over else ""


def numbers(folder: str) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(name) for name in os.listdir(folder) if name.isdigit()]  # noqa: PTH208
    return []


def is_nested(pid: int) -> bool:
    """Whether a process is in a process namespace below ours."""
    return len(_field(f"/proc/{pid}/status", "NSpid:").split()) > 1


def set_aside_bytes() -> int:
    """Memory that this process has asked for so far."""
    return int((_field("/proc/self/status", "VmData:").split() or ["0"])[0]) << 10


def started(pid: int) -> int | None:
    """When a process was started, in ticks, which tells it from others of its number. None where there is none."""
    process = _process(pid)
    return None if process is None else process.started


def end(pid: int, start: int | None) -> None:
    """Kill a process, unless its number is another's by now."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        descriptor = os.pidfd_open(pid)
        try:
            if start is not None and started(pid) == start:
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)


def descendants(pid: int, but: Collection[int] = ()) -> list[int]:
    """What `pid` started, and what that started, without those of `but` and what they started."""
    children: dict[int, list[int]] = {}
    for child in numbers("/proc"):
        if (process := _process(child)) is not None:
            children.setdefault(process.parent, []).append(child)
    found, waiting = [], list(children.get(pid, ()))
    while waiting:
        child = waiting.pop()
        if child not in but:
            found.append(child)
            waiting += children.get(child, ())
    return found


def _process(pid: int) -> _Process | None:
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        # The name, in parentheses, may hold spaces and parentheses.
        fields = file.read().rpartition(")")[2].split()
        own, children = (int(fields[n]) + int(fields[n + 1]) for n in (11, 13))
        return _Process(int(fields[1]), own, children, int(fields[17]), int(fields[19]))
    return None


def _field(path: str, name: str) -> str:
    with contextlib.suppress(OSError), open(path) as file:  # noqa: PTH123
        for text in file:
            if text.startswith(name):
                return text.split(":", 1)[1]
    return ""


def _anonymous_bytes(pid: int) -> int:
    kilobytes = 0
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/status") as file:  # noqa: PTH123
        for text in file:
            if text.startswith(("RssAnon:", "RssShmem:")):
                kilobytes += int(text.split()[1])
    return kilobytes << 10


def _is_over(folder: str, most_bytes: int) -> bool:
    """Whether files take more than `most_bytes`. So many that counting takes too long are too much as well."""
    used = count = 0
    waiting = [folder]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                count += 1
                if count > _MOST_FILES:
                    return True
                with contextlib.suppress(OSError):
                    used += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        if used > most_bytes:
            return True
    return False
