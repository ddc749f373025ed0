"""DABStep's official verdicts, and the strict ones beside them."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from cellwright.answers import dabstep
from cellwright.core.types import Contract

SHARED = Path(__file__).parents[3] / "shared" / "benchmarks" / "dabstep"
NUMBER = Contract("number", decimals=2)
TEXT = Contract("text")


class Case(NamedTuple):
    first: str
    second: str
    same: bool


# One or two per rule, in the order of the rules.
CASES = [
    Case("  Blue ", "blue", True),
    Case("$7.5", "7.50", True),
    Case("2,345", "2345", True),
    Case("2,345.5", "2345.5 units", True),
    Case("0,75", "0.75", False),
    Case("7.5", "none", False),
    Case("-7.5", "7.5", True),
    Case("7.5%", "0.075", False),
    Case("2e3", "2000", False),
    Case("0.2", "0.20005", True),
    Case("0.2", "0.2002", False),
    Case("8.2", "8.2499", True),
    Case("8.2", "8.26", False),
    Case("200", "200.3", False),
    Case("2000000", "2000100", True),
    Case("red, green", "green;red", True),
    Case("[red, green, ]", "red, green", True),
    Case("red, red, green", "red, green, green", False),
    Case("10, 9.5", "9.50, 10", True),
    Case("1,000, 5", "1000, 5", False),
    Case("['red', 'green']", "red, green", True),
    Case("total is 8 of 9", "8", True),
    Case("Q:2.5", "Z:2.5", True),
    Case("Q", "Q) the third one", True),
    Case("red green", "red blue", False),
    Case("red-green", "red green", True),
    Case("a sentence of some length", "a sentence of some lengths", True),
    Case("?!", "", True),
    Case("", "red", False),
    Case("9" * 400, "1.5", False),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.first[:20]}|{case.second[:20]}" for case in CASES])
def test_official_rules(case: Case) -> None:
    """Each rule of the official scorer holds, from both sides, the lenient ones too."""
    assert dabstep.official(case.first, case.second) is case.same
    assert dabstep.official(case.second, case.first) is case.same


def shared_cases() -> list[Case]:
    found: list[Case] = []
    for name, key, result in (("scorer_cases", "cases", "expected"), ("scorer_probes", "probes", "result")):
        rows = json.loads((SHARED / f"{name}.json").read_text())[key]
        found += [Case(row["input1"], row["input2"], row[result]) for row in rows]
    return found


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/benchmarks/dabstep, which this checkout has not")
def test_official_scorer_and_ours_agree() -> None:
    """All recorded verdicts of the official scorer are ours."""
    cases = shared_cases()
    assert len(cases) >= 98
    assert [case for case in cases if dabstep.official(case.first, case.second) is not case.same] == []


@pytest.mark.parametrize(
    ("expected", "given", "contract", "why"),
    [
        ("E:13.57", "F:13.57", TEXT, "value"),
        ("5.25", "-5.25", NUMBER, "sign"),
        ("42.00", "42%", NUMBER, "unit"),
        ("3", "3 apples", Contract("integer", unit="pears"), "unit"),
        ("a, b", "b, a", Contract("list", item="text"), "order"),
    ],
)
def test_strict_verdict_stands_beside_the_official_one(expected: str, given: str, contract: Contract, why: str) -> None:
    """What the official rules let through is wrong under the contract, with the reason."""
    found = dabstep.grade(expected, given, contract)
    assert found.official
    assert (found.strict.verdict, found.strict.why) == ("wrong", why)


def test_score_is_by_level() -> None:
    """Easy and hard tasks are counted apart, officially and strictly."""
    right, lenient = dabstep.grade("5", "5", NUMBER), dabstep.grade("5", "-5", NUMBER)
    found = dabstep.score([("easy", right), ("easy", lenient), ("hard", lenient)])
    assert found == dabstep.DabstepScore(easy=1.0, hard=1.0, strict_easy=0.5, strict_hard=0.0, unscored=0)
    assert dabstep.score([]).hard is None
