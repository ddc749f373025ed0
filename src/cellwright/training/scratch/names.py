"""Names for made tables: of files, columns and labels, and the words in which a person speaks of them.

Half of the stems are made of syllables, so that a model learns to copy what it never saw; half are words as columns of
real tables have. Each kind is parted in two by a hash: stems of held-out tables stand in no training table.
"""

import hashlib
import random
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib import resources

_CONSONANTS = "bcdfghjklmnprstvwxz"
_VOWELS = "aeiou"
_ENDINGS = "nrlsxk"
_HELD_OUT_OF_8 = 1
_MEASURES = ("usd", "eur", "kg", "km", "cm", "pct", "h")


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


def _listed(file: str) -> tuple[str, ...]:
    return tuple(resources.files(__package__).joinpath(file).read_text(encoding="utf-8").split())


class Naming:
    """Draws names; no name of one table is part of another."""

    def __init__(self, rng: random.Random, *, held_out: bool, words_share: float = 0.5) -> None:
        """`words_share`: the share of stems that are real words; the rest is made of syllables."""
        self._rng, self._held_out, self._words_share = rng, held_out, words_share
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
        first = self.stem()
        if self._rng.random() < 0.4:
            return Name(first.capitalize() if self._rng.random() < 0.1 else first, first)
        second = self._rng.choice(_MEASURES) if self._rng.random() < 0.25 else self.stem()
        written = self._rng.choice((f"{first}_{second}", f"{first}_{second}", f"{first} {second}", f"{first}.{second}"))
        if second in _MEASURES:
            return Name(self._rng.choice((written, f"{first} ({second})")), first)
        return Name(written, self._rng.choice((first, second, f"{first} {second}")))

    def label(self) -> str:
        """A value of a column of labels."""
        stem = self.stem()
        form = self._rng.random()
        if form < 0.15:
            return f"{stem} {self.stem()}"
        return stem.capitalize() if form < 0.4 else stem

    def stem(self) -> str:
        """A word that is no part of an earlier one of this table, nor has one as a part."""
        while True:
            stem = self._rng.choice(self._words) if self._rng.random() < self._words_share else self._syllables()
            if is_held_out(stem) == self._held_out and stem not in fixed_words() and not _meets(stem, self._taken):
                self._taken[stem] = None
                return stem

    def _syllables(self) -> str:
        return "".join(
            self._rng.choice(_CONSONANTS)
            + self._rng.choice(_VOWELS)
            + (self._rng.choice(_ENDINGS) if self._rng.random() < 0.3 else "")
            for _ in range(self._rng.choice((2, 2, 2, 3)))
        )


def _meets(stem: str, taken: Collection[str]) -> bool:
    return any(stem in other or other in stem for other in taken)
