"""Words that people use for what the built-in model was taught other words for, put into those.

It has learnt its lessons' words and no others: "avg" says nothing to it. What is the name of a column, or a part of
one, or stands in quotes, stays.
"""

import re
from collections.abc import Sequence

from cellwright.models.builtin.mentions import pieces

_TAUGHT = {
    "mean": ("avg", "arithmetic mean"),
    "median": ("mid value", "middle value"),
    "highest": ("biggest", "greatest", "max"),
    "lowest": ("least", "minimal", "min"),
    "sum": ("sum total", "grand total", "overall total"),
    "standard deviation": ("std", "stdev", "std dev", "sd", "stddev", "standard dev"),
    "distinct": ("unique", "different"),
    "rows": ("records", "entries", "observations", "lines"),
    "what is": ("what's", "whats"),
    "": ("please",),
}
_FOR = {word: taught for taught, words in _TAUGHT.items() for word in words}
_WORD = re.compile(
    r"`[^`]*`|\"[^\"]*\"|\b(" + "|".join(sorted(map(re.escape, _FOR), key=len, reverse=True)) + r")\b", re.IGNORECASE
)


FILES = "\n\nFiles:\n"
"""What stands between a question and the list of its files."""


# A number of values, where lessons say "how many" of rows only.
_HOW_MANY_DISTINCT = re.compile(
    r"\bhow many distinct (?:(?:non-missing )?values (?:of|in|for|has|does) )?", re.IGNORECASE
)


def in_its_words(asked: str, columns: Sequence[str]) -> str:
    """A question in words that lessons have, and what follows it. `columns`: of the table that is asked about."""
    question, files, listed = asked.partition(FILES)
    named = {piece for column in columns for piece in pieces(column)}

    def taught(found: re.Match[str]) -> str:
        is_name = found.start() > 0 and found[0][:1].isupper()  # Max, and not the word
        if found[1] is None or is_name or named & set(pieces(found[1])):
            return found[0]
        return _FOR[found[1].lower()]

    words = _HOW_MANY_DISTINCT.sub("what is the number of distinct values of ", _WORD.sub(taught, question))
    return re.sub(r"  +", " ", words).strip() + files + listed
