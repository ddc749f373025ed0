"""The wording gate: no wording of the question gives the answer away, be it by "the answer is".

Where else the answer can be read (first rows, names, the notebook) is for `proof.screening.leakage`, before any run.
"""

import re
from collections.abc import Iterator, Sequence

from cellwright.answers import AnswerError, Value, from_json, render
from cellwright.core.types import GateResult
from cellwright.proof.gates.asking import asked
from cellwright.proof.gates.protocol import Subject, Trial, Tried, result

NAME = "wording"
_TELLS = re.compile(
    r"\b(answer|result|value|solution|it|that|which|hint|namely|equals?)\b[ :(\"'`]*"
    r"(is|are|was|should be|=|being)?[ :(\"'`]*$",
    re.IGNORECASE,
)
_LABEL = re.compile(r'"([^"]*)"')
_CHOICES = 3
"""A question that names so many labels asks to choose among them."""
_DIGITS_THAT_TELL = 3
"""A number of as many significant digits does not stand in a question by accident."""


class Wording:
    """Reads the task; runs nothing."""

    name = NAME

    def trials(self, subject: Subject) -> Sequence[Trial]:
        return []

    def verdict(self, subject: Subject, tried: Sequence[Tried]) -> GateResult:
        task = subject.task
        if task.contract.kind == "boolean":
            return result(NAME, "")
        try:
            answer = from_json(task.answer_json, task.contract)
        except AnswerError:
            return result(NAME, "")  # for sanity to say
        texts = list(_telling(answer, render(answer, task.contract)))
        for question in (task.question, *task.phrasings):
            said = asked(question, task.contract, with_labels=True)
            offered = {label.casefold() for label in _LABEL.findall(said)}
            choices = offered if len(offered) >= _CHOICES else set()
            found = next((t for t in texts if t.casefold() not in choices and gives_away(t, said)), None)
            if found is not None:
                return result(NAME, "the question gives the answer", text=found)
        return result(NAME, "", looked_for=texts[:5])


def _telling(answer: Value, rendered: str) -> Iterator[str]:
    """Texts that would give the answer away; parts of a list do not, as a question may name them."""
    yield rendered
    if isinstance(answer, float):
        yield f"{answer:g}"
        yield f"{answer:,}"
    elif isinstance(answer, int) and not isinstance(answer, bool):
        yield f"{answer:,}"


def gives_away(text: str, question: str) -> bool:
    """Whether the text stands in the question as a whole word: a telling one anywhere, a short one after "it is"."""
    if not text.strip():
        return False
    pattern = rf"(?<![\w.]){re.escape(text)}(?![\w]|\.\d)"
    letter = len(text.strip()) == 1 and text.strip().isalpha()  # "a" is a word, and "A" a label where it is quoted
    for found in re.finditer(f'"{pattern}"' if letter else pattern, question, re.NOFLAG if letter else re.IGNORECASE):
        digits = len(re.sub(r"\D", "", text).strip("0"))
        is_number = re.fullmatch(r"[-\d.,% ]+", text) is not None
        if not is_number or digits >= _DIGITS_THAT_TELL or _TELLS.search(question[: found.start()]):
            return True
    return False
