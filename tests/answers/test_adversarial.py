"""The set of labelled pairs: what it is, and what our grader makes of it."""

import pytest

from benchmarks.answers import fuzz
from benchmarks.answers.__main__ import rates
from benchmarks.answers.generate import SEED, generated, kept
from benchmarks.answers.graders import ours
from benchmarks.answers.pairs import Pair
from cellwright.answers import compare, from_json

KINDS = sorted({pair.kind for pair in kept()})


@pytest.fixture(scope="module", params=[SEED, 7], ids="seed {}".format)
def pairs(request: pytest.FixtureRequest) -> list[Pair]:
    """The set, and another one of the same families."""
    return kept() if request.param == SEED else generated(request.param)


def test_set_is_what_its_generator_makes() -> None:
    """The pairs that are kept are those of the generator, none of them twice, of every kind and label."""
    found = kept()
    assert found == generated()
    assert len(set(found)) == len(found) >= 1_500
    assert {pair.label for pair in found} == {"right", "wrong", "unclear"}
    assert len(KINDS) == 12


@pytest.mark.parametrize("kind", KINDS)
def test_rates_are_below_their_goals(kind: str, pairs: list[Pair]) -> None:
    """Of each kind at most 0.5% of the wrong answers are accepted, and at most 1% of the right ones rejected."""
    chosen = [pair for pair in pairs if pair.kind == kind]
    found = rates(chosen, [ours(pair) for pair in chosen])
    assert found.accepted <= 0.005 * found.wrong
    assert found.rejected + found.unscored <= 0.01 * found.right


def test_expected_answer_is_right_as_a_value() -> None:
    """The right answer of each pair, given as a value, is the right answer."""
    for pair in kept():
        expected = from_json(pair.expected, pair.contract)
        assert compare(expected, expected, pair.contract).verdict == "correct", pair


def test_hostile_texts_get_verdicts() -> None:
    """Pieces of answers, damaged answers and any characters: nothing raises, nothing is wrong against itself."""
    assert list(fuzz.failures(2_000, seed=3)) == []
