"""Graders under test: each says of a pair whether the text is right, or None where it cannot tell."""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

from benchmarks.answers.pairs import Pair
from cellwright.answers import compare, dabstep, from_json, render
from cellwright.core.errors import MissingExtra

Grader: TypeAlias = Callable[[Pair], bool | None]


def ours(pair: Pair) -> bool | None:
    """`compare` under the contract of the pair."""
    verdict = compare(from_json(pair.expected, pair.contract), pair.given, pair.contract).verdict
    return None if verdict == "unscored" else verdict == "correct"


def official(pair: Pair) -> bool | None:
    """The rules of the DABStep leaderboard, on the texts alone."""
    return dabstep.official(_text(pair.expected, pair), pair.given)


def math_verify(pair: Pair) -> bool | None:
    """math-verify with its defaults, as its README shows; None where it finds nothing in the right answer."""
    parse, verify = _math_verify()
    gold = _gold(_text(pair.expected, pair))
    return bool(verify(gold, parse(pair.given))) if gold else None


GRADERS: Mapping[str, Grader] = {"Cellwright": ours, "DABStep's rules": official, "math-verify": math_verify}


def _text(expected: str, pair: Pair) -> str:
    return render(from_json(expected, pair.contract), pair.contract)


@cache
def _gold(text: str) -> list[Any]:
    found: list[Any] = _math_verify()[0](text)
    return found


@cache
def _math_verify() -> tuple[Callable[[str], list[Any]], Callable[[Any, Any], bool]]:
    try:
        from math_verify import parse, verify  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("bench", "comparing with math-verify") from error
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    return parse, verify
