"""The audit: which tasks are drawn, who judges them, and what comes of it."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import typer
from rich.console import Console

from cellwright.apps.auditing import verdicts as kept
from cellwright.apps.auditing.keys import read_key
from cellwright.apps.auditing.view import show
from cellwright.apps.texts import in_markup
from cellwright.core.records import read_shard
from cellwright.core.types import Task
from cellwright.dataset.chat import ChatRow
from cellwright.dataset.files import TRACES, load_tasks
from cellwright.proof.certificate import AuditVerdict, Certificate, Finding, Sitting, certify, draw, latest

_KEYS: Mapping[str, Finding] = {"v": "valid", "i": "invalid", "u": "unsure"}
_MOVES: Mapping[str, Literal["back", "end"]] = {"b": "back", "q": "end"}
_HELP = "[bold]v[/]alid  [bold]i[/]nvalid  [bold]u[/]nsure  [bold]b[/]ack  [bold]q[/]uit"


@dataclass(frozen=True)
class AuditOrder:
    """What was asked for."""

    dataset: Path
    count: int
    """Tasks to draw."""
    sitting: Sitting
    verdicts: Path | None
    """A file of verdicts instead of a terminal."""
    as_json: bool


@dataclass
class _Audit:
    """A draw under way."""

    order: AuditOrder
    total: int
    drawn: list[Task]
    said: dict[str, AuditVerdict]

    @property
    def left(self) -> list[Task]:
        return [task for task in self.drawn if task.id not in self.said]

    def keep(self, given: Sequence[AuditVerdict]) -> None:
        kept.append(self.order.dataset, given)
        self.said.update({verdict.task_id: verdict for verdict in given})

    def certificate(self) -> Certificate:
        return certify(self.order.sitting, self.said.values(), len(self.drawn), self.total)


def audit(order: AuditOrder, console: Console) -> None:
    """Draw, judge or take the verdicts, and print the certificate."""
    tasks = load_tasks(order.dataset)
    drawn = draw(tasks, order.count, order.sitting.seed)
    given = kept.load(order.dataset)
    under_way = _Audit(order, len(tasks), drawn, latest(given, drawn, order.sitting))
    others: list[str] = []
    if order.verdicts is not None:
        found, others = kept.read_file(order.verdicts, drawn, order.sitting)
        under_way.keep(found)
    elif not order.as_json and sys.stdin.isatty():
        _Session(under_way, console).run()
    elsewhere = [
        certify(sitting, latest(given, drawn, sitting).values(), len(drawn), len(tasks))
        for sitting in dict.fromkeys(v.sitting for v in given if v.sitting.seed == order.sitting.seed)
        if sitting != order.sitting
    ]
    if order.as_json:
        print_json(under_way, elsewhere, others)
        return
    if others:
        console.print(f"[yellow]{len(others)} verdicts are on tasks that were not drawn, and do not count[/]")
    _print(under_way.certificate(), under_way, console)
    for certificate in elsewhere:
        console.print(f"before: {in_markup(_judged(certificate))} {_bound(certificate)}", style="dim", soft_wrap=True)


class _Session:
    """One person at a terminal, task by task."""

    def __init__(self, under_way: _Audit, console: Console) -> None:
        self._audit, self._console = under_way, console
        wanted = {task.id for task in under_way.drawn}
        rows = read_shard(under_way.order.dataset / TRACES, ChatRow)
        self._traces = {row.task_id: row for row in rows if row.task_id in wanted and row.rendering == "non-thinking"}

    def run(self) -> None:
        """Ask about each task that has no verdict; `b` goes back to the one before, whatever was said of it."""
        place = self._next(0)
        while place < len(self._audit.drawn):
            moved = self._ask(self._audit.drawn[place], place)
            if moved == "end":
                return
            place = max(0, place - 1) if moved == "back" else self._next(place + 1)

    def _next(self, place: int) -> int:
        """The first place from here on whose task has no verdict."""
        while place < len(self._audit.drawn) and self._audit.drawn[place].id in self._audit.said:
            place += 1
        return place

    def _ask(self, task: Task, place: int) -> Literal["on", "back", "end"]:
        """Show a task and take a key; where the person wants to go then."""
        show(task, self._traces.get(task.id), f"{place + 1} of {len(self._audit.drawn)}", self._console)
        if before := self._audit.said.get(task.id):
            self._console.print(f"so far: {before.verdict} {in_markup(before.reason)}", style="dim")
        while True:
            self._console.print(_HELP, end="  ")
            key = read_key([*_KEYS, *_MOVES])
            self._console.print(_KEYS.get(key) or _MOVES[key])
            if key in _MOVES:
                return _MOVES[key]
            reason = self._reason(_KEYS[key])
            if reason is not None:
                self._audit.keep([kept.give(task, _KEYS[key], reason, self._audit.order.sitting)])
                return "on"

    def _reason(self, verdict: Finding) -> str | None:
        """Why; None where a task was called invalid without a word, which is no verdict."""
        if verdict == "valid":
            return ""
        try:
            reason = self._console.input("why? ").strip()
        except (EOFError, KeyboardInterrupt):
            return None
        if not reason and verdict == "invalid":
            self._console.print("[yellow]an invalid task needs a reason[/]")
            return None
        return reason


def _print(certificate: Certificate, under_way: _Audit, console: Console) -> None:
    for verdict in under_way.said.values():
        if verdict.verdict != "valid":
            words = f"{verdict.verdict:8} {verdict.task_id}  {verdict.reason}"
            console.print(in_markup(words), soft_wrap=True)
    console.print(in_markup(_judged(certificate)), soft_wrap=True)
    console.print(f"[bold]{_bound(certificate)}[/]", soft_wrap=True)
    if under_way.left:
        console.print(
            f"{len(under_way.left)} drawn tasks are left; the same command goes on from there", soft_wrap=True
        )


def _judged(certificate: Certificate) -> str:
    sitting = certificate.sitting
    return (
        f"a {sitting.kind} ({sitting.judge}) judged {certificate.judged} of {certificate.drawn} tasks drawn from"
        f" {certificate.tasks:,} (seed {sitting.seed}): {certificate.valid} valid, {certificate.invalid} invalid,"
        f" {certificate.unsure} unsure."
    )


def _bound(certificate: Certificate) -> str:
    if not certificate.judged:
        return "Nothing can be said of the dataset yet."
    text = f"With 95% confidence at most {100 * certificate.bound:.2f}% of the tasks are invalid"
    if certificate.unsure:
        text += f" (those that the {certificate.sitting.kind} was unsure of counted as invalid;"
        text += f" {100 * certificate.bound_if_unsure_valid:.2f}% if they are valid)"
    return f"{text}."


def print_json(under_way: _Audit, elsewhere: Sequence[Certificate], others: Sequence[str]) -> None:
    """The same facts for machines, with the ids that wait for a verdict."""
    facts = {
        **_facts(under_way.certificate()),
        "pending": [task.id for task in under_way.left],
        "not_valid": [
            {"task": verdict.task_id, "verdict": verdict.verdict, "reason": verdict.reason}
            for verdict in under_way.said.values()
            if verdict.verdict != "valid"
        ],
        "not_drawn": list(others),
        "other_judges": [_facts(certificate) for certificate in elsewhere],
    }
    typer.echo(json.dumps(facts, ensure_ascii=False))


def _facts(certificate: Certificate) -> dict[str, object]:
    facts = asdict(certificate)
    return {**facts.pop("sitting"), **facts, "confidence": 0.95}
