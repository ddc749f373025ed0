"""One whole training from random weights: lessons in, a folder out that transformers loads."""

import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cellwright.core.errors import MissingExtra
from cellwright.models.builtin import chat, network
from cellwright.models.builtin.model import TOKENIZER
from cellwright.models.builtin.tokens import Tokenizer
from cellwright.training.scratch.encoding import messages, with_shuffled_answers, without_outputs
from cellwright.training.scratch.families import Form
from cellwright.training.scratch.fitting import Fit, Progress, fit, random_weights
from cellwright.training.scratch.lessons import Lesson
from cellwright.training.scratch.making import Recipe
from cellwright.training.scratch.names import AS_IN_THE_WILD, SYLLABLES, Style
from cellwright.training.scratch.renaming import epochs, renamed
from cellwright.training.scratch.tables import NARROW, WIDE
from cellwright.training.scratch.vocabulary import PADDING, copy_tokenizer, train_tokenizer

if TYPE_CHECKING:
    from torch import Tensor

Control = Literal["random weights", "shuffled answers", "no outputs"]
"""What is taken away to see whether it mattered: the training, the truth of the answers, what cells showed."""
FORMS: dict[Form, float] = {"one-step": 0.4, "look-first": 0.35, "two-step": 0.1, "three-step": 0.15}
"""Shares of the forms in the lessons."""
_VOCABULARY = 640
_READ_FOR_VOCABULARY = 2000
_SLIPS = 0.15
_EXAM_PER_TABLE = 2
RECORD = "training.json"


@dataclass(frozen=True)
class Plan:
    """One training."""

    lessons: int
    fit: Fit
    control: Control | None = None
    style: Style = AS_IN_THE_WILD
    """Of the names under which lessons are seen."""
    layers: int = 3


def lessons_recipe(count: int, seed: int = 0) -> Recipe:
    """What training lessons are made of."""
    return Recipe(count, FORMS, _SLIPS, seed=seed)


def easy_lessons_recipe(count: int) -> Recipe:
    """Few columns, and names of syllables: what can be learnt in minutes. With one form alone, which shows each name
    less often, copying comes much later."""
    return Recipe(count, {"one-step": 0.6, "look-first": 0.4}, style=SYLLABLES, columns=NARROW)


def exam_recipe(count: int, form: Form, seed: int = 1, style: Style = AS_IN_THE_WILD) -> Recipe:
    """Tasks of one form under names that no lesson has, few over each table: a name not read right fails them all."""
    return Recipe(count, {form: 1.0}, held_out=True, seed=seed, style=style, columns=NARROW, per_table=_EXAM_PER_TABLE)


def wide_exam_recipe(count: int, seed: int = 3) -> Recipe:
    """The same over tables of many columns, some of which are named alike: which one is meant?"""
    forms: dict[Form, float] = {"one-step": 0.4, "look-first": 0.6}
    return Recipe(count, forms, held_out=True, seed=seed, columns=WIDE, per_table=_EXAM_PER_TABLE)


def school(
    lessons: Sequence[Lesson],
    plan: Plan,
    folder: Path,
    tell: Callable[[Progress], None],
    vocabulary: Path | None = None,
) -> None:
    """Train, and write the model with its tokenizer and what was done into `folder`. The tokenizer is a new one, or
    that of the model in `vocabulary`. Raises MissingExtra."""
    learnt = _controlled(lessons, plan)
    if vocabulary is None:
        tokenizer = train_tokenizer(_texts(lessons, plan), _VOCABULARY, folder)
    else:
        tokenizer = copy_tokenizer(vocabulary, folder)
    shape = network.Shape(len(tokenizer), layers=plan.layers)
    if plan.control == "random weights":
        weights = random_weights(shape, plan.fit.seed)
    else:
        weights = fit(epochs(learnt, tokenizer, plan.style, plan.fit.seed), shape, plan.fit, tell)
    _keep(weights, shape, tokenizer, plan, folder)


def go_on(trained: Path, lessons: Sequence[Lesson], plan: Plan, folder: Path, tell: Callable[[Progress], None]) -> None:
    """Train the model of one folder further, on other lessons, into another folder. Raises MissingExtra."""
    try:
        import torch  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("train", "training") from error
    shutil.copytree(trained, folder)
    tokenizer = Tokenizer.load(folder / TOKENIZER)
    shape = network.Shape.load(folder / network.CONFIG)
    begin = {n: torch.from_numpy(w) for n, w in network.load_weights(folder / network.WEIGHTS).items()}
    weights = fit(epochs(lessons, tokenizer, plan.style, plan.fit.seed), shape, plan.fit, tell, begin=begin)
    _keep(weights, shape, tokenizer, plan, folder)


def _keep(
    weights: Mapping[str, "Tensor"], shape: network.Shape, tokenizer: Tokenizer, plan: Plan, folder: Path
) -> None:
    """As transformers reads it; the tokenizer is there already."""
    config = shape.config(end=tokenizer.id_of(chat.END), padding=tokenizer.id_of(PADDING))
    (folder / network.CONFIG).write_text(json.dumps(config, indent=1) + "\n")
    network.save_weights({name: weight.numpy() for name, weight in weights.items()}, folder / network.WEIGHTS)
    (folder / RECORD).write_text(json.dumps(asdict(plan), indent=1) + "\n")


def _texts(lessons: Sequence[Lesson], plan: Plan) -> Iterator[str]:
    """What the vocabulary is cut from, without real words as names: one that lessons repeat would become one token, and
    those that they never have would fall into tokens that hardly any name needs."""
    rng = random.Random(f"vocabulary {plan.fit.seed}")
    for lesson in lessons[:_READ_FOR_VOCABULARY]:
        yield chat.render(messages(renamed(lesson, plan.style.without_words, rng)), asks=False)


def _controlled(lessons: Sequence[Lesson], plan: Plan) -> Sequence[Lesson]:
    match plan.control:
        case "shuffled answers":
            return with_shuffled_answers(lessons, plan.fit.seed)
        case "no outputs":
            return without_outputs(lessons)
        case _:
            return lessons
