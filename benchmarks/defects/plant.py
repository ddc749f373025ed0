"""Breaks a good task in one of twelve ways, each as it has been met in data of this kind.

A planter changes the task's text, program or tables. Where the task then has to look right (its answer is what its
program gives), `recomputes` says so, and the answer is taken from a run.
"""

import csv
import io
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cellwright.answers import from_json, render, state
from cellwright.core.hashing import sha256_bytes, short_id
from cellwright.core.types import Contract, Oracle, Proof, Table, Task

_READ = re.compile(r"((?:pd|pandas)\.read_csv\((?:[^()]|\([^()]*\))*)\)")
_ROUNDED = re.compile(r"( rounded to \d+ decimals?| rounded to the nearest whole number)")
_MOST_ROWS = 5_000


@dataclass(frozen=True)
class Planted:
    """A task with a defect."""

    defect: str
    task: Task
    recomputes: bool = False
    """Whether its answer is what its program now gives, once."""
    control: Task | None = None
    """A task whose program must give another answer than this one has, or nothing is wrong with it."""


@dataclass(frozen=True)
class Ground:
    """What planters take from: the task itself, others, and a folder of tables by hash to which they add."""

    task: Task
    others: Sequence[Task]
    store: Path
    rng: random.Random


Planter = Callable[[Ground], Planted | None]


def plant(defect: str, ground: Ground) -> Planted | None:
    """The task with the defect; None where it cannot have it, such as a leaked answer that is yes or no."""
    found = PLANTERS[defect](ground)
    if found is None:
        return None
    task = found.task
    name = short_id(task.id, defect, task.question, task.answer_json, *(table.sha256 for table in task.tables))
    return replace(found, task=replace(task, id=name, proof=Proof(())))


# --- the answer --------------------------------------------------------------------------------------


def _wrong_answer(ground: Ground) -> Planted | None:
    task = ground.task
    answer = json.loads(task.answer_json)
    if isinstance(answer, bool):
        wrong: object = not answer
    elif isinstance(answer, (int, float)):
        wrong = type(answer)(round(answer * ground.rng.choice((0.5, 1.1, 2, 10)) + 3, task.contract.decimals or 0))
    elif isinstance(answer, str):
        others = [o.answer_json for o in ground.others if o.contract.kind == task.contract.kind]
        wrong = next((json.loads(o) for o in others if o != task.answer_json), f"{answer} and more")
    else:
        wrong = answer[:-1] if len(answer) > 1 else [*answer, *answer]
    return Planted("wrong answer", replace(task, answer_json=json.dumps(wrong)))


def _off_by_one(ground: Ground) -> Planted | None:
    task = ground.task
    answer = json.loads(task.answer_json)
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        return None
    step = 1 if isinstance(answer, int) else 10 ** -(task.contract.decimals or 0)
    moved = answer + ground.rng.choice((-1, 1)) * step
    wrong = round(moved, task.contract.decimals or 0) if isinstance(answer, float) else moved
    return Planted("off by one", replace(task, answer_json=json.dumps(wrong)))


def _stale_output(ground: Ground) -> Planted | None:
    """The answer that the program gave before the table was brought up to date."""
    newer = _changed_table(ground, lambda rows, rng: rows[: max(3, len(rows) * 4 // 5)])
    return None if newer is None else Planted("stale output", newer, control=newer)


def _wrong_table(ground: Ground) -> Planted | None:
    """The question names another file than the program reads; or the file of that name is another one."""
    task, rng = ground.task, ground.rng
    if rng.random() < 0.5:
        swapped = _changed_table(ground, lambda rows, rng: [_shuffled_columns(rows, rng)[n] for n in range(len(rows))])
        return None if swapped is None else Planted("wrong table", swapped, control=swapped)
    names = {table.name for other in ground.others for table in other.tables} - {table.name for table in task.tables}
    if not names or not all(f"`{table.name}`" in task.question for table in task.tables):
        return None
    question = task.question.replace(f"`{task.tables[0].name}`", f"`{rng.choice(sorted(names))}`")
    return Planted("wrong table", replace(task, question=question))


def _shuffled_columns(rows: list[list[str]], rng: random.Random) -> list[list[str]]:
    """Another table with the same columns: half of the rows, their values put together anew."""
    half = rng.sample(rows, max(2, len(rows) // 2))
    columns = [rng.sample(column, len(column)) for column in map(list, zip(*half, strict=True))]
    mixed = [list(row) for row in zip(*columns, strict=True)]
    return (mixed * (len(rows) // len(mixed) + 1))[: len(rows)]


def _changed_table(ground: Ground, change: Callable[[list[list[str]], random.Random], list[list[str]]]) -> Task | None:
    """The task, with its answer, over a table of the same name whose rows are others."""
    task = ground.task
    table = _csv(task, ground.store)
    if table is None:
        return None
    rows = _rows(ground.store / table.stored_name)
    if len(rows) < 8 or len({len(row) for row in rows}) != 1:
        return None
    return _with_table(task, table, [rows[0], *change(rows[1:], ground.rng)], ground.store)


def _csv(task: Task, store: Path) -> Table | None:
    found = [t for t in task.tables if t.name.endswith(".csv") and t.bytes < 2_000_000]
    return found[0] if found and (store / found[0].stored_name).exists() else None


def _rows(path: Path) -> list[list[str]]:
    text = path.read_text(encoding="utf-8", errors="replace")
    return [row for row in csv.reader(io.StringIO(text)) if row][: _MOST_ROWS + 1]


def _with_table(task: Task, table: Table, rows: Sequence[Sequence[str]], store: Path) -> Task:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    data = buffer.getvalue().encode()
    new = replace(table, sha256=sha256_bytes(data), bytes=len(data))
    (store / new.stored_name).write_bytes(data)
    return replace(task, tables=tuple(new if t is table else t for t in task.tables))


# --- the program -------------------------------------------------------------------------------------


def _program(task: Task, change: Callable[[str], str]) -> Task | None:
    """The task with its first reading of a table changed; None where there is none to change."""
    if task.oracle is None:
        return None
    cells = list(task.oracle.cells)
    for number, cell in enumerate(cells):
        new = change(cell)
        if new != cell:
            cells[number] = new
            return replace(task, oracle=replace(task.oracle, cells=tuple(cells)))
    return None


def _unseeded(ground: Ground) -> Planted | None:
    sample = ".pipe(lambda rows: rows.sample(frac=__import__('random').uniform(0.5, 0.9)))"
    changed = _program(ground.task, lambda cell: _READ.sub(rf"\1){sample}", cell, count=1))
    return None if changed is None else Planted("unseeded randomness", changed, recomputes=True)


def _limited(ground: Ground) -> Planted | None:
    table = _csv(ground.task, ground.store)
    if table is None or "nrows" in str(ground.task.oracle):
        return None
    limit = len(_rows(ground.store / table.stored_name)) * 2 // 3
    changed = _program(ground.task, lambda cell: _READ.sub(rf"\1, nrows={limit})", cell, count=1))
    return None if changed is None else Planted("nrows-limited read", changed, recomputes=True)


def _time_dependent(ground: Ground) -> Planted | None:
    task = ground.task
    if task.contract.kind not in ("integer", "number") or task.oracle is None:
        return None
    clock = ground.rng.choice(
        (
            "__import__('datetime').date.today().year",
            "__import__('datetime').datetime.now().timetuple().tm_yday",
            "__import__('pandas').Timestamp.now().dayofyear",
            "int(__import__('time').time() // 86400)",
            "__import__('pandas').Timestamp('today').dayofyear",
        )
    )
    *cells, last = task.oracle.cells
    if "\n" in last or ";" in last:
        return None
    oracle = replace(task.oracle, cells=(*cells, f"({last}) + {clock}"))
    return Planted("time-dependent", replace(task, oracle=oracle), recomputes=True)


def _unused_table(ground: Ground) -> Planted | None:
    """The question names a second file, which the program reads and does nothing with."""
    task = ground.task
    mine = {table.name for table in task.tables}
    others = [t for other in ground.others for t in other.tables if t.name not in mine and t.name.endswith(".csv")]
    if not others or task.oracle is None or not task.question.startswith(("In `", "Start from `")):
        return None
    extra = ground.rng.choice(others)
    first = f"`{task.tables[0].name}`"
    cells = (f"import pandas as pd\nother = pd.read_csv('data/{extra.name}')", *task.oracle.cells)
    oracle = Oracle(cells, ("", *task.oracle.comments), (0, *task.oracle.source_cells))
    both = f"{first} and `{extra.name}`"
    question, *phrasings = (told.replace(first, both, 1) for told in (task.question, *task.phrasings))
    told = replace(task, question=question, phrasings=tuple(phrasings))
    return Planted("unused table", replace(told, oracle=oracle, tables=(*task.tables, extra)))


# --- the words ---------------------------------------------------------------------------------------


def _leaked(ground: Ground) -> Planted | None:
    task = ground.task
    if task.contract.kind == "boolean":
        return None
    told = render(from_json(task.answer_json, task.contract), task.contract)
    way = ground.rng.choice((" (it is {})", " The answer is {}.", " Hint: {}."))
    question = re.sub(r" Answer with ", lambda _: way.format(told) + " Answer with ", task.question, count=1)
    return None if question == task.question else Planted("leaked answer", replace(task, question=question))


def _unstated_rounding(ground: Ground) -> Planted | None:
    """The contract's rounding is not in the question; or the program rounds its columns, and nobody says so."""
    task = ground.task
    if ground.rng.random() < 0.5:
        question = _ROUNDED.sub("", task.question)
        return None if question == task.question else Planted("unstated rounding", replace(task, question=question))
    return _own_question(
        ground,
        "unstated rounding",
        "what is the mean of `{number}`?",
        "df['{number}'].round(-1).mean()",
        Contract("number", decimals=2),
        control="df['{number}'].mean()",
    )


# --- questions of our own: the table makes the defect ------------------------------------------------


def _own_question(
    ground: Ground, defect: str, question: str, expression: str, contract: Contract, **how: Any
) -> Planted | None:
    """A new question about a table of the task, whose rows `change` may have made fit for the defect.

    `control` is an expression that must give another answer: else the table makes no defect of it.
    """
    table = _csv(ground.task, ground.store)
    if table is None:
        return None
    rows = _rows(ground.store / table.stored_name)
    columns = _columns(rows)
    if columns is None:
        return None
    number, label = columns
    task = ground.task
    if "change" in how:
        rows = how["change"](rows, rows[0].index(number), rows[0].index(label))
        task = _with_table(task, table, rows, ground.store)
    names = {"number": number, "label": label}
    cells = (f"import pandas as pd\ndf = pd.read_csv('data/{table.name}')", expression.format(**names))
    text = state(f"In `{table.name}`, {question.format(**names)}", contract)
    tables = tuple(t for t in task.tables if t.name == table.name)
    new = replace(
        task, question=text, phrasings=(), contract=contract, tables=tables, oracle=Oracle(cells, ("", ""), (0, 0))
    )
    other = Oracle((cells[0], how["control"].format(**names)), ("", ""), (0, 0)) if "control" in how else None
    return Planted(defect, new, recomputes=True, control=None if other is None else replace(new, oracle=other))


def _columns(rows: Sequence[Sequence[str]]) -> tuple[str, str] | None:
    """A column of different numbers, and one of texts that tell rows apart; None for a table without."""
    if len(rows) < 8 or len({len(row) for row in rows}) != 1 or len(set(rows[0])) != len(rows[0]):
        return None
    numbers, labels = [], []
    for name, values in zip(rows[0], zip(*rows[1:], strict=True), strict=True):
        if not re.fullmatch(r"[A-Za-z]\w*", name):
            continue
        if all(re.fullmatch(r"-?\d+(\.\d+)?", value) for value in values) and len(set(values)) > 5:
            numbers.append(name)
        elif len(set(values)) == len(values) and all(re.fullmatch(r"[A-Za-z][A-Za-z .'-]+", value) for value in values):
            labels.append(name)
    return (numbers[-1], labels[0] if labels else numbers[0]) if len(numbers) > 1 else None


def _tie(ground: Ground) -> Planted | None:
    """Two rows share the highest value, or two labels the highest count, and one of them is taken."""
    asked, expression, control, kind = ground.rng.choice(
        (
            (
                "what is the `{label}` of the row with the highest `{number}`?",
                "df.loc[df['{number}'].idxmax(), '{label}']",
                "df.loc[df[::-1]['{number}'].idxmax(), '{label}']",
                "top",
            ),
            (
                "what is the `{label}` of the row with the lowest `{number}`?",
                "df.sort_values('{number}', kind='stable')['{label}'].iloc[0]",
                "df[::-1].sort_values('{number}', kind='stable')['{label}'].iloc[0]",
                "bottom",
            ),
            (
                "what are the values of `{label}` of the 3 rows with the highest `{number}`?",
                "df.nlargest(3, '{number}')['{label}'].tolist()",
                "df[::-1].nlargest(3, '{number}')['{label}'].tolist()",
                "third",
            ),
            (
                "which value of `{number}` is the most frequent?",
                "df['{number}'].value_counts().idxmax()",
                "df['{number}'][::-1].value_counts().idxmax()",
                "counts",
            ),
        )
    )

    def change(rows: list[list[str]], number: int, label: int) -> list[list[str]]:
        head, body = rows[0], [list(row) for row in rows[1:]]
        order = sorted(range(len(body)), key=lambda at: float(body[at][number]), reverse=True)
        same = {"top": order[:2], "bottom": order[-2:], "third": order[2:4], "counts": []}[kind]
        for at in same:
            body[at][number] = body[same[0]][number]
        if kind == "third":  # the first two stay apart from them
            body[order[2]][number] = body[order[3]][number]
        if kind == "counts":
            values = sorted({row[number] for row in body})[:4]
            for at, row in enumerate(body[: len(body) // 4 * 4]):
                row[number] = values[at % 4]
            body = body[: len(body) // 4 * 4]
        return [head, *body]

    found = _own_question(ground, "tie", asked, expression, Contract("text"), change=change, control=control)
    if found is None or found.control is None:
        return None
    task = _retyped(found.task, ground.store)
    return replace(found, task=task, control=replace(found.control, contract=task.contract))


def _retyped(task: Task, store: Path) -> Task:
    """With a contract of numbers where the label turned out to be a column of numbers."""
    table = task.tables[0]
    rows = _rows(store / table.stored_name)
    wanted = re.findall(r"`([^`]*)`", task.question)[1]
    at = rows[0].index(wanted)
    numbers = all(re.fullmatch(r"-?\d+(\.\d+)?", row[at]) for row in rows[1:])
    whole = all(re.fullmatch(r"-?\d+", row[at]) for row in rows[1:])
    kind = "text" if not numbers else "integer" if whole else "number"
    contract = Contract(kind, decimals=2 if kind == "number" else None)  # type: ignore[arg-type]
    if "what are" in task.question:
        contract = Contract("list", item=kind, decimals=contract.decimals)  # type: ignore[arg-type]
    core = task.question.partition(" Answer with")[0]
    return replace(task, question=state(core, contract), contract=contract)


def _missing_policy(ground: Ground) -> Planted | None:
    """Some values of a column are missing, and the program takes them for zeros, or for rows like others."""
    asked, expression, control, contract = ground.rng.choice(
        (
            (
                "what is the mean of `{number}`?",
                "df['{number}'].fillna(0).mean()",
                "df['{number}'].mean()",
                Contract("number", decimals=2),
            ),
            (
                "what is the median of `{number}`?",
                "df['{number}'].fillna(0).median()",
                "df['{number}'].median()",
                Contract("number", decimals=2),
            ),
            (
                "how many values of `{number}` are there?",
                "len(df['{number}'])",
                "df['{number}'].count()",
                Contract("integer"),
            ),
            (
                "how many distinct values of `{number}` are there?",
                "df['{number}'].nunique(dropna=False)",
                "df['{number}'].nunique()",
                Contract("integer"),
            ),
            (
                "what is the fraction (between 0 and 1) of the values of `{number}` that are greater than 0?",
                "(df['{number}'] > 0).mean()",
                "(df['{number}'].dropna() > 0).mean()",
                Contract("number", decimals=3),
            ),
            (
                "what is the sample standard deviation of `{number}`?",
                "df['{number}'].fillna(df['{number}'].max()).std()",
                "df['{number}'].std()",
                Contract("number", decimals=2),
            ),
        )
    )

    def change(rows: list[list[str]], number: int, label: int) -> list[list[str]]:
        return [
            [("" if place == number and at and at % 4 == 0 else value) for place, value in enumerate(row)]
            for at, row in enumerate(rows)
        ]

    return _own_question(ground, "ambiguous NaN policy", asked, expression, contract, change=change, control=control)


PLANTERS: dict[str, Planter] = {
    "wrong answer": _wrong_answer,
    "off by one": _off_by_one,
    "wrong table": _wrong_table,
    "stale output": _stale_output,
    "unseeded randomness": _unseeded,
    "tie": _tie,
    "unstated rounding": _unstated_rounding,
    "ambiguous NaN policy": _missing_policy,
    "leaked answer": _leaked,
    "unused table": _unused_table,
    "nrows-limited read": _limited,
    "time-dependent": _time_dependent,
}
