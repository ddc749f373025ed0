"""Lessons under other names: each time a lesson is seen, its table's stems are others, everywhere the same.

Programs do not depend on how columns and labels are called, nor on columns that they do not name, so a lesson renamed,
or without some of those, is what a kernel would give for the table changed so; a test runs some to see. Names are what
a small model must learn to copy and not to know, and to pick from many or few.
"""

import ast
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cellwright.models.builtin.tokens import Tokenizer
from cellwright.training.scratch.encoding import Sample, encode
from cellwright.training.scratch.lessons import Lesson, Turn
from cellwright.training.scratch.names import Naming, Style, fixed_words, pieces

_WHOLE = 0.5
"""Share of lessons that are seen with all columns of their table."""
_WORD = re.compile("[A-Za-z]+")


def epochs(lessons: Sequence[Lesson], tokenizer: Tokenizer, style: Style, seed: int) -> Iterator[Sequence[Sample]]:
    """The lessons as they are, then again and again under other names, without end."""
    rng = random.Random(f"names {seed}")
    yield [encode(lesson, tokenizer) for lesson in lessons]
    while True:
        yield [encode(elsewhere(other, style, rng), tokenizer) for other in _others(lessons, style, rng)]


def _others(lessons: Sequence[Lesson], style: Style, rng: random.Random) -> Iterator[Lesson]:
    return (rearranged(renamed(lesson, style, rng), rng) for lesson in lessons)


def renamed(lesson: Lesson, style: Style, rng: random.Random) -> Lesson:
    """The lesson with other stems for those of its table."""
    naming = Naming(rng, style, held_out=False)
    others = {stem: naming.stem() for stem in lesson.stems}

    def other(text: str) -> str:
        return _WORD.sub(lambda found: _renamed_word(found[0], others), text)

    (table,) = lesson.task.tables
    return replace(
        lesson,
        task=replace(lesson.task, tables=(replace(table, name=other(table.name)),)),
        question=other(lesson.question),
        turns=tuple(Turn(other(turn.code), other(turn.shown), turn.is_slip) for turn in lesson.turns),
        answer=other(lesson.answer),
        stems=tuple(others.values()),
    )


def rearranged(lesson: Lesson, rng: random.Random) -> Lesson:
    """The lesson with its table's columns in another order, and half the time without some that no program names."""
    code = "".join(turn.code for turn in lesson.turns)
    share = 1.0 if rng.random() < _WHOLE else rng.random()
    seed = rng.random()

    def other(turn: Turn) -> Turn:
        if turn.is_slip or not turn.shown or not turn.code.endswith("print(list(df.columns))"):
            return turn  # without outputs, as a control has it, there is nothing to rearrange
        columns: list[str] = ast.literal_eval(turn.shown)
        drawn = random.Random(seed)
        kept = [name for name in columns if repr(name) in code or drawn.random() < share]
        drawn.shuffle(kept)
        return replace(turn, shown=repr(kept))

    return replace(lesson, turns=tuple(map(other, lesson.turns)))


def elsewhere(lesson: Lesson, style: Style, rng: random.Random) -> Lesson:
    """The lesson with its table in another folder, as `ask` finds tables: beside the notebook, above it, or below."""
    stem = Naming(rng, style, held_out=False).stem()
    folder = rng.choice(("data/", "", "", f"{stem}/", f"../{stem}/"))

    def other(text: str) -> str:
        return text.replace("data/", folder)

    turns = tuple(Turn(other(turn.code), other(turn.shown), turn.is_slip) for turn in lesson.turns)
    return replace(lesson, turns=turns, folder=folder)


def _renamed_word(word: str, others: Mapping[str, str]) -> str:
    """A run of letters, which may be several words put together, unless programs and errors have it."""
    if word.lower() in fixed_words():
        return word
    return "".join(_like(piece, others.get(piece.lower())) for piece in pieces(word))


def _like(word: str, other: str | None) -> str:
    """The other word, with capitals where the first has them; the word itself where it is none of the table's."""
    if other is None:
        return word
    if word.isupper():
        return other.upper()
    return other.capitalize() if word[0].isupper() else other
