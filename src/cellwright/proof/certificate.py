"""What an audit of a sample says of all tasks: an exact upper bound on the share of those that are invalid.

One-sided Clopper-Pearson (https://doi.org/10.1093/biomet/26.4.404): the largest share under which as few invalid tasks
as were found would still be drawn with a chance of 5%. It holds for tasks drawn at random, and is cautious where
few tasks are drawn from few. It says nothing about whether the judge was right.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cellwright.core.records import to_row
from cellwright.core.types import Task

Finding = Literal["valid", "invalid", "unsure"]
JudgeKind = Literal["person", "program"]
CONFIDENCE = 0.95
_STEPS = 100


@dataclass(frozen=True)
class Sitting:
    """One judge at one draw of tasks."""

    judge: str
    """A person's name, or a program's with its version."""
    kind: JudgeKind
    seed: int
    """Of the draw."""


@dataclass(frozen=True)
class AuditVerdict:
    """What one judge said of one task."""

    sitting: Sitting
    task_id: str
    task_sha256: str
    """Of the task as it was judged: a verdict on another question, answer or program is none on this one."""
    verdict: Finding
    reason: str
    at: str
    """Date and time, ISO."""


@dataclass(frozen=True)
class Certificate:
    """What a judge's verdicts say of the dataset."""

    sitting: Sitting
    tasks: int
    """Of the dataset."""
    drawn: int
    judged: int
    valid: int
    invalid: int
    unsure: int
    bound: float
    """With 95% confidence no more than this share of all tasks is invalid; what the judge was unsure of counts so."""
    bound_if_unsure_valid: float


def upper_bound(invalid: int, judged: int, confidence: float = CONFIDENCE) -> float:
    """The one-sided upper bound on a share of which `invalid` were found among `judged`; 1 where none was judged."""
    if not 0 <= invalid <= judged:
        raise ValueError(f"{invalid} of {judged} is no count")
    if invalid == judged:
        return 1.0
    low, high = invalid / judged, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _chance_of_as_few(invalid, judged, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _chance_of_as_few(found: int, drawn: int, share: float) -> float:
    """The binomial distribution up to `found`; logarithms, as its factors leave the range of floats."""
    if share >= 1:
        return 0.0
    hit, miss = math.log(share) if share else -math.inf, math.log1p(-share)
    whole = math.lgamma(drawn + 1)
    return math.fsum(
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(drawn - k + 1) + (k * hit if k else 0.0) + (drawn - k) * miss)
        for k in range(found + 1)
    )


def draw(tasks: Sequence[Task], count: int, seed: int) -> list[Task]:
    """So many tasks at random, in an order that a seed decides: a longer draw begins with the shorter one."""

    def place(task: Task) -> bytes:
        return hashlib.sha256(f"{seed}\0{task.id}".encode()).digest()

    return sorted(tasks, key=place)[:count]


def fingerprint_of(task: Task) -> str:
    """The hash of what a judge judges: question, contract, answer, tables and program."""
    row = to_row(task)
    judged = [row[name] for name in ("question", "contract", "answer_json", "tables", "oracle")]
    return hashlib.sha256(json.dumps(judged, sort_keys=True).encode()).hexdigest()


def latest(verdicts: Iterable[AuditVerdict], drawn: Sequence[Task], sitting: Sitting) -> dict[str, AuditVerdict]:
    """By task, the last that was said in this sitting of a drawn task as it is now."""
    wanted = {task.id: fingerprint_of(task) for task in drawn}
    return {
        verdict.task_id: verdict
        for verdict in verdicts
        if verdict.sitting == sitting and wanted.get(verdict.task_id) == verdict.task_sha256
    }


def certify(sitting: Sitting, verdicts: Iterable[AuditVerdict], drawn: int, tasks: int) -> Certificate:
    """The certificate of the verdicts that `latest` gives."""
    found = [verdict.verdict for verdict in verdicts]
    valid, invalid, unsure = (found.count(name) for name in ("valid", "invalid", "unsure"))
    return Certificate(
        sitting,
        tasks,
        drawn,
        len(found),
        valid,
        invalid,
        unsure,
        bound=upper_bound(invalid + unsure, len(found)),
        bound_if_unsure_valid=upper_bound(invalid, len(found)),
    )
