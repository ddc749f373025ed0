"""One task on the terminal, as an auditor needs it. All texts are hostile: nothing of them reaches the terminal raw."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from cellwright.agent.observation import clean
from cellwright.answers import AnswerError, from_json, render, sentence
from cellwright.apps.texts import visible_code
from cellwright.core.types import Task
from cellwright.dataset.chat import ChatRow
from cellwright.dataset.evidence import in_words

_OUTPUT_LINES = 30
_TEXT_CHARS = 4_000
_EVIDENCE_CHARS = 600


@dataclass(frozen=True)
class _ShownCell:
    """One turn of the trace."""

    comment: str
    code: str
    output: str


def show(task: Task, trace: ChatRow | None, place: str, console: Console) -> None:
    """Question, contract, answer, tables, the cells with their outputs (the first look at the tables first), gates."""
    console.print(Rule(_text(f"{place}   task {task.id}"), align="left"))
    console.print(Panel(_text(task.question), title="question", title_align="left"))
    console.print(_facts(task))
    for number, cell in enumerate(_cells(trace), 1):
        console.print(_cell(number, cell))
    if trace is None:
        console.print("[yellow]there is no trace of this task: its program is shown without outputs[/]")
        for code in task.oracle.cells if task.oracle else ():
            console.print(_code(code))
    console.print(Rule("gates", align="left", style="dim"))
    for gate in task.proof.gates:
        mark = Text("✓ " if gate.passed else "✗ ", style="green" if gate.passed else "red")
        console.print(Text.assemble(mark, (clean(gate.gate), "bold"), " ", (_evidence(in_words(gate)), "dim")))


def _text(text: str, most: int = _TEXT_CHARS) -> Text:
    whole = clean(text)
    return Text(whole if len(whole) <= most else f"{whole[:most]} … ({len(whole) - most:,} more characters)")


def _facts(task: Task) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    grid.add_row("answer", Text(clean(_answer(task)), style="bold green"))
    grid.add_row("contract", _text(sentence(task.contract)))
    for wording in task.phrasings:
        grid.add_row("or worded", _text(wording))
    for table in task.tables:
        grid.add_row("table", _text(f"{table.name}, {table.bytes:,} bytes, {table.licence or 'licence unknown'}"))
    grid.add_row("level", _text(f"{task.level}, {task.family}, from a {_ORIGINS[task.origin]}"))
    grid.add_row("notebook", _text(f"{task.provenance.path}, code cell {task.cell}"))
    grid.add_row("proved by", _text(f"{task.environment} ({task.era})"))
    return grid


_ORIGINS = {"notebook": "notebook's output", "composed": "program composed over the tables"}


def _answer(task: Task) -> str:
    try:
        return render(from_json(task.answer_json, task.contract), task.contract)
    except AnswerError as error:
        return f"{task.answer_json} (does not fit its contract: {error})"


def _cells(trace: ChatRow | None) -> Iterator[_ShownCell]:
    outputs = {
        message.tool_call_id: message.content for message in (trace.messages if trace else ()) if message.role == "tool"
    }
    for message in trace.messages if trace else ():
        for call in message.tool_calls or ():
            arguments = json.loads(call.function.arguments)
            if "code" in arguments:
                yield _ShownCell(arguments.get("comment", ""), arguments["code"], outputs.get(call.id, ""))


def _cell(number: int, cell: _ShownCell) -> RenderableType:
    lines = clean(cell.output).splitlines()
    shown = "\n".join(lines[:_OUTPUT_LINES])
    if len(lines) > _OUTPUT_LINES:
        shown += f"\n… ({len(lines) - _OUTPUT_LINES:,} more lines)"
    said = Text.assemble((f"[{number}] ", "cyan"), clean(cell.comment))
    return Group(said, Padding(_code(cell.code), (0, 0, 0, 4)), Padding(_text(shown), (0, 0, 1, 4)))


def _code(code: str) -> Syntax:
    return Syntax(visible_code(code), "python", theme="ansi_dark", background_color="default", word_wrap=True)


def _evidence(evidence: str) -> str:
    """A gate's evidence, on one line."""
    text = " ".join(clean(evidence).split())
    return text if len(text) <= _EVIDENCE_CHARS else f"{text[:_EVIDENCE_CHARS]} …"
