"""Names for made tables: of files, columns and labels, and the words in which a person speaks of them.

A stem is a word as columns of real tables have them, letters that follow each other as in such words, syllables, or an
abbreviation. Words are few, and a model would know them by heart; of the other kinds there is no end, so that it has to
learn to copy. Each kind is parted in two by a hash: stems of held-out tables stand in no training table.
"""

import hashlib
import random
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import combinations
from typing import Literal

_CONSONANTS = "bcdfghjklmnprstvwxz"
_VOWELS = "aeiou"
_ENDINGS = "nrlsxk"
_HELD_OUT_OF_8 = 1
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LIKE_WORDS = 4, 10
"""Letters of a stem that only looks like a word."""
_MEASURES = ("usd", "eur", "kg", "km", "cm", "pct", "h")
_FIGURES = ("1", "2", "3", "4", "5", "10", "80", "90")
"""That columns end in."""
_IN_ONE_MANNER = 0.8
"""Share of columns written as most of their table are."""


Kind = Literal["word", "like a word", "syllables", "abbreviation"]


@dataclass(frozen=True)
class Style:
    """How names are made."""

    kinds: Mapping[Kind, float]
    """Shares of the kinds of stems."""
    plain: float
    """Share of columns that are written without capitals."""
    alike: float = 0.0
    """Share of columns that are named after another one of their table, as total_bill and total_tip are."""
    long: float = 0.0
    """Share of columns of three words."""

    @property
    def without_words(self) -> "Style":
        """The same, but for real words."""
        return replace(self, kinds={kind: share for kind, share in self.kinds.items() if kind != "word"})


AS_IN_THE_WILD = Style(
    {"word": 0.3, "like a word": 0.35, "syllables": 0.25, "abbreviation": 0.1}, 0.7, alike=0.3, long=0.15
)
SYLLABLES = Style({"syllables": 1.0}, 1.0)
"""The easiest to copy: they are cut into few pieces, which all stand in many names."""


_PIECE = re.compile("[A-Z]?[a-z]+|[A-Z]+")


def pieces(word: str) -> list[str]:
    """The words in a run of letters: houseAge has two."""
    return _PIECE.findall(word)


@dataclass(frozen=True)
class Name:
    """A column: as the table has it, and as somebody says it who has not looked."""

    written: str
    said: str


def is_held_out(stem: str) -> bool:
    """Whether a stem is kept for the tables that a model is tested on."""
    return hashlib.sha256(stem.encode()).digest()[0] % 8 < _HELD_OUT_OF_8


@cache
def words() -> tuple[str, ...]:
    """The real words of which names are made."""
    return _listed("words.txt")


@cache
def fixed_words() -> frozenset[str]:
    """Words of questions, programs and errors: no name has them, so that names can be told from the text round them."""
    return frozenset(_listed("fixed_words.txt"))


@cache
def _follow() -> Mapping[str, str]:
    """Two letters of real words to those that come after them, as often as they do; a space begins and ends a word."""
    found: dict[str, str] = {}
    for word in words():
        if not is_held_out(word):
            for at, letter in enumerate(f"{word} "):
                before = f"  {word}"[at : at + 2]
                found[before] = found.get(before, "") + letter
    return found


def _listed(file: str) -> tuple[str, ...]:
    return tuple(resources.files(__package__).joinpath(file).read_text(encoding="utf-8").split())


@dataclass(frozen=True)
class _Manner:
    """How a table's columns are written."""

    dress: Callable[[str], str]
    join: str
    """Empty: capitals part the words."""
    has_brackets: bool
    """Round a unit of measure."""

    def written(self, parts: tuple[str, ...]) -> str:
        """The column's name."""
        if parts[-1] in _MEASURES and self.join == " " and self.has_brackets:
            return f"{self.join.join(map(self.dress, parts[:-1]))} ({parts[-1]})"
        if parts[-1] in _FIGURES and self.has_brackets:
            return self.written(parts[:-1]) + parts[-1]
        if self.join:
            return self.join.join(part if part in _MEASURES else self.dress(part) for part in parts)
        return "".join(part if part in _FIGURES else part.capitalize() for part in parts)


class Naming:
    """Draws names; no name of one table is part of another."""

    def __init__(self, rng: random.Random, style: Style, *, held_out: bool) -> None:
        self._rng, self._style, self._held_out = rng, style, held_out
        self._taken: dict[str, None] = {}
        self._words = [word for word in words() if is_held_out(word) == held_out]

    @property
    def stems(self) -> tuple[str, ...]:
        """All that were drawn."""
        return tuple(self._taken)

    def file(self) -> str:
        """A file's name without its folder."""
        kind = self._rng.random()
        if kind < 0.1:
            return f"{self.stem()}_{self._rng.randint(1990, 2029)}.csv"
        return f"{self.stem()}_{self.stem()}.csv" if kind < 0.5 else f"{self.stem()}.csv"

    def columns(self, count: int) -> list[Name]:
        """So many columns, most of them written in the table's one manner. No two could be meant by what one is said
        as."""
        manner = self._manner()
        parts: list[tuple[str, ...]] = []
        while len(parts) < count:
            made = self._parts(parts)
            if made not in parts:
                parts.append(made)
        others = [manner if self._rng.random() < _IN_ONE_MANNER else self._manner() for _ in parts]
        return [
            Name(how.written(own), self._said(own, how, [p for p in parts if p is not own]))
            for own, how in zip(parts, others, strict=True)
        ]

    def _parts(self, earlier: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        """Words of a column: of its own, or those of another but for one."""
        models = [parts for parts in earlier if len(parts) > 1]
        if models and self._rng.random() < self._style.alike:
            model = list(self._rng.choice(models))
            at = self._rng.randrange(len(model))
            model[at] = self._rng.choice(_FIGURES) if model[at] in _FIGURES else self.stem()
            return tuple(model)
        first, kind = self.stem(), self._rng.random()
        if kind < self._style.long:
            return (first, self.stem(), self.stem())
        if kind < 0.45:
            return (first,)
        if kind < 0.52:
            return (first, self._rng.choice(_FIGURES))
        return (first, self._rng.choice(_MEASURES) if self._rng.random() < 0.2 else self.stem())

    def _manner(self) -> "_Manner":
        return _Manner(self._dress(), self._rng.choice(("_", "_", "_", " ", ".", "")), self._rng.random() < 0.5)

    def _said(self, parts: tuple[str, ...], how: "_Manner", others: Sequence[tuple[str, ...]]) -> str:
        """As it is written, or by so many of its words as no other column has."""
        if self._rng.random() < 0.3:
            return how.written(parts)
        must = [part for part in parts if part in _FIGURES]
        words = [part for part in parts if part not in (*_MEASURES, *_FIGURES)]
        enough = [
            (*some, *must)
            for length in range(1, len(words) + 1)
            for some in combinations(words, length)
            if not any(set(some) | set(must) <= set(other) for other in others)
        ]
        said = " ".join(self._rng.choice((enough[0], enough[-1])) if enough else parts)
        return said.upper() if how.dress is str.upper and self._rng.random() < 0.5 else said

    def label(self) -> str:
        """A value of a column of labels."""
        dress, stem = self._dress(capitals=2), self.stem()
        return f"{dress(stem)} {dress(self.stem())}" if self._rng.random() < 0.2 else dress(stem)

    def stem(self) -> str:
        """A word that is no part of an earlier one of this table, nor has one as a part."""
        while True:
            stem = self._drawn()
            if is_held_out(stem) == self._held_out and stem not in fixed_words() and not _meets(stem, self._taken):
                self._taken[stem] = None
                return stem

    def _drawn(self) -> str:
        (kind,) = self._rng.choices(list(self._style.kinds), list(self._style.kinds.values()))
        if kind == "word":
            return self._rng.choice(self._words)
        return _DRAWN[kind](self._rng)

    def _dress(self, capitals: float = 1.0) -> Callable[[str], str]:
        """How the letters are written: mostly as they are, or with capitals, so many times as often as in columns."""
        kind, plain = self._rng.random(), 1 - capitals * (1 - self._style.plain)
        if kind < plain:
            return str
        return str.upper if kind > (1 + plain) / 2 else str.capitalize


def _like_a_word(rng: random.Random) -> str:
    least, most = _LIKE_WORDS
    while True:
        made = "  "
        while (letter := rng.choice(_follow()[made[-2:]])) != " ":
            made += letter
        if least <= len(made) - 2 <= most:
            return made.strip()


def _syllables(rng: random.Random) -> str:
    return "".join(
        rng.choice(_CONSONANTS) + rng.choice(_VOWELS) + (rng.choice(_ENDINGS) if rng.random() < 0.3 else "")
        for _ in range(rng.choice((2, 2, 2, 3)))
    )


def _abbreviation(rng: random.Random) -> str:
    return "".join(rng.choice(_LETTERS) for _ in range(rng.choice((3, 3, 4))))


_DRAWN: Mapping[str, Callable[[random.Random], str]] = {
    "like a word": _like_a_word,
    "syllables": _syllables,
    "abbreviation": _abbreviation,
}


def _meets(stem: str, taken: Collection[str]) -> bool:
    return any(stem in other or other in stem for other in taken)
