"""InfiAgent-DABench's format, its accuracies, and the strict ones beside them."""

import json
from pathlib import Path

import pytest

from cellwright.answers import dabench

SHARED = Path(__file__).parents[3] / "shared" / "benchmarks" / "dabench"


def test_answers_are_read_by_name() -> None:
    """Every `@name[value]` counts, the last of two with one name, and a value ends at the first bracket."""
    assert dabench.extract("So @mean[3.10] and\n@ids[1, 2] @mean[3.20]") == {"mean": "3.20", "ids": "1, 2"}
    assert dabench.extract("@x[a[0]]") == {"x": "a[0"}
    assert dabench.extract("mean[3] @two words[3] @y[a\nb]") == {}


@pytest.mark.parametrize(
    ("given", "label", "same"),
    [
        ("3.1", "3.10", True),
        ("3.1000001", "3.10", True),
        ("3.11", "3.10", False),
        ("-3.1", "3.1", False),
        ("31%", "0.31", False),
        ("Yes", "yes", False),
        ("linear", "linear", True),
        (" linear", "linear", False),
        ("1e1", "10", True),
        ("nan", "nan", True),
        (None, "3", False),
    ],
)
def test_official_comparison(given: str | None, label: str, same: bool) -> None:
    """A text to the letter, a number to a millionth."""
    assert dabench.same(given, label) is same


def test_accuracy_by_question_and_by_sub_question() -> None:
    """A question is right with all its parts; the official numbers leave out what was not answered, ours do not."""
    labels = {"a": "1.50", "b": "yes"}
    grades = [
        dabench.grade(labels, "@a[1.5] @b[yes]"),
        dabench.grade(labels, "@a[1.5] @b[Yes]"),
        dabench.grade({"a": "2"}, "@a[3]"),
        dabench.grade({"a": "2"}, None),
    ]
    found = dabench.score(grades)
    assert (found.by_question, found.by_sub_question, found.proportional) == (0.3333, 0.6, 0.5)
    assert (found.strict_by_question, found.strict_by_sub_question) == (0.5, 0.6667)
    assert (found.answered, found.questions) == (3, 4)
    assert dabench.score([]).by_question == 0


def test_strict_grade_says_why() -> None:
    """A sub-question that is wrong says in what way, a missing one too."""
    (part,) = dabench.grade({"a": "2.50"}, "@a[-2.5]").parts
    assert (part.official, part.strict.why) == (False, "sign")
    (part,) = dabench.grade({"a": "2.50"}, "2.50").parts
    assert (part.official, part.strict.why) == (False, "missing")


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/benchmarks/dabench, which this checkout has not")
def test_labels_written_as_answers_are_right() -> None:
    """The labels of the benchmark, written in its format, are right where the format can hold them."""
    rows = [json.loads(line) for line in (SHARED / "labels.jsonl").read_text().splitlines()]
    for row in rows:
        labels = dict(row["common_answers"])
        found = dabench.grade(labels, " ".join(f"@{name}[{label}]" for name, label in labels.items()))
        assert found.official, row["id"]
        assert [part for part in found.parts if part.strict.verdict == "wrong"] == [], row["id"]
