"""The report of a build: one page to look at, without scripts, network or files beside it.

Everything on it comes from notebooks that nobody has vetted, so everything is escaped, no stored HTML is shown, and the
page's own policy forbids the browser to load or run anything.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from cellwright.answers import from_json, render
from cellwright.core.types import CellResult, Output, Step, Task, Trace
from cellwright.dataset.accounts import NotebookAccount

_MAX_LINES = 40
_MAX_LINE_CHARS = 400
_MAX_PICTURE_CHARS = 400_000
_PNG = b"\x89PNG\r\n\x1a\n"

Counts = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class StageCount:
    """What one stage kept and rejected."""

    stage: str
    kept: int
    rejected: int
    reasons: Counts
    """Reason to number of rejects, the most frequent first."""
    unit: str
    """What `kept` counts: notebooks, outputs or tasks."""


@dataclass(frozen=True)
class Report:
    """What a build says about itself."""

    title: str
    stages: tuple[StageCount, ...]
    tasks: int
    notebooks: int
    """Notebooks with at least one task."""
    kinds: Counts
    levels: Counts
    families: Counts
    splits: Counts
    licences: Counts
    """Of the tables, counted once for each task that reads one."""
    samples: tuple[tuple[Task, Trace], ...]
    seconds: float
    config_yaml: str
    versions: Mapping[str, str]
    accounts: tuple[NotebookAccount, ...] = ()
    """What became of the notebooks, the first few hundred."""


@dataclass(frozen=True)
class _Bar:
    """One bar of a plot."""

    label: str
    count: int
    share: float
    """Of the longest bar, in percent."""


@dataclass(frozen=True)
class _ShownOutput:
    """One output as the page shows it."""

    kind: str
    text: str
    picture: str = ""
    """data: URL of a PNG."""


@dataclass(frozen=True)
class _ShownStep:
    """One step of a trace as the page shows it."""

    comment: str
    code: Markup
    outputs: tuple[_ShownOutput, ...]


def write_report(report: Report, path: Path) -> None:
    """Write the page, whole or not at all."""
    environment = Environment(
        loader=PackageLoader("cellwright.dataset", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(bars=_bars, steps=_steps, answer=_answer, evidence=_evidence, duration=_duration)
    page = environment.get_template("report.html.j2").render(
        report=report,
        funnel=_funnel(report.stages),
        light=Markup(_colours("friendly")),
        dark=Markup(_colours("github-dark")),
    )
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(page, encoding="utf-8", errors="replace")
    partial.replace(path)


def _colours(style: str) -> str:
    """The highlighter's style sheet; it holds no text of ours or of a notebook."""
    formatter: Any = HtmlFormatter(style=style)  # its types leave this method out
    return str(formatter.get_style_defs(".code"))


def _bars(counts: Sequence[tuple[str, int]]) -> list[_Bar]:
    most = max((count for _, count in counts), default=1) or 1
    return [_Bar(label, count, 100 * count / most) for label, count in counts]


def _funnel(stages: Sequence[StageCount]) -> list[tuple[StageCount, float, float]]:
    """Stages with the shares, in percent, that the kept and the rejected take of the widest stage of their unit."""
    widest: dict[str, int] = {}
    for stage in stages:
        widest[stage.unit] = max(widest.get(stage.unit, 1), stage.kept + stage.rejected)
    return [(s, 100 * s.kept / widest[s.unit], 100 * s.rejected / widest[s.unit]) for s in stages]


def _answer(task: Task) -> str:
    return render(from_json(task.answer_json, task.contract), task.contract)


def _evidence(task: Task) -> list[str]:
    """One line for each gate: its name and how often its runs agreed."""
    lines: list[str] = []
    for gate in task.proof.gates:
        seen = json.loads(gate.evidence_json)
        runs = seen if isinstance(seen, list) else [seen]
        right = sum(bool(run.get("correct")) for run in runs if isinstance(run, dict))
        lines.append(f"{gate.gate}: {right} of {len(runs)} fresh runs gave this answer")
    return lines


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def _steps(trace: Trace) -> list[_ShownStep]:
    return [_step(step) for step in trace.steps if step.code is not None]


def _step(step: Step) -> _ShownStep:
    code = Markup(highlight(step.code or "", PythonLexer(), HtmlFormatter(nowrap=True)))  # the highlighter escapes
    return _ShownStep(step.comment, code, tuple(_outputs(step.result)) if step.result is not None else ())


def _outputs(result: CellResult) -> list[_ShownOutput]:
    return [_output(output) for output in result.outputs]


def _output(output: Output) -> _ShownOutput:
    if output.kind == "error":
        return _ShownOutput("error", _short(f"{output.name}: {output.text}"))
    if output.kind == "stream":
        return _ShownOutput("stream", _short(output.text))
    picture = output.data.get("image/png", "").replace("\n", "")
    text = output.data.get("text/plain", "")
    return _ShownOutput("result", "" if _is_png(picture) else _short(text), picture if _is_png(picture) else "")


def _is_png(text: str) -> bool:
    if not text or len(text) > _MAX_PICTURE_CHARS:
        return False
    try:
        return base64.b64decode(text, validate=True).startswith(_PNG)
    except (binascii.Error, ValueError):
        return False


def _short(text: str) -> str:
    """The first lines, and how many are left out."""
    lines = [line if len(line) <= _MAX_LINE_CHARS else f"{line[:_MAX_LINE_CHARS]} …" for line in text.splitlines()]
    if len(lines) > _MAX_LINES:
        lines = [*lines[:_MAX_LINES], f"… {len(lines) - _MAX_LINES} more lines"]
    return "\n".join(lines)
