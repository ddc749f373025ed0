"""Families of single answers that are no numbers: texts, labels, yes and no, dates, and answers inside sentences."""

import datetime
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from benchmarks.answers.pairs import Family, constant, forms, literally, templates
from benchmarks.answers.wording import BOXES, WRAPPED
from cellwright.core.types import Contract

TEXT = Contract("text")
EXACT_TEXT = Contract("text", case_sensitive=True)
CHOICE = Contract("category", choices=("low", "medium", "high", "very high", "not rated"))
LABEL = Contract("category")
BOOLEAN = Contract("boolean")
DATE = Contract("date")
MOMENT = Contract("date", unit="second")
NOT_APPLICABLE = Contract("not-applicable")
INTEGER_IN_SENTENCE = Contract("integer", in_sentence=True)
BOOLEAN_IN_SENTENCE = Contract("boolean", in_sentence=True)
DATE_IN_SENTENCE = Contract("date", in_sentence=True)
CHOICE_IN_SENTENCE = replace(CHOICE, in_sentence=True)

TEXTS: Sequence[str] = (
    "New York", "São Paulo", "Zürich", "Côte d'Ivoire", "O'Brien", "AT&T", "C++", "C#", "naïve Bayes", "E:13.57",
    "A-12", "B. BE", "GlobalCard", "TransactPlus", "fully_paid", "is_fraud", "item.weight", "2-4 years", "10+ years",
    "< 1 year", "36 months", "Q3 2021", "v1.10.2", "ISO-8859-1", "Smith, John", "R&D", "50% off", "user@example.org",
    "Łódź", "北京", "東京都", "Москва", "Αθήνα", "القاهرة", "Ünal & Söhne", "Crème brûlée", "St. Mary's", "Level 3",
    "T-shirt (blue)", "size: XL", "Iris-setosa", "Iris-virginica", "data/train.csv", "Fwd: offer", "x = 3", "a/b test",
    "1984", "007", "3.10", "True North", "No Doubt", "Yes Bank", "None of these", "The Answer", "Not Available Ltd",
)  # fmt: skip
PLAIN_TEXTS = ("New York", "São Paulo", "GlobalCard", "naïve Bayes", "Zürich", "Iris-setosa", "Crème brûlée", "O'Brien")
LATIN_TEXTS = ("New York", "GlobalCard", "TransactPlus", "Level three", "Iris-setosa", "fully paid", "Northern Line")


def families() -> Iterator[Family]:
    """All families of single answers that are no numbers."""
    yield from _texts()
    yield from _wrong_texts()
    yield from _categories()
    yield from _booleans()
    yield from _dates()
    yield from _wrong_dates()
    yield from _moments()
    yield from _not_applicable()
    yield from _number_sentences()
    yield from _other_sentences()


def _one_of(values: Sequence[str]) -> Callable[[Random], tuple[str, str]]:
    def draw(rng: Random) -> tuple[str, str]:
        value = rng.choice(values)
        return value, value

    return draw


# --- texts -----------------------------------------------------------------------------------------

_TEXT_FORMS: Mapping[str, Callable[[str], str]] = {
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "lower case": str.lower,
    "upper case": lambda text: text.upper() if "ß" not in text else text,
    "single quotes": lambda text: f"'{text}'" if "'" not in text else text,
    "double quotes": lambda text: f'"{text}"',
    "curly quotes": lambda text: f"“{text}”",
    "more spaces": lambda text: text.replace(" ", "   "),
    "no-break spaces inside": lambda text: text.replace(" ", "\u00a0"),
    "a line break inside": lambda text: text.replace(" ", "\n", 1) if ":" not in text else text,
    "typographic apostrophe": lambda text: text.replace("'", "’"),
    "non-breaking hyphen": lambda text: text.replace("-", "\u2011"),
    "en dash": lambda text: text.replace("-", "–"),
    "zero width joint": lambda text: f"{text[:1]}\u200b{text[1:]}",
    "soft hyphen": lambda text: f"{text[:2]}\u00ad{text[2:]}",
    "JSON's escapes": lambda text: (
        '"' + text.encode("ascii", "backslashreplace").decode().replace("\\x", "\\u00") + '"'
    ),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "a" <= c.lower() <= "z" else c for c in text),
}
_WRONG_TEXTS: Mapping[str, Callable[[str], str]] = {
    "a word more": lambda text: f"{text} City",
    "a word before": lambda text: f"Greater {text}",
    "last letter lost": lambda text: text[:-1],
    "first letter lost": lambda text: text[1:],
    "a letter doubled": lambda text: text[:2] + text[1:2] + text[2:],
    "a letter changed": lambda text: f"{text[:1]}q{text[2:]}" if text[1] != "q" else f"{text[:1]}z{text[2:]}",
    "two letters swapped": lambda text: text[:1] + text[2] + text[1] + text[3:] if text[1] != text[2] else text[:-1],
    "reversed": lambda text: text[::-1],
    "another": lambda text: "Old Castle" if text != "Old Castle" else "New Castle",
    "or another": lambda text: f"{text} or Boston",
    "another first": lambda text: f"Boston or {text}",
    "and another": lambda text: f"{text}, Boston",
    "a slash and another": lambda text: f"{text} / Boston",
    "denied": lambda text: f"not {text}",
    "a question": lambda text: f"{text}?",
    "maybe": lambda text: f"maybe {text}",
    "probably": lambda text: f"probably {text}",
    "the first letter": lambda text: text[0],
    "nothing": lambda text: "",
    "a number": lambda text: "42",
    "not applicable": lambda text: "Not Applicable",
    "with a count": lambda text: f"{text} (42)",
    "with a colon and a count": lambda text: f"{text}: 42",
    "two boxes": lambda text: rf"\boxed{{{text}}} \boxed{{Boston}}",
    "two labels": lambda text: f"Answer: {text}\nAnswer: Boston",
    "mojibake": lambda text: f"{text}é".encode().decode("latin-1"),
    "a digit behind": lambda text: f"{text}2",
    "its initials": lambda text: ". ".join(word[0] for word in text.split()) + ".",
    "a prefix with a colon": lambda text: f"X:{text}",
    "another spelling": lambda text: text.replace("a", "4").replace("e", "3") + "_",
}
_SWAPPED_LABELS: Mapping[str, tuple[str, str]] = {
    "another letter before a number": ("E:13.57", "F:13.57"),
    "another number behind a letter": ("E:13.57", "E:13.58"),
    "only the number": ("E:13.57", "13.57"),
    "only the letter": ("E:13.57", "E"),
    "another option": ("B. BE", "C. BE"),
    "the option with another value": ("B. BE", "B. NL"),
    "only the option": ("B. BE", "B"),
    "another range": ("2-4 years", "2-5 years"),
    "a comparison turned": ("< 1 year", "> 1 year"),
    "a plus lost": ("10+ years", "10 years"),
    "C for C++": ("C++", "C"),
    "C# for C++": ("C++", "C#"),
    "another patch": ("v1.10.2", "v1.10.3"),
    "another species": ("Iris-setosa", "Iris-virginica"),
    "another quarter": ("Q3 2021", "Q4 2021"),
    "another part of a standard": ("ISO-8859-1", "ISO-8859-15"),
    "zeros lost": ("007", "7"),
    "zero lost": ("3.10", "3.1"),
    "accents lost": ("São Paulo", "Sao Paulo"),
    "umlaut spelled": ("Zürich", "Zuerich"),
    "names turned": ("Smith, John", "John Smith"),
    "another script": ("Москва", "Moscow"),
    "cognates": ("東京都", "東京"),
    "raised digit": ("x²", "x2"),
    "singular": ("36 months", "36 month"),
    "minus for a hyphen before a digit": ("A-12", "A12"),
    "underscore for a space": ("fully_paid", "fully paid"),
    "case inside": ("GlobalCard", "Global Card"),
    "a long text, one word": (
        "customers who ordered at least twice within the last quarter",
        "customers who ordered at least once within the last quarter",
    ),
    "a long text, not": ("the difference is significant at 5%", "the difference is not significant at 5%"),
    "a long text, one digit": ("merchants with a delay of 7 days or more", "merchants with a delay of 3 days or more"),
}


def _texts() -> Iterator[Family]:
    wrapped = {name: wrap for name, wrap in WRAPPED.items() if name != "sentence of a label"}
    yield from forms(TEXT, "right", _one_of(TEXTS), {**wrapped, **_TEXT_FORMS}, 6)
    yield from forms(
        TEXT, "right", _one_of(PLAIN_TEXTS), {**BOXES, "box with text": lambda t: rf"\boxed{{\text{{{t}}}}}"}, 4
    )
    yield from forms(TEXT, "right", _one_of(LATIN_TEXTS), {"a full stop": lambda text: f"{text}."}, 4)
    yield from forms(EXACT_TEXT, "right", _one_of(TEXTS), {"case as it is": str, "case, bold": lambda t: f"**{t}**"}, 6)
    accepted = replace(TEXT, alternatives=("NYC", "the Big Apple"))
    yield from forms(
        accepted, "right", _one_of(("New York",)), templates("NYC", "nyc", "The Big Apple", "{}", "**NYC**"), 1
    )


def _wrong_texts() -> Iterator[Family]:
    yield from forms(TEXT, "wrong", _one_of(LATIN_TEXTS), _WRONG_TEXTS, 5)
    for name, (expected, given) in _SWAPPED_LABELS.items():
        yield from forms(TEXT, "wrong", _one_of((expected,)), {name: constant(given)}, 1)
        yield from forms(TEXT, "wrong", _one_of((given,)), {f"{name}, turned": constant(expected)}, 1)
    cases = {"other case": str.swapcase, "upper case": str.upper}
    yield from forms(EXACT_TEXT, "wrong", _one_of(LATIN_TEXTS), cases, 3)
    accepted = replace(TEXT, alternatives=("NYC", "the Big Apple"))
    yield from forms(
        accepted, "wrong", _one_of(("New York",)), templates("NY", "NYC or LA", "Apple", "York", "NYCC"), 1
    )
    homoglyph: dict[str, Callable[[str], str]] = {
        "Cyrillic look-alike": lambda text: text.replace("a", "а").replace("e", "е")
    }
    yield from forms(TEXT, "unclear", _one_of(("GlobalCard", "Level three")), homoglyph, 2)


# --- labels to choose from -------------------------------------------------------------------------


def _categories() -> Iterator[Family]:
    draw = _one_of(CHOICE.choices)
    right = {**WRAPPED, **BOXES, "upper case": str.upper, "a full stop": lambda text: f"{text}."}
    yield from forms(CHOICE, "right", draw, right, 3)
    wrong: dict[str, Callable[[str], str]] = {
        "the next label": lambda text: CHOICE.choices[(CHOICE.choices.index(text) + 1) % 5],
        "the label after": lambda text: CHOICE.choices[(CHOICE.choices.index(text) + 2) % 5],
        "two labels": lambda text: f"{text} or {'low' if text != 'low' else 'high'}",
        "all labels": lambda _: ", ".join(CHOICE.choices),
        "a letter lost": lambda text: text[:-1],
        "denied": lambda text: f"not {text}",
        "between": lambda text: f"between {text} and low",
        "no label": lambda _: "moderate",
        "a slash": lambda text: f"{text}/high" if text != "high" else "low/high",
        "nothing": lambda _: "",
        "maybe": lambda text: f"maybe {text}",
        "a question": lambda text: f"{text}?",
        "a degree": lambda text: f"rather {text}",
    }
    yield from forms(CHOICE, "wrong", draw, wrong, 5)
    yield from forms(LABEL, "right", _one_of(TEXTS), {"as it is": str, "bold": lambda text: f"**{text}**"}, 6)
    yield from forms(
        LABEL, "wrong", _one_of(LATIN_TEXTS), {name: _WRONG_TEXTS[name] for name in list(_WRONG_TEXTS)[:18]}, 2
    )


# --- yes and no ------------------------------------------------------------------------------------

_YES = (
    "yes", "Yes", "YES", "Yes.", "true", "True", "TRUE", "1", "y", "Y", "**Yes**", "Answer: yes", r"\boxed{\text{Yes}}",
    "`True`", "Yes!", '"yes"', "The answer is yes.", "<answer>Yes</answer>", "yes\n", r"\boxed{yes}", "np.True_",
    "**Answer:** Yes", "'True'", '{"answer": true}', '{"answer": "Yes"}', "1.0",
)  # fmt: skip
_NO = (
    "no", "No", "NO", "No.", "false", "False", "FALSE", "0", "n", "N", "**No**", "Answer: no", r"\boxed{\text{No}}",
    "`False`", "No!", '"no"', "The answer is no.", "<answer>No</answer>", "no\n", r"\boxed{no}", "np.False_",
    "**Answer:** No", "'False'", '{"answer": false}', '{"answer": "No"}', "0.0",
)  # fmt: skip
_UNDECIDED = (
    "yes or no", "Yes/No", "yes and no", "maybe", "Maybe yes", "probably", "probably yes", "not sure", "unknown", "",
    "2", "-1", "yes, no", "no, yes", "Y/N", "true or false", "True/False", "neither", "both", "partly", "it depends",
    "not yes", "not no", "yes?", "no?", "0.5", "10", "01", "yesno", "yess", "nope maybe", "I think so?", "yes but no",
    "50/50", r"\boxed{yes} \boxed{no}", "Answer: yes\nAnswer: no", "yes (or no)", "[yes, no]", "- yes\n- no",
    "not true", "not false", "untrue, or true", "yes | no", "perhaps", "likely", "unlikely", "N/A", "None", "null",
    "nan", "t/f", "Yes. No.", "No. Yes.", "yes → no", "either", "can't say", "more or less", "-0.0001", "1/2", "100%",
    "x", "(yes|no)", "Answer with yes or no.", "yes or no: yes or no", "1 or 0", "0, 1", "TrueFalse",
    "Not Applicable",
)  # fmt: skip


def _booleans() -> Iterator[Family]:
    for value, same, other in ((True, _YES, _NO), (False, _NO, _YES)):
        draw: Callable[[Random], tuple[bool, str]] = lambda _, v=value: (v, "")  # type: ignore[misc]  # noqa: E731
        yield from forms(BOOLEAN, "right", draw, literally(same), 1)
        yield from forms(BOOLEAN, "wrong", draw, literally(other), 1)
        yield from forms(BOOLEAN, "wrong", draw, literally(_UNDECIDED), 1)
        sentence = "Yes, the correlation is significant." if value else "No, the correlation is weak."
        yield from forms(BOOLEAN, "unclear", draw, literally([sentence]), 1)


# --- dates -----------------------------------------------------------------------------------------


class _Day(NamedTuple):
    """A day that no other day can be taken for: above the twelfth of its month, and below the 28th."""

    date: datetime.date

    def shifted(self, days: int) -> datetime.date:
        return self.date + datetime.timedelta(days)


def _day(rng: Random) -> tuple[datetime.date, _Day]:
    date = datetime.date(rng.randrange(1970, 2040), rng.randrange(1, 13), rng.randrange(13, 28))
    return date, _Day(date)


def _early_day(rng: Random) -> tuple[datetime.date, _Day]:
    """A day whose figures could be those of a month, but not its own."""
    date = datetime.date(rng.randrange(1970, 2040), rng.randrange(1, 6), rng.randrange(6, 12))
    return date, _Day(date)


_DATE_FORMS: Mapping[str, str] = {
    "slashes, year first": "%Y/%m/%d",
    "points, year first": "%Y.%m.%d",
    "no separators": "%Y%m%d",
    "day and month": "%d %B %Y",
    "day and short month": "%d %b %Y",
    "short month with hyphens": "%d-%b-%Y",
    "month and day": "%B %d, %Y",
    "short month and day": "%b %d, %Y",
    "short month with a point": "%b. %d, %Y",
    "month and day without a comma": "%B %d %Y",
    "weekday, month": "%A, %B %d, %Y",
    "short weekday": "%a %d %b %Y",
    "year first, in words": "%Y %B %d",
    "with a midnight": "%Y-%m-%d 00:00:00",
    "ISO midnight": "%Y-%m-%dT00:00:00",
    "ISO midnight in UTC": "%Y-%m-%dT00:00:00Z",
    "day first, slashes": "%d/%m/%Y",
    "month first, slashes": "%m/%d/%Y",
    "day first, points": "%d.%m.%Y",
    "day first, hyphens": "%d-%m-%Y",
    "the day of the month": "%dth of %B %Y",
    "month, ordinal": "%B %dth, %Y",
    "Timestamp's repr": "Timestamp('%Y-%m-%d 00:00:00')",
    "with a weekday behind": "%Y-%m-%d (%A)",
}
_WRONG_DATES: Mapping[str, Callable[[_Day], str]] = {
    "the next day": lambda day: f"{day.shifted(1)}",
    "the day before": lambda day: f"{day.shifted(-1)}",
    "the next day in words": lambda day: f"{day.shifted(1):%B %d, %Y}",
    "the next month": lambda day: f"{day.date.replace(month=day.date.month % 12 + 1)}",
    "the next year": lambda day: f"{day.date.replace(year=day.date.year + 1)}",
    "a century before": lambda day: f"{day.date.replace(year=day.date.year - 100)}",
    "a digit of the day changed": lambda day: f"{day.date:%Y-%m-}{day.date.day - 10:02}",
    "the month only": lambda day: f"{day.date:%B %Y}",
    "the month only, ISO": lambda day: f"{day.date:%Y-%m}",
    "the year only": lambda day: f"{day.date:%Y}",
    "without the year": lambda day: f"{day.date:%B %d}",
    "the day only": lambda day: f"{day.date:%d}",
    "no such month": lambda day: f"{day.date:%Y}-13-{day.date:%d}",
    "no such day": lambda day: f"{day.date:%Y-%m}-32",
    "day and month turned, ISO": lambda day: f"{day.date:%Y-%d-%m}",
    "hedged": lambda day: f"around {day.date}",
    "or the next": lambda day: f"{day.date} or {day.shifted(1)}",
    "a range": lambda day: f"{day.date} to {day.shifted(9)}",
    "before": lambda day: f"before {day.date}",
    "after": lambda day: f"after {day.date:%B %d, %Y}",
    "not it": lambda day: f"not {day.date}",
    "a question": lambda day: f"{day.date}?",
    "another weekday": lambda day: f"{day.shifted(1):%A}, {day.date:%B %d, %Y}",
    "two days": lambda day: f"{day.date}, {day.shifted(3)}",
    "two days on lines": lambda day: f"{day.date}\n{day.shifted(3)}",
    "seconds since 1970": lambda day: f"{day.date.toordinal() * 86_400}",
    "its ordinal": lambda day: f"{day.date.toordinal()}",
    "two boxes": lambda day: rf"\boxed{{{day.date}}} \boxed{{{day.shifted(1)}}}",
    "Not Applicable": lambda day: "Not Applicable",
    "nothing": lambda day: "",
    "NaT": lambda day: "NaT",
    "the week": lambda day: f"{day.date:%G-W%V}",
    "a quarter": lambda day: f"{day.date:%Y}-Q{(day.date.month + 2) // 3}",
    "a mistyped month": lambda day: f"{day.date:%d} Octember {day.date:%Y}",
    "today": lambda day: "today",
}


def _dates() -> Iterator[Family]:
    def written(pattern: str) -> Callable[[_Day], str]:
        return lambda day: day.date.strftime(pattern)

    def wrapped(wrap: Callable[[object], str]) -> Callable[[_Day], str]:
        return lambda day: wrap(day.date)

    yield from forms(DATE, "right", _day, {name: wrapped(wrap) for name, wrap in {**WRAPPED, **BOXES}.items()}, 2)
    yield from forms(DATE, "right", _day, {name: written(pattern) for name, pattern in _DATE_FORMS.items()}, 3)
    plain: dict[str, Callable[[_Day], str]] = {
        "no zeros": lambda day: f"{day.date.year}-{day.date.month}-{day.date.day}",
        "no zeros, in words": lambda day: f"{day.date.day} {day.date:%B %Y}",
    }
    yield from forms(DATE, "right", _early_day, plain, 4)
    british = {"day first": lambda day: f"{day.date:%d/%m/%Y}", "short year": lambda day: f"{day.date:%d/%m/%y}"}
    american = {"month first": lambda day: f"{day.date:%m/%d/%Y}", "short year": lambda day: f"{day.date:%m/%d/%y}"}
    german = {"day first, points": lambda day: f"{day.date:%d.%m.%Y}"}
    for locale, same, other in (("en-GB", british, american), ("en-US", american, british), ("de", german, american)):
        contract = replace(DATE, locale=locale)
        yield from forms(contract, "right", _early_day, {f"{name}, {locale}": form for name, form in same.items()}, 4)
        turned = {f"{name} in {locale}": form for name, form in other.items()}
        yield from forms(contract, "wrong", _early_day, turned, 4)


def _wrong_dates() -> Iterator[Family]:
    yield from forms(DATE, "wrong", _day, _WRONG_DATES, 5)
    either: dict[str, Callable[[_Day], str]] = {
        "month or day first": lambda day: f"{day.date:%m/%d/%Y}",
        "day or month first": lambda day: f"{day.date:%d/%m/%Y}",
        "day or month first, points": lambda day: f"{day.date:%d.%m.%Y}",
        "short year": lambda day: f"{day.date:%d/%m/%y}",
    }
    yield from forms(DATE, "unclear", _early_day, either, 3)
    yield from forms(DATE, "unclear", _day, {"with a time": lambda day: f"{day.date} 14:30:00"}, 3)
    leap = templates(
        "2023-02-29", "February 29, 2023", "2023-02-28", "2024-02-28", "2024-03-01", "29/02/2023", "1900-02-29"
    )
    yield from forms(DATE, "wrong", lambda _: (datetime.date(2024, 2, 29), ()), leap, 1)
    month_end = templates("2021-04-31", "31 April 2021", "2021-05-01", "2021-04-29", "2021-4-3")
    yield from forms(DATE, "wrong", lambda _: (datetime.date(2021, 4, 30), ()), month_end, 1)


def _moments() -> Iterator[Family]:
    def moment(rng: Random) -> tuple[datetime.datetime, datetime.datetime]:
        day, _ = _day(rng)
        found = datetime.datetime(
            day.year, day.month, day.day, rng.randrange(1, 12), rng.randrange(60), rng.randrange(1, 59)
        )
        return found, found

    second = datetime.timedelta(seconds=1)
    right: dict[str, Callable[[datetime.datetime], str]] = {
        "ISO": lambda time: time.isoformat(),
        "a space": str,
        "UTC": lambda time: f"{time.isoformat()}Z",
        "in words": lambda time: f"{time:%B %d, %Y %H:%M:%S}",
        "in words, with at": lambda time: f"{time:%B %d, %Y at %H:%M:%S}",
        "morning": lambda time: f"{time:%Y-%m-%d %I:%M:%S AM}",
        "bold": lambda time: f"**{time}**",
        "Timestamp's repr": lambda time: f"Timestamp('{time}')",
    }
    wrong: dict[str, Callable[[datetime.datetime], str]] = {
        "a second later": lambda time: str(time + second),
        "a second before": lambda time: str(time - second),
        "a minute later": lambda time: str(time + 60 * second),
        "an hour later": lambda time: str(time + 3600 * second),
        "twelve hours later": lambda time: f"{time:%Y-%m-%d %I:%M:%S PM}",
        "the next day": lambda time: str(time + 86_400 * second),
        "the day only": lambda time: f"{time:%Y-%m-%d}",
        "the time only": lambda time: f"{time:%H:%M:%S}",
        "another zone": lambda time: f"{time.isoformat()}+02:00",
        "hedged": lambda time: f"about {time}",
        "no such minute": lambda time: f"{time:%Y-%m-%d %H}:61:00",
    }
    yield from forms(MOMENT, "right", moment, right, 3)
    yield from forms(MOMENT, "wrong", moment, wrong, 4)


# --- no answer, and answers in sentences -------------------------------------------------------------


def _not_applicable() -> Iterator[Family]:
    right = (
        "Not Applicable", "not applicable", "N/A", "n/a", "Not applicable.", "**Not Applicable**", "NOT APPLICABLE",
        "Answer: Not Applicable", r"\boxed{\text{Not Applicable}}", '"Not Applicable"', "`N/A`", " Not  Applicable ",
        "<answer>Not Applicable</answer>", "The answer is: Not Applicable", "Not Applicable\n",
    )  # fmt: skip
    wrong = (
        "0", "42", "yes", "no", "", "applicable", "Applicable", "Not", "Not Applicable or 5", "unknown", "3.5%",
        "Not Applicable, but about 12", "maybe not applicable", "New York", "[]", "2020-03-24", "$5", "not applicable?",
    )  # fmt: skip
    others = (
        Contract("integer"),
        Contract("number", decimals=2),
        TEXT,
        BOOLEAN,
        DATE,
        Contract("list", item="integer"),
    )
    for contract in (NOT_APPLICABLE, *others):
        yield from forms(contract, "right", lambda _: (None, ""), literally([f"{text}" for text in right]), 1)
    for contract in (NOT_APPLICABLE, others[0], others[3]):
        yield from forms(contract, "wrong", lambda _: (None, ""), literally(wrong), 1)


def _number_sentences() -> Iterator[Family]:
    def number(rng: Random) -> tuple[int, int]:
        found = rng.randrange(12, 10_000)
        return found, found

    right = templates(
        "There are {} customers.", "The table has {:,} rows.", "We find {} of them in total.", "It is **{}**.",
        "After filtering, {} orders remain.", "So the count comes to {:,}.", "{} customers churned.", "Therefore: {}",
        "The number of rows is {}, which is the answer.", "I counted {} rows.", "In total, {} people answered.",
        "A total of {} customers churned.", "The dataset includes {:,} rows.", "There are exactly {} of them.",
        "Altogether {} orders were placed.", "We identified {} duplicates.", "The total comes to {:,} orders.",
        "I dropped the refunds. There were {} orders.", "There are {} matching rows in the table.",
    )  # fmt: skip
    wrong = templates(
        "There are about {} customers.", "There are at least {} customers.", "There are not {} customers.",
        "There are {} or 7 customers.", "There are -{} customers.", "There are {}.5 customers.", "They are {}%.",
        "There are {}0 customers.", "Between 5 and {} customers.", "Customer A{} is the one.", "It cannot be {}?",
        "There are no customers.", "There may be {} customers, maybe more.", "Roughly {} customers churned.",
        "There were never {} customers.", "There weren't {} customers.", "The count fell by {}.", "It dropped from {}.",
        "All customers except {} churned.", "It stands in row {}.", "{} is incorrect.", "I doubt that there are {}.",
        "Suppose there are {}.", "It is half of {}.", "There are {} thousand customers.", "There are {} fewer.",
        "It would be {} if zeros were dropped.", "The wrong answer is {}.", "Are there {} customers",
        "It is {} squared.",
        "An estimated {} customers churned.", "There are no {} customers.", "Everyone expected {}.", "Error: got {}.",
        "The count is {} short.", "It is {} on average.", "There are {} rows too many.", "There are {} rows each.",
        "{} out of range", "{} and a half", "It is {} in base 9.", "The old count was {}.", "It is {}. Just kidding.",
        "It is {} of them removed.", "The count is {} away from the mean.", "I think the count is {}.",
    )  # fmt: skip
    wrong["off by one"] = lambda n: f"There are {n + 1} customers."
    yield from forms(INTEGER_IN_SENTENCE, "right", number, {f"sentence, {k}": v for k, v in right.items()}, 3)
    yield from forms(INTEGER_IN_SENTENCE, "wrong", number, {f"sentence, {k}": v for k, v in wrong.items()}, 3)
    two = templates(
        "Of 20,000 customers {} churned.", "{} of 20,000 customers churned.", "In 2021 there were {} customers."
    )
    yield from forms(INTEGER_IN_SENTENCE, "unclear", number, {f"sentence, {k}": v for k, v in two.items()}, 3)


def _other_sentences() -> Iterator[Family]:
    yes = (
        "Yes, the correlation is significant.",
        "Yes, it does.",
        "Yes: the means differ.",
        "Yes — they do.",
        "Yes, since p < 0.05.",
    )
    no = ("No, the correlation is weak.", "No, it does not.", "No: the means are equal.", "No — they do not.")
    unsure = (
        "Yes and no.",
        "Maybe yes.",
        "It depends.",
        "Yes or no, who knows.",
        "Perhaps not.",
        "I am not sure whether yes.",
        "Yes... Actually, no: both.",
        "Yes, unless outliers count; otherwise no.",
        "Yes for one, no for the other.",
        "It is hardly true, nor is it false.",
    )
    for value, same, other in ((True, yes, no), (False, no, yes)):
        draw: Callable[[Random], tuple[bool, str]] = lambda _, v=value: (v, "")  # type: ignore[misc]  # noqa: E731
        yield from forms(BOOLEAN_IN_SENTENCE, "right", draw, literally(same), 1)
        yield from forms(BOOLEAN_IN_SENTENCE, "wrong", draw, literally((*other, *unsure)), 1)
    day = {
        "sentence of a day": lambda day: f"It was sold on {day.date}.",
        "sentence of a day in words": lambda day: f"The peak was on {day.date:%B %d, %Y}.",
    }
    wrong_day = {
        "sentence of the next day": lambda day: f"It was sold on {day.shifted(1)}.",
        "sentence of two days": lambda day: f"It was sold on {day.date} or {day.shifted(1)}.",
        "sentence of about": lambda day: f"It was sold about {day.date}.",
        "sentence of a limit": lambda day: f"It was sold no later than {day.date}.",
        "sentence of a beginning": lambda day: f"It was on sale since {day.date}.",
        "sentence of a distance": lambda day: f"It was sold 2 days prior to {day.date}.",
        "sentence that denies": lambda day: f"It was never on {day.date}.",
    }
    yield from forms(DATE_IN_SENTENCE, "right", _day, day, 4)
    yield from forms(DATE_IN_SENTENCE, "wrong", _day, wrong_day, 4)
    label = templates("The risk is {}.", "I would call it **{}**.", "Most customers are in the {} group.")
    wrong_label = templates(
        "The risk is not {}.", "It is {} or low or high.", "It is neither {} nor low.", "There is no risk.",
        "It is anything but {}.", "It cannot be {}.", "It is less than {}.", "{} is wrong.", "It is hardly {}.",
        "It is no longer {}.", "I doubt that it is {}.", "It would be {} if it were clean.", "Is it {}", "All but {}.",
    )  # fmt: skip
    yield from forms(CHOICE_IN_SENTENCE, "right", _one_of(("medium", "high", "very high")), label, 3)
    yield from forms(CHOICE_IN_SENTENCE, "wrong", _one_of(("medium", "very high")), wrong_label, 2)
