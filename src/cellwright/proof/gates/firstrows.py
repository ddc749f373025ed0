"""First rows: what an agent sees of its tables before it computes anything does not give the answer.

Whoever looks at the first rows alone and does to them what the question says would be right: such a task teaches to
look and to stop there. Labels and yes or no are left out, which a few rows often give by chance.
"""

from collections.abc import Sequence

from cellwright.core.types import GateResult
from cellwright.proof.gates.protocol import Subject, Trial, Tried, result, shown
from cellwright.proof.heads import ROWS
from cellwright.proof.judge import Program
from cellwright.proof.tables import Change, Variant

NAME = "first rows"
_BY_CHANCE = ("boolean", "text", "category")


class FirstRows:
    """One run on tables that end after the rows that a first look shows."""

    name = NAME

    def trials(self, subject: Subject) -> Sequence[Trial]:
        rows = [subject.survey.tables[table].rows for table in subject.tables]
        if subject.task.contract.kind in _BY_CHANCE or max(rows, default=0) <= ROWS:
            return []
        # Not of a sample of a large table, as other changes are: the first rows are those of the file.
        variant = Variant(tuple(Change(table, "head", keep=ROWS) for table in subject.tables))
        program = Program(subject.program.units, subject.program.expression, variant.name)
        return [Trial("only the first rows", program, variant)]

    def verdict(self, subject: Subject, tried: Sequence[Tried]) -> GateResult:
        told = {trial.label: f"{subject.outcome(run)}: {shown(run)}" for trial, run in tried}
        gives_it = any(subject.outcome(run) == "same" for _, run in tried)
        return result(NAME, "they give the answer" if gives_it else "", **told)
