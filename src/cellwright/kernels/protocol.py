"""What the rest of Cellwright knows of kernels: four methods, and the settings of one kernel.

Every kernel starts in a private, writable work folder whose `data/` holds the tables, read-only, under their names.
It has no network and sees none of the machine's own files, unless it was started as trusted.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cellwright.core.config import AtLeastOne, Count, Seconds
from cellwright.core.types import MODERN, CellResult, Output

Listener = Callable[[Output], None]
"""Is told of a running cell's outputs as they come, a stream's in pieces. What is cleared or updated later it is not
told: the CellResult is what counts."""


@dataclass(frozen=True)
class Limits:
    """What one kernel may use, all its processes together. None of them can raise a limit in a sandbox."""

    memory_bytes: AtLeastOne = 4 << 30
    """Memory. A process that asks for as much at once sees MemoryError; all together, the kernel is ended."""
    processes: AtLeastOne = 256
    """Processes and threads alive at once; one more sees BlockingIOError or RuntimeError."""
    disk_bytes: AtLeastOne = 1 << 30
    """Files that it writes, which are in memory; one more byte sees OSError, no space left on device."""
    cpu_s: Seconds | None = None
    """Seconds of processor time; the kernel is ended."""
    wall_s: Seconds | None = None
    """Seconds from start to end; the kernel is ended."""
    output_bytes: Count = 4 << 20
    """Output kept of one cell; the rest is counted and thrown away."""
    start_timeout_s: Seconds = 60.0
    """Seconds for a kernel to come up."""


@dataclass(frozen=True)
class KernelSettings:
    """One kernel: what it sees and what it may use."""

    tables: Mapping[str, Path] = field(default_factory=dict)
    """Name under `data/` to the file, or the folder, that stands there."""
    hash_seed: int | None = None
    """PYTHONHASHSEED of the kernel; None lets Python choose, the same for all kernels of a pool."""
    limits: Limits = Limits()
    seed: int | None = None
    """Of `random` and `numpy.random` at the start; None starts each kernel elsewhere."""
    network: bool = False
    """Whether it may reach the network of the machine."""
    era: str = MODERN
    """Name of the environment that it has, one of those that its pool knows."""


class Kernel(Protocol):
    """A live kernel with state. Not safe for two cells at once: a caller waits for one before the next."""

    @property
    def isolation(self) -> str:
        """Kind and rung of isolation, for a Trace: for example "local, user namespaces"."""
        ...

    async def execute(self, code: str, *, timeout_s: float | None = None, listen: Listener | None = None) -> CellResult:
        """Run one cell to its end.

        A cell over `timeout_s` is interrupted and its status is "timeout". One that does not heed the interrupt is
        killed with its kernel: its status is "timeout" too, and the next call raises KernelDied. "dead" is a kernel
        that ended in the cell by itself or was closed. Raises KernelDied only when it had ended before the cell began.
        """
        ...

    async def interrupt(self) -> None:
        """Interrupt the running cell, as the stop button does."""
        ...

    async def branch(self, count: int = 1, *, seeds: Sequence[int] | None = None) -> "list[Kernel]":
        """Independent copies of this kernel as it is now: its variables, its files, its random numbers.

        Between cells only. What one does afterwards no other sees, and each lives until it is closed, also after its
        parent. With `seeds`, one for each, their random numbers start there. Threads and unfinished tasks of the
        notebook stay with the parent. Raises KernelDied, or NotImplementedError for a kind that cannot.
        """
        ...

    async def close(self) -> None:
        """End the kernel and all its processes and remove its work folder. May be called twice."""
        ...


class Pool(Protocol):
    """Hands out kernels, no more at once than it was made for; who asks beyond that waits."""

    def kernel(self, settings: KernelSettings) -> AbstractAsyncContextManager[Kernel]:
        """A fresh kernel, closed when the context ends. Raises KernelStartError or NoSandbox."""
        ...

    async def close(self) -> None:
        """End every kernel that is still open."""
        ...
