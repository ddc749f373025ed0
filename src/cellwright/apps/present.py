"""What commands print at their end, for people and for machines."""

import json
from collections.abc import Sequence

from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

from cellwright.answers import from_json, render
from cellwright.apps.texts import in_markup, visible_code
from cellwright.core.types import Task
from cellwright.dataset.chat import ChatRow
from cellwright.dataset.files import REJECTS
from cellwright.pipeline.build import BuildResult
from cellwright.pipeline.verify import Verdict

_REASONS = 4
_SHOWN_TASKS = 3
_ANSWER_CHARS = 120
_QUESTION_CHARS = 300


def print_build(result: BuildResult, *, as_json: bool) -> None:
    """The funnel, three tasks, where things are."""
    console = Console(highlight=False)
    if as_json:
        console.print_json(json.dumps(_build_json(result)))
        return
    funnel = Table("stage", "kept", "rejected", "most frequent reasons", title="Funnel", title_justify="left")
    funnel.columns[1].justify = funnel.columns[2].justify = "right"
    for stage in result.stages:
        reasons = "; ".join(f"{reason} ({count})" for reason, count in stage.reasons[:_REASONS])
        funnel.add_row(f"{stage.stage} ({stage.unit})", str(stage.kept), str(stage.rejected), _shown(reasons))
    console.print(funnel)
    for task in _varied(result.tasks):
        console.print(f"\n[bold]{_shown(task.question)}[/bold]")
        console.print(f"  answer {_shown(_answer(task))}   [dim]L{task.level}, id {_shown(task.id)}[/dim]")
    console.print(f"\n{len(result.tasks)} proved tasks from {result.notebooks} notebooks in {result.seconds:.0f} s")
    console.print(f"report   {result.out / 'report.html'}", soft_wrap=True)
    if not result.tasks:
        console.print(f"why not  {result.out / REJECTS}: what each stage turned away, and for what", soft_wrap=True)
        console.print("next     see in the funnel where the records end; does the code read tables that lie beside it?")
        return
    console.print(f"tasks    {result.out / 'tasks.parquet'}", soft_wrap=True)
    console.print(f"traces   {result.out / 'traces.parquet'}", soft_wrap=True)
    console.print(f"next     cellwright verify {result.out}", soft_wrap=True)


def _shown(text: str) -> str:
    """A text that is not ours, in rich's markup."""
    return in_markup(text)


def _varied(tasks: Sequence[Task]) -> list[Task]:
    """Three tasks of different families, the hardest of each that does not take long to read."""
    best: dict[str, Task] = {}
    for task in sorted(tasks, key=lambda task: (len(task.question) > _QUESTION_CHARS, -task.level, task.id)):
        best.setdefault(task.family, task)
    return list(best.values())[:_SHOWN_TASKS]


def _answer(task: Task) -> str:
    """The answer's canonical text, its first part where it is long."""
    text = render(from_json(task.answer_json, task.contract), task.contract)
    return text if len(text) <= _ANSWER_CHARS else f"{text[:_ANSWER_CHARS]} …"


def _build_json(result: BuildResult) -> dict[str, object]:
    stages = [
        {"stage": s.stage, "unit": s.unit, "kept": s.kept, "rejected": s.rejected, "reasons": dict(s.reasons)}
        for s in result.stages
    ]
    return {
        "out": str(result.out),
        "tasks": len(result.tasks),
        "notebooks": result.notebooks,
        "seconds": round(result.seconds, 1),
        "stages": stages,
        "guessers": {g.guesser: {"before": round(g.before, 4), "after": round(g.after, 4)} for g in result.guessers},
    }


def print_verdicts(verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    """How many answers came out again, and which did not."""
    console = Console(highlight=False)
    wrong = [verdict for verdict in verdicts if not verdict.correct]
    if as_json:
        rows = [{"task": v.task_id, "evidence": v.evidence} for v in wrong]
        console.print_json(json.dumps({"tasks": len(verdicts), "correct": len(verdicts) - len(wrong), "wrong": rows}))
        return
    for verdict in wrong:
        console.print(f"[red]{_shown(verdict.task_id)}[/red] {_shown(verdict.evidence)}", soft_wrap=True)
    share = 100 * (len(verdicts) - len(wrong)) / len(verdicts) if verdicts else 0.0
    console.print(f"{len(verdicts) - len(wrong)} of {len(verdicts)} answers came out again ({share:.1f}%)")


def print_task(task: Task, trace: ChatRow | None) -> None:
    """One task: question, answer, origin, and the cells with their outputs."""
    console = Console(highlight=False)
    console.print(Panel(_shown(task.question), title=f"task {_shown(task.id)}", title_align="left"))
    origin = task.provenance
    facts = Table.grid(padding=(0, 2))
    facts.add_row("answer", _shown(render(from_json(task.answer_json, task.contract), task.contract)))
    facts.add_row("kind", _shown(f"{task.contract.kind}, level {task.level}, {task.family}, {task.split}"))
    facts.add_row("tables", _shown(", ".join(f"{t.name} ({t.licence or 'licence unknown'})" for t in task.tables)))
    facts.add_row("notebook", _shown(f"{origin.path} by {origin.author or 'unknown'} ({origin.licence or 'unknown'})"))
    facts.add_row("proved by", _shown(", ".join(gate.gate for gate in task.proof.gates) + f" on {task.environment}"))
    console.print(facts)
    for message in trace.messages if trace is not None else ():
        for call in message.tool_calls or ():
            arguments = json.loads(call.function.arguments)
            console.print(f"\n[dim]{_shown(arguments.get('comment', ''))}[/dim]")
            if "code" in arguments:
                console.print(Syntax(visible_code(arguments["code"]), "python", background_color="default"))
            else:
                console.print(f"[bold]{_shown(arguments.get('answer', ''))}[/bold]")
        if message.role == "tool":
            console.print(_shown(message.content))
