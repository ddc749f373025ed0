"""The report of a build: one page to look at, without scripts, network or files beside it.

Everything on it comes from notebooks that nobody has vetted, so everything is escaped, no stored HTML is shown, and the
page's own policy forbids the browser to load or run anything. Long texts are cut, and the page says so; the dataset's
files hold them whole.
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from cellwright.answers import AnswerError, from_json, render, sentence
from cellwright.answers.values import item_contract, key_contract
from cellwright.core.types import Contract, GateResult, Output, Step, Task, Trace
from cellwright.dataset.accounts import CodeChange, NotebookAccount
from cellwright.dataset.evidence import in_words

_MAX_LINES = 40
_MAX_CODE_LINES = 120
_MAX_LINE_CHARS = 400
_MAX_TEXT_CHARS = 2_000
"""Of a question, a comment, an answer or a name."""
_MAX_TITLE_CHARS = 160
_MAX_ITEMS = 20
"""Of an answer that is a list or a mapping."""
_MAX_STEPS = 30
_MAX_OUTPUTS = 30
"""Of one trace, as a cell can display thousands."""
_MAX_PICTURES = 4
"""Of one trace."""
_MAX_PICTURE_CHARS = 400_000
_SHORT_LIST = 5
"""Reasons of a stage that are shown without a click."""
_MAX_GUESSERS = 14
_MAX_CHANGES = 40
"""Repairs and losses of one notebook."""
_MAX_CHANGE_LINES = 12
_PNG = b"\x89PNG\r\n\x1a\n"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_QUOTED = re.compile(r"`([^`\n]+)`")

# Characters that a browser does not show, or that turn round the text beside them (https://trojansource.codes), as
# characters that are seen: Unicode's control pictures, and the code point of what has no picture.
_SEEN: Mapping[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: "\u2421",
    **dict.fromkeys((*range(0x80, 0xA0), 0xFFFE, 0xFFFF), "\ufffd"),
    **{code: f"⟨U+{code:04X}⟩" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)},
}

_STAGE_SAYS: Mapping[str, str] = {
    "read": "are Python notebooks that can be read",
    "dedup": "are not copies of another one",
    "link": "read tables that the source holds",
    "execute": "ran, and showed values",
    "slice": "are values that a program computes again from the tables",
    "ask": "are questions with one answer",
    "port": "are answered in the same way with today's libraries",
    "compose": "are questions composed over the tables",
    "screen": "neither tell their answer, nor stand in a benchmark, nor can be guessed",
    "prove": "gave the same answer in every fresh kernel",
    "screen-twins": "tell no more on changed tables than the tasks that they re-issue",
    "trace": "were solved step by step by an agent that runs the program",
    "curate": "are not trivial, and have a side: train, validation or test",
}
"""What is true of what a stage kept; a stage that is not named here goes without."""

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
class GateCount:
    """What one gate let through and stopped."""

    gate: str
    passed: int
    """Tasks of the dataset that it looked at; those that another gate stopped later are not among them."""
    stopped: int


@dataclass(frozen=True)
class GuesserCount:
    """How often a program that does not see the data is right."""

    guesser: str
    before: float
    """Share of all tasks that were made."""
    after: float
    """Share of the tasks of the dataset."""


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
    origins: Counts = ()
    eras: Counts = ()
    gates: tuple[GateCount, ...] = ()
    """In the order in which they look at a task."""
    guessers: tuple[GuesserCount, ...] = ()
    """The best first."""
    guessers_share: float = 0.0
    """The most that a guesser may be right about."""


def write_report(report: Report, path: Path) -> None:
    """Write the page, whole or not at all."""
    environment = Environment(
        loader=PackageLoader("cellwright.dataset", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_seen,
    )
    environment.filters.update(clip=_clip, number=_number, quoted=_quoted)
    environment.globals.update(bars=_bars)
    page = environment.get_template("report.html.j2").render(
        report=report,
        funnel=_funnel(report.stages),
        worst=max(report.stages, key=lambda stage: stage.rejected, default=None),
        samples=[_sample(task, trace) for task, trace in report.samples],
        duration=_duration(report.seconds),
        gates=_gates(report.gates),
        guessing=_guessing(report),
        levels=_bars(_all_levels(report.levels)),
        short_list=_SHORT_LIST,
        changed=[_changed(account) for account in report.accounts if account.changes],
    )
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(page, encoding="utf-8", errors="replace")
    partial.replace(path)


# --- texts -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cut:
    """The part of a text that is shown, and what is not."""

    text: str
    note: str = ""


def _seen(value: object) -> object:
    """What the template is about to print, its invisible characters made visible."""
    return value.translate(_SEEN) if isinstance(value, str) else value


def _clip(text: str, chars: int = _MAX_TEXT_CHARS) -> str:
    return text if len(text) <= chars else f"{text[:chars]} … ({len(text) - chars:,} more characters)"


def _number(count: int) -> str:
    return f"{count:,}"


def _quoted(text: str) -> list[tuple[bool, str]]:
    """The parts of a text that stand in backticks, and those between."""
    return [(bool(place % 2), part) for place, part in enumerate(_QUOTED.split(text))]


def _cut(text: str, most: int = _MAX_LINES) -> _Cut:
    """The first lines, as a terminal shows them: without colours, and a line that was written over as it was last."""
    plain = _COLOURS.sub("", text).rstrip("\r\n")
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in plain.split("\n")]
    shown = "\n".join(_clip(line, _MAX_LINE_CHARS) for line in lines[:most])
    left = len(lines) - most
    return _Cut(shown, f"{left:,} more line{'s' if left > 1 else ''}, not shown here" if left > 0 else "")


def _duration(seconds: float) -> tuple[str, str]:
    """A number and its unit."""
    if seconds < 100:
        return f"{seconds:.0f}", "seconds"
    minutes = round(seconds / 60)
    return (f"{minutes}", "minutes") if minutes < 120 else (f"{minutes // 60}:{minutes % 60:02d}", "hours")


# --- counts ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bar:
    """One bar of a plot."""

    label: str
    count: int
    length: float
    """In percent of the longest bar."""
    share: str
    """Of all that is counted, for a person."""


@dataclass(frozen=True)
class _Stage:
    """One row of the funnel."""

    count: StageCount
    kept: float
    """In percent of the widest stage of the same unit, as `rejected`."""
    rejected: float
    new_unit: bool
    """Whether it counts something else than the stage before."""
    says: str


def _bars(counts: Sequence[tuple[str, int]]) -> list[_Bar]:
    most = max((count for _, count in counts), default=0) or 1
    total = sum(count for _, count in counts) or 1
    return [_Bar(label, count, 100 * count / most, _share(count / total)) for label, count in counts]


def _share(share: float) -> str:
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def _funnel(stages: Sequence[StageCount]) -> list[_Stage]:
    # What only looks at tables is no step from notebooks to tasks.
    stages = [stage for stage in stages if stage.unit != "tables"]
    widest: dict[str, int] = {}
    for stage in stages:
        widest[stage.unit] = max(widest.get(stage.unit, 1), stage.kept + stage.rejected)
    rows: list[_Stage] = []
    for stage in stages:
        full = widest[stage.unit]
        new_unit = not rows or rows[-1].count.unit != stage.unit
        kept, rejected = 100 * stage.kept / full, 100 * stage.rejected / full
        rows.append(_Stage(stage, kept, rejected, new_unit, _STAGE_SAYS.get(stage.stage, "")))
    return rows


@dataclass(frozen=True)
class _Gate:
    """One gate's row."""

    count: GateCount
    passed: float
    """In percent of the tasks that the widest row saw, as `stopped`."""
    stopped: float
    share: str
    """Stopped, of what the gate saw."""


def _gates(counts: Sequence[GateCount]) -> list[_Gate]:
    full = max((count.passed + count.stopped for count in counts), default=0) or 1
    return [
        _Gate(
            count,
            100 * count.passed / full,
            100 * count.stopped / full,
            _share(count.stopped / ((count.passed + count.stopped) or 1)),
        )
        for count in counts
    ]


@dataclass(frozen=True)
class _Guess:
    """One guesser's row; lengths in percent of the plot's width."""

    guesser: str
    before: float
    after: float
    before_share: str
    after_share: str


@dataclass(frozen=True)
class _Guessing:
    """The plot of the guessers."""

    rows: tuple[_Guess, ...]
    limit: float
    """Where the most that is allowed stands, in percent of the plot's width."""
    limit_share: str
    never: int
    """Guessers that were never right."""
    left_out: int
    over: int
    """Guessers above the limit in the dataset: possible only where there are few tasks."""


def _guessing(report: Report) -> _Guessing:
    right = [guesser for guesser in report.guessers if guesser.before or guesser.after]
    right.sort(key=lambda guesser: (-guesser.before, -guesser.after, guesser.guesser))
    shown = right[:_MAX_GUESSERS]
    shares = [share for guesser in shown for share in (guesser.before, guesser.after)]
    full = max([*shares, 1.25 * report.guessers_share]) or 1.0
    rows = tuple(
        _Guess(g.guesser, 100 * g.before / full, 100 * g.after / full, _fine(g.before), _fine(g.after)) for g in shown
    )
    return _Guessing(
        rows,
        100 * report.guessers_share / full,
        _fine(report.guessers_share).replace(".0", ""),
        len(report.guessers) - len(right),
        len(right) - len(shown),
        sum(guesser.after > report.guessers_share for guesser in report.guessers),
    )


def _fine(share: float) -> str:
    return f"{100 * share:.1f} %"


def _all_levels(levels: Counts) -> list[tuple[str, int]]:
    """Levels 1 to 5, those without a task too: a gap is what a reader looks for."""
    found = dict(levels)
    return [(name, found.get(name, 0)) for name in sorted({*(f"L{level}" for level in range(1, 6)), *found})]


# --- tasks -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Answer:
    """An answer as the page shows it: a text, the items of a list, or the pairs of a mapping."""

    text: str = ""
    items: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    left_out: int = 0
    """Items or pairs that are not shown."""


@dataclass(frozen=True)
class _ShownProof:
    """One gate of a task's proof."""

    gate: str
    passed: bool
    evidence: str


@dataclass(frozen=True)
class _ShownOutput:
    """One output as the page shows it."""

    kind: str
    """stdout, stderr, result, picture or error."""
    cut: _Cut
    picture: str = ""
    """A PNG in base64."""


@dataclass(frozen=True)
class _ShownStep:
    """One step of a trace as the page shows it."""

    comment: str
    code: Markup
    note: str
    """What of the code is not shown."""
    outputs: tuple[_ShownOutput, ...]
    ending: str
    """What became of the cell, where it did not end well or its outputs are not all shown."""


@dataclass(frozen=True)
class _Sample:
    """A task to read, and its trace."""

    task: Task
    trace: Trace
    title: str
    """The question without its contract, for a list of contents."""
    contract: str
    answer: _Answer
    proofs: tuple[_ShownProof, ...]
    steps: tuple[_ShownStep, ...]
    last_words: str
    left_out: int
    """Steps that are not shown."""


def _sample(task: Task, trace: Trace) -> _Sample:
    code = [step for step in trace.steps if step.code is not None]
    return _Sample(
        task,
        trace,
        title=_clip(task.question.replace(sentence(task.contract), "").replace("`", "").strip(), _MAX_TITLE_CHARS),
        contract=_contract(task.contract),
        answer=_answer(task),
        proofs=tuple(_proof(gate) for gate in task.proof.gates),
        steps=tuple(_steps(code[:_MAX_STEPS])),
        last_words=" ".join(step.comment for step in trace.steps[-1:] if step.code is None),
        left_out=max(0, len(code) - _MAX_STEPS),
    )


def _contract(contract: Contract) -> str:
    """The parts of a contract that are not at rest, in the order in which a person asks for them."""
    parts: list[str] = [contract.kind]
    if contract.kind == "mapping":
        parts.append(f"from {contract.key or 'text'} to {contract.item or 'text'}")
    elif contract.kind in ("list", "set"):
        order = ", order counts" if contract.kind == "list" and contract.ordered else ", in any order"
        parts.append(f"of {contract.item or 'text'}{order}")
    if contract.unit:
        parts.append(f"unit {contract.unit}")
    if contract.decimals is not None:
        parts.append(f"{contract.decimals} decimal{'' if contract.decimals == 1 else 's'}")
    if contract.case_sensitive:
        parts.append("upper and lower case matter")
    if contract.choices:
        parts.append(f"one of: {', '.join(contract.choices)}")
    if contract.ties:
        parts.append(f"ties: {contract.ties}")
    if contract.alternatives:
        parts.append(f"accepted too: {', '.join(contract.alternatives)}")
    return "; ".join(parts)


def _answer(task: Task) -> _Answer:
    contract = task.contract
    try:
        value = from_json(task.answer_json, contract)
        if isinstance(value, tuple) and value:
            left_out = max(0, len(value) - _MAX_ITEMS)
            if contract.kind == "mapping":
                return _Answer(pairs=tuple(_pair(pair, contract) for pair in value[:_MAX_ITEMS]), left_out=left_out)
            items = tuple(_one(item, item_contract(contract)) for item in value[:_MAX_ITEMS])
            return _Answer(items=items, left_out=left_out)
        return _Answer(text=_one(value, contract))
    except AnswerError:  # a task of a newer or a broken dataset: what is stored is better than no page
        return _Answer(text=_clip(task.answer_json))


def _pair(pair: object, contract: Contract) -> tuple[str, str]:
    assert isinstance(pair, tuple)
    return _one(pair[0], key_contract(contract)), _one(pair[1], item_contract(contract))


def _one(value: object, contract: Contract) -> str:
    return _clip(value if isinstance(value, str) else render(value, contract))


def _proof(gate: GateResult) -> _ShownProof:
    return _ShownProof(gate.gate, gate.passed, _clip(in_words(gate), _MAX_LINE_CHARS))


# --- notebooks ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _ShownChange:
    """A repair or a loss as the page shows it."""

    change: CodeChange
    before: _Cut
    after: _Cut


@dataclass(frozen=True)
class _Changed:
    """A notebook of which code was repaired or lost."""

    path: str
    summary: str
    changes: tuple[_ShownChange, ...]
    left_out: int


def _changed(account: NotebookAccount) -> _Changed:
    kinds = Counter(change.kind for change in account.changes)
    told = (
        (kinds["repaired"] + kinds["guessed"], "repaired"),
        (kinds["guessed"], "of them by a guess"),
        (kinds["lost"], "lost"),
    )
    # What is lost stands last, and is what a reader looks for first.
    shown = sorted(account.changes, key=lambda change: change.kind != "lost")[:_MAX_CHANGES]
    return _Changed(
        account.path,
        ", ".join(f"{count:,} {what}" for count, what in told if count),
        tuple(
            _ShownChange(change, _cut(change.before, _MAX_CHANGE_LINES), _cut(change.after, _MAX_CHANGE_LINES))
            for change in shown
        ),
        len(account.changes) - len(shown),
    )


# --- traces ------------------------------------------------------------------------------------


def _steps(steps: Sequence[Step]) -> Iterator[_ShownStep]:
    """The steps with as many outputs and pictures as one trace may show."""
    room, pictures = _MAX_OUTPUTS, _MAX_PICTURES
    for step in steps:
        outputs: list[_ShownOutput] = []
        for output in step.result.outputs[:room] if step.result else ():
            shown = _output(output, pictures > 0)
            pictures -= shown.kind == "picture"
            outputs.append(shown)
        room -= len(outputs)
        code = _cut(step.code or "", _MAX_CODE_LINES)
        marked = Markup(highlight(code.text, PythonLexer(), HtmlFormatter(nowrap=True)))  # the highlighter escapes
        yield _ShownStep(
            step.comment,
            marked,
            code.note,
            tuple(o for o in outputs if o.cut.text or o.picture),
            _ending(step, outputs),
        )


def _ending(step: Step, shown: Sequence[_ShownOutput]) -> str:
    result = step.result
    if result is None:
        return "It was not run."
    left_out = len(result.outputs) - len(shown)
    said = (
        _STATUS_SAYS[result.status],
        f"{left_out:,} more outputs are not shown here." if left_out else "",
        f"{result.truncated_bytes:,} bytes of output were over the limit." if result.truncated_bytes else "",
    )
    return " ".join(part for part in said if part)


_STATUS_SAYS: Mapping[str, str] = {
    "ok": "",
    "error": "The cell failed.",
    "timeout": "The cell was stopped: it took too long.",
    "dead": "The kernel died.",
}


def _output(output: Output, picture_wanted: bool) -> _ShownOutput:
    """Texts and pictures only: stored HTML, SVG and scripts are never shown."""
    if output.kind == "error":
        return _ShownOutput("error", _cut("\n".join(output.traceback) or f"{output.name}: {output.text}"))
    if output.kind == "stream":
        return _ShownOutput("stderr" if output.name == "stderr" else "stdout", _cut(output.text))
    picture = "".join(output.data.get("image/png", "").split())
    if picture_wanted and _is_png(picture):
        return _ShownOutput("picture", _Cut(""), picture)
    text = output.data.get("text/plain", "")
    return _ShownOutput("result", _cut(text or f"[{_clip(', '.join(output.data), 200)}: not shown here]"))


def _is_png(text: str) -> bool:
    """Whether a text is nothing but the base64 of a PNG."""
    if not text or len(text) > _MAX_PICTURE_CHARS:
        return False
    try:
        return base64.b64decode(text, validate=True).startswith(_PNG)
    except (binascii.Error, ValueError):
        return False
