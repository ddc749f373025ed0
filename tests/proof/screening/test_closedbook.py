"""The closed-book gate: what guessers are right about, and that no guesser is left with more than its share."""

import json
import random

import pytest

from cellwright.core.types import Contract, Task
from cellwright.proof.screening.closedbook import ClosedBook, measure
from cellwright.proof.screening.guessers import hits

from .making import BOOLEAN, INTEGER, NUMBER, TEXT, task

RIGHT = [
    (task("how many rows are there?", 2, INTEGER), "always 2"),
    (task("is it so?", True, BOOLEAN), "always yes"),
    (task("is it so?", False, BOOLEAN), "always no"),
    (task("how many rows have `a` above 41 and below 97?", 41, INTEGER), "first number of the question"),
    (task("how many rows have `a` above 41 and below 97?", 97, INTEGER), "last number of the question"),
    (task("how many rows are above 1,234.5 or below 7?", 1234.5, NUMBER), "largest number of the question"),
    (task("how many of `a`, `b`, `c` and `d` are there?", 4, INTEGER), "how many columns are named"),
    (task('how often is it "x", "y", "z" or "w"?', 4, INTEGER), "how many values are quoted"),
    (task('is "Rome" or "Oslo" the larger `city`?', "Oslo", TEXT), "last quoted value"),
    (task("which of `height` and `width` is larger?", "height", TEXT), "first column named"),
    (task("who is it?", "shop", TEXT), "name of the file"),
    (task('list "a" and "b"', ["a", "b"], Contract("list", item="text")), "the quoted values, in order"),
    (task("which `sex` is the most frequent?", "male", TEXT), "what the words suggest"),
]


@pytest.mark.parametrize(("found", "guesser"), RIGHT, ids=[guesser for _, guesser in RIGHT])
def test_guesser_is_right(found: Task, guesser: str) -> None:
    """Each rule is right about a question that it was made for."""
    assert guesser in hits(found)


def test_numbers_of_the_contract_are_no_numbers_of_the_question() -> None:
    """What a question says of rounding gives nobody the answer 2."""
    names = hits(task("what is the mean of `a`?", 2.0, NUMBER))
    assert "always 2" in names
    assert not any("of the question" in name for name in names)


def many(seed: int = 0) -> list[Task]:
    """500 tasks of which guessers know far too many."""
    rng = random.Random(seed)
    tasks = [task(f"how many rows in group {n}?", rng.choice([0, 0, 1, 2, 7, 7, 7]), INTEGER) for n in range(140)]
    tasks += [task(f"is group {n} above the mean?", rng.random() < 0.8, BOOLEAN) for n in range(60)]
    tasks += [task(f"which city leads group {n}?", rng.choice(["Rome", "Oslo"]), TEXT) for n in range(20)]
    tasks += [task(f"what is the mean of `c{n}`?", round(rng.uniform(1e3, 1e6), 2), NUMBER) for n in range(280)]
    return tasks


def screened(tasks: list[Task], share: float = 0.02) -> list[Task]:
    with ClosedBook() as book:
        for one in tasks:
            book.add(one)
        book.decide(share)
        return [one for one in tasks if book.gate(one).passed]


def test_no_guesser_keeps_more_than_its_share() -> None:
    """Before, guessers are right about a tenth and more; after, none about more than 2% of what is left."""
    tasks = many()
    kept = screened(tasks)
    assert measure(tasks)[0].share > 0.1
    assert max(rate.share for rate in measure(kept)) <= 0.02
    assert sum(one.contract.kind == "number" for one in kept) == 280


def test_booleans_are_balanced() -> None:
    """Of the answers yes and no as many stay, more or less one, however many there were of each."""
    kept = [one.answer_json for one in screened(many(), share=0.2) if one.contract.kind == "boolean"]
    assert len(kept) >= 20
    assert abs(kept.count("true") - kept.count("false")) <= 1


def test_choice_does_not_depend_on_the_order() -> None:
    """The same tasks in another order lose the same ones."""
    tasks = many()
    shuffled = random.Random(1).sample(tasks, len(tasks))
    assert {one.id for one in screened(tasks)} == {one.id for one in screened(shuffled)}


def test_few_tasks_keep_two_hits() -> None:
    """A share of a handful says nothing: two tasks that a guesser is right about stay."""
    tasks = [task(f"how many rows in `{name}`?", 100, INTEGER, family=name) for name in "abcdef"]
    assert len(screened(tasks)) == 2


def test_evidence_names_the_guessers() -> None:
    """A gate tells who was right, and for a task that goes, who is right too often."""
    tasks = many()
    with ClosedBook() as book:
        for one in tasks:
            book.add(one)
        book.decide(0.02)
        gates = [book.gate(one) for one in tasks]
    (gone, *_) = [json.loads(gate.evidence_json) for gate in gates if not gate.passed]
    assert gone["right too often over the dataset"]
    assert all("right by rule" in json.loads(gate.evidence_json) for gate in gates)
