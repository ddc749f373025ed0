"""What the rest of Cellwright knows of kernels: four methods, and the settings of one kernel.

Every kernel starts in a private, writable work folder whose `data/` holds the tables, read-only, under their names.
It has no network and sees none of the machine's own files, unless it was started as trusted.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cellwright.core.types import CellResult


@dataclass(frozen=True)
class Limits:
    """What one kernel may use. Its processes inherit the limits, and none can raise them in a sandbox."""

    memory_bytes: int = 4 << 30
    """Address space of each process; a cell that goes over it sees MemoryError."""
    processes: int = 128
    """Processes and threads alive at once."""
    file_bytes: int = 1 << 30
    """Size of any one file that it writes."""
    output_bytes: int = 4 << 20
    """Output kept of one cell; the rest is counted and thrown away."""
    start_timeout_s: float = 60.0
    """Seconds for a kernel to come up."""


@dataclass(frozen=True)
class KernelSettings:
    """One kernel: what it sees and what it may use."""

    tables: Mapping[str, Path] = field(default_factory=dict)
    """Name under `data/` to the file that stands there."""
    hash_seed: int | None = None
    """PYTHONHASHSEED of the kernel; None lets Python choose."""
    limits: Limits = Limits()


class Kernel(Protocol):
    """A live kernel with state. Not safe for two cells at once: a caller waits for one before the next."""

    @property
    def isolation(self) -> str:
        """Kind and rung of isolation, for a Trace: for example "local, bubblewrap"."""
        ...

    async def execute(self, code: str, *, timeout_s: float | None = None) -> CellResult:
        """Run one cell to its end.

        A cell over `timeout_s` is interrupted and its status is "timeout". One that does not heed the interrupt is
        killed with its kernel: its status is "timeout" too, and the next call raises KernelDied. "dead" is a kernel
        that ended in the cell by itself or was closed. Raises KernelDied only when it had ended before the cell began.
        """
        ...

    async def interrupt(self) -> None:
        """Interrupt the running cell, as the stop button does."""
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
