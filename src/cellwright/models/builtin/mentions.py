"""Which columns of a table a question names: by their whole names, or by some of their words that no other has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_A-Za-z]+")
_TICKED = re.compile(r"`([^`]*)`")
_SINGULAR_FROM = 4
"""Letters: shorter words that end in an s stay as they are."""


@dataclass(frozen=True)
class Mention:
    """A place in a question that names a column, or one of several."""

    columns: frozenset[str]
    begin: int
    end: int


def pieces(text: str) -> list[str]:
    """The words of a name or a text, small and without the s of a plural: of houseAge_2, house, age and 2."""
    return [_plain(found[0]) for found in _PIECE.finditer(text)]


def mentions(question: str, columns: Sequence[str], idle: frozenset[str]) -> list[Mention]:
    """All places, in order. `idle`: words that name a column only with all its words."""
    found = [
        Mention(frozenset({ticked[1]}), ticked.start(), ticked.end())
        for ticked in _TICKED.finditer(question)
        if ticked[1] in columns
    ]
    names = {column: pieces(column) for column in columns}
    words = list(_PIECE.finditer(_TICKED.sub(lambda ticked: " " * len(ticked[0]), question)))
    at = 0
    while at < len(words):
        length, meant = _longest(words[at:], names, idle)
        if meant:
            found.append(Mention(meant, words[at].start(), words[at + length - 1].end()))
        at += max(1, length)
    return sorted(found, key=lambda mention: mention.begin)


def _longest(
    words: Sequence[re.Match[str]], names: dict[str, list[str]], idle: frozenset[str]
) -> tuple[int, frozenset[str]]:
    """How many of these words name a column, from the first on; and which, whole names before parts of names."""
    lengths = {column: _run(words, name) for column, name in names.items()}
    length = max(lengths.values(), default=0)
    if not length:
        return 0, frozenset()
    meant = {column for column, own in lengths.items() if own == length}
    whole = {column for column in meant if len(names[column]) == length}
    if not whole and all(_plain(word[0]) in idle for word in words[:length]):
        return 0, frozenset()
    exact = {column for column in whole if column == "".join(word[0] for word in words[:length])}
    return length, frozenset(exact or whole or meant)


def _run(words: Sequence[re.Match[str]], name: Sequence[str]) -> int:
    """How many of the words stand in the name too, in the same order."""
    length = at = 0
    for word in words:
        try:
            at = name.index(_plain(word[0]), at) + 1
        except ValueError:
            break
        length += 1
    return length


def _plain(word: str) -> str:
    small = word.lower()
    is_plural = len(small) >= _SINGULAR_FROM and small.endswith("s") and not small.endswith("ss")
    return small[:-1] if is_plural else small
