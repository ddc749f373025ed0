"""Answers: contracts from values, texts from values, values from texts, and verdicts."""

import datetime
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellwright.answers import (
    AnswerError,
    NotParsed,
    compare,
    from_json,
    infer,
    parse,
    render,
    round_value,
    sentence,
    state,
    to_json,
)
from cellwright.core.types import AnswerKind, Contract

NUMBER = Contract("number", decimals=2)
INTEGER = Contract("integer")
PERCENT = Contract("percent", decimals=2)
FRACTION = Contract("percent", unit="fraction", decimals=4)
TEXT = Contract("text")
DATE = Contract("date")
TEXTS = Contract("list", item="text")
INTEGERS = Contract("list", item="integer")
COUNTS = Contract("mapping", key="text", item="integer")
DAY = datetime.date(2020, 3, 24)

CORRECT: list[tuple[Any, str, Contract]] = [
    (1234.5, "1,234.50", NUMBER),
    (1234.5, " 1 234.5 ", NUMBER),
    (2.345, "2.34", NUMBER),
    (2.345, "2.35", NUMBER),
    (2.341, "2.34127", NUMBER),
    (-5, "−5", INTEGER),
    (5, "+5", INTEGER),
    (1000, "1e3", INTEGER),
    (5, "5.0", INTEGER),
    (5, "**Answer:** 5.", INTEGER),
    (5, r"$\boxed{5}$", INTEGER),
    (5, "The answer is 5", INTEGER),
    (5, "`5`", INTEGER),
    (0.5, "½", NUMBER),
    (2.5, "2½", NUMBER),
    (0.75, "3/4", NUMBER),
    (1_200_000.0, "$1.2M", Contract("money", decimals=0)),
    (45.24, "45.24%", PERCENT),
    (45.24, "45.24", PERCENT),
    (0.4524, "45.24%", FRACTION),
    (12, "12 years", Contract("integer", unit="years")),
    (12, "12", Contract("integer", unit="years")),
    ("São Paulo", "Sa\u0303o  Paulo", TEXT),
    ("New York", "new york", TEXT),
    ("New York", '"New York"', TEXT),
    ("x", "y", Contract("text", alternatives=("Y",))),
    (True, "Yes.", Contract("boolean")),
    (False, "0", Contract("boolean")),
    (DAY, "2020-03-24", DATE),
    (DAY, "24 March 2020", DATE),
    (DAY, "March 24, 2020", DATE),
    (DAY, "24/03/2020", DATE),
    (("a", "b"), "a, b", TEXTS),
    (("a", "b"), '["a", "b"]', TEXTS),
    (("a", "b"), "['a', 'b']", TEXTS),
    (("a", "b"), "- a\n- b", TEXTS),
    (("a", "b"), "1. a\n2. b", TEXTS),
    (("a, x", "b"), '"a, x", b', TEXTS),
    ((1234, 5), "1,234, 5", INTEGERS),
    (("b", "a"), "a, b", Contract("list", item="text", ordered=False)),
    (("a", "b"), "b, a, b", Contract("set", item="text")),
    ({"a": 1, "b": 2}, '{"b": 2, "a": 1}', COUNTS),
    ({"a": 1}, "{'a': 1}", COUNTS),
    ({"a": 1, "b": 2}, "a: 1, b: 2", COUNTS),
    ({"a": 1, "b": 2}, "- a: 1\n- b: 2", COUNTS),
    (None, "Not Applicable", INTEGER),
]


@pytest.mark.parametrize(("expected", "text", "contract"), CORRECT, ids=[repr(text) for _, text, _ in CORRECT])
def test_right_answers_are_accepted(expected: object, text: str, contract: Contract) -> None:
    """The same value in any usual spelling is the same answer."""
    grade = compare(expected, text, contract)
    assert grade.verdict == "correct", grade.explanation


WRONG: list[tuple[Any, str, Contract, str]] = [
    (2.34, "2.3", NUMBER, "rounding"),
    (2.34, "2.35", NUMBER, "rounding"),
    (2.34, "-2.34", NUMBER, "sign"),
    (2.34, "3.34", NUMBER, "value"),
    (0.4524, "45.24%", Contract("number", decimals=4), "unit"),
    (45.24, "0.4524", PERCENT, "unit"),
    (5, "6", INTEGER, "value"),
    (5, "5.4", INTEGER, "kind"),
    (5, "about 5", INTEGER, "hedged"),
    (5, "5 or 6", INTEGER, "hedged"),
    (5, "5, 6", INTEGER, "hedged"),
    (12, "12 km", INTEGER, "unit"),
    (5, "", INTEGER, "missing"),
    (5, "fiver", INTEGER, "kind"),
    ("E:13.57", "F:13.57", TEXT, "value"),
    ("New York", "New York City", TEXT, "value"),
    ("a", "A", Contract("text", case_sensitive=True), "value"),
    (True, "yes or no", Contract("boolean"), "hedged"),
    (DAY, "2020-03-25", DATE, "value"),
    (DAY, "2020-13-24", DATE, "kind"),
    (("a", "b"), "b, a", TEXTS, "order"),
    (("a", "b"), "a", TEXTS, "missing"),
    (("a", "b"), "a, b, c", TEXTS, "extra"),
    (("a", "b"), "a, c", TEXTS, "value"),
    ({"a": 1, "b": 2}, '{"a": 1}', COUNTS, "missing"),
    ({"a": 1}, '{"a": 1, "b": 2}', COUNTS, "extra"),
    ({"a": 1}, '{"a": 2}', COUNTS, "value"),
    ({"a": 1}, '{"a": 2, "a": 1}', COUNTS, "hedged"),
    (5, "Not Applicable", INTEGER, "value"),
    (None, "5", INTEGER, "value"),
]


@pytest.mark.parametrize(("expected", "text", "contract", "why"), WRONG, ids=[repr(text) for _, text, _, _ in WRONG])
def test_wrong_answers_are_refused_with_a_reason(expected: object, text: str, contract: Contract, why: str) -> None:
    """Another value is wrong, and the grade says in what way."""
    grade = compare(expected, text, contract)
    assert (grade.verdict, grade.why) == ("wrong", why), grade.explanation


@pytest.mark.parametrize(("text", "contract"), [("03/04/2020", DATE), ("March 2020", DATE), ("1,234", INTEGERS)])
def test_what_could_mean_two_values_is_left_unscored(text: str, contract: Contract) -> None:
    """A date in one of two orders, and a number that could be two, are neither right nor wrong."""
    expected = {"date": datetime.date(2020, 3, 4), "list": (1, 234)}[contract.kind]
    assert compare(expected, text, contract).verdict == "unscored"


KINDS: list[tuple[object, AnswerKind, int | None]] = [
    (3, "integer", None),
    (3.14159, "number", 2),
    (0.0001234, "number", 6),
    (123456.789, "number", 2),
    (1e15, "number", 0),
    (True, "boolean", None),
    ("x", "text", None),
    (DAY, "date", None),
    (["a", "b"], "list", None),
    ({"a", "b"}, "set", None),
    ({"a": 1.5}, "mapping", 2),
    (range(3), "list", None),
    (Fraction(1, 3), "number", 3),
    (Fraction(4, 2), "integer", None),
    (Decimal("2.50"), "number", 2),
    (None, "not-applicable", None),
]


# The order of a set's items is another in every process, so its repr is no name for a test.
@pytest.mark.parametrize(("value", "kind", "decimals"), KINDS, ids=range(len(KINDS)))
def test_contract_is_inferred_from_a_value(value: object, kind: AnswerKind, decimals: int | None) -> None:
    """A value suggests its kind, and a rounding that leaves at least three significant digits."""
    contract = infer(value)
    assert (contract.kind, contract.decimals) == (kind, decimals)


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), [[1]], 1j, datetime.timedelta(1), b"x"])
def test_what_is_no_answer_is_refused(value: object) -> None:
    """Missing values, durations and nested lists make no contract."""
    with pytest.raises(AnswerError):
        infer(value)


def test_pandas_and_numpy_values_are_answers() -> None:
    """Scalars, arrays and labelled series of the libraries are plain values here."""
    np = pytest.importorskip("numpy")
    pd = pytest.importorskip("pandas")
    assert infer(np.int64(3)).kind == "integer"
    assert infer(np.float64(2.5)) == infer(2.5)
    assert infer(np.array([1, 2])).kind == "list"
    assert to_json(pd.Timestamp("2020-03-24 10:00")) == '"2020-03-24T10:00:00"'
    assert compare(3, np.int64(3), INTEGER).verdict == "correct"
    assert infer(pd.Categorical(["a", "b"])) == infer(["a", "b"])
    assert infer(pd.Period("2020-03")) == infer("2020-03")
    assert to_json(pd.Interval(0, 10)) == '"(0, 10]"'
    frame = pd.DataFrame({"a": [1, 2]})
    for nothing in (pd.NaT, np.datetime64("NaT"), pd.NA, pd.Timedelta("1D"), frame, frame.to_numpy()):
        with pytest.raises(AnswerError):
            infer(nothing)


def test_labelled_series_is_a_mapping() -> None:
    """A pandas Series is a mapping of its labels, unless they only number its rows."""
    pd = pytest.importorskip("pandas")
    counts = pd.Series([1, 2], index=["a", "b"])
    assert infer(counts) == infer({"a": 1, "b": 2})
    assert compare(counts, "b: 2, a: 1", infer(counts)).verdict == "correct"
    assert compare(counts, "1, 2", INTEGERS).verdict == "correct"
    assert infer(pd.Series([1, 2], index=[7, 3])) == infer([1, 2])
    assert infer(pd.Series([1, 2], index=pd.Index([2019, 2020], name="year"))) == infer({2019: 1, 2020: 2})
    assert infer(pd.Series([1, 2], index=["a", "a"])) == infer([1, 2])


def test_times_of_zones_are_what_their_clocks_show() -> None:
    """A time with a zone is the time that a table shows, whatever it is compared and sorted with."""
    berlin = datetime.timezone(datetime.timedelta(hours=1))
    aware, naive = datetime.datetime(2020, 3, 24, 10, 30, tzinfo=berlin), datetime.datetime(2020, 3, 25, 9)
    assert render(aware, infer(aware)) == "2020-03-24 10:30:00"
    assert compare(aware, "2020-03-24 10:30", infer(aware)).verdict == "correct"
    contract = Contract("list", item="date", unit="second", ordered=False)
    assert compare((aware, naive), (naive, aware), contract).verdict == "correct"


def test_labels_that_differ_by_case_only_make_case_matter() -> None:
    """Where the data has `Yes` and `yes`, an answer must not mix them up, and the question says so."""
    contract = infer({"Yes": 1, "yes": 2})
    assert contract.case_sensitive
    assert "case matter" in sentence(contract)
    assert compare({"Yes": 1, "yes": 2}, '{"yes": 1, "Yes": 2}', contract).verdict == "wrong"


def test_question_states_its_contract_once() -> None:
    """What the question has said already is not said again."""
    asked = state("What is the mean?", NUMBER)
    assert asked == "What is the mean? Answer with a number rounded to 2 decimals."
    assert state(asked, NUMBER) == asked


PLAIN = st.one_of(
    st.integers(-(10**15), 10**15),
    st.floats(-1e12, 1e12, allow_nan=False),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp", "Cf", "Mn"]), min_size=1),
    st.booleans(),
    st.dates(),
)
VALUES = st.one_of(
    PLAIN,
    st.lists(st.integers(-1000, 10**9), min_size=1, max_size=8),
    st.lists(st.text("abcdef ,;'\"-:0123", min_size=1).filter(str.strip), min_size=1, max_size=8),
    st.dictionaries(st.text("abcdef,:\"'", min_size=1), st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=6),
    st.dictionaries(st.integers(0, 3000), st.integers(), min_size=1, max_size=6),
)


@given(VALUES)
def test_rendered_answers_read_back_as_correct(value: object) -> None:
    """The canonical text of any answer, and its JSON, are the same answer."""
    contract = infer(value)
    text = to_json(round_value(value, contract))
    stored = from_json(text, contract)
    assert compare(stored, value, contract).verdict == "correct"
    grade = compare(stored, render(stored, contract), contract)
    assert grade.verdict == "correct", (render(stored, contract), grade.explanation)


CONTRACTS = st.builds(
    Contract,
    kind=st.sampled_from(
        ["integer", "number", "percent", "money", "text", "category", "boolean", "date", "list", "set", "mapping"]
    ),
    item=st.sampled_from(["integer", "number", "text", "date", "boolean"]),
    key=st.sampled_from(["integer", "text", "date"]),
    decimals=st.sampled_from([None, 0, 2]),
    unit=st.sampled_from([None, "years", "fraction", "USD"]),
)
FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "1",
            ",",
            ".",
            "-",
            "%",
            "$",
            "e9",
            "[",
            "]",
            "{",
            "}",
            ":",
            '"',
            "'",
            "a",
            "½",
            " ",
            "\n",
            "- ",
            "**",
            "yes",
            "/",
        ]
    ),
    max_size=12,
).map("".join)


@given(st.one_of(st.text(), FRAGMENTS), CONTRACTS)
def test_any_text_gets_a_verdict(text: str, contract: Contract) -> None:
    """No text makes the parser raise, and what it gives can be graded against itself."""
    found = parse(text, contract)
    if not isinstance(found, NotParsed):
        assert compare(found, text, contract).verdict in ("correct", "unscored")


@pytest.mark.parametrize("text", ["9" * 1_000_000, "1e999999999", "[" * 1_000_000, "- " * 500_000, "a, " * 300_000])
@pytest.mark.parametrize("kind", ["integer", "number", "date", "list", "mapping", "boolean"])
def test_huge_texts_are_refused(text: str, kind: AnswerKind) -> None:
    """A megabyte of anything is no answer and no crash."""
    assert compare(1, text, Contract(kind, item="integer", key="text")).verdict in ("wrong", "unscored")
