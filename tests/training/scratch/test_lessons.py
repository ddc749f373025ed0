"""Lessons: true to what the agent's loop shows, right by the graders, the same for the same seed."""

import ast
import asyncio
import csv
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from cellwright.agent import Assignment, RunLimits, run_agent
from cellwright.answers import compare, from_json
from cellwright.core.types import Message, Trace
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.models import ScriptedModel
from cellwright.models.builtin import chat
from cellwright.models.builtin.checking import Ran, why_not_answer
from cellwright.models.builtin.tokens import Tokenizer
from cellwright.pipeline.execute import table_paths
from cellwright.training.scratch.encoding import (
    encode,
    messages,
    with_shuffled_answers,
    without_outputs,
)
from cellwright.training.scratch.families import FAMILIES
from cellwright.training.scratch.lessons import Lesson
from cellwright.training.scratch.making import Recipe, confirmed
from cellwright.training.scratch.names import AS_IN_THE_WILD, Naming, fixed_words, is_held_out, words
from cellwright.training.scratch.renaming import rearranged, renamed
from cellwright.training.scratch.school import FORMS, wide_exam_recipe
from cellwright.training.scratch.slips import slip

from .made import KERNELS_USE, lessons, make


async def _replayed(some: Sequence[tuple[Lesson, Path]]) -> list[Trace]:
    """What the agent's loop makes of what the lessons say, in fresh kernels; each with the folder of its tables."""
    traces = []
    async with LocalPool(1, preload=KERNELS_USE) as pool:
        for lesson, store in some:
            said = messages(lesson)
            model = ScriptedModel([message for message in said if message.role == "assistant"])
            async with pool.kernel(KernelSettings(table_paths(lesson.task.tables, store))) as kernel:
                assignment = Assignment(lesson.task.id, said[0].content)
                traces.append(await run_agent(assignment, model, kernel, limits=RunLimits(steps=9)))
    return traces


def _by_form(some: Sequence[Lesson]) -> list[Lesson]:
    """One of each form, with and without a mistake."""
    found = {(lesson.task.family.split(",")[0], any(turn.is_slip for turn in lesson.turns)): lesson for lesson in some}
    assert len(found) == 2 * len(FORMS)
    return list(found.values())


def test_a_lesson_is_what_the_loop_shows() -> None:
    """The text that a model learns from is to the letter the text that it reads in the agent's loop, errors too."""
    made, store = lessons()
    some = _by_form(made)
    for lesson, trace in zip(some, asyncio.run(_replayed([(one, store) for one in some])), strict=True):
        assert chat.render(messages(lesson), asks=False) == chat.render(trace.messages, asks=False)


def test_a_renamed_lesson_is_what_the_loop_shows_for_the_renamed_table(tmp_path: Path) -> None:
    """Other names change nothing but the names: a kernel with the table renamed gives the same outputs."""
    made, store = lessons()
    others = []
    for number, lesson in enumerate(one for one in _by_form(made) if not any(turn.is_slip for turn in one.turns)):
        other = renamed(lesson, AS_IN_THE_WILD, random.Random(number))
        mapped = dict(zip(lesson.stems, other.stems, strict=True))
        (table,) = lesson.task.tables
        content = re.sub(
            "[A-Z]?[a-z]+|[A-Z]+",
            lambda found, mapped=mapped: _as(found[0], mapped),  # type: ignore[misc]
            (store / table.stored_name).read_text(),
        )
        folder = tmp_path / str(number)  # Two lessons may have one table, whose other names are not the same.
        folder.mkdir()
        (folder / other.task.tables[0].stored_name).write_text(content)
        assert other.question != lesson.question
        others.append((other, folder))
    for (other, _), trace in zip(others, asyncio.run(_replayed(others)), strict=True):
        assert chat.render(messages(other), asks=False) == chat.render(trace.messages, asks=False)


def test_a_rearranged_lesson_is_what_the_loop_shows_for_the_table_rearranged(tmp_path: Path) -> None:
    """Columns in another order, and some left out that no program names: nothing but the list of columns changes."""
    made, store = lessons()
    looks = [lesson for lesson in made if lesson.turns[-2:-1] and lesson.turns[-2].shown.startswith("[")]
    others = []
    for number, lesson in enumerate(looks[:6]):
        other = rearranged(lesson, random.Random(number))
        shown = ast.literal_eval(other.turns[-2].shown)
        (table,) = lesson.task.tables
        rows = list(csv.DictReader((store / table.stored_name).read_text().splitlines()))
        folder = tmp_path / str(number)
        folder.mkdir()
        with (folder / table.stored_name).open("w") as file:
            writer = csv.DictWriter(file, shown, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        assert set(shown) <= set(rows[0])
        others.append((other, folder))
    assert [other.turns[-2].shown for other, _ in others] != [lesson.turns[-2].shown for lesson in looks[:6]]
    for (other, _), trace in zip(others, asyncio.run(_replayed(others)), strict=True):
        assert chat.render(messages(other), asks=False) == chat.render(trace.messages, asks=False)


@pytest.mark.parametrize("seed", range(10))
def test_what_a_column_is_said_as_means_no_other_column(seed: int) -> None:
    """Also where columns of a table are named alike; no two are written the same."""
    for _ in range(20):
        names = Naming(random.Random(seed), AS_IN_THE_WILD, held_out=False).columns(12)
        assert len({name.written for name in names}) == 12
        for name in names:
            said = name.said.lower().replace("(", "").replace(")", "").split()
            if name.said != name.written:
                assert [other for other in names if set(said) <= set(_words(other.written))] == [name]


def _words(written: str) -> list[str]:
    return [word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+|[0-9]+", written)]


def test_tables_have_as_many_columns_as_they_should(tmp_path: Path) -> None:
    """Tables of the exam for many columns have so many, and some are named alike."""
    made = make(wide_exam_recipe(6), tmp_path)
    heads = [(tmp_path / lesson.task.tables[0].stored_name).read_text().split("\n")[0].split(",") for lesson in made]
    assert all(6 <= len(head) <= 12 for head in heads)
    shared = [[word for name in head for word in set(_words(name))] for head in heads]
    assert any(len(found) > len(set(found)) for found in shared)


def _as(word: str, mapped: dict[str, str]) -> str:
    other = mapped.get(word.lower(), word)
    if word.lower() not in mapped:
        return word
    return other.upper() if word.isupper() else other.capitalize() if word[0].isupper() else other


def test_answers_are_right_and_every_family_is_there() -> None:
    """The answer given is correct under the task's contract, which its question states."""
    made, _ = lessons()
    for lesson in made:
        wanted = from_json(lesson.task.answer_json, lesson.task.contract)
        assert compare(wanted, lesson.answer, lesson.task.contract).verdict == "correct"
        assert "Answer with" in lesson.task.question
    assert {lesson.task.family.split(", ")[1] for lesson in made} == set(FAMILIES)


def test_the_judge_confirms_and_refuses() -> None:
    """A lesson whose program gives its answer in a fresh process stays; one with another answer goes."""
    made, store = lessons()
    good = [lesson for lesson in made if lesson.task.family.startswith("two-step")][:3]
    bad = with_shuffled_answers(good, 1)
    assert any(lesson.answer != other.answer for lesson, other in zip(good, bad, strict=True))

    async def job() -> tuple[list[Lesson], list[Lesson]]:
        async with LocalPool(1, preload=KERNELS_USE) as pool:
            return await confirmed(good, pool, store), await confirmed(bad, pool, store)

    stayed, left = asyncio.run(job())
    assert stayed == good
    assert all(lesson.answer == good[bad.index(lesson)].answer for lesson in left)


def test_the_same_seed_makes_the_same_lessons(tmp_path: Path) -> None:
    """Lessons depend on their recipe alone."""
    recipe = Recipe(12, FORMS, slips=0.3, seed=5)
    assert make(recipe, tmp_path / "a") == make(recipe, tmp_path / "b")


def test_exams_have_names_of_their_own(tmp_path: Path) -> None:
    """No stem of a held-out table is one of a training table, nor a word that questions have anyway."""
    made, _ = lessons()
    held_out = make(Recipe(12, FORMS, held_out=True), tmp_path)
    known, others = ({stem for lesson in some for stem in lesson.stems} for some in (made, held_out))
    assert not known & others
    assert not (known | others) & fixed_words()
    assert 20 < sum(map(is_held_out, words())) < len(words()) / 4


@pytest.mark.parametrize("seed", range(40))
def test_a_slip_changes_one_thing(seed: int) -> None:
    """The cell with the mistake is another one, of about the same length, and still one cell of Python."""
    code = "import pandas as pd\ndf = pd.read_csv('data/rokel.csv')\nprint(df[df['mir_tosa'] == 'a']['vanu'].mean())"
    wrong = slip(code, random.Random(seed))
    assert wrong != code
    assert abs(len(wrong) - len(code)) <= 8
    compile(wrong, "cell", "exec")
    assert slip("print(1)", random.Random(seed)) == "print(1)"


def test_what_is_learnt_are_calls_and_their_ends_and_no_slip() -> None:
    """Decoded, the learnt tokens are the model's right turns with their ends; all tokens are the whole chat."""
    tokenizer = _characters()
    for lesson in _by_form(lessons()[0]):
        sample = encode(lesson, tokenizer)
        assert tokenizer.decode(sample.numbers) == chat.render(messages(lesson), asks=False)
        learnt = tokenizer.decode(n for n, mark in zip(sample.numbers, sample.learnt, strict=True) if mark)
        turns = learnt.split(chat.END)
        assert turns.pop() == ""
        assert all(turn.startswith("<tool_call>\n{") and turn.endswith("}\n</tool_call>") for turn in turns)
        assert len(turns) == 1 + sum(not turn.is_slip for turn in lesson.turns)


def test_what_lessons_do_is_let_through_and_what_is_changed_in_them_is_held_back() -> None:
    """An answer by a lesson's program fits its question; with another column, or other rows, it does not."""
    made, store = lessons()
    refused = 0
    for lesson in made:
        (table,) = lesson.task.tables
        columns = (store / table.stored_name).read_text().split("\n")[0].split(",")
        ran = [Ran(turn.code, turn.shown) for turn in lesson.turns]
        refused += bool(why_not_answer(lesson.question, columns, ran, lesson.answer))
        for changed in _changed(ran[-1].code, columns):
            assert why_not_answer(lesson.question, columns, [*ran[:-1], Ran(changed, lesson.answer)], lesson.answer)
    assert refused <= len(made) / 20


def _changed(code: str, columns: Sequence[str]) -> list[str]:
    *before, last = code.split("\n")
    named = [column for column in columns if repr(column) in last]
    others = [column for column in columns if column not in named]
    found = [last.replace(repr(one), repr(other)) for one in named for other in others[:2]]
    found += [last.replace(one, other) for one, other in ((" > ", " < "), (" < ", " > "), (".mean", ".median"))]
    found.append(re.sub(r"df\[df\[.*? (==|>|<) .*?\]\[", "df[", last))
    return ["\n".join([*before, line]) for line in found if line != last]


def test_controls_take_away_what_they_say() -> None:
    """Without outputs nothing is seen; shuffled, the same answers stand at other questions."""
    made, _ = lessons()
    blind = without_outputs(made)
    blind += [rearranged(lesson, random.Random(1)) for lesson in blind]
    assert {turn.shown for lesson in blind for turn in lesson.turns} == {""}
    shuffled = with_shuffled_answers(made, 0)
    assert sorted(lesson.answer for lesson in shuffled) == sorted(lesson.answer for lesson in made)
    assert sum(one.answer != other.answer for one, other in zip(made, shuffled, strict=True)) > len(made) / 2
    assert [lesson.turns for lesson in shuffled] == [lesson.turns for lesson in made]


def _characters() -> Tokenizer:
    """A tokenizer of single bytes."""
    from cellwright.models.builtin.tokens import _CHARACTER  # noqa: PLC0415

    return Tokenizer({piece: number for number, piece in enumerate(_CHARACTER.values())}, [], {})


def test_chats_hold_what_came_before() -> None:
    """A chat rendered to where the model speaks is the beginning of the chat with its turn."""
    for lesson in _by_form(lessons()[0]):
        said: list[Message] = messages(lesson)
        for end in range(1, len(said)):
            if said[end].role == "assistant":
                before, after = chat.render(said[:end], asks=True), chat.render(said[: end + 1], asks=False)
                assert after.startswith(before)
