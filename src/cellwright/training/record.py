"""What a run of training leaves of itself, beside the model: what it depended on, and how it went."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import msgspec

from cellwright.core.errors import UsageError
from cellwright.core.hashing import sha256_file
from cellwright.dataset.files import TRACES
from cellwright.training.recipe import Recipe
from cellwright.training.rows import Counts, Lengths

RUN = "run.json"
RESULT = "result.json"
Found = TypeVar("Found")
_LIBRARIES = ("cellwright", "torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers")


@dataclass(frozen=True)
class Run:
    """What a run depends on. Its recipe is complete: defaults, file and changes."""

    dataset: str
    """Name of the dataset's folder."""
    data_sha256: str
    """Of traces.parquet."""
    recipe: Recipe
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Point:
    """The loss at one step: of training, or of the validation split."""

    step: int
    epoch: float
    loss: float
    accuracy: float | None
    """Share of the trained tokens that the model would have said itself, given what came before."""


@dataclass(frozen=True)
class Side:
    """One split as it was trained on or measured."""

    lengths: Lengths
    counts: Counts


@dataclass(frozen=True)
class Result:
    """How a run went."""

    run: Run
    train: Side
    validation: Side | None
    """None where the dataset has no validation split."""
    training: tuple[Point, ...]
    validating: tuple[Point, ...]
    """The last one is of the finished model."""
    steps: int
    seconds: float
    """Of the last start, where a run was stopped and went on."""
    parameters: int
    trained_parameters: int
    peak_bytes: int
    """Memory of the process, or of the GPU where there is one."""
    device: str


@dataclass(frozen=True)
class OnPolicyRun:
    """What teaching on policy depends on."""

    teacher: str
    recipe: Recipe
    turns_sha256: str
    """Of the places from which the student speaks."""
    versions: Mapping[str, str]


@dataclass(frozen=True)
class OnPolicyResult:
    """How a student was taught on policy."""

    run: OnPolicyRun
    turns: int
    """Places from which the student speaks."""
    too_long: int
    """Others, at which the window has no room for a turn."""
    steps: int
    seconds: float
    """Of the last start, where a run was stopped and went on."""
    curve: tuple[Point, ...]
    """The divergence from the teacher, a token, of what the student says by then."""


def this_run(dataset: Path, recipe: Recipe) -> Run:
    """What a run that starts now depends on."""
    versions = {name: version(name) for name in _LIBRARIES}
    return Run(dataset.resolve().name, sha256_file(dataset / TRACES), recipe, versions)


def look(out: Path, run: Run) -> Result | None:
    """What a folder holds of this run: its result, where it is done already. Writes nothing.

    Raises UsageError for a folder that holds something else.
    """
    return _looked(out, run, Result)


def look_on_policy(out: Path, run: OnPolicyRun) -> OnPolicyResult | None:
    """As `look`, of a student that is taught on policy."""
    return _looked(out, run, OnPolicyResult)


def _looked(out: Path, run: Run | OnPolicyRun, kind: type[Found]) -> Found | None:
    path = out / RUN
    try:
        if path.exists():
            before = msgspec.json.decode(path.read_bytes(), type=type(run))
            if changed := _differences(before, run):
                raise UsageError(
                    f"{out} holds another run: {', '.join(changed)} differ. Give another --out, or remove the folder"
                )
        elif out.exists() and not all(is_void(path) for path in out.iterdir()):
            raise UsageError(f"{out} is not empty and holds no run of training: give another --out")
        result = out / RESULT
        return msgspec.json.decode(result.read_bytes(), type=kind) if result.exists() else None
    except msgspec.DecodeError as error:
        raise UsageError(f"{out} holds a run whose record cannot be read ({error}): give another --out") from None


def is_void(path: Path) -> bool:
    """Whether it is an empty folder: the libraries make that of checkpoints before a run is known to begin."""
    return path.is_dir() and not any(path.iterdir())


def claim(out: Path, run: Run | OnPolicyRun) -> None:
    """Make a folder, at which somebody has looked, this run's."""
    out.mkdir(parents=True, exist_ok=True)
    _write(out / RUN, run)


def _differences(before: Run | OnPolicyRun, now: Run | OnPolicyRun) -> list[str]:
    """What decides the outcome and is not the same. Versions may differ: a resumed run says so by its own record."""
    names = {"data_sha256": "the dataset", "teacher": "the teacher", "turns_sha256": "the student's turns"}
    found = [words for name, words in names.items() if getattr(before, name, None) != getattr(now, name, None)]
    old, new = (asdict(run.recipe) for run in (before, now))
    return found + [f"the recipe's {key}" for key in new if old[key] != new[key]]


def keep(out: Path, result: Result | OnPolicyResult) -> None:
    """The last thing that a run writes: it is done."""
    _write(out / RESULT, result)


def load_result(out: Path) -> Result:
    """The result of a finished run. Raises UsageError where there is none."""
    if not (out / RESULT).exists():
        raise UsageError(f"{out} holds no finished run of `cellwright train sft`")
    return msgspec.json.decode((out / RESULT).read_bytes(), type=Result)


def _write(path: Path, noun: Run | Result | OnPolicyRun | OnPolicyResult) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(asdict(noun), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def points(history: list[dict[str, float]], prefix: str = "") -> tuple[Point, ...]:
    """The curve of a trainer's history: of training, or, with the prefix `eval_`, of the validation split."""
    return tuple(
        Point(int(entry["step"]), entry["epoch"], entry[f"{prefix}loss"], entry.get(f"{prefix}mean_token_accuracy"))
        for entry in history
        if f"{prefix}loss" in entry and math.isfinite(entry[f"{prefix}loss"])
    )
