"""Twins: a task re-issued on changed tables, its words and its answer with them.

Rows go and come, numbers move a little within their range, labels get other names. The program stays the same but for
those names, and gives the new answer. What comes out is a candidate: it goes through the same gates as every task.
"""

import ast
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cellwright.answers import AnswerError
from cellwright.core.errors import CellwrightError
from cellwright.core.hashing import sha256_bytes, short_id
from cellwright.core.types import Oracle, Premise, Proof, Table, Task
from cellwright.proof.gates import Subject, join_keys, subject_of
from cellwright.proof.judge import Judge, Program
from cellwright.proof.oracles import answer_json, holds, premises_of, program_of
from cellwright.proof.tables import Change, ColumnFacts, Survey, Variant

STRONGEST = 3
_HOW: tuple[tuple[Literal["jitter", "mirror", "shift"], ...], ...] = ((), ("jitter",), ("mirror", "jitter"), ("shift",))
"""What is done to the columns that a question speaks of, by strength, after all columns have moved a little."""
_LETTERS = "BCDFGHKLMNPQRSTVWXZ"
_MOST_LABELS = 40
_MOST_RENAMED = 2
_NAME = re.compile(r"`[^`]*`")
_QUOTED = re.compile(r'"([^"]*)"')


class NoTwin(CellwrightError):
    """No twin can be made of a task with this seed; the message is a short, countable reason."""


@dataclass(frozen=True)
class Twin:
    """A task on changed tables, not yet proved, and the bytes of the tables that are new."""

    task: Task
    contents: Mapping[str, bytes]
    """Hash to content."""


@dataclass(frozen=True)
class _Plan:
    variant: Variant
    renamed: Mapping[str, str]
    """Labels as they were to labels as they are."""


async def twin(task: Task, seed: int, judge: Judge, *, most_bytes: int, strength: int = 0) -> Twin:
    """The twin of a task for a seed: the same one gives the same bytes. `judge` has the task's tables.

    `strength` says how much is changed, 0 to STRONGEST: an answer such as "the most frequent label" stays what it is
    when values move a little. The strongest changes leave labels their names.

    Raises NoTwin where there is none: tables that cannot be changed or are over `most_bytes`, a program that fails on
    the changed ones, an answer that is none or has stayed the same.
    """
    subject = subject_of(task)
    hints = {table.name: subject.reading.hint(table.name) for table in task.tables}
    subject = replace(subject, survey=await judge.survey(hints))
    if not subject.tables:
        raise NoTwin("its tables cannot be changed")
    plan = _plan(subject, random.Random(f"{task.id} {seed}"), strength)
    if await judge.make([plan.variant], hints):
        raise NoTwin("its tables cannot be written")
    try:
        reworded = _reworded(task, plan.renamed)
        answer = await _answer(reworded, plan, judge)
        if answer == task.answer_json and task.contract.kind != "boolean":
            raise NoTwin("the answer stays the same")
        contents = await _contents(subject, plan, judge, most_bytes)
    finally:
        await judge.forget([plan.variant])
    tables = tuple(_table(table, contents) for table in task.tables)
    made = replace(
        reworded,
        id=short_id(task.id, "twin", str(seed)),
        answer_json=answer,
        tables=tables,
        proof=Proof(()),
        twin_of=task.id,
        split=None,
    )
    return Twin(made, {sha256_bytes(data): data for data in contents.values()})


async def _answer(task: Task, plan: _Plan, judge: Judge) -> str:
    programs = [replace(program, variant=plan.variant.name) for program in (program_of(task), *premises_of(task))]
    run, *held = await judge.run(programs)
    if run.value is None:
        raise NoTwin("its program fails on changed tables")
    if not all(map(holds, held)):
        raise NoTwin("on changed tables its question has no one answer")
    try:
        return answer_json(run.value, task.contract)
    except (AnswerError, ValueError):
        raise NoTwin("no answer on changed tables") from None


async def _contents(subject: Subject, plan: _Plan, judge: Judge, most_bytes: int) -> dict[str, bytes]:
    """The bytes of each table that was changed."""
    contents: dict[str, bytes] = {}
    for name in subject.tables:
        data = await judge.content(plan.variant, name, most_bytes)
        if data is None:
            raise NoTwin("its tables are too large")
        contents[name] = data
    return contents


def _table(table: Table, contents: Mapping[str, bytes]) -> Table:
    data = contents.get(table.name)
    return table if data is None else replace(table, sha256=sha256_bytes(data), bytes=len(data))


# --- what is changed ---------------------------------------------------------------------------------


def _plan(subject: Subject, rng: random.Random, strength: int) -> _Plan:
    tables = subject.tables
    keys = join_keys(subject)
    seed = rng.randrange(1 << 30)
    changes: list[Change] = []
    for table in tables:
        changes.append(Change(table, "drop", seed, share=rng.uniform(0.05, 0.2)))
        changes.append(Change(table, "values", seed, keys=keys, how="mild"))
        named = (
            tuple(sorted(subject.reading.named_columns(subject.survey.tables[table], subject.task.question))) or None
        )
        for how in _HOW[strength]:
            changes.append(Change(table, "values", seed, named, keys=keys, how=how))
        if strength == STRONGEST and "columns" in subject.task.question:
            changes.append(Change(table, "widen", seed))
        if len(tables) == 1:  # a row more on both sides of a join could meet twice
            changes.append(Change(table, "add", seed, share=rng.uniform(0.05, 0.2)))
    renamed: dict[str, str] = {}
    if strength < STRONGEST:
        suffix = f" {rng.choice(_LETTERS)}"
        for column in _renameable(subject, rng):
            places = list(_places(column, subject.survey, tables))
            changes += [Change(table, "rename", seed, names, suffix=suffix) for table, names in places]
            renamed |= {label: label + suffix for label in column.labels}
    return _Plan(Variant(tuple(changes)), renamed)


def _renameable(subject: Subject, rng: random.Random) -> list[ColumnFacts]:
    """Columns whose labels can have other names without a word of the question or of the program going wrong."""
    columns = [c for table in subject.tables for c in subject.survey.tables[table].columns if c.kind == "category"]
    names = {name for table in subject.tables for name in subject.survey.tables[table].names}
    constants, formatted = _constants(subject.program), _formatted(subject.program)
    quoted = set(_QUOTED.findall(_NAME.sub("", subject.task.question)))
    found: list[ColumnFacts] = []
    taken: set[str] = set()
    for column in rng.sample(columns, len(columns)):
        labels = set(column.labels)
        in_program = {label for label in labels if any(label == text or f"'{label}'" in text for text in constants)}
        plain = all(re.fullmatch(r"[^\W\d_][^\"'`]{1,60}", label) for label in labels)
        is_free = not labels & (names | taken) and not any(label in text for label in labels for text in formatted)
        if 2 <= len(labels) <= _MOST_LABELS and plain and in_program <= quoted and is_free:
            found.append(column)
            taken |= labels
    # Those that the question speaks of come first: they make its words other ones.
    found.sort(key=lambda column: not set(column.labels) & quoted)
    return found[:_MOST_RENAMED]


def _places(column: ColumnFacts, survey: Survey, tables: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The columns of all tables that hold the same labels, or have the same name: they are renamed together."""
    for table in tables:
        names = tuple(
            other.name
            for other in survey.tables[table].columns
            if other.name == column.name or set(other.labels) & set(column.labels)
        )
        if names:
            yield table, names


def _nodes(program: Program) -> list[ast.AST]:
    sources = [*program.units, program.expression or ""]
    return [node for source in sources for node in ast.walk(ast.parse(source))]


def _constants(program: Program) -> set[str]:
    nodes = _nodes(program)
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _formatted(program: Program) -> list[str]:
    """What stands in f-strings, whose parts have no place of their own in the source."""
    return [ast.unparse(node) for node in _nodes(program) if isinstance(node, ast.JoinedStr)]


# --- the words ---------------------------------------------------------------------------------------


def _reworded(task: Task, renamed: Mapping[str, str]) -> Task:
    """The task with other names for labels, in its question, its program and all that tells of them."""
    if not renamed or task.oracle is None:
        return task

    labels = "|".join(map(re.escape, sorted(renamed, key=len, reverse=True)))
    spoken = re.compile(rf'`[^`]*`|"({labels})"')

    def words(text: str) -> str:
        return spoken.sub(lambda found: f'"{renamed[found[1]]}"' if found[1] else found[0], text)

    def hint(text: str) -> str:
        try:
            return _renamed_constants(text, renamed)
        except SyntaxError:  # words, and no program
            return words(text)

    def program(source: str) -> str:
        return _renamed_constants(source, renamed)

    cells = tuple(map(program, task.oracle.cells))
    premises = tuple(Premise(tuple(map(program, p.setup)), program(p.expression)) for p in task.oracle.premises)
    return replace(
        task,
        question=words(task.question),
        phrasings=tuple(map(words, task.phrasings)),
        hints=tuple(map(hint, task.hints)),
        oracle=Oracle(cells, tuple(map(words, task.oracle.comments)), task.oracle.source_cells, premises),
    )


def _renamed_constants(source: str, renamed: Mapping[str, str]) -> str:
    """The source with other texts in the places of those that are labels; its form stays as it is."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    data = source.encode()
    spots: list[tuple[int, int, str]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.end_lineno and node.end_col_offset:
            new = renamed.get(node.value) or _within(node.value, renamed)
            if new != node.value:
                start, end = (
                    starts[node.lineno - 1] + node.col_offset,
                    starts[node.end_lineno - 1] + node.end_col_offset,
                )
                spots.append((start, end, repr(new)))
    for start, end, text in sorted(spots, reverse=True):
        data = data[:start] + text.encode() + data[end:]
    return data.decode()


def _within(text: str, renamed: Mapping[str, str]) -> str:
    """Labels that stand in quotes inside of a text, as in `query("sex == 'male'")`."""
    labels = "|".join(map(re.escape, sorted(renamed, key=len, reverse=True)))
    return re.sub(rf"([\"'])({labels})\1", lambda found: f"{found[1]}{renamed[found[2]]}{found[1]}", text)
