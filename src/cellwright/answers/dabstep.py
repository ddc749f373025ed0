"""DABStep's official verdict, bug for bug, and the strict one beside it.

`official` gives what the leaderboard's scorer gives, so that a number measured here is the number there. It is not a
good judge: it ignores signs, percent signs and letters beside a number ("E:13.57" is "F:13.57" to it). `grade` gives
both verdicts; a report shows both.

The rules were written down from the scorer's behaviour: `dabstep_benchmark/evaluation/scorer.py` in
VeigaPunk/dabstep-fee-engine at 3c165fb and `src/green_agent/scorer.py` in datalayer-challenges/agentify-dabench at
cc5def2, two copies of the leaderboard's. Two long texts that are nearly the same take time that grows with the square
of their length, as there.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import isclose

from cellwright.answers.compare import compare
from cellwright.answers.parse import parse
from cellwright.answers.values import NotParsed
from cellwright.core.types import Contract, Grade

_FORMATTED = re.compile(r"\$?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+[.,]\d+)")
_NUMBER = re.compile(r"\d*\.\d+|\d+\.?\d*")
_SEPARATOR = re.compile("[,;]")
_TOLERANCE = 1e-4
_LIKE = 0.95


@dataclass(frozen=True)
class DabstepGrade:
    """Both verdicts on one answer of DABStep."""

    official: bool
    """What the leaderboard says."""
    strict: Grade
    """What our contract says."""


@dataclass(frozen=True)
class DabstepScore:
    """The leaderboard's two numbers, from 0 to 1, and the strict ones; None for a level without tasks."""

    easy: float | None
    hard: float | None
    strict_easy: float | None
    strict_hard: float | None
    """Shares of all tasks of the level: an unscored one is not counted as right."""
    unscored: int
    """Tasks whose strict verdict is neither right nor wrong."""


def grade(expected: str, given: str, contract: Contract) -> DabstepGrade:
    """The official verdict and the strict one; `expected` is the text of the benchmark's answer."""
    wanted = parse(expected, contract)
    if isinstance(wanted, NotParsed):
        strict = Grade("unscored", "expected", f"The expected answer does not fit its contract: {wanted.reason}.")
    else:
        strict = compare(wanted, given, contract)
    return DabstepGrade(official(expected, given), strict)


def score(graded: Iterable[tuple[str, DabstepGrade]]) -> DabstepScore:
    """Accuracy by level, as the leaderboard reports it, of pairs of level ("easy" or "hard") and grade."""
    levels: dict[str, list[DabstepGrade]] = {"easy": [], "hard": []}
    for level, one in graded:
        levels[level].append(one)
    officials = {level: _share([one.official for one in found]) for level, found in levels.items()}
    stricts = {level: _share([one.strict.verdict == "correct" for one in found]) for level, found in levels.items()}
    unscored = sum(one.strict.verdict == "unscored" for found in levels.values() for one in found)
    return DabstepScore(officials["easy"], officials["hard"], stricts["easy"], stricts["hard"], unscored)


def _share(verdicts: list[bool]) -> float | None:
    return sum(verdicts) / len(verdicts) if verdicts else None


def official(first: str, second: str) -> bool:
    """Whether the leaderboard's scorer takes two texts for the same answer."""
    first, second = first.strip().lower(), second.strip().lower()
    if _FORMATTED.fullmatch(first) or _FORMATTED.fullmatch(second):
        one, other = _number(first), _number(second)
        return one is not None and other is not None and _same_numbers(one, other)
    if _SEPARATOR.search(first) or _SEPARATOR.search(second):
        return _same_lists(first, second)
    one, other = _number(first), _number(second)
    if one is not None and other is not None:
        return _same_numbers(one, other)
    return _same_texts(first, second)


def _number(text: str) -> float | None:
    """The first number in the text, without sign, exponent, percent or decimal comma: `-0,99` is 99."""
    match = _NUMBER.search(text.replace(",", "").replace("$", ""))
    return float(match[0]) if match else None


def _same_numbers(first: float, second: float) -> bool:
    if first == second:
        return True
    if first >= 1 or second >= 1:
        places = min(_shown_decimals(first), _shown_decimals(second))
        if round(first, places) == round(second, places):
            return True
    return isclose(first, second, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)


def _shown_decimals(number: float) -> int:
    """Characters after the point of the shortest text: 100.0 has one, 1e+16 none."""
    return len(repr(number).partition(".")[2])


def _same_lists(first: str, second: str) -> bool:
    one, other = _items(first), _items(second)
    if one == other:
        return True
    return len(one) == len(other) and all(official(left, right) for left, right in zip(one, other, strict=True))


def _items(text: str) -> list[str]:
    inner = text.removeprefix("[").removesuffix("]")
    return sorted(item.strip() for item in _SEPARATOR.split(inner) if item.strip())


def _same_texts(first: str, second: str) -> bool:
    if re.sub(r"\W", "", first) == re.sub(r"\W", "", second):
        return True
    one, other = re.findall(r"\w+", first), re.findall(r"\w+", second)
    if one and other and 1 in (len(one), len(other)):
        return set(one) <= set(other) or set(other) <= set(one)
    matcher = SequenceMatcher(None, first, second)
    # The first two are upper bounds of the third, which takes time that grows with the square of the length.
    return matcher.real_quick_ratio() > _LIKE and matcher.quick_ratio() > _LIKE and matcher.ratio() > _LIKE
