"""Stage 5: for each output worth asking about, the shortest list of statements that computes it."""

import ast
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cellwright.core.types import MODERN, Provenance, Reject, Table
from cellwright.corpus.links import DATA
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.pipeline.config import SliceConfig
from cellwright.pipeline.execute import ExecutedNotebook, table_paths
from cellwright.proof.bindings import free_names
from cellwright.proof.confirming import slice_all
from cellwright.proof.execution import ShownValue
from cellwright.proof.inside.targets import Target
from cellwright.proof.judge import CHECKPOINTS, Judge, preload_list
from cellwright.proof.slicing import NoSlice, Slice, Wanted, static_slice
from cellwright.proof.units import ParsedCell, Unit, parse_cells
from cellwright.proof.values import is_nothing, load

NAME = "slice"
_SEED = 604_171
# What is filled in at run time, after re.escape: {name} of an f-string or format(), %s and %02d, the star of a glob.
_HOLE = re.compile(r"\\\{[^}]*\\\}|%[0-9.]*[sdif]|\\\*")
_LONGEST_TEXT = 2000
_NOT_ASKED = re.compile(r"\.(info|plot\w*|hist|boxplot|savefig|show)\(|\.(dtypes|columns|index)$")


@dataclass(frozen=True)
class Statement:
    """One statement of a slice."""

    cell: int
    source: str


@dataclass(frozen=True)
class SlicedOutput:
    """An output with the statements that compute it."""

    id: str
    """Notebook id, cell, statement and number, joined by dashes."""
    notebook_id: str
    provenance: Provenance
    tables: tuple[Table, ...]
    """The tables that the statements read."""
    cell: int
    statements: tuple[Statement, ...]
    expression: str
    value_json: str
    decimals: int | None
    """Decimals that the notebook printed."""
    label: str
    """Text printed with the value."""
    guess: str
    minimal: bool
    trials: int
    cpu_s: float
    era: str = MODERN
    """The environment in which the notebook ran, and the statements were tried."""


@dataclass(frozen=True)
class OutputToSlice:
    """An output before it is sliced."""

    id: str
    shown: ShownValue
    target: Target
    expression: str
    before: tuple[Unit, ...]


class SliceStage:
    """Slices the outputs of one notebook, each slice confirmed in kernels other than the one it was found in."""

    def __init__(self, pool: Pool, store: Path, limits: Limits, config: SliceConfig) -> None:
        self._pool, self._store, self._limits, self._config = pool, store, limits, config

    async def run(self, group: Sequence[ExecutedNotebook]) -> Sequence[SlicedOutput | Reject]:
        (executed,) = group
        notebook = executed.linked.notebook
        wanted, outcome = outputs_to_slice(executed, self._config.outputs_per_notebook)
        if not wanted:
            return outcome
        preload = preload_list([cell.source for cell in notebook.code_cells])

        @asynccontextmanager
        async def judges(hash_seed: int) -> AsyncIterator[Judge]:
            tables = table_paths(executed.linked.tables, self._store)
            settings = KernelSettings(tables, hash_seed, self._limits, era=executed.era)
            async with self._pool.kernel(settings) as kernel:
                timeout_s = self._config.program_timeout_s
                yield Judge(kernel, timeout_s=timeout_s, seed=_SEED, preload=preload, checkpoints=CHECKPOINTS)

        asked = [Wanted(output.before, output.expression, load(output.shown.value_json)) for output in wanted]
        found = await slice_all(asked, judges, until=time.monotonic() + self._config.notebook_s)
        outcome += [_sliced(executed, *pair) for pair in zip(wanted, found, strict=True)]
        return outcome


def _sliced(executed: ExecutedNotebook, output: OutputToSlice, found: Slice | NoSlice) -> SlicedOutput | Reject:
    if isinstance(found, NoSlice):
        return _reject(executed, output.id, found.reason, f"{output.expression}: {found.detail}")
    statements = tuple(Statement(unit.cell, unit.source) for unit in found.units)
    tables = tables_read([*(s.source for s in statements), output.expression], executed.linked.tables)
    if not tables:
        return _reject(executed, output.id, "reads no table", output.expression)
    notebook = executed.linked.notebook
    return SlicedOutput(
        id=output.id,
        notebook_id=notebook.id,
        provenance=notebook.provenance,
        tables=tables,
        cell=output.shown.cell,
        statements=statements,
        expression=output.expression,
        value_json=output.shown.value_json,
        decimals=output.target.decimals,
        label=output.target.label,
        guess=found.guess,
        minimal=found.minimal,
        trials=found.trials,
        cpu_s=found.cpu_s,
        era=executed.era,
    )


def tables_read(sources: Sequence[str], tables: Sequence[Table]) -> tuple[Table, ...]:
    """The tables under `data/` that sources name; a name with holes, as in an f-string, means all that fit it."""
    names = (name for source in sources for name in _names_under_data(source))
    patterns = [_HOLE.sub(".*", re.escape(name)) for name in names]
    whole = re.compile("|".join(f"(?:{pattern or '.*'})" for pattern in patterns)) if patterns else None
    return tuple(table for table in tables if whole is not None and whole.fullmatch(table.name))


def _names_under_data(source: str) -> Iterator[str]:
    """What string constants say after `data/`; nothing for the folder itself."""
    for node in ast.walk(ast.parse(source)):
        text = None
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        if text is not None and (text == "data" or text.startswith(DATA)):
            yield text.removeprefix("data").removeprefix("/")


def _reject(executed: ExecutedNotebook, output: str, reason: str, detail: str) -> Reject:
    return Reject.of(NAME, output, reason, detail[:1000], executed.linked.notebook.provenance)


def outputs_to_slice(executed: ExecutedNotebook, most: int) -> tuple[list[OutputToSlice], list[SlicedOutput | Reject]]:
    """The outputs of a notebook that are worth asking about, `most` at the most, and why the others are not."""
    wanted: list[OutputToSlice] = []
    outcome: list[SlicedOutput | Reject] = []
    for output in _outputs(executed):
        try:
            reason = _unwanted(output, executed.linked.tables)
        except (SyntaxError, ValueError, RecursionError) as error:
            reason = f"expression cannot be read: {type(error).__name__}"
        if reason is None and len(wanted) >= most:
            reason = "more outputs than one notebook may give"
        if reason is None:
            wanted.append(output)
        else:
            outcome.append(_reject(executed, output.id, reason, output.expression))
    return wanted, outcome


def _unwanted(output: OutputToSlice, tables: Sequence[Table]) -> str | None:
    value = load(output.shown.value_json)
    if is_nothing(value) or _NOT_ASKED.search(output.expression):
        return "no value to ask about"
    if value.get("t") == "str" and len(value.get("v", "x" * (_LONGEST_TEXT + 1))) > _LONGEST_TEXT:
        return "long text"
    uses = free_names(output.expression)
    lead = [unit.source for unit in static_slice(output.before, uses, cautious=True)]
    return None if tables_read([*lead, output.expression], tables) else "reads no table"


def _outputs(executed: ExecutedNotebook) -> Iterator[OutputToSlice]:
    """Shown values with the expressions that gave them, each with the statements that ran before it."""
    notebook = executed.linked.notebook
    parsed = parse_cells([cell.source for cell in notebook.code_cells])
    for shown in executed.execution.shown:
        cell = parsed[shown.cell]
        target = _target(cell, shown)
        if cell is None or target is None:
            continue
        source = cell.expression(target)
        before = (*_ran_before(parsed, executed, shown), *cell.shown_before(target))
        yield OutputToSlice(
            f"{notebook.id}-{shown.cell}-{shown.statement}-{shown.number}", shown, target, source, before
        )


def _target(cell: ParsedCell | None, shown: ShownValue) -> Target | None:
    targets = cell.targets if cell is not None else ()
    return next((t for t in targets if (t.statement, t.number) == (shown.statement, shown.number)), None)


def _ran_before(parsed: Sequence[ParsedCell | None], executed: ExecutedNotebook, shown: ShownValue) -> Iterator[Unit]:
    for index in range(shown.cell + 1):
        cell, run = parsed[index], executed.execution.cells[index]
        if cell is None or run.status == "not run":
            continue
        for unit in cell.units:
            if (index, unit.statement) < (shown.cell, shown.statement) and unit.statement not in run.failed_statements:
                yield unit
