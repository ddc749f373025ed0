"""Lessons as numbers: what a model reads, and which of it it learns to say."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cellwright.agent import EXECUTE_CODE, FINAL_ANSWER
from cellwright.core.types import Message, ToolCall
from cellwright.models.builtin import chat
from cellwright.models.builtin.tokens import Tokenizer
from cellwright.pipeline.trace import user_prompt
from cellwright.training.scratch.lessons import Lesson


@dataclass(frozen=True)
class Sample:
    """One lesson."""

    numbers: tuple[int, ...]
    learnt: tuple[bool, ...]
    """For each number, whether it is one to learn to say."""


def messages(lesson: Lesson) -> list[Message]:
    """The chat of a lesson, as the agent's loop has it, but for the system prompt, which the model is not shown."""
    prompt = user_prompt(replace(lesson.task, question=lesson.question)).replace("- data/", f"- {lesson.folder}")
    said = [Message("user", prompt)]
    for number, turn in enumerate(lesson.turns):
        said.append(_call(number, EXECUTE_CODE, "code", turn.code))
        said.append(Message("tool", turn.shown, tool_call_id=f"call_{number}"))
    return [*said, _call(len(lesson.turns), FINAL_ANSWER, "answer", lesson.answer)]


def _call(number: int, tool: str, argument: str, content: str) -> Message:
    arguments = json.dumps({argument: content}, ensure_ascii=False)
    return Message("assistant", "", tool_calls=(ToolCall(f"call_{number}", tool, arguments),))


def encode(lesson: Lesson, tokenizer: Tokenizer) -> Sample:
    """What the model says is learnt, to the end of each turn, but for slips; what it is told is not."""
    said = messages(lesson)
    numbers: list[int] = []
    learnt: list[bool] = []
    text = ""
    turns = iter([*(not turn.is_slip for turn in lesson.turns), True])
    for end, message in enumerate(said):
        if message.role != "assistant":
            continue
        asked = chat.render(said[:end], asks=True)
        whole = chat.render(said[: end + 1], asks=False)
        is_learnt = next(turns)
        for part, mark in ((asked[len(text) :], False), (whole[len(asked) :], is_learnt)):
            found = tokenizer.encode(part)
            numbers += found
            learnt += [mark] * len(found)
        text = whole
    return Sample(tuple(numbers), tuple(learnt))


def without_outputs(lessons: Iterable[Lesson]) -> list[Lesson]:
    """A control: the same lessons, with nothing to see in any output."""
    return [replace(lesson, turns=tuple(replace(turn, shown="") for turn in lesson.turns)) for lesson in lessons]


def with_shuffled_answers(lessons: Sequence[Lesson], seed: int) -> list[Lesson]:
    """A control: each lesson ends with the answer of another one."""
    answers = [lesson.answer for lesson in lessons]
    random.Random(seed).shuffle(answers)
    return [replace(lesson, answer=answer) for lesson, answer in zip(lessons, answers, strict=True)]
