"""Names for made tables: of files, columns and labels, and the words in which a person speaks of them.

A stem is a word as columns of real tables have them, letters that follow each other as in such words, syllables, or an
abbreviation. Words are few, and a model would know them by heart; of the other kinds there is no end, so that it has to
learn to copy. Each kind is parted in two by a hash: stems of held-out tables stand in no training table.
"""

import hashlib
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Literal

_CONSONANTS = "bcdfghjklmnprstvwxz"
_VOWELS = "aeiou"
_ENDINGS = "nrlsxk"
_HELD_OUT_OF_8 = 1
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LIKE_WORDS = 4, 10
"""Letters of a stem that only looks like a word."""
_MEASURES = ("usd", "eur", "kg", "km", "cm", "pct", "h")


Kind = Literal["word", "like a word", "syllables", "abbreviation"]


@dataclass(frozen=True)
class Style:
    """How names are made."""

    kinds: Mapping[Kind, float]
    """Shares of the kinds of stems."""
    plain: float
    """Share of columns that are written without capitals."""

    @property
    def without_words(self) -> "Style":
        """The same, but for real words."""
        return replace(self, kinds={kind: share for kind, share in self.kinds.items() if kind != "word"})


AS_IN_THE_WILD = Style({"word": 0.3, "like a word": 0.35, "syllables": 0.25, "abbreviation": 0.1}, 0.8)
SYLLABLES = Style({"syllables": 1.0}, 1.0)
"""The easiest to copy: they are cut into few pieces, which all stand in many names."""


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
        return f"{self.stem()}_{self.stem()}.csv" if self._rng.random() < 0.5 else f"{self.stem()}.csv"

    def column(self) -> Name:
        """Two stems, of which a person may say only one, or one; joined as people join them."""
        dress, first = self._dress(), self.stem()
        if self._rng.random() < 0.4:
            return Name(dress(first), first if dress is str.capitalize else dress(first))
        second = self._rng.choice(_MEASURES) if self._rng.random() < 0.25 else self.stem()
        form = self._rng.choice(("{}_{}", "{}_{}", "{} {}", "{}.{}"))
        if second in _MEASURES:
            return Name(self._rng.choice((form, "{} ({})")).format(first, second), first)
        said = self._rng.choice((first, second, f"{first} {second}"))
        written = form.format(dress(first), dress(second))
        return Name(written, dress(said) if dress is str.upper else said)

    def label(self) -> str:
        """A value of a column of labels."""
        dress, stem = self._dress(capitals=2), self.stem()
        return f"{stem} {self.stem()}" if self._rng.random() < 0.15 else dress(stem)

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
