"""Memory of all processes of a sandbox together, bounded by Linux: a control group for each, below our own.

Version 2 where our group, or the one above it, hands the memory controller down; else version 1 where it can be
written; else none, and the sandbox's first process watches instead (`sandbox.Usage`).
https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from . import line

_MOUNT = Path("/sys/fs/cgroup")
_PREFIX = "cellwright-"
# Files of version 2 and of version 1.
_BOUND = ("memory.max", "memory.limit_in_bytes")


def make() -> int:
    """A descriptor of a new group, in which groups of sandboxes can be made; -1 where that is not possible."""
    for parent in _candidates():
        group = parent / f"{_PREFIX}{os.getpid()}"
        with contextlib.suppress(OSError):
            _sweep(parent)
            group.mkdir()
            if (group / _BOUND[0]).exists():
                (group / "cgroup.subtree_control").write_text("+memory")
            trial = group / "trial"
            trial.mkdir()
            bounded = any((trial / name).exists() for name in _BOUND)
            trial.rmdir()
            if bounded:
                return os.open(group, os.O_RDONLY | os.O_DIRECTORY)
        with contextlib.suppress(OSError):
            group.rmdir()
    return -1


def _candidates() -> list[Path]:
    found: list[Path] = []
    for entry in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = entry.split(":", 2)
        if not controllers:
            for mount in (_MOUNT, _MOUNT / "unified"):
                own = mount / path.lstrip("/")
                found += [own, own.parent] if own != mount else [own]
        elif "memory" in controllers.split(","):
            found.append(_MOUNT / "memory" / path.lstrip("/"))
    return [place for place in found if place.is_dir()]


def _sweep(parent: Path) -> None:
    """Remove groups of templates that were killed."""
    for group in parent.glob(f"{_PREFIX}*"):
        pid = group.name.removeprefix(_PREFIX)
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            for inner in (*group.glob("*/"), group):
                with contextlib.suppress(OSError):
                    inner.rmdir()


class Groups:
    """Groups of sandboxes, by number, in the group of a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._of_process: dict[int, str] = {}
        self._left: set[str] = set()

    def new(self, number: int, memory_bytes: int) -> dict[str, int]:
        """Make a group. Returns descriptors: of its file of "members", of its "bound", and of what tells that memory
        has run out: an "alarm" that has urgent data then, or a "bell" that is readable.
        """
        os.mkdir(str(number), dir_fd=self._descriptor)
        bound = self._open(number, _BOUND, os.O_WRONLY)
        os.write(bound, str(memory_bytes).encode())
        members = self._open(number, ("cgroup.procs",), os.O_WRONLY)
        try:
            told = {"alarm": self._open(number, ("memory.events",), os.O_RDONLY)}
        except FileNotFoundError:
            told = {"bell": self._bell(number)}
        return {"bound": bound, "members": members, **told}

    def _bell(self, number: int) -> int:
        bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        watched = self._open(number, ("memory.oom_control",), os.O_RDONLY)
        control = self._open(number, ("cgroup.event_control",), os.O_WRONLY)
        os.write(control, f"{bell} {watched}".encode())
        line.close((control, watched))
        return bell

    def belongs_to(self, number: int, pid: int) -> None:
        """Say with whose end a group may be removed."""
        self._of_process[pid] = str(number)

    def leave(self, pid: int) -> None:
        """Remove the group of a process that has ended, and those of others before it that could not be removed yet.

        Without namespaces a sandbox's processes may outlive its first one by a moment; then their end is told here too.
        """
        number = self._of_process.pop(pid, None)
        if number is not None:
            self._left.add(number)
        for left in tuple(self._left):
            with contextlib.suppress(OSError):
                os.rmdir(left, dir_fd=self._descriptor)
                self._left.discard(left)

    def remove(self) -> None:
        """Remove them all, once all their processes have ended."""
        for pid in tuple(self._of_process):
            self.leave(pid)
        with contextlib.suppress(OSError):
            parent = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._descriptor)
            os.rmdir(f"{_PREFIX}{os.getpid()}", dir_fd=parent)

    def _open(self, number: int, names: tuple[str, ...], flags: int) -> int:
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                return os.open(f"{number}/{name}", flags | os.O_CLOEXEC, dir_fd=self._descriptor)
        raise FileNotFoundError(f"the memory controller of group {number}")


def enter(members: int, pids: Sequence[int]) -> None:
    """Put processes into the group of a file of members; what they fork from then on is in it too.

    The first one costs some ten milliseconds on an idle machine, as Linux waits for all processors to take notice.
    """
    for pid in pids:
        os.write(members, str(pid).encode())


def ran_out(descriptor: int) -> bool:
    """Whether memory of a group has run out, by its alarm or its bell. A bell tells once."""
    with contextlib.suppress(OSError, ValueError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        data = os.read(descriptor, 4096)
        counts = dict(text.split() for text in data.decode(errors="replace").splitlines() if text.count(" ") == 1)
        return not counts or int(counts.get("oom_kill", 0)) > 0
    return False
