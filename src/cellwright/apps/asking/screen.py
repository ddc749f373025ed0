"""A run before a person's eyes: each cell's comment and code, its output as it comes, and questions to the person."""

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.status import Status
from rich.syntax import Syntax

from cellwright.agent import Approval
from cellwright.agent.observation import clean
from cellwright.apps.asking.figures import Figures, inline
from cellwright.apps.asking.typed import TypedLines
from cellwright.apps.texts import visible_code
from cellwright.core.types import Output, Step, Trace
from cellwright.models import Delta
from cellwright.models.dialects import Speech

_MOST_OUTPUT_CHARS = 4000
# Output is hostile: nothing that a terminal would obey gets through but line ends, tabs and returns. And halves of
# surrogate pairs, as a model's pieces may end in, cannot be written out.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ALLOW = "run this cell? [y]es, [n]o, [e]dit, [s]top: "


class Screen:
    """A Watcher that prints. `keep_notebook` writes the notebook as it is so far."""

    def __init__(
        self,
        console: Console,
        figures: Figures,
        keep_notebook: Callable[[Trace], None],
        *,
        approves: bool,
        stop: asyncio.Event,
    ) -> None:
        self._console, self._figures, self._keep_notebook = console, figures, keep_notebook
        self._approves, self._stop = approves, stop
        self._lines = TypedLines()
        self._status: Status | None = None
        self._shown = self._cells = 0
        self._at_line_start = True
        self._says = ""
        self._speech = Speech()

    def hear(self, delta: Delta | Output) -> None:
        """Words as they come, dim; of a call, how much of it there is; of a cell, its output."""
        if isinstance(delta, Output):
            self._output(delta)
        elif delta.kind in ("reasoning", "text"):
            self._quiet()
            if self._says != delta.kind:
                self._end_line()
            self._says = delta.kind
            said = self._speech.feed(delta.text) if delta.kind == "text" else delta.text
            self._write(said, style="dim italic" if delta.kind == "reasoning" else "dim")
        elif delta.kind == "again":
            self._end_line()
            self._speech = Speech()
            self._console.print("[yellow]the connection broke; asking again[/]")
        else:
            self._busy(f"writing cell {self._cells + 1} …")

    def thinking(self) -> None:
        """Between a cell and the model's next word."""
        self._says = ""
        self._speech = Speech()
        self._busy("the model thinks …")

    async def approve(self, code: str, comment: str) -> Approval:
        """Show the cell, and ask the person where they want to be asked."""
        self._quiet()
        self._end_line()
        self._cells += 1
        self._shown = 0
        if comment:
            self._console.print(f"\n[bold]{escape(clean(comment))}[/]")
        self._console.print(
            Panel(Syntax(visible_code(code), "python", word_wrap=True), title=f"[{self._cells}]", title_align="left")
        )
        if not self._approves:
            self._busy("running …")
            return Approval()
        return await self._ask()

    def keep(self, trace: Trace, step: Step | None) -> None:
        """Write the notebook, and say what went wrong with a turn."""
        self._quiet()
        self._write(self._speech.rest(), style="dim")
        self._end_line()
        if step is not None:
            self._after(step)
        self._keep_notebook(trace)
        if step is not None and trace.answer is None:
            self.thinking()

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._quiet()
        self._end_line()

    def _after(self, step: Step) -> None:
        if step.problem and step.problem != "refused":
            self._console.print(f"[yellow]a turn of no use: {escape(step.problem)}; the model was told[/]")
        result = step.result
        if result is None:
            return
        if result.status == "timeout":
            self._console.print("[red]the cell was stopped at its time limit[/]")
        elif result.status == "dead":
            self._console.print(f"[red]the kernel died: {escape(clean(result.ended_by))}[/]")
        for output in result.outputs:
            self._picture(self._figures.save(output))

    def _output(self, output: Output) -> None:
        self._quiet()
        if output.kind == "stream":
            self._bounded(output.text)
        elif output.kind == "error":
            self._end_line()
            self._console.print(f"[red]{escape(clean(f'{output.name}: {output.text}'))}[/]")
        elif (text := output.data.get("text/plain", "")) and not any(m.startswith("image/") for m in output.data):
            self._end_line()
            self._bounded(f"{text}\n")

    def _bounded(self, text: str) -> None:
        room = _MOST_OUTPUT_CHARS - self._shown
        self._shown += len(text)
        if room > 0:
            self._write(text[:room])
            if len(text) > room:
                self._end_line()
                self._console.print("[dim]… more output is in the notebook[/]")

    def _picture(self, path: Path | None) -> None:
        if path is None:
            return
        shown = inline(path, os.environ) if self._console.is_terminal else ""
        if shown:
            self._console.file.write(f"{shown}\n")
        self._console.print(f"[dim]figure: {escape(str(path))}[/]", soft_wrap=True)

    async def _ask(self) -> Approval:
        # A key that was hit while the model wrote is no word on a cell that nobody had seen.
        self._lines.forget()
        while True:
            line = await self.question(_ALLOW)
            said = "s" if line is None else line.strip().lower()
            if said in ("y", "yes"):
                self._busy("running …")
                return Approval()
            if said in ("n", "no"):
                return Approval(allowed=False, reason=(await self.question("why (for the model): ") or "").strip())
            if said in ("s", "stop"):
                self._stop.set()
                return Approval(allowed=False, reason="the run was stopped")
            if said in ("e", "edit"):
                return await self._edited()

    async def _edited(self) -> Approval:
        """The cell as the person types it. Input that ends before their last line allows nothing."""
        self._console.print("[dim]the cell as it shall be; end it with a line that is only a dot[/]")
        lines: list[str] = []
        while (line := await self._lines.line()) != ".":
            if line is None:
                return Approval(allowed=False, reason="the person's own cell came to no end")
            lines.append(line)
        self._busy("running …")
        return Approval(code="\n".join(lines))

    async def question(self, words: str) -> str | None:
        """What the person types in reply; None at the end of the input."""
        self._quiet()
        self._end_line()
        self._console.print(words, end="", markup=False)
        line = await self._lines.line()
        if not self._console.is_terminal:
            self._console.print()
        return line

    def _write(self, text: str, style: str = "") -> None:
        text = _CONTROLS.sub("", text.replace("\r\n", "\n"))
        if not self._console.is_terminal:
            text = text.replace("\r", "\n")
        if text:
            self._console.print(text, end="", style=style, markup=False, highlight=False, soft_wrap=True)
            self._at_line_start = text.endswith("\n")

    def _end_line(self) -> None:
        if not self._at_line_start:
            self._console.print()
            self._at_line_start = True

    def _busy(self, words: str) -> None:
        if not self._console.is_terminal:
            return
        if self._status is None:
            self._end_line()
            self._status = self._console.status(words)
            self._status.start()
        else:
            self._status.update(words)

    def _quiet(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
