"""The same training with one setting at several values, each a whole run of its own, and a plot of what came out.

A schedule ends with its run, so two epochs of a run of five are not a run of two: each value trains anew.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cellwright.core.errors import ConfigError, MissingExtra
from cellwright.training.recipe import load_recipe
from cellwright.training.record import Result
from cellwright.training.rows import read_talks
from cellwright.training.sft import CHECKPOINTS, Hear, check_recipe, is_first_rank, quiet_libraries, train_sft

_SHORT = {"epochs": "sft.num_train_epochs", "rate": "sft.learning_rate"}
PLOT, TABLE = "sweep.svg", "sweep.json"


@dataclass(frozen=True)
class Sweep:
    """A setting and its values, as they were written."""

    name: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """One value's run."""

    value: str
    out: Path
    result: Result


@dataclass(frozen=True)
class Base:
    """What all runs of a sweep have in common."""

    dataset: Path
    recipe: str
    changes: Sequence[str]
    model: str | None
    out: Path


def read_sweep(text: str) -> Sweep:
    """`epochs=1,2,3`, or any setting by its key. Raises ConfigError."""
    name, sign, values = text.partition("=")
    found = tuple(value.strip() for value in values.split(",") if value.strip())
    if not sign or not found or len(set(found)) != len(found):
        raise ConfigError(f"--sweep takes one setting and its values, as epochs=1,2,3,5,7; not {text!r}")
    return Sweep(name, _SHORT.get(name, name), found)


def run_sweep(base: Base, sweep: Sweep, hear: Hear) -> list[Outcome]:
    """Train for each value in a folder of its own; runs that are done are not done again. Writes table and plot."""
    # All recipes are checked before the first run: a wrong value should not come to light after hours.
    recipes = [load_recipe(base.recipe, [*base.changes, f"{sweep.key}={v}"], base.model) for v in sweep.values]
    with quiet_libraries():
        for recipe in recipes:
            check_recipe(recipe, read_talks(base.dataset, recipe.data.rendering)["train"], base.out / CHECKPOINTS)
    outcomes = []
    for value, recipe in zip(sweep.values, recipes, strict=True):
        if is_first_rank():
            hear(f"{sweep.name} = {value}")
        out = base.out / f"{sweep.name}-{value}"
        outcomes.append(Outcome(value, out, train_sft(base.dataset, recipe, out, hear)))
    rows = [
        {"value": o.value, "out": o.out.name, "train_loss": last_loss(o, "train"), "loss": last_loss(o, "validation")}
        for o in outcomes
    ]
    if is_first_rank():
        table = json.dumps({"setting": sweep.key, "runs": rows}, indent=1)
        (base.out / TABLE).write_text(f"{table}\n", encoding="utf-8")
        _plot(sweep, outcomes, base.out / PLOT)
    return outcomes


def last_loss(outcome: Outcome, side: str) -> float | None:
    """At the end of training; None where there is no such split."""
    curve = outcome.result.training if side == "train" else outcome.result.validating
    return curve[-1].loss if curve else None


def _plot(sweep: Sweep, outcomes: Sequence[Outcome], path: Path) -> None:
    """Loss at the end by value, and the validation loss of each run on its way."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("train", "the plot of a sweep") from error

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    ends, ways = figure.subplots(1, 2)
    for side in ("train", "validation"):
        losses = [last_loss(outcome, side) for outcome in outcomes]
        if None not in losses:
            ends.plot([o.value for o in outcomes], losses, "o-", label=side)
    ends.set(xlabel=sweep.name, ylabel="loss at the end")
    ends.legend()
    for outcome in outcomes:
        curve = outcome.result.validating or outcome.result.training
        ways.plot([p.epoch for p in curve], [p.loss for p in curve], ".-", label=f"{sweep.name} = {outcome.value}")
    measured = "validation" if outcomes[0].result.validating else "training"
    ways.set(xlabel="epoch", ylabel=f"{measured} loss on the way")
    ways.legend()
    figure.savefig(path)
