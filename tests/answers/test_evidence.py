"""Whether outputs bear an answer out."""

import pytest

from cellwright.answers.evidence import bears_out

BORNE_OUT = [
    ("2.5", "Sun    2.5\nSat    1.5"),
    ("0.40", "0.403938"),
    ("1,234", "total 1234"),
    ("1234", "1,234 rows"),
    ("40.4%", "0.40394"),
    ("40.4 %", "40.39"),
    ("-3", "x = −3"),
    ("Paris", "city\nPARIS   7"),
    ("Paris, Rome", "Rome 1\nParis 2"),
    ('["a", "b"]', "['a', 'b', 'c']"),
    ("Bonn: 7", "city  n\nBonn  7"),
    ("The mean tip on Sundays is 2.5 dollars over 2 bills.", "2 bills\nSun 2.5"),
    ("1e3", "1000.0"),
    ("$1,200.50", "1200.5"),
    ("True", "True"),
]
NOT_BORNE_OUT = [
    ("4", "14 and 40"),
    ("2.5", "2.6"),
    ("0.404", "0.41"),
    ("3", "-3"),
    ("Paris", "Parish"),
    ("Paris, Oslo", "Rome 1\nParis 2"),
    ("", "anything"),
    ("0.404", "40.4"),
    ("The mean is 2.5 dollars over all 7 of the bills.", "2.5"),
    ("yes", ""),
]


@pytest.mark.parametrize(("answer", "text"), BORNE_OUT)
def test_numbers_and_names_that_stand_in_an_output(answer: str, text: str) -> None:
    """As they are, or rounded as the answer is."""
    assert bears_out(text, answer)


@pytest.mark.parametrize(("answer", "text"), NOT_BORNE_OUT)
def test_what_does_not_stand_there(answer: str, text: str) -> None:
    """A part of a number or of a word is not it."""
    assert not bears_out(text, answer)
