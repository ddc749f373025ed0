"""Programs that were once put into words that say something else: each is refused now, or said as it is.

They were found by readers who held questions against programs, table by table; `misreadings.txt` has them.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from cellwright.proof.questions import Unreadable

from .test_questions import ask


class Case(NamedTuple):
    """A program over a table, and the question that it gives; empty where it must give none."""

    table: str
    statements: tuple[str, ...]
    expression: str
    question: str

    @classmethod
    def read(cls, block: str) -> "Case":
        """One block of the file."""
        lines = [(line[:6].strip(), line[6:]) for line in block.splitlines()]
        said = {kind: text for kind, text in lines if kind != "run"}
        statements = tuple(text.replace("\\n", "\n") for kind, text in lines if kind == "run")
        return cls(said["table"].replace(" / ", "\n"), statements, said["ask"], said["says"])


BLOCKS = Path(__file__).with_name("misreadings.txt").read_text().split("\n\n")[1:]
CASES = [Case.read(block) for block in BLOCKS]


@pytest.mark.parametrize("case", CASES, ids=["; ".join((*case.statements, case.expression)) for case in CASES])
def test_question_says_what_the_program_does(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Word for word; no question where there are no words, or where what must hold for them does not."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text(f"{case.table}\n")
    monkeypatch.chdir(tmp_path)
    try:
        proposals, _ = ask(case.expression, *case.statements)
    except Unreadable:
        proposals = []
    said = proposals[0].question.removesuffix(" Leave missing values out of statistics.") if proposals else ""
    assert said == case.question
