"""Mutation: on changed tables the answer moves where what it is about changes, and stays where the rest does.

What a question is about is found from the program and the question (names of columns), and by running: each named
column is changed alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from cellwright.core.types import GateResult
from cellwright.proof.gates.asking import asked
from cellwright.proof.gates.protocol import Subject, Trial, Tried, join_keys, result, shown
from cellwright.proof.tables import Change

NAME = "mutation"
_MOST_SINGLE = 6
_SEED = 3
_DOES_NOT_RUN = "does not run on changed tables"
# Words by which a question is about columns that it does not name, or about whole rows.
_ALL_COLUMNS = re.compile(
    r"which columns?\b|(the|what) columns?\b(?! `| named)|"
    r"(each|any|every|no|all|other|remaining|numeric|text) (\w+ )?columns?\b|"
    r"(number of|how many) (\w+ )?columns|columns? (with|have|has|that|together)|duplicate|distinct rows|"
    r"(all|missing) (\w+ )?values|whole table|entire table|number of (cells|values|elements)|features|predictors",
    re.IGNORECASE,
)


class Mutation:
    """Rows fewer, drawn again, more; used columns changed in three ways; unused ones; each table; each column."""

    name = NAME

    def trials(self, subject: Subject) -> Sequence[Trial]:
        return list(_trials(subject))

    def verdict(self, subject: Subject, tried: Sequence[Tried]) -> GateResult:
        tables = subject.survey.tables
        problems = {
            table.name: tables[table.name].problem if table.name in tables else "not looked at"
            for table in subject.task.tables
            if table.name not in subject.tables
        }
        outcomes = {trial.label: subject.outcome(run, on_changed_tables=True) for trial, run in tried}
        seen = {
            trial.label: outcomes[trial.label] + (f": {shown(run)}" if outcomes[trial.label] != "same" else "")
            for trial, run in tried
        }
        unmade = sorted(
            {why for trial, _ in tried if trial.variant and (why := subject.unmade.get(trial.variant.name))}
        )
        reason = _reason(subject, outcomes)
        if problems or (reason == _DOES_NOT_RUN and unmade):
            reason = "its tables could not be changed"
        return result(
            NAME,
            reason,
            changes=seen,
            **({"not changed": problems} if problems else {}),
            **({"not made": unmade} if unmade else {}),
        )


def _reason(subject: Subject, outcomes: Mapping[str, str]) -> str:
    """What is wrong; empty when nothing is."""
    moving = [outcome for label, outcome in outcomes.items() if label in _MOVING or label.startswith("only ")]
    if moving and "moved" not in moving:
        return "no change of its tables moves the answer" if "same" in moving else _DOES_NOT_RUN
    for table in subject.tables:
        own = [outcome for label, outcome in outcomes.items() if label.startswith(f"in {table}: ")]
        if own and "moved" not in own:
            return "a table does not matter"
    if outcomes.get(_UNUSED) == "moved" and not _speaks_of_all(subject):
        return "depends on columns that the question does not name"
    return ""


_ROWS = ("rows left out", "rows drawn again", "rows added")
_USED = ("used columns changed", "used columns turned round", "used columns moved", "values missing in used columns")
_WIDER = "one column more"
_MOVING = (*_ROWS, *_USED, _WIDER)
_UNUSED = "unused columns changed"


def _trials(subject: Subject) -> Iterator[Trial]:
    tables = subject.tables
    if not tables:
        return
    named = {table: sorted(_named(subject, table)) for table in tables}
    keys = join_keys(subject)
    for label, kind in zip(_ROWS, ("drop", "resample", "add"), strict=True):
        yield subject.changed(label, *(Change(table, kind, _SEED) for table in tables))  # type: ignore[arg-type]
    used = {table: tuple(columns) or None for table, columns in named.items()}
    for label, how in zip(_USED, ("jitter", "mirror", "shift"), strict=False):
        yield subject.changed(label, *(Change(t, "values", _SEED, used[t], keys=keys, how=how) for t in tables))  # type: ignore[arg-type]
    yield subject.changed(_USED[-1], *(Change(table, "missing", _SEED, used[table]) for table in tables))
    if _speaks_of_all(subject):
        yield subject.changed(_WIDER, *(Change(table, "widen", _SEED) for table in tables))
    rest = [table for table in tables if subject.survey.tables[table].names - set(named[table])]
    if rest:
        others = [Change(t, "values", _SEED, others=tuple(named[t]), keys=keys, how="shift") for t in rest]
        yield subject.changed(_UNUSED, *others)
    if len(subject.task.tables) > 1:
        for table in tables:
            yield subject.changed(f"in {table}: rows left out", Change(table, "drop", _SEED, share=0.5))
            yield subject.changed(f"in {table}: values changed", Change(table, "values", _SEED, keys=keys))
            yield subject.changed(
                f"in {table}: values turned round", Change(table, "values", _SEED, keys=keys, how="mirror")
            )
    singles = [(table, column) for table in tables for column in named[table]]
    for table, column in singles[:_MOST_SINGLE] if len(singles) > 1 else ():
        yield subject.changed(f"only {table}: {column}", Change(table, "values", _SEED + 1, (column,), keys=keys))


def _speaks_of_all(subject: Subject) -> bool:
    return _ALL_COLUMNS.search(asked(subject.task.question, subject.task.contract)) is not None


def _named(subject: Subject, table: str) -> frozenset[str]:
    return subject.reading.named_columns(subject.survey.tables[table], subject.task.question)
