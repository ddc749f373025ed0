"""One sitting of `ask`: a kernel, a model, a notebook that is written after every cell, one question or several."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

import cellwright
from cellwright.agent import Assignment, RunLimits, run_agent
from cellwright.agent.observation import clean
from cellwright.agent.stopping import Stopped, unless_stopped
from cellwright.apps.asking.figures import Figures
from cellwright.apps.asking.models import BUILT_IN, check_built_in, open_model
from cellwright.apps.asking.screen import Screen
from cellwright.apps.replaying import REPLAYED, checked, keep_what_matters, print_answers, print_left_out
from cellwright.core.errors import UsageError
from cellwright.core.hashing import sha256_file, short_id
from cellwright.core.types import Message, Trace, Usage
from cellwright.kernels import DATA_SCIENCE, Kernel, KernelSettings, Limits, LocalPool
from cellwright.kernels.isolation import Rung
from cellwright.kernels.placement import Placement, describe, place, prepare
from cellwright.models import CachedModel, Endpoint, Model, ReplyCache, Sampling
from cellwright.models.builtin import WHAT_IT_IS
from cellwright.notebooks.recorded import read_recorded
from cellwright.notebooks.write import Section, notebook_bytes

_NEXT_QUESTION = "\nnext question (empty to end): "
_RECORD_VERSION = 1
_BUILT_IN_USES = ("pandas",)
"""Importing all of data science would take longer than its whole work."""


@dataclass(frozen=True)
class AskOrder:
    """What the person wants."""

    question: str
    files: Sequence[Path]
    out: Path
    """Where the notebook goes."""
    prompt: str
    limits: RunLimits
    kernel_limits: Limits
    rung: Rung | None
    sampling: Sampling = field(default=Sampling())
    approves: bool = False
    goes_on: bool = False
    verifies: bool = False
    keeps_only_what_matters: bool = False
    cache: Path | None = None
    preloads: bool = True
    """Whether libraries are imported before the kernel is asked for."""


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    traces: tuple[Trace, ...]
    out: Path
    verified: bool | None
    """Whether the notebook came out the same when it was run again; None when it was not asked for."""
    left_out: Sequence[str] = ()
    """A line for each file that nobody was shown."""

    @property
    def is_answered(self) -> bool:
        return bool(self.traces) and all(trace.ending == "answered" for trace in self.traces)


async def ask(order: AskOrder, endpoint: Endpoint, console: Console) -> Outcome:
    """Answer the questions of one sitting. Ctrl-C stops the run between two tokens; a second one ends the program."""
    placement, columns = place(order.files, order.out.parent), None
    print_left_out(placement, console)
    if endpoint.url == BUILT_IN:
        columns = check_built_in(order.question, placement)
        console.print(f"[dim]This is {WHAT_IT_IS}[/]\n")
    stop = asyncio.Event()
    with _stopped_by_interrupt(stop, console):
        async with _model(order, endpoint, columns) as model, _pool(order, endpoint) as pool:
            settings = KernelSettings(placement.tables, limits=order.kernel_limits)
            async with pool.kernel(settings) as kernel:
                await prepare(kernel, placement)
                sitting = _Sitting(order, placement, model, kernel, console, stop)
                await sitting.ask_all()
            verified = await sitting.verify(pool) if order.verifies or order.keeps_only_what_matters else None
    sitting.print_answers()
    return Outcome(tuple(sitting.traces), order.out, verified, placement.left_out)


class _Sitting:
    """The questions so far and their notebook."""

    def __init__(
        self,
        order: AskOrder,
        placement: Placement,
        model: Model,
        kernel: Kernel,
        console: Console,
        stop: asyncio.Event,
    ) -> None:
        self._order, self._placement, self._model, self._kernel = order, placement, model, kernel
        self._console, self._stop = console, stop
        self._sections: list[Section] = []
        self._began = time.time()
        self._files = [
            {"path": path, "sha256": sha256_file(file), "bytes": file.stat().st_size}
            for path, file in placement.paths.items()
        ]
        self._replayed: Mapping[str, Any] | None = None
        self._screen = Screen(console, Figures(order.out), self._keep, approves=order.approves, stop=stop)

    @property
    def traces(self) -> list[Trace]:
        return [section.trace for section in self._sections]

    async def ask_all(self) -> None:
        """The question, and those that follow it. What a failing endpoint leaves is kept, then its error is raised."""
        question: str | None = self._order.question
        while question:
            await self._ask(question)
            if not self._order.goes_on or self._stop.is_set() or self.traces[-1].ending == "kernel died":
                return
            self.print_answers()
            question = await self._next_question()

    async def _next_question(self) -> str:
        """What the person asks on; nothing where they end the sitting, be it by Ctrl-C."""
        try:
            return (await unless_stopped(self._screen.question(_NEXT_QUESTION), self._stop) or "").strip()
        except Stopped:
            return ""

    async def _ask(self, question: str) -> None:
        number = len(self._sections)
        lines = describe(self._placement)
        files = "\n".join(f"- {line}" for line in lines)
        prompt = f"{question}\n\nFiles:\n{files}" if lines and not number else question
        assignment = Assignment(
            short_id(str(self._order.out), question, str(number), str(self._began)),
            prompt,
            self._order.prompt,
            _earlier(self.traces[-1]) if self._sections else (),
            self._order.sampling,
            {"cellwright": cellwright.__version__},
        )
        self._question = question
        self._sections.append(Section(question, _EMPTY))
        self._screen.thinking()
        try:
            await run_agent(
                assignment,
                self._model,
                self._kernel,
                limits=self._order.limits,
                watcher=self._screen,
                stop=self._stop,
            )
        finally:
            self._screen.close()

    def _keep(self, trace: Trace) -> None:
        self._sections[-1] = Section(self._question, trace)
        self._write()

    def _write(self) -> None:
        """The notebook as it is now, whole: a reader never sees half of one."""
        self._replace(notebook_bytes(self._sections, self._record()))

    def _replace(self, data: bytes) -> None:
        beside = self._order.out.with_name(f".{self._order.out.name}.part")
        beside.write_bytes(data)
        beside.replace(self._order.out)

    def _record(self) -> dict[str, Any]:
        usage = sum((trace.usage for trace in self.traces), Usage())
        record: dict[str, Any] = {
            "version": _RECORD_VERSION,
            "cellwright": cellwright.__version__,
            "model": self._model.traits.name,
            "prompt": self._order.prompt,
            "kernel": self._kernel.isolation,
            "files": self._files,
            "usage": asdict(usage),
            "questions": [
                {
                    "question": section.question,
                    "answer": section.trace.answer,
                    "ending": section.trace.ending,
                    "run": section.trace.id,
                    "seconds": round(section.trace.seconds, 3),
                }
                for section in self._sections
            ],
        }
        return record if self._replayed is None else {**record, REPLAYED: self._replayed}

    async def verify(self, pool: LocalPool) -> bool:
        """Run the notebook again in a fresh kernel and write into it what came of that; then slice it, if wished."""
        notebook = read_recorded(self._order.out.read_bytes())
        self._console.print("\nrunning the notebook again in a fresh kernel …")
        settings = KernelSettings(self._placement.tables, limits=self._order.kernel_limits)
        async with pool.kernel(settings) as kernel:
            await prepare(kernel, self._placement)
            found = await checked(notebook, kernel, cell_s=self._order.limits.cell_s)
        self._replayed = found.record
        self._write()
        print_answers(found.replay, self._console)
        if self._order.keeps_only_what_matters:
            notebook = read_recorded(self._order.out.read_bytes())
            cell_s = self._order.limits.cell_s
            data = await keep_what_matters(
                notebook, found.replay, pool, self._placement, self._order.kernel_limits, self._console, cell_s
            )
            if data is not None:
                self._replace(data)
        return found.replay.answers_hold

    def print_answers(self) -> None:
        """The last answer, what it took, and where the notebook is."""
        trace = self.traces[-1]
        if trace.answer is not None:
            self._console.print(Panel(escape(clean(trace.answer)), title="answer", title_align="left", style="bold"))
        else:
            # A refusal is what the model said last, and stands above.
            detail = "" if trace.ending == "model refused" else clean(trace.detail)
            self._console.print(f"[red]no answer: {escape(trace.ending)}[/] {escape(detail)}".rstrip())
        usage, cells = trace.usage, sum(step.code is not None for step in trace.steps)
        cost = "cost unknown" if usage.cost_usd is None else f"{usage.cost_usd:.4f} USD"
        self._console.print(
            f"{_counted(len(trace.steps), 'step')}, {_counted(cells, 'cell')}, "
            f"{usage.input_tokens} + {usage.output_tokens} tokens, {cost}, {trace.seconds:.1f} s"
        )
        self._console.print(f"notebook  {escape(str(self._order.out))}", soft_wrap=True)


_EMPTY = Trace("", "", (), (), None, "stopped", "", "", {})


def _earlier(trace: Trace) -> tuple[Message, ...]:
    """The chat that a further question follows: the call that gave the answer is answered, as endpoints demand."""
    answered = {message.tool_call_id for message in trace.messages if message.role == "tool"}
    open_calls = [call for message in trace.messages for call in message.tool_calls if call.id not in answered]
    replies = tuple(Message("tool", "The person has the answer.", tool_call_id=call.id) for call in open_calls)
    return trace.messages + replies


@contextlib.asynccontextmanager
async def _model(order: AskOrder, endpoint: Endpoint, columns: Sequence[str] | None) -> AsyncIterator[Model]:
    async with open_model(endpoint, columns) as model:
        if order.cache is None:
            yield model
            return
        cache = ReplyCache(order.cache)
        try:
            yield CachedModel(model, cache, served_at=endpoint.url)
        finally:
            cache.close()


def _pool(order: AskOrder, endpoint: Endpoint) -> LocalPool:
    modules = _BUILT_IN_USES if endpoint.url == BUILT_IN else DATA_SCIENCE
    return LocalPool(2, rung=order.rung, preload=modules if order.preloads else ())


@contextlib.contextmanager
def _stopped_by_interrupt(stop: asyncio.Event, console: Console) -> Iterator[None]:
    """The first Ctrl-C sets `stop`; the second is Python's own again."""
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        stop.set()
        console.print("\n[yellow]stopping; what there is is kept (Ctrl-C again ends at once)[/]")
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def free_name(folder: Path, stem: str = "answer") -> Path:
    """A notebook's name that is not taken: answer.ipynb, answer-2.ipynb, …"""
    number = 1
    while (path := folder / (f"{stem}.ipynb" if number == 1 else f"{stem}-{number}.ipynb")).exists():
        number += 1
    return path


def writable(path: Path, *, overwrites: bool) -> Path:
    """`path`, if a notebook can be written there. Raises UsageError."""
    if path.suffix != ".ipynb":
        raise UsageError(f"--out {path}: a notebook's name ends in .ipynb")
    if path.exists() and not overwrites:
        raise UsageError(f"--out {path} is there already; name another file, or say --force to write over it")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(f"--out {path}: {path.parent} is no folder that can be written to")
    return path
