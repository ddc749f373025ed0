"""What a distillation is asked to do, and what it counted."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec

from cellwright.agent import RunLimits
from cellwright.core.errors import ConfigError, UsageError
from cellwright.models import Sampling

ORDER, TALLY = "distil.json", "tally.json"
TRACES_AS_TEACHER = "traces"
"""In place of a teacher: the dataset's own traces, which are of the programs that proved its tasks."""


@dataclass(frozen=True)
class Distil:
    """All that decides what comes out, besides the dataset and what models say."""

    student: str
    """Its name, for the record."""
    teacher: str
    """Its name; `traces` for the dataset's own."""
    samples: int = 4
    """Runs of the student at each task."""
    enough: int = 1
    """Right runs of these with which a task counts as done, and is not taught."""
    tries: int = 1
    """Runs of the teacher at a task, of which the shortest right one is kept."""
    tasks: int | None = None
    """Of the train split, the first ones; None takes all."""
    student_sampling: Sampling = field(default=Sampling(temperature=1.0))
    teacher_sampling: Sampling = field(default=Sampling())
    limits: RunLimits = field(default=RunLimits())

    def __post_init__(self) -> None:
        if not 1 <= self.enough <= self.samples or self.tries < 1:
            raise ConfigError(
                f"of {self.samples} samples {self.enough} cannot be enough, or {self.tries} tries are too few"
            )


@dataclass(frozen=True)
class Tally:
    """Each step's count. Tasks, where nothing else is said."""

    held_out: int
    """Of the validation and test splits: never run, never taught."""
    asked: int
    runs: int
    """Of the student, that came to an end."""
    right_runs: int
    unscored_runs: int
    """Of which the grader could not tell. They are not failures."""
    done: int
    """By the student, often enough."""
    undecided: int
    """The student may have done it: its endpoint or kernel failed, or the grader could not tell."""
    failed: int
    """By the student: these went to the teacher."""
    taught: int
    """That the teacher solved: these are in the dataset."""
    untaught: Mapping[str, int]
    """The other failed ones, by why."""


def claim(out: Path, order: Distil, data_sha256: str) -> None:
    """Make a folder this distillation's. Raises UsageError for a folder that holds something else."""
    path = out / ORDER
    said = json.dumps({"data_sha256": data_sha256, "order": asdict(order)}, indent=1) + "\n"
    if path.exists():
        if path.read_text(encoding="utf-8") != said:
            raise UsageError(
                f"{out} holds another distillation: its {ORDER} says of which dataset, student, teacher and settings. "
                "Give another --out, or remove the folder"
            )
        return
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty and holds no distillation: give another --out")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(said, encoding="utf-8")


def keep(out: Path, tally: Tally) -> None:
    """The last thing that a distillation writes."""
    (out / TALLY).write_text(json.dumps(asdict(tally), indent=1) + "\n", encoding="utf-8")


def load_tally(out: Path) -> Tally:
    """What a finished distillation counted."""
    return msgspec.json.decode((out / TALLY).read_bytes(), type=Tally)
