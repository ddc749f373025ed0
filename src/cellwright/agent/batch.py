"""Many runs at once, each finished one kept at once: a program that was killed goes on with those that are left.

With a `CachedModel` the runs under way begin again without asking for a reply twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cellwright.agent.assignment import Assignment, RunLimits
from cellwright.agent.loop import run_agent
from cellwright.core.errors import KernelError, ModelError, ModelMisused
from cellwright.core.types import Trace
from cellwright.kernels import KernelSettings, Pool
from cellwright.models import Model

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One run and the kernel that it wants."""

    assignment: Assignment
    kernel: KernelSettings


class TraceFile:
    """Traces as JSON, one in a line, appended as runs end. The last line may be cut off; it then counts as none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, Trace]:
        """Every finished run by the id of its assignment."""
        return {trace.id: trace for trace in self._read()}

    def append(self, trace: Trace) -> None:
        """Keep a run. What a killed program left of a line is ended first."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(trace) + b"\n")

    def _read(self) -> Iterator[Trace]:
        with contextlib.suppress(FileNotFoundError), self._path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    with contextlib.suppress(msgspec.DecodeError):
                        yield msgspec.json.decode(line, type=Trace)

    def mend(self) -> None:
        """Cut off the part of a line that a killed program left."""
        with contextlib.suppress(FileNotFoundError), self._path.open("rb+") as file:
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)


@dataclass(frozen=True)
class Failed:
    """A run that came to no ending of its own: its endpoint or its kernel failed. It is tried again the next time."""

    id: str
    reason: str


async def run_all(  # noqa: PLR0913
    jobs: Sequence[Job],
    model: Model,
    pool: Pool,
    file: TraceFile,
    *,
    at_once: int,
    limits: RunLimits | None = None,
    tell: Callable[[Trace | Failed], None] | None = None,
) -> Mapping[str, Trace | Failed]:
    """Do the runs that `file` has not, `at_once` at a time. Returns all of `jobs`, those of earlier times too.

    Raises ModelMisused at the first run that shows that no other can succeed: a wrong key or model.
    """
    file.mend()
    done: dict[str, Trace | Failed] = dict(file.load())
    waiting = iter([job for job in jobs if job.assignment.id not in done])

    async def work() -> None:
        for job in waiting:
            result = await _run(job, model, pool, limits)
            if isinstance(result, Trace):
                file.append(result)
            done[job.assignment.id] = result
            if tell is not None:
                tell(result)

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(at_once):
                workers.create_task(work())
    except ExceptionGroup as group:
        # Of several workers that were told the same one is enough, and a person is shown it without a traceback.
        if group.split(ModelMisused)[1] is None:
            raise group.exceptions[0] from None
        raise
    return {job.assignment.id: done[job.assignment.id] for job in jobs}


async def _run(job: Job, model: Model, pool: Pool, limits: RunLimits | None) -> Trace | Failed:
    try:
        async with pool.kernel(job.kernel) as kernel:
            return await run_agent(job.assignment, model, kernel, limits=limits)
    except ModelMisused:
        raise
    except (ModelError, KernelError) as error:
        logger.warning("run %s: %s", job.assignment.id, error)
        return Failed(job.assignment.id, f"{type(error).__name__}: {error}")
