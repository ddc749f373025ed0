"""Lessons under other names: each time a lesson is seen, its table's stems are others, everywhere the same.

Programs do not depend on how columns and labels are called, so a lesson renamed is what a kernel would give for the
table renamed; a test runs some to see. Names are what a small model must learn to copy and not to know.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cellwright.models.builtin.tokens import Tokenizer
from cellwright.training.scratch.encoding import Sample, encode
from cellwright.training.scratch.lessons import Lesson, Turn
from cellwright.training.scratch.names import Naming, Style

_WORD = re.compile("[A-Za-z]+")


def epochs(lessons: Sequence[Lesson], tokenizer: Tokenizer, style: Style, seed: int) -> Iterator[Sequence[Sample]]:
    """The lessons as they are, then again and again under other names, without end."""
    rng = random.Random(f"names {seed}")
    yield [encode(lesson, tokenizer) for lesson in lessons]
    while True:
        yield [encode(elsewhere(renamed(lesson, style, rng), style, rng), tokenizer) for lesson in lessons]


def renamed(lesson: Lesson, style: Style, rng: random.Random) -> Lesson:
    """The lesson with other stems for those of its table."""
    naming = Naming(rng, style, held_out=False)
    others = {stem: naming.stem() for stem in lesson.stems}

    def other(text: str) -> str:
        return _WORD.sub(lambda found: _like(found[0], others.get(found[0].lower())), text)

    (table,) = lesson.task.tables
    return replace(
        lesson,
        task=replace(lesson.task, tables=(replace(table, name=other(table.name)),)),
        question=other(lesson.question),
        turns=tuple(Turn(other(turn.code), other(turn.shown), turn.is_slip) for turn in lesson.turns),
        answer=other(lesson.answer),
        stems=tuple(others.values()),
    )


def elsewhere(lesson: Lesson, style: Style, rng: random.Random) -> Lesson:
    """The lesson with its table in another folder, as `ask` finds tables: beside the notebook, above it, or below."""
    stem = Naming(rng, style, held_out=False).stem()
    folder = rng.choice(("data/", "", "", f"{stem}/", f"../{stem}/"))

    def other(text: str) -> str:
        return text.replace("data/", folder)

    turns = tuple(Turn(other(turn.code), other(turn.shown), turn.is_slip) for turn in lesson.turns)
    return replace(lesson, turns=turns, folder=folder)


def _like(word: str, other: str | None) -> str:
    """The other word, with capitals where the first has them; the word itself where it is none of the table's."""
    if other is None:
        return word
    if word.isupper():
        return other.upper()
    return other.capitalize() if word[0].isupper() else other
