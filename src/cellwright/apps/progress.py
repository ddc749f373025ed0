"""Progress of long work: bars with rate and time left on a terminal, plain lines now and then elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import PurePosixPath

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

from cellwright.apps.texts import visible
from cellwright.pipeline.stage import Progress as ProgressProtocol

_LINE_EVERY_S = 10.0
_SILENT_S = 30.0
"""After so long without a line, one says what is under way."""
_LONG_S = 10.0
"""A group is shown beside its bar when it has been under way for so long."""


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
            _Note(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bars:
            yield _Bars(bars)
    else:
        with _Lines() as lines:
            yield lines


class _UnderWay:
    """The groups of a stage that were begun and have not ended, the oldest first."""

    def __init__(self) -> None:
        self._began: dict[object, tuple[str, float]] = {}

    @contextmanager
    def one(self, path: str) -> Iterator[None]:
        """One group, for as long as the block runs."""
        mark = object()
        self._began[mark] = (visible(PurePosixPath(path).name), time.monotonic())
        try:
            yield
        finally:
            del self._began[mark]

    def told(self, least_s: float) -> list[str]:
        """Those that have been under way for so long, each with its seconds."""
        now = time.monotonic()
        # A copy: they come and go in another thread.
        return [f"{name} ({now - began:.0f} s)" for name, began in list(self._began.values()) if now - began >= least_s]


class _Rate(ProgressColumn):
    """Records per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="progress.data.speed")


class _Note(ProgressColumn):
    """What came of a stage; before its end, the group of it that takes long."""

    def render(self, task: Task) -> Text:
        under_way: _UnderWay = task.fields["under_way"]
        return Text(task.fields["note"] or next(iter(under_way.told(_LONG_S)), ""))


class _Silent:
    def begin(self, stage: str, total: int | None) -> None:
        pass

    def working(self, stage: str, path: str) -> AbstractContextManager[None]:
        return nullcontext()

    def advance(self, stage: str, count: int) -> None:
        pass

    def end(self, stage: str, kept: int, rejected: int) -> None:
        pass


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def begin(self, stage: str, total: int | None) -> None:
        self._add(stage, total, 0)

    def working(self, stage: str, path: str) -> AbstractContextManager[None]:
        under_way: _UnderWay = self._bars.tasks[self._tasks[stage]].fields["under_way"]
        return under_way.one(path)

    def advance(self, stage: str, count: int) -> None:
        self._bars.advance(self._tasks[stage], count)

    def end(self, stage: str, kept: int, rejected: int) -> None:
        if stage not in self._tasks:
            self._add(stage, kept + rejected, kept + rejected)
        task = self._tasks[stage]
        total = self._bars.tasks[task].total
        done = kept + rejected if total is None else total
        self._bars.update(task, total=done, completed=done, note=f"{kept} kept, {rejected} rejected")

    def _add(self, stage: str, total: int | None, completed: int) -> None:
        added = self._bars.add_task(stage, total=total, completed=completed, note="", under_way=_UnderWay())
        self._tasks[stage] = added


class _Lines:
    def __init__(self) -> None:
        self._totals: dict[str, int | None] = {}
        self._done: dict[str, int] = {}
        self._started: dict[str, float] = {}
        self._under_way: dict[str, _UnderWay] = {}
        self._said = time.monotonic()
        self._is_over = threading.Event()
        self._teller = threading.Thread(target=self._tell, name="progress", daemon=True)

    def __enter__(self) -> "_Lines":
        self._teller.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over.set()
        self._teller.join()

    def begin(self, stage: str, total: int | None) -> None:
        self._totals[stage], self._done[stage], self._started[stage] = total, 0, time.monotonic()
        self._under_way[stage] = _UnderWay()

    def working(self, stage: str, path: str) -> AbstractContextManager[None]:
        return self._under_way[stage].one(path)

    def advance(self, stage: str, count: int) -> None:
        self._done[stage] += count
        now = time.monotonic()
        if now - self._said < _LINE_EVERY_S:
            return
        rate = self._done[stage] / max(now - self._started[stage], 1e-9)
        total = self._totals[stage]
        left = f", about {(total - self._done[stage]) / rate:.0f} s left" if total and rate else ""
        self._line(f"{self._count(stage)}, {rate:.1f}/s{left}")

    def end(self, stage: str, kept: int, rejected: int) -> None:
        self._line(f"{stage}: {kept} kept, {rejected} rejected")

    def _tell(self) -> None:
        """Now and then, while no line comes of anything that is done, say what is being done."""
        while not self._is_over.wait(max(self._said + _SILENT_S - time.monotonic(), 0.1)):
            if time.monotonic() - self._said < _SILENT_S:
                continue
            for stage, under_way in list(self._under_way.items()):
                if told := under_way.told(0.0):
                    self._line(f"{self._count(stage)}, under way: {', '.join(told)}")

    def _count(self, stage: str) -> str:
        total = self._totals[stage]
        return f"{stage}: {self._done[stage]}{f' of {total}' if total else ''}"

    def _line(self, text: str) -> None:
        self._said = time.monotonic()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
