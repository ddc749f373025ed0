"""InfiAgent-DABench: answers written as `@name[value]`, and its two accuracies, as its evaluation counts them.

The rules are those of `examples/DA-Agent/eval_closed_form.py` in InfiAgent/InfiAgent at 98c4f48, leniencies included:
the last of two answers with one name counts, a text must be the label to the letter, a number may be off by 1e-6, and a
question without a response is not counted at all. Where that misleads, the strict numbers stand beside it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cellwright.answers.compare import compare
from cellwright.core.types import Contract, Grade

_ANSWER = re.compile(r"@(\w+)\[(.*?)\]")
_TOLERANCE = 1e-6
_NUMBER = re.compile(r"[+-]?\d+(?:\.(?P<decimals>\d+))?")


@dataclass(frozen=True)
class SubGrade:
    """The verdicts on one sub-question."""

    name: str
    official: bool
    """What the benchmark's own evaluation says."""
    strict: Grade
    """What a contract read off the label says."""


@dataclass(frozen=True)
class QuestionGrade:
    """The verdicts on one question, one per name in its label."""

    parts: tuple[SubGrade, ...]
    answered: bool
    """False where there was no response, or an empty one."""

    @property
    def official(self) -> bool:
        """Whether every sub-question is right by the benchmark's rules."""
        return all(part.official for part in self.parts)

    @property
    def strict(self) -> bool:
        """Whether every sub-question is right under its contract."""
        return all(part.strict.verdict == "correct" for part in self.parts)


@dataclass(frozen=True)
class DabenchScore:
    """Shares from 0 to 1, rounded to four decimals as the benchmark does; 0 where nothing counts."""

    by_question: float
    """Questions with every sub-question right, of those answered."""
    by_sub_question: float
    """Sub-questions that are right, of those of answered questions."""
    proportional: float
    """Mean over answered questions of the share of their sub-questions that are right."""
    strict_by_question: float
    """Questions right under our contracts, of *all* questions: one that was not answered is not right."""
    strict_by_sub_question: float
    answered: int
    questions: int


def extract(response: str) -> dict[str, str]:
    """The answers of a response by name. The value ends at the first `]`, on the line where it began."""
    return dict(_ANSWER.findall(response))


def same(given: str | None, label: str) -> bool:
    """The benchmark's comparison: the same text, or two numbers less than 1e-6 apart."""
    if given is None or given == label:
        return given is not None
    try:
        return abs(float(given) - float(label)) < _TOLERANCE
    except ValueError:
        return False


def label_contract(label: str) -> Contract:
    """The contract that a label shows: a number to as many decimals as it has, else a text."""
    written = _NUMBER.fullmatch(label.strip())
    if written is None:
        return Contract("text")
    if written["decimals"] is None:
        # "57" may be the name of a place and "0" a rounded number: both spellings, 57 and 57.0, are the label.
        return Contract("number", decimals=0) if label.strip("+-0") == "" else Contract("integer")
    return Contract("number", decimals=len(written["decimals"]))


def grade(labels: Mapping[str, str], response: str | None) -> QuestionGrade:
    """Both verdicts on a response; `labels` maps each sub-question's name to its right answer."""
    given = extract(response or "")
    parts = (_sub_grade(name, label, given.get(name)) for name, label in labels.items())
    return QuestionGrade(tuple(parts), answered=bool(response))


def _sub_grade(name: str, label: str, given: str | None) -> SubGrade:
    if given is None:
        return SubGrade(name, False, Grade("wrong", "missing", f"There is no @{name}[…] in the response."))
    contract = label_contract(label)
    expected = label if contract.kind == "text" else float(label)
    return SubGrade(name, same(given, label), compare(expected, given, contract))


def score(grades: Iterable[QuestionGrade]) -> DabenchScore:
    """The accuracies of a run over all its questions."""
    every = list(grades)
    answered = [one for one in every if one.answered]
    parts = [part for one in answered for part in one.parts]
    all_parts = [part for one in every for part in one.parts]
    shares = [sum(part.official for part in one.parts) / len(one.parts) for one in answered if one.parts]
    return DabenchScore(
        by_question=_share(sum(one.official for one in answered), len(answered)),
        by_sub_question=_share(sum(part.official for part in parts), len(parts)),
        proportional=_share(sum(shares), len(answered)),
        strict_by_question=_share(sum(one.strict for one in every), len(every)),
        strict_by_sub_question=_share(sum(part.strict.verdict == "correct" for part in all_parts), len(all_parts)),
        answered=len(answered),
        questions=len(every),
    )


def _share(count: float, total: int) -> float:
    return round(count / total, 4) if total else 0.0
