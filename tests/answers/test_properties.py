"""What holds for every text and every value: no exception, symmetry, idempotence, one meaning per text."""

import datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cellwright.answers import NotParsed, compare, dabench, dabstep, parse, render, round_value, state
from cellwright.answers.clean import comparable, normal
from cellwright.answers.values import Value
from cellwright.core.types import AnswerKind, Contract

SCALARS: list[AnswerKind] = ["integer", "number", "percent", "money", "text", "category", "boolean", "date"]
CONTRACTS = st.builds(
    Contract,
    kind=st.sampled_from([*SCALARS, "list", "set", "mapping", "not-applicable"]),
    item=st.sampled_from(SCALARS),
    key=st.sampled_from(["integer", "text", "date", "category"]),
    decimals=st.sampled_from([None, -3, 0, 2, 15]),
    unit=st.sampled_from([None, "years", "fraction", "USD", "%", "second"]),
    ordered=st.booleans(),
    case_sensitive=st.booleans(),
    alternatives=st.sampled_from([(), ("5", "a, b")]),
    choices=st.sampled_from([(), ("red", "dark red", "R.")]),
    locale=st.sampled_from(["en", "en-US", "en-GB", "de", "fr", "nonsense"]),
    in_sentence=st.booleans(),
)
FIGURES = r"1 2 12 1.5 1,234 1,5 -3 − – % $ € e9 × 10^3 10³ ½ ٣ [ ] { } ( ) : ; , . | --- - • 1. 2) \" ' = -> →"
MARKUP = r"** ` _ \boxed{ } \frac{1}{2} \text{ <answer> </answer> The Answer: np.float64( Timestamp(' array([ # >"
SAID = "yes true or not about ~ and is N/A NA nan inf red dark R. March 24 2020 2020-03-24 03/04/2020 10:30 pm Z"
UNITS = "no million k USD years percent"
WORDS = [*f"{FIGURES} {MARKUP} {SAID} {UNITS}".split(" "), "\n", "\u200b", "\u202f", "\u0301", "ﬁ", "´"]
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(WORDS), max_size=10).map("".join),
    st.lists(st.sampled_from(WORDS), max_size=10).map(" ".join),
)


@given(
    TEXTS,
    CONTRACTS,
    st.one_of(st.integers(), st.floats(), st.text(max_size=5), st.none(), st.dates(), st.just((1, "a"))),
)
def test_any_text_gets_a_verdict(text: str, contract: Contract, expected: object) -> None:
    """No text and no expected value make the grader raise, and a verdict has a sentence."""
    assert compare(expected, text, contract).explanation
    dabstep.official(text, str(expected))
    dabench.grade({"a": str(expected)}, f"@a[{text}]")


@given(TEXTS, CONTRACTS)
def test_text_means_what_it_was_read_as(text: str, contract: Contract) -> None:
    """What a text is read as is, as a value, the answer that the text gives."""
    found = parse(text, contract)
    if not isinstance(found, NotParsed):
        assert compare(found, text, contract).verdict in ("correct", "unscored")


@given(TEXTS)
def test_normal_form_is_normal(text: str) -> None:
    """Normalisation does nothing to what it has normalised, in either case."""
    assert normal(normal(text)) == normal(text)
    for case_sensitive in (True, False):
        found = comparable(text, case_sensitive=case_sensitive)
        assert comparable(found, case_sensitive=case_sensitive) == found


@given(TEXTS, TEXTS, st.booleans())
def test_texts_are_compared_symmetrically(first: str, second: str, case_sensitive: bool) -> None:
    """Of two texts without markup it does not matter which was expected."""
    contract = Contract("text", case_sensitive=case_sensitive)
    assume(parse(first, contract) == first and parse(second, contract) == second)
    assert compare(first, second, contract).verdict == compare(second, first, contract).verdict


NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(lambda number: number / 1000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**12), 10**12).map(float),
)
NUMERIC_CONTRACTS = st.builds(
    Contract,
    kind=st.sampled_from(["number", "percent", "money"]),
    decimals=st.sampled_from([None, -3, 0, 1, 2, 3, 15]),
    unit=st.sampled_from([None, "USD"]),
    locale=st.sampled_from(["en", "de", "fr"]),
)


@given(NUMBERS, NUMBERS, NUMERIC_CONTRACTS)
def test_numbers_are_compared_symmetrically(first: float, second: float, contract: Contract) -> None:
    """Of two numbers it does not matter which was expected."""
    assert compare(first, second, contract).verdict == compare(second, first, contract).verdict


@given(NUMBERS, NUMERIC_CONTRACTS)
def test_number_is_right_as_it_is_stored_and_written(value: float, contract: Contract) -> None:
    """The number itself, the number as it is stored, and its text in its locale are the same answer."""
    stored = round_value(value, contract)
    assert round_value(stored, contract) == stored
    assert compare(stored, value, contract).verdict == "correct"
    assert compare(stored, render(value, contract), contract).verdict == "correct"


@given(NUMBERS.filter(bool), st.integers(0, 6))
def test_sign_and_scale_are_never_forgiven(value: float, decimals: int) -> None:
    """The opposite number is wrong, whatever the rounding, unless it rounds to zero; so is a hundred times it."""
    contract = Contract("number", decimals=decimals)
    assume(round_value(value, contract) != 0)
    assert compare(value, -value, contract).verdict == "wrong"
    assume(abs(value) < 1e300)
    assert compare(value, value * 100, contract).verdict == "wrong"


LISTS = st.lists(st.integers(-9, 9), max_size=5).map(tuple)


@given(
    LISTS, LISTS, st.sampled_from([Contract("list", item="integer"), Contract("set", item="integer")]), st.booleans()
)
def test_collections_are_compared_symmetrically(first: Value, second: Value, contract: Contract, ordered: bool) -> None:
    """Of two lists or sets it does not matter which was expected."""
    contract = Contract(contract.kind, item="integer", ordered=ordered)
    assert compare(first, second, contract).verdict == compare(second, first, contract).verdict


@given(
    st.dates(datetime.date(1000, 1, 1)),
    st.sampled_from(["%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%A, %d %b %Y", "%Y/%m/%d"]),
)
def test_written_dates_are_read(day: datetime.date, form: str) -> None:
    """Each usual form of any date is that date, and not the next day."""
    contract = Contract("date")
    assert compare(day, day.strftime(form), contract).verdict == "correct"
    assume(day < datetime.date.max)
    assert compare(day + datetime.timedelta(1), day.strftime(form), contract).verdict == "wrong"


@given(st.text(), CONTRACTS)
def test_question_is_stated_once(question: str, contract: Contract) -> None:
    """Stating a contract again adds nothing."""
    once = state(question, contract)
    assert state(once, contract) == once


@pytest.mark.parametrize("kind", [*SCALARS, "list", "set", "mapping", "not-applicable"])
@pytest.mark.parametrize(
    "piece",
    [
        "9",
        "1,",
        "1, ",
        "a, ",
        "- a\n",
        "a: 1\n",
        "(",
        "[",
        "{",
        "\\boxed{",
        "**",
        " ",
        "½",
        "é",
        "2020-03-24, ",
        "=",
        "1 ",
        '"',
        "'a' ",
    ],
)
def test_a_megabyte_is_refused(piece: str, kind: AnswerKind) -> None:
    """A megabyte of anything is no answer under any contract, and no crash."""
    text = (piece * 1_000_000)[:1_000_000]
    assert compare(1, text, Contract(kind, item="integer", key="text")).verdict in ("wrong", "unscored")
