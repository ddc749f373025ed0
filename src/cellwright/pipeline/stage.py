"""What a stage is, and how it is run: shard by shard, resumable record by record, nothing lost.

A stage knows nothing of files, processes or progress bars. The runner gives it records and writes what it returns:
    work/04-execute/00000.parquet            records that went through
    work/04-execute/00000.rejects.parquet    records that did not, each with its reason
    work/04-execute/00000.journal            while the shard is under way: one line per finished group
A shard appears by rename when all its records are done. A build that was killed reads the journals and goes on.
"""

import asyncio
import json
import logging
import os
import shutil
import traceback
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from cellwright.core.errors import (
    CellwrightError,
    ConfigError,
    KernelStartError,
    ModelMisused,
    ModelUnavailable,
    NoSandbox,
    PoolClosed,
    UsageError,
    is_of_machine,
)
from cellwright.core.records import count_rows, from_row, read_shard, to_row, write_shard
from cellwright.core.types import Reject

In = TypeVar("In")
Out = TypeVar("Out")
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)
_log = logging.getLogger(__name__)
_SHARD_ROWS = 16
_SAYS_NOTHING = (PoolClosed, ModelMisused, ModelUnavailable, ConfigError, NoSandbox)
"""Errors of the build, not of the records that it met them with."""
_PAUSES_S = (1.0, 5.0)
"""Before a group whose kernel did not come up is tried again: the machine may have been busy."""


class RecordStage(Protocol[In_contra, Out_co]):
    """A stage that treats groups of neighbouring records on their own, several at a time."""

    async def run(self, group: Sequence[In_contra]) -> Sequence[Out_co | Reject]:
        """What comes of one group."""
        ...


class Progress(Protocol):
    """Who is told how the build goes."""

    def begin(self, stage: str, total: int | None) -> None:
        """A stage starts; `total` records will come, None where that is not known."""
        ...

    def working(self, stage: str, path: str) -> AbstractContextManager[None]:
        """A group of records is under way; `path` as GroupKey has it."""
        ...

    def advance(self, stage: str, count: int) -> None:
        """So many more records are done."""
        ...

    def end(self, stage: str, kept: int, rejected: int) -> None:
        """A stage is complete."""
        ...


class GroupKey(NamedTuple):
    """What neighbouring records have in common that are treated together."""

    id: str
    """What a reject of the whole group is filed under."""
    path: str
    """Of the notebook that the group is of, or that its tables are of, inside its source: how people know it."""


@dataclass(frozen=True)
class Folder(Generic[Out]):
    """The output of one stage."""

    path: Path
    kind: type[Out]

    def shards(self) -> list[Path]:
        """Finished shards, in order."""
        return sorted(p for p in self.path.glob("*.parquet") if not p.name.endswith(".rejects.parquet"))

    def records(self) -> Iterator[Out]:
        """All records, in order, a batch in memory at a time."""
        for shard in self.shards():
            yield from read_shard(shard, self.kind)

    def rejects(self) -> Iterator[Reject]:
        """All rejects, in order."""
        for path in sorted(self.path.glob("*.rejects.parquet")):
            yield from read_shard(path, Reject)

    @property
    def complete(self) -> bool:
        return (self.path / "done.json").exists()

    def counts(self) -> dict[str, int]:
        """Records kept and rejected, as written when the stage was completed."""
        counts: dict[str, int] = json.loads((self.path / "done.json").read_text())
        return counts

    def prepare(self, fingerprint: str) -> None:
        """Make the folder, empty unless what is in it was made from the same input by the same settings."""
        mark = self.path / "fingerprint"
        if self.path.exists() and (not mark.exists() or mark.read_text() != fingerprint):
            shutil.rmtree(self.path)
        self.path.mkdir(parents=True, exist_ok=True)
        mark.write_text(fingerprint)

    def finish(self, kept: int, rejected: int) -> None:
        """Mark the stage as complete."""
        partial = self.path / ".done.partial"
        partial.write_text(json.dumps({"kept": kept, "rejected": rejected}))
        partial.replace(self.path / "done.json")


def write_stream(
    records: Iterable[Out | Reject], folder: Folder[Out], shard_rows: int = _SHARD_ROWS
) -> tuple[int, int]:
    """Write a stream of records as shards, as they come: for stages that must see all records in one order.

    Shards already written by a build that was stopped are written again. Returns the counts of kept and rejected.
    """
    kept = rejected = number = 0
    batch: list[Out] = []
    rejects: list[Reject] = []

    def flush() -> None:
        nonlocal number
        write_shard(folder.path / f"{number:05d}.rejects.parquet", Reject, rejects)
        write_shard(folder.path / f"{number:05d}.parquet", folder.kind, batch)
        number += 1
        batch.clear()
        rejects.clear()

    for record in records:
        if isinstance(record, Reject):
            rejects.append(record)
            rejected += 1
        else:
            batch.append(record)
            kept += 1
        if len(batch) >= shard_rows or len(rejects) >= _SHARD_ROWS * 64:
            flush()
    if batch or rejects or not number:
        flush()
    return kept, rejected


@dataclass
class StageRun(Generic[In, Out]):
    """One record stage over all shards of the stage before."""

    name: str
    source: Folder[In]
    target: Folder[Out]
    group_key: Callable[[In], GroupKey]
    workers: int
    progress: Progress

    async def execute(self, stage: RecordStage[In, Out]) -> None:
        """Bring every shard to its end. Shards and groups that are done already are not run again."""
        kept = rejected = 0
        self.progress.begin(self.name, sum(map(count_rows, self.source.shards())))
        gate = asyncio.Semaphore(self.workers)
        async for keep, reject in _as_completed(
            [self._shard(shard, stage, gate) for shard in self.source.shards()], self.workers
        ):
            kept += keep
            rejected += reject
        self.target.finish(kept, rejected)
        self.progress.end(self.name, kept, rejected)

    async def _shard(self, shard: Path, stage: RecordStage[In, Out], gate: asyncio.Semaphore) -> tuple[int, int]:
        target, rejects_path = self.target.path / shard.name, self.target.path / f"{shard.stem}.rejects.parquet"
        if target.exists():
            counts = count_rows(target), count_rows(rejects_path)
            self.progress.advance(self.name, count_rows(shard))
            return counts
        journal = _Journal(self.target.path / f"{shard.stem}.journal", self.target.kind)
        groups = [list(group) for _, group in groupby(read_shard(shard, self.source.kind), self.group_key)]
        try:
            async with asyncio.TaskGroup() as under_way:
                running = [
                    under_way.create_task(self._group(number, group, stage, gate, journal))
                    for number, group in enumerate(groups)
                ]
        except ExceptionGroup as failed:  # the first one ends the build; what else was under way is not done
            raise failed.exceptions[0] from None
        outcome = [record for task in running for record in task.result()]
        rejects = [record for record in outcome if isinstance(record, Reject)]
        write_shard(rejects_path, Reject, rejects)
        write_shard(target, self.target.kind, (r for r in outcome if not isinstance(r, Reject)))
        journal.remove()
        return len(outcome) - len(rejects), len(rejects)

    async def _group(
        self,
        number: int,
        group: list[In],
        stage: RecordStage[In, Out],
        gate: asyncio.Semaphore,
        journal: "_Journal[Out]",
    ) -> Sequence[Out | Reject]:
        outcome: Sequence[Out | Reject] | None = journal.finished.get(number)
        if outcome is None:
            async with gate:
                key = self.group_key(group[0])
                with self.progress.working(self.name, key.path):
                    outcome = await self._guarded(key.id, group, stage)
            journal.append(number, outcome)
        self.progress.advance(self.name, len(group))
        return outcome

    async def _guarded(self, key: str, group: list[In], stage: RecordStage[In, Out]) -> Sequence[Out | Reject]:
        """The worker boundary: a fault of ours costs one group, and is filed.

        What would meet any other group too ends the build instead, which goes on from there once that is mended.
        """
        try:
            return await _patiently(stage, group)
        except _SAYS_NOTHING:
            raise
        except CellwrightError as error:
            return [Reject(self.name, key, type(error).__name__, str(error)[:2000])]
        except Exception as error:
            if isinstance(error, OSError) and is_of_machine(error):
                told = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
                raise UsageError(
                    f"stopped in {self.name}: {told}. What was done is kept: once that is mended, "
                    "the same command goes on from there."
                ) from error
            _log.exception("%s failed on %s", self.name, key)
            return [Reject(self.name, key, f"internal error: {type(error).__name__}", traceback.format_exc()[-4000:])]


async def _patiently(stage: RecordStage[In, Out], group: list[In]) -> Sequence[Out | Reject]:
    for pause_s in _PAUSES_S:
        try:
            return await stage.run(group)
        except PoolClosed:
            raise
        except KernelStartError:
            await asyncio.sleep(pause_s)
    return await stage.run(group)


async def _as_completed(jobs: Sequence[Any], width: int) -> AsyncIterator[tuple[int, int]]:
    """Run jobs in order of the list, no more than `width` shards open at once, so that memory stays bounded.

    None is left running: not when one fails, nor when whoever waits is stopped.
    """
    gate = asyncio.Semaphore(width)

    async def one(job: Any) -> tuple[int, int]:
        async with gate:
            counts: tuple[int, int] = await job
            return counts

    tasks = [asyncio.ensure_future(one(job)) for job in jobs]
    try:
        for task in asyncio.as_completed(tasks):
            yield await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for job in jobs:
            job.close()


class _Journal(Generic[Out]):
    """Finished groups of a shard that is under way, one JSON line each, by their number in it: a key can come again."""

    def __init__(self, path: Path, kind: type[Out]) -> None:
        self._path = path
        self._kind = kind
        self.finished: dict[int, Sequence[Out | Reject]] = {}
        if path.exists():
            self._load()

    def _load(self) -> None:
        whole = 0
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break  # the write that the kill cut short
                entry = msgspec.json.decode(line)
                self.finished[entry["group"]] = [self._record(row) for row in entry["rows"]]
                whole += len(line)
        os.truncate(self._path, whole)

    def _record(self, row: Mapping[str, Any]) -> Out | Reject:
        return from_row(Reject, row["reject"]) if "reject" in row else from_row(self._kind, row["record"])

    def append(self, group: int, outcome: Sequence[Out | Reject]) -> None:
        rows = [{"reject" if isinstance(record, Reject) else "record": to_row(record)} for record in outcome]
        line = msgspec.json.encode({"group": group, "rows": rows}) + b"\n"
        with self._path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
