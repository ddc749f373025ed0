"""What `cellwright train` shows: where a run is, what came of it, and a trace token by token."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from cellwright.apps.texts import visible
from cellwright.training.distil import Tally
from cellwright.training.inspecting import Inspected, Kind
from cellwright.training.record import OnPolicyResult, Result, Side
from cellwright.training.sft import Hear, Told
from cellwright.training.sweep import PLOT, Outcome, Sweep, last_loss

_LINE_EVERY_S = 10.0
_STYLES: dict[Kind, str] = {"trained": "black on green", "context": "dim", "truncated": "red strike"}
# Where there are no colours, brackets say the same.
_BRACKETS: dict[Kind, tuple[str, str]] = {"trained": ("⟦", "⟧"), "context": ("", ""), "truncated": ("⟪", "⟫")}


@contextmanager
def watching(*, quiet: bool) -> Iterator[Hear]:
    """Who is told of a run: a bar on a terminal, lines now and then elsewhere, nobody when quiet. On stderr."""
    if quiet:
        yield lambda told: None
    elif sys.stderr.isatty():
        columns = (BarColumn(bar_width=28), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"))
        with Progress(*columns, TimeRemainingColumn(), TextColumn("{task.description}"), console=_stderr()) as bars:
            yield _Bar(bars)
    else:
        yield _Lines()


def _stderr() -> Console:
    return Console(stderr=True, highlight=False)


def _losses(told: Told) -> str:
    parts = [("loss", told.loss), ("validation loss", told.validation_loss)]
    return ", ".join(f"{name} {loss:.4f}" for name, loss in parts if loss is not None)


class _Bar:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task = bars.add_task("", total=None)

    def __call__(self, told: str | Told) -> None:
        if isinstance(told, str):
            self._bars.console.print(told, markup=False)
            return
        self._bars.update(self._task, completed=told.step, total=told.steps, description=_losses(told))


class _Lines:
    def __init__(self) -> None:
        self._said = 0.0

    def __call__(self, told: str | Told) -> None:
        if isinstance(told, str):
            self._line(told)
        elif _losses(told) and (time.monotonic() - self._said > _LINE_EVERY_S or told.validation_loss is not None):
            self._said = time.monotonic()
            self._line(f"step {told.step} of {told.steps}, epoch {told.epoch:.2f}: {_losses(told)}")

    def _line(self, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def print_result(result: Result, out: Path, *, as_json: bool) -> None:
    """What came of a run, and what to do with it."""
    console = Console(highlight=False)
    if as_json:
        console.print_json(json.dumps(asdict(result)))
        return
    for name, side in (("train", result.train), ("validation", result.validation)):
        if side is not None:
            console.print(f"{name:<11}{_side(side)}")
    for name, curve in (("loss", result.training), ("validated", result.validating)):
        if curve:
            console.print(
                f"{name:<11}{curve[0].loss:.4f} at step {curve[0].step} → {curve[-1].loss:.4f} at step {curve[-1].step}"
            )
    console.print(f"steps      {result.steps} in {result.seconds:.0f} s on {escape(result.device)}")
    console.print(f"model      {out}", soft_wrap=True)
    next_one = (
        f"train merge {out} --out MODEL" if result.run.recipe.lora is not None else f"ask QUESTION FILES --model {out}"
    )
    console.print(f"next       cellwright {next_one}", soft_wrap=True)


def _side(side: Side) -> str:
    lengths, counts = side.lengths, side.counts
    losses = {"cut": counts.cut, "dropped": counts.dropped, "without thinking": counts.without_thinking}
    lost = "".join(f", {count} {name}" for name, count in losses.items() if count)
    return (
        f"{lengths.rows} rows, {lengths.tokens:,} tokens, {lengths.trained:,} of them trained; "
        f"median {lengths.median}, longest {lengths.longest}{lost}"
    )


def print_sweep(sweep: Sweep, outcomes: Sequence[Outcome], out: Path, *, as_json: bool) -> None:
    """The losses by value, and where the plot is."""
    console = Console(highlight=False)
    if as_json:
        rows = [
            {
                "value": o.value,
                "out": str(o.out),
                "train": last_loss(o, "train"),
                "validation": last_loss(o, "validation"),
            }
            for o in outcomes
        ]
        console.print_json(json.dumps({"setting": sweep.key, "runs": rows}))
        return
    table = Table(sweep.name, "training loss", "validation loss", "model")
    for outcome in outcomes:
        losses = [last_loss(outcome, side) for side in ("train", "validation")]
        table.add_row(outcome.value, *("" if n is None else f"{n:.4f}" for n in losses), str(outcome.out))
    console.print(table)
    console.print(f"plot       {out / PLOT}", soft_wrap=True)
    console.print("A loss is not accuracy: run the models on the test split's tasks before you choose.")


def print_tally(tally: Tally, dataset: Path | None, *, as_json: bool) -> None:
    """What became of the tasks, and what to do with those that are taught; no dataset is made on policy."""
    console = Console(highlight=False)
    if as_json:
        console.print_json(json.dumps(asdict(tally)))
        return
    unscored = f", {tally.unscored_runs} that nobody can tell" if tally.unscored_runs else ""
    console.print(f"held out   {tally.held_out} tasks of the validation and test splits: not used")
    console.print(f"student    {tally.right_runs} of {tally.runs} runs right{unscored}")
    console.print(f"tasks      {tally.asked}: {tally.done} done, {tally.failed} failed, {tally.undecided} undecided")
    if dataset is not None:
        console.print(f"teacher    solved {tally.taught} of {tally.failed}")
    for reason, count in sorted(tally.untaught.items()):
        console.print(f"  {count:>6}  {escape(reason)}")
    if tally.undecided:
        console.print("The same command again decides what was lost by an endpoint or a kernel.")
    if tally.taught and dataset is not None:
        console.print(f"next       cellwright train sft {dataset} --model STUDENT --out DIR", soft_wrap=True)


def print_on_policy(result: OnPolicyResult, out: Path, *, as_json: bool) -> None:
    """How near the student has come to its teacher, and what to do with it."""
    console = Console(highlight=False)
    if as_json:
        console.print_json(json.dumps(asdict(result)))
        return
    too_long = f", {result.too_long} more too long" if result.too_long else ""
    console.print(f"turns      {result.turns} to say anew{too_long}")
    if result.curve:
        first, last = result.curve[0], result.curve[-1]
        console.print(f"divergence {first.loss:.4f} at step {first.step} → {last.loss:.4f} at step {last.step}")
    console.print(f"steps      {result.steps} in {result.seconds:.0f} s")
    console.print(f"model      {out}", soft_wrap=True)
    console.print(f"next       cellwright ask QUESTION FILES --model {out}", soft_wrap=True)


def print_inspected(found: Inspected, *, as_json: bool) -> None:
    """The trace token by token: what is trained, what is context, what is beyond the window."""
    console = Console(highlight=False)
    if as_json:
        console.print_json(json.dumps(asdict(found)))
        return
    text = Text()
    for piece in found.pieces:
        if console.color_system is None:
            opening, closing = _BRACKETS[piece.kind]
            text.append(opening + visible("".join(piece.tokens)) + closing)
            continue
        for number, token in enumerate(piece.tokens):
            # Every other token is underlined, so that one sees where tokens end.
            text.append(visible(token), f"{_STYLES[piece.kind]}{' underline' if number % 2 else ''}")
    console.print(text, soft_wrap=True)
    counts = ", ".join(f"{found.count(kind)} {kind}" for kind in _STYLES)
    console.print(f"\ntrace {found.id}, template {escape(found.template)}, window {found.window}: {counts} tokens")
