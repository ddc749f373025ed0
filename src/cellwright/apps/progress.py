"""Progress of long work: bars with rate and time left on a terminal, plain lines now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from cellwright.pipeline.stage import Progress as ProgressProtocol

_LINE_EVERY_S = 10.0


@contextmanager
def make_progress(*, quiet: bool) -> Iterator[ProgressProtocol]:
    """Bars on a terminal, lines elsewhere, nothing when quiet. All of it goes to stderr."""
    if quiet:
        yield _Silent()
    elif sys.stderr.isatty():
        columns = (
            TextColumn("{task.description:>8}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=Console(stderr=True)) as bars:
            yield _Bars(bars)
    else:
        yield _Lines()


class _Rate(ProgressColumn):
    """Records per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="progress.data.speed")


class _Silent:
    def begin(self, stage: str, total: int | None) -> None:
        pass

    def advance(self, stage: str, count: int) -> None:
        pass

    def end(self, stage: str, kept: int, rejected: int) -> None:
        pass


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def begin(self, stage: str, total: int | None) -> None:
        self._tasks[stage] = self._bars.add_task(stage, total=total, note="")

    def advance(self, stage: str, count: int) -> None:
        self._bars.advance(self._tasks[stage], count)

    def end(self, stage: str, kept: int, rejected: int) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=kept + rejected, completed=kept + rejected, note="")
        task = self._tasks[stage]
        total = self._bars.tasks[task].total
        done = kept + rejected if total is None else total
        self._bars.update(task, total=done, completed=done, note=f"{kept} kept, {rejected} rejected")


class _Lines:
    def __init__(self) -> None:
        self._totals: dict[str, int | None] = {}
        self._done: dict[str, int] = {}
        self._started: dict[str, float] = {}
        self._said = time.monotonic()

    def begin(self, stage: str, total: int | None) -> None:
        self._totals[stage], self._done[stage], self._started[stage] = total, 0, time.monotonic()

    def advance(self, stage: str, count: int) -> None:
        self._done[stage] += count
        now = time.monotonic()
        if now - self._said < _LINE_EVERY_S:
            return
        self._said = now
        done, total = self._done[stage], self._totals[stage]
        rate = done / max(now - self._started[stage], 1e-9)
        left = f", about {(total - done) / rate:.0f} s left" if total and rate else ""
        self._line(f"{stage}: {done}{f' of {total}' if total else ''}, {rate:.1f}/s{left}")

    def end(self, stage: str, kept: int, rejected: int) -> None:
        self._line(f"{stage}: {kept} kept, {rejected} rejected")

    def _line(self, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
