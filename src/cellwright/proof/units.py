"""A notebook as a list of statements, with what each defines and uses.

The definitions and uses are a guess from the syntax tree: a slice made from them is judged by running it. What IPython
adds to Python is read as what it means: `%%time`, `%%capture`, `%time` as the statements that they hold, `Out[3]` and
`_` as variables that a cell's last line sets. Other magics stay calls of `get_ipython()`.
"""

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from IPython.core.inputtransformer2 import TransformerManager

from cellwright.proof.bindings import bound_names, changed_names, free_names, may_bind
from cellwright.proof.inside.targets import Target, find_targets, is_shown_by_call
from cellwright.proof.needs import NOTHING, Needs, needs_of, needs_when_called

# State that others depend on and do not name. How values are displayed is none: values are compared as objects.
_SETTINGS = re.compile(
    r"\bseed\(|from __future__ |\bchdir\(|\bset_random_seed\(|\b(?:set_option|options)\b(?!.{0,2}display)|magic\('cd'"
)
# What may bind any name.
# fmt: off
_OPAQUE = frozenset(
    (
        "exec", "eval", "globals", "locals", "vars", "setattr", "get_ipython", "__import__", "__main__", "builtins",
        "__builtins__",
    )
)
_OPAQUE_ATTRIBUTES = frozenset(
    (
        "modules", "__dict__", "__builtins__", "__globals__", "f_globals", "f_locals", "import_module", "user_ns",
        "user_global_ns",
    )
)
# fmt: on
_HARMLESS_MAGIC = re.compile(
    r"get_ipython\(\)\.run_(?:line|cell)_magic\('(?:matplotlib|timeit|precision|config|who|whos|pinfo|history|html"
    r"|HTML|javascript|js|latex|markdown|svg|writefile|cd|pwd|ls|env|pip|conda)'"
)
_TIMED_CELL = re.compile(r"\A\s*%%(time(?=[ \t]*\n)|capture\b)[^\n]*\n")
_TIMED_LINE = re.compile(r"^%time[ \t]+(?=\S)", re.MULTILINE)
_OUTS = ("Out", "_oh")
_OUT_NAME = re.compile(r"_\d*|__|___")
_RECENT = ("_", "__", "___")
"""What IPython calls the last value that a cell gave, the one before it, and the one before that."""
_PATH = re.compile(r"[^\n<>|?*\"']{1,200}")


@dataclass(frozen=True)
class Unit:
    """One top-level statement of a notebook."""

    cell: int
    """Index among the code cells."""
    statement: int
    """Index in its cell."""
    source: str
    defines: frozenset[str] = frozenset()
    """Names that it binds anew."""
    changes: frozenset[str] = frozenset()
    """Names whose objects it may change without binding them, and those that it may bind or may leave as they are."""
    binds: frozenset[str] = frozenset()
    """Names that it may bind, also through a function that it defines; of `changes` only these."""
    uses: frozenset[str] = frozenset()
    """Free names, those of function bodies included."""
    needs: Needs = NOTHING
    """Without which the statement fails, or does nothing."""
    when_called: Needs | None = None
    """Of a function that it defines."""
    imports: bool = False
    settings: bool = False
    """May change what others use without naming it: options, seeds, the working folder."""
    opaque: bool = False
    """May bind any name: star imports, exec, globals(), magics that run files."""


@dataclass(frozen=True)
class ParsedCell:
    """A code cell as Python: its units and the outputs that it shows."""

    text: str
    """The cell as plain Python."""
    units: tuple[Unit, ...]
    targets: tuple[Target, ...]
    shows_last: bool
    """Whether the value of its last line is shown, if that is an expression."""

    def expression(self, target: Target) -> str:
        """Source of an output expression, which parses by itself."""
        segment = ast.get_source_segment(self.text, target.node)
        forms = [segment, f"({segment})"] if segment else []
        return next((form for form in forms if _is_expression(form)), ast.unparse(target.node))

    def shown_before(self, target: Target) -> list[Unit]:
        """What its statement shows before it, as statements: evaluating that may change something."""
        earlier = [t for t in self.targets if t.statement == target.statement and t.number < target.number]
        return [with_source(self.units[target.statement], self.expression(t)) for t in earlier]


def _is_expression(source: str) -> bool:
    try:
        ast.parse(source, mode="eval")
    except SyntaxError:
        return False
    return True


def parse_cell(index: int, source: str, *, own_out: bool = False) -> ParsedCell | None:
    """A code cell as IPython would run it; None when it is not Python even then. `own_out`: whether `Out` is a name of
    the notebook's own."""
    plain, captured = _without_timing(source)
    try:
        text = str(TransformerManager().transform_cell(plain))  # type: ignore[no-untyped-call]
        module = ast.parse(text)
        if not own_out and (named := _with_names_of_outputs(text, module)) != text:
            text, module = named, ast.parse(named)
        units = tuple(_unit(index, number, node, text) for number, node in enumerate(module.body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    is_quiet = _ends_quietly(source)
    targets = () if captured else tuple(find_targets(module, is_quiet))
    return ParsedCell(text, units, targets, shows_last=not captured and not is_quiet)


def parse_cells(sources: Sequence[str]) -> list[ParsedCell | None]:
    """Every code cell of a notebook that is run from its first cell to its last."""
    cells = [parse_cell(index, source) for index, source in enumerate(sources)]
    units = [unit for cell in cells if cell is not None for unit in cell.units]
    if any((unit.defines | unit.changes) & {*_OUTS} for unit in units):
        cells = [parse_cell(index, source, own_out=True) for index, source in enumerate(sources)]
        units = [unit for cell in cells if cell is not None for unit in cell.units]
    wanted = {name for unit in units for name in unit.uses if _OUT_NAME.fullmatch(name)}
    wanted -= {name for unit in units for name in unit.defines | unit.changes}
    return [_naming_its_output(cell, wanted) if cell is not None else None for cell in cells] if wanted else cells


def whole_cells(units: Sequence[Unit]) -> list[Unit]:
    """The same statements with those of a cell as one, for slices of whole cells."""
    cells: dict[int, list[Unit]] = {}
    for unit in units:
        cells.setdefault(unit.cell, []).append(unit)
    return [_joined(parts) for parts in cells.values()]


def _joined(parts: Sequence[Unit]) -> Unit:
    defines: set[str] = set()
    changes: set[str] = set()
    uses: set[str] = set()
    for part in parts:
        uses |= part.uses - defines
        changes |= part.changes - defines
        defines |= part.defines
    source = "\n".join(part.source for part in parts)
    is_opaque = any(part.opaque for part in parts)
    return Unit(
        parts[0].cell,
        0,
        source,
        defines=frozenset(defines),
        changes=frozenset(changes),
        binds=frozenset().union(*(part.binds for part in parts)),
        uses=frozenset(uses),
        needs=NOTHING if is_opaque else needs_of(ast.parse(source), loops_turn=False),
        imports=all(part.imports for part in parts),
        settings=any(part.settings for part in parts),
        opaque=is_opaque,
    )


def _with_names_of_outputs(text: str, module: ast.Module) -> str:
    """A cell's text with `_3` for `Out[3]`."""
    lines = [line.encode() for line in text.split("\n")]
    places = [node for node in ast.walk(module) if isinstance(node, ast.Subscript) and node.lineno == node.end_lineno]
    for node in sorted(places, key=lambda node: node.col_offset, reverse=True):
        if number := _output_number(node):
            line, name = lines[node.lineno - 1], f"_{number}".encode()
            lines[node.lineno - 1] = line[: node.col_offset] + name + line[node.end_col_offset :]
    return b"\n".join(lines).decode()


def _output_number(node: ast.Subscript) -> int:
    """3 for `Out[3]`; 0 for what is no output."""
    number = node.slice.value if isinstance(node.slice, ast.Constant) else None
    is_output = isinstance(node.value, ast.Name) and node.value.id in _OUTS
    return number if is_output and isinstance(number, int) and number > 0 else 0


def _naming_its_output(cell: ParsedCell, wanted: Iterable[str]) -> ParsedCell:
    """A cell whose last line binds the names that IPython gives to its value, where later cells use them."""
    last = cell.units[-1] if cell.units else None
    node = ast.parse(last.source).body[0] if last is not None else None
    if last is None or not isinstance(node, ast.Expr) or not cell.shows_last or is_shown_by_call(node.value):
        return cell
    number = f"_{last.cell + 1}"
    recent = _RECENT[: max((place + 1 for place, name in enumerate(_RECENT) if name in wanted), default=0)]
    if not recent and number not in wanted:
        return cell
    may_be_none = isinstance(node.value, (ast.Call, ast.Await))  # which IPython does not count
    value = f"({number} := {last.source})" if number in wanted or may_be_none else last.source
    if not recent:
        source = f"{number} = {last.source}"
    elif may_be_none:
        source = f"if {value} is not None:\n    {_moved_up(recent, number)}"
    else:
        source = _moved_up(recent, value)
    return replace(cell, units=(*cell.units[:-1], with_source(last, source)))


def _moved_up(recent: Sequence[str], value: str) -> str:
    """The assignment that makes a value the last one."""
    return f"{', '.join(reversed(recent))} = {', '.join([*reversed(recent[:-1]), value])}"


def _without_timing(source: str) -> tuple[str, bool]:
    """A cell without the magics that only time or capture it; and whether what it shows is captured."""
    captured = False
    while found := _TIMED_CELL.match(source):
        captured |= found[1] == "capture"
        source = source[found.end() :]
    return _TIMED_LINE.sub("", source), captured


def _ends_quietly(source: str) -> bool:
    lines = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and lines[-1].split("#")[0].rstrip().endswith(";")


def with_source(unit: Unit, source: str) -> Unit:
    """The same statement as others write it."""
    (node,) = ast.parse(source).body
    return _unit(unit.cell, unit.statement, node, source)


def _unit(cell: int, number: int, node: ast.stmt, text: str) -> Unit:
    changes, reads = changed_names(node)
    source = _source(node, text)
    binds_all = isinstance(
        node, (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.With)
    )
    defines = frozenset(bound_names([node]))
    files = _files(node)
    imports = isinstance(node, (ast.Import, ast.ImportFrom))
    return Unit(
        cell,
        number,
        source,
        defines=defines if binds_all else frozenset(),
        changes=frozenset(changes) | (frozenset() if binds_all else defines) | (frozenset() if imports else files),
        binds=frozenset(may_bind(node)),
        uses=free_names(source) | reads | files,
        needs=needs_of(node),
        when_called=needs_when_called(node),
        imports=imports,
        settings=_SETTINGS.search(source) is not None,
        opaque=_is_opaque(node, source),
    )


def _source(node: ast.stmt, text: str) -> str:
    """The statement as its author wrote it, decorators included."""
    segment = ast.get_source_segment(text, node)
    decorators = getattr(node, "decorator_list", None)
    if segment is not None and decorators:
        lines = text.splitlines()[decorators[0].lineno - 1 : node.lineno - 1]
        segment = "\n".join([*lines, segment])
        if node.col_offset or ast.dump(ast.parse(segment)) != ast.dump(ast.Module([node], [])):
            return ast.unparse(node)
    return segment or ast.unparse(node)


def _is_opaque(node: ast.stmt, source: str) -> bool:
    if _HARMLESS_MAGIC.match(source):
        return False
    named = {part.func for part in ast.walk(node) if isinstance(part, ast.Call) and _imports_a_library(part)}
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in _OPAQUE and part not in named:
            return True
        if isinstance(part, ast.Attribute) and part.attr in _OPAQUE_ATTRIBUTES:
            return True
        if isinstance(part, ast.alias) and (part.name == "*" or part.name.partition(".")[0] in _OPAQUE):
            return True
    return False


def _imports_a_library(call: ast.Call) -> bool:
    """`__import__('os')`, as repairs write it where no name may be bound: it does no more than `import os`."""
    match call:
        case ast.Call(ast.Name("__import__"), [ast.Constant(str(module))], []):
            return module.partition(".")[0] not in _OPAQUE
    return False


def _files(node: ast.stmt) -> frozenset[str]:
    """Names of files that a statement speaks of, tables left out: who reads one depends on who writes it.

    They stand among the names of variables, which never hold a colon.
    """
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and _PATH.fullmatch(part.value):
            stem, dot, suffix = part.value.rpartition("/")[2].rpartition(".")
            if dot and stem and suffix.isalnum() and len(suffix) <= 7 and not part.value.startswith("data/"):
                found.add(f"file:{stem}.{suffix}")
        elif isinstance(part, ast.Import):
            found.update(f"file:{alias.name}.py" for alias in part.names)
        elif isinstance(part, ast.ImportFrom):
            found.add(f"file:{part.module}.py")
    return frozenset(found)
