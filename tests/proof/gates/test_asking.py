"""Gates hear what a question says of its own, and no word of its labels, names and fixed phrases."""

import pytest

from cellwright.answers import state
from cellwright.core.types import Contract
from cellwright.proof.gates.asking import asked
from cellwright.proof.gates.choices import CHOICES
from cellwright.proof.gates.determinism import order_is_stated
from cellwright.proof.questions.phrasing import AFTER_STEPS, ENDINGS, FILE_ORDER, LEAVE_MISSING_OUT, PREPARED

NUMBER = Contract("number", decimals=2)


def _asked(question: str) -> str:
    return asked(state(question, NUMBER), NUMBER)


@pytest.mark.parametrize(
    ("question", "stated"),
    [
        ("In `a.csv`, what is the `x` of the first row?", True),
        ("In `a.csv`, what is the `x` of the 3rd row?", True),
        ("In `a.csv`, what is the highest running total of `x`?", True),
        (f"In `a.csv`, what is the highest sum of three neighbours? {FILE_ORDER}", True),
        ("Read only the first 5 data rows of `a.csv`. Sort the rows by `x`. What is the `y` of the first row?", True),
        ("Sort the rows by `x`. Then keep only the first 5 rows. What is the mean of `y`?", False),
        ("What is the mean of `y`? First, sort the rows by `x`. Then keep only the first 5 rows.", False),
        ("List the three cities with the highest mean of `x`, the highest first.", False),
        ("List the years with the most rows, the most frequent first, in any order.", False),
        ('What is the mean of `x` where `class` is "First Class"?', False),
        ("What is the mean of `first name`?", False),
        (f"Join `a.csv` with `b.csv` on `k`. What is the mean of `v_x`? {ENDINGS}", False),
        ('How many different values has the 1st of the parts of `name` split at each " "?', False),
        ("How many different values has the first character of `name`?", False),
        ("How many different values have the 2nd to the 4th character of `name`?", False),
        ("What is the 95th percentile (linear interpolation) of `x`?", False),
        ("What is the U statistic of the first sample in the test of `x` against `y`?", False),
        ("How many rows are there where `day` is the last day of a month?", False),
    ],
)
def test_whether_a_question_speaks_of_the_order_of_the_file(question: str, stated: bool) -> None:
    """Only then may its answer depend on it."""
    assert order_is_stated(_asked(question)) == stated


@pytest.mark.parametrize(
    ("choice", "question", "settled"),
    [
        ("missing values", 'How many rows have "Unknown" as `city`?', False),
        ("missing values", f"What is the mean of `x`? {LEAVE_MISSING_OUT}", False),
        ("missing values in statistics", f"What is the mean of `x`? {LEAVE_MISSING_OUT}", True),
        ("which of the duplicates stays", "Keep only the rows where `x` is 1. Drop duplicates by `y`.", False),
        ("which of the duplicates stays", "Of rows that are equal in `y`, keep only the last.", True),
        ("percentage or fraction", "What is the mean duration at the corporation?", False),
        ("percentage or fraction", "What is the ratio of `x` to `y`?", True),
        ("bounds", f"For a report, we need the mean of `x`. {PREPARED} (1) keep some rows.", False),
        ("bounds", f"What is the mean of `x`? The question is about `a.csv` {AFTER_STEPS}.", False),
        ("bounds", "How many rows are there where `x` is greater than 3?", True),
        ("edges of bins", "How many rows are in the right of the 5 bins of `x`?", False),
        (
            "edges of bins",
            "How many rows are in the highest of the 5 bins of `x` (each including its upper end)?",
            True,
        ),
    ],
)
def test_whether_a_question_settles_a_choice(choice: str, question: str, settled: bool) -> None:
    """By words of its own that are about the choice."""
    words = next(known.words for known in CHOICES if known.name == choice)
    assert (words.search(_asked(question)) is not None) == settled


def test_labels_are_heard_where_they_tell() -> None:
    """What stands for none can be told by its label alone."""
    question = 'How many rows are there where `place` is not "?"?'
    assert '"?"' in asked(question, NUMBER, with_labels=True)
    assert '"?"' not in asked(question, NUMBER)
