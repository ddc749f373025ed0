"""Whether an answer of the built-in model is one to the question: its program does all that the question says, and no
more.

No model: the question is parted into columns, a value, a statistic and words that say nothing, and compared with what
the last cell computed. What is left over, or could be meant in two ways, is a reason not to answer. It knows the words
that questions of the families are put in, so it holds back right answers to questions in other words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cellwright.models.builtin.mentions import Mention, mentions, pieces
from cellwright.models.builtin.programs import COUNT, METHODS, SIGNS, Asked, Condition, read_program

_NOTHING = {COUNT: "0", "sum": "0", "nunique": "0"}
"""What is shown where no row meets a condition; of other methods it is nan."""
_TICKED = re.compile("`[^`]*`")
_FILE = re.compile(r"`?[\w./ -]*[\w-]\.csv`?", re.IGNORECASE)
_FORMAT = re.compile(r"\s*(Leave missing values out of statistics|Answer with [^.]*)\.")
_CUES = {word: method for method, words in METHODS.items() for word in words} | {
    "number of distinct non-missing values": "nunique",
    "number of distinct": "nunique",
    "distinct values": "nunique",
    "distinct non-missing values": "nunique",
    "sample standard deviation": "std",
    "how many": COUNT,
    "number of rows": COUNT,
    "count": COUNT,
}
_CUE = re.compile(r"\b(" + "|".join(sorted(_CUES, key=len, reverse=True)) + r")\b", re.IGNORECASE)
_DISTINCT = re.compile(r"\bdistinct (non-missing )?values\b", re.IGNORECASE)
"""Words in which `values` is no column."""
_IDLE_WORDS = """
a all among an and are can column compute could data do does each equal equals file find for from get give has have i in
is it its know like me need no number of on only or over please report row rows s show table task tell that the there
these this those to us use used using value values want was we were what when where which whose with would you
"""
_IDLE = frozenset(_IDLE_WORDS.split())
"""Words of questions that say nothing of which program is meant."""
_STATISTIC_WORDS = frozenset(piece for words in _CUES for piece in pieces(words))
_BETWEEN = re.compile(r"[\s`\"'=:,]*((is|are|was|equals?|equal to|to)\b[\s`\"'=:,]*)*")
_THEN = re.compile(r"\?\s+|\(([^()]*)\)")
_MOST_IS_LAST = re.compile(r"\bfor which\b", re.IGNORECASE)
_UNTOLD = "its program says more or less than the question"


class Ran(NamedTuple):
    """A cell, and the last line that it showed."""

    code: str
    shown: str


@dataclass(frozen=True)
class _Text:
    """A question, or a part of one, and the columns that it may name."""

    words: str
    columns: Sequence[str]

    def without(self, begin: int, end: int) -> "_Text":
        return _Text(f"{self.words[:begin]}{' ' * (end - begin)}{self.words[end:]}", self.columns)

    def mentions(self) -> list[Mention]:
        return mentions(
            _DISTINCT.sub(lambda cue: " " * len(cue[0]), self.words), self.columns, _IDLE | _STATISTIC_WORDS
        )


def why_not_answer(question: str, columns: Sequence[str], ran: Sequence[Ran], answer: str) -> str:
    """Why this is no answer to the question about a table with these columns; empty where nothing speaks against it."""
    if not ran or answer.strip() != ran[-1].shown.strip():
        return "its answer is not what its last cell showed"
    asked = read_program(ran[-1].code)
    if asked is None:
        return "its program is none of those that it was taught"
    text = _Text(_FORMAT.sub("", _FILE.sub(lambda found: " " * len(found[0]), question)), columns)
    if asked.condition is not None and answer.strip().removesuffix(".0") == _NOTHING.get(asked.method, "nan"):
        return f"no row has {asked.condition.column} {asked.condition.sign} {asked.condition.value!r}"
    first = _found_before(asked.condition, ran[:-1])
    parts = _parts(text) if first else None
    if first and parts:
        return _mismatch(first, parts[0], "") or _mismatch(asked, parts[1], first.group)
    return _mismatch(asked, text, "")


def _found_before(condition: Condition | None, ran: Sequence[Ran]) -> Asked | None:
    """The program that found the label of a condition."""
    if condition is None:
        return None
    for cell in ran:
        earlier = read_program(cell.code)
        if earlier and earlier.group == condition.column and cell.shown == condition.value:
            return earlier
    return None


def _parts(text: _Text) -> tuple[_Text, _Text] | None:
    """Of a question in two steps: which label it is, and what is asked of it."""
    found = _THEN.search(_TICKED.sub(lambda ticked: "`" * len(ticked[0]), text.words))
    if found is None:
        return None
    if found[1] is not None:
        return _Text(text.words[found.start(1) : found.end(1)], text.columns), text.without(*found.span())
    return _Text(text.words[: found.start()], text.columns), _Text(text.words[found.end() :], text.columns)


def _mismatch(asked: Asked, text: _Text, found: str) -> str:
    """What parts a program from its question. `found`: the column whose label was found in the step before."""
    if asked.condition is None or found:
        return _compared(asked, text, text.mentions(), found)
    reasons = [
        _compared(asked, rest, named, found) or _of_condition(asked, text, named, place)
        for place in _places(asked.condition.value, text.words)
        for rest in [text.without(*place)]
        for named in [rest.mentions()]
    ]
    if not reasons:
        return f"the question does not say {str(asked.condition.value)!r}, its program does"
    return min(reasons, key=len)


def _places(value: str | float, words: str) -> list[tuple[int, int]]:
    """Where a value stands."""
    said = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    form = rf"(?<![\w.-]){re.escape(said)}(?!\w|\.\d)"
    return [found.span() for found in re.finditer(form, words)]


def _compared(asked: Asked, text: _Text, named: Sequence[Mention], found: str) -> str:
    """The columns, the statistic, and that nothing else is said."""
    if unclear := next((mention for mention in named if len(mention.columns) > 1), None):
        return f"{text.words[unclear.begin : unclear.end]!r} could be any of {', '.join(sorted(unclear.columns))}"
    said = {column for mention in named for column in mention.columns}
    if unsaid := sorted(asked.columns - said - {found}):
        return f"its program reads {unsaid[0]!r}, which the question does not name"
    if unread := sorted(said - asked.columns):
        return f"its program does not read {unread[0]!r}, which the question names"
    if asked.group and next(iter(named[0].columns)) != asked.group:
        return _UNTOLD
    rest = text.words
    for mention in named:
        rest = rest[: mention.begin] + " " * (mention.end - mention.begin) + rest[mention.end :]
    return _of_statistic(asked, rest)


def _of_statistic(asked: Asked, rest: str) -> str:
    """`rest`: the question without columns and values."""
    cues = [_CUES[cue[0].lower()] for cue in _CUE.finditer(rest)]
    wanted = {asked.method, asked.side} - {""}
    ordered = [asked.method, asked.side] if _MOST_IS_LAST.search(rest) else [asked.side, asked.method]
    if set(cues) != wanted or (wanted == {"max", "min"} and cues != ordered):
        return f"its program does not compute what is asked ({', '.join(sorted(wanted))})"
    signs = {word for words in SIGNS.values() for phrase in words for word in phrase.split()}
    known = _IDLE | (signs if asked.condition and asked.condition.sign != "==" else frozenset())
    unknown = [word for word in re.findall(r"[^\W_]+", _CUE.sub(" ", rest)) if word.lower() not in known]
    return f"it does not know what {unknown[0]!r} is" if unknown else ""


def _of_condition(asked: Asked, text: _Text, named: Sequence[Mention], place: tuple[int, int]) -> str:
    """Whether the value is said of the condition's column, and with its sign."""
    condition = asked.condition
    assert condition is not None
    before = [mention for mention in named if mention.end <= place[0]]
    if not before or before[-1].columns != {condition.column}:
        return _UNTOLD
    if asked.column == condition.column and len(named) < 2:  # Once as what is asked, once as which rows.
        return _UNTOLD
    between = text.words[before[-1].end : place[0]]
    signs = "|".join(SIGNS.get(condition.sign, ()))
    phrase = _BETWEEN.pattern + (rf"({signs})\s+" if signs else "")
    return "" if re.fullmatch(phrase, between, re.IGNORECASE) else _UNTOLD
