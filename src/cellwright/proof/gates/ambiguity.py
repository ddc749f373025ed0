"""Ambiguity: where another reading of the question gives another answer, the question must have said which is meant.

The contract (kind, unit, rounding, order, ties) must be in words, always. Each choice of `choices.CHOICES` that the
program makes is made otherwise: if the answer moves, the question must have the words that settle it. A reading whose
program fails is none.
"""

from collections.abc import Iterator, Sequence

from cellwright.answers import state
from cellwright.core.types import GateResult, Task
from cellwright.proof.gates.asking import asked
from cellwright.proof.gates.choices import CHOICES, Choice, other_readings
from cellwright.proof.gates.protocol import Subject, Trial, Tried, result, shown
from cellwright.proof.gates.rewrites import HELPERS
from cellwright.proof.judge import Program

NAME = "ambiguity"
_NOTHING = {"t": "null"}
"""No answer is not another answer: nobody takes "missing" for the group with the highest mean."""


class Ambiguity:
    """One run for each other reading of the program."""

    name = NAME

    def trials(self, subject: Subject) -> Sequence[Trial]:
        if unstated(subject):
            return []
        return list(_readings(subject))

    def verdict(self, subject: Subject, tried: Sequence[Tried]) -> GateResult:
        contract = unstated(subject)
        if contract:
            return result(NAME, "the contract is not in words", wording=contract)
        moved: dict[str, str] = {}
        stayed: list[str] = []
        for trial, run in tried:
            outcome = subject.outcome(run)
            if outcome == "moved" and run.value != _NOTHING:
                moved.setdefault(trial.label, shown(run))
            else:
                stayed.append(f"{trial.label}: {outcome}")
        open_ones = [name for name in moved if not _is_settled(name, subject.task)]
        return result(NAME, f"not stated: {open_ones[0]}" if open_ones else "", moved=moved, stayed=sorted(set(stayed)))


def _readings(subject: Subject) -> Iterator[Trial]:
    for choice in CHOICES:
        for sources in other_readings(subject.reading.modules, choice):
            *units, expression = sources
            yield Trial(choice.name, Program((HELPERS, *units), expression))


def _is_settled(name: str, task: Task) -> bool:
    choice: Choice = next(choice for choice in CHOICES if choice.name == name)
    if name == "ties" and task.contract.ties:
        return True
    return choice.words.search(asked(task.question, task.contract, with_labels=choice.by_labels)) is not None


def unstated(subject: Subject) -> str:
    """A wording of the question that does not state all of the contract; empty where each does."""
    task = subject.task
    for question in (task.question, *task.phrasings):
        if state(question, task.contract) != " ".join(question.split()) and state(question, task.contract) != question:
            return question
    return ""
