"""Lessons for tests: made once in a real kernel, of every form, with and without mistakes."""

import asyncio
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from cellwright.kernels import LocalPool
from cellwright.training.scratch.lessons import Lesson
from cellwright.training.scratch.making import Recipe, make_lessons
from cellwright.training.scratch.school import FORMS

KERNELS_USE = ("pandas",)


@cache
def lessons() -> tuple[tuple[Lesson, ...], Path]:
    """Lessons and the folder of their tables."""
    store = Path(mkdtemp(prefix="cellwright-lessons-"))
    return tuple(make(Recipe(60, FORMS, slips=0.4), store)), store


def make(recipe: Recipe, store: Path) -> list[Lesson]:
    """Lessons by a pool of their own."""

    async def job() -> list[Lesson]:
        async with LocalPool(1, preload=KERNELS_USE) as pool:
            return await make_lessons(recipe, pool, store)

    return asyncio.run(job())
