"""A notebook as a list of statements, with what each defines and uses.

The definitions and uses are a guess from the syntax tree: a slice made from them is judged by running it.
"""

import ast
import builtins
import symtable
from collections.abc import Sequence
from dataclasses import dataclass, field

from IPython.core.inputtransformer2 import TransformerManager

from cellwright.proof.inside.targets import Target, find_targets

_BUILTINS = frozenset(dir(builtins))
# Methods that change their receiver although nothing in the syntax says so.
# fmt: off
_MUTATORS = frozenset((
    "append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", "sort", "reverse", "add",
    "discard", "fit", "fit_transform", "partial_fit", "resize", "shuffle", "fill", "put", "itemset", "write",
    "writelines", "close", "seek", "readline", "read", "set_params", "train", "seed", "popitem", "set",
))
# fmt: on
_IN_PLACE = "inplace"
# Statements of which every part is evaluated when they run.
_STRAIGHT = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr)
_SETTINGS = (
    "set_option",
    "set_printoptions",
    "seed",
    "chdir",
    "set_theme",
    "set_random_seed",
    "precision",
    "options.",
    "globals(",
    "exec(",
    "pylab",
)


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
    """Names whose objects it may change without binding them."""
    uses: frozenset[str] = frozenset()
    """Free names, those of function bodies included."""
    needs: frozenset[str] = frozenset()
    """Free names without which the statement surely fails."""
    imports: bool = False
    settings: bool = False
    """May change or define what others use without naming it: options, seeds, star imports, globals()."""


@dataclass(frozen=True)
class ParsedCell:
    """A code cell as Python: its units and the outputs that it shows."""

    text: str
    """The cell as plain Python."""
    units: tuple[Unit, ...]
    targets: tuple[Target, ...]

    def expression(self, target: Target) -> str:
        """Source of an output expression."""
        return ast.get_source_segment(self.text, target.node) or ast.unparse(target.node)


def parse_cell(index: int, source: str) -> ParsedCell | None:
    """A code cell as IPython would run it; None when it is not Python even then."""
    try:
        text = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    units = tuple(_unit(index, number, node, text) for number, node in enumerate(module.body))
    quiet = _ends_quietly(source)
    return ParsedCell(text, units, tuple(find_targets(module, quiet)))


def parse_cells(sources: Sequence[str]) -> list[ParsedCell | None]:
    """Every code cell of a notebook."""
    return [parse_cell(index, source) for index, source in enumerate(sources)]


def _ends_quietly(source: str) -> bool:
    lines = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and lines[-1].split("#")[0].rstrip().endswith(";")


def _unit(cell: int, number: int, node: ast.stmt, text: str) -> Unit:
    names = _Names()
    names.visit(node)
    source = ast.get_source_segment(text, node) or ast.unparse(node)
    if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)) and node.decorator_list:
        source = ast.unparse(node)  # the segment of a decorated definition begins after its decorators
    binds_all = isinstance(
        node, (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.With)
    )
    defines = frozenset(names.stores)
    uses, needs = free_names(source)
    return Unit(
        cell,
        number,
        source,
        defines=defines if binds_all else frozenset(),
        changes=frozenset(names.changes) | (frozenset() if binds_all else defines),
        uses=uses | frozenset(names.loads & names.changes),
        needs=needs if isinstance(node, _STRAIGHT) else frozenset(),
        imports=isinstance(node, (ast.Import, ast.ImportFrom)),
        settings="*" in names.stores or any(word in source for word in _SETTINGS),
    )


def free_names(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """The global names that a source reads anywhere, and those that it reads at once, outside function bodies."""
    table = symtable.symtable(source, "<unit>", "exec")
    at_once = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    anywhere, pending = set(at_once), list(table.get_children())
    while pending:
        inner = pending.pop()
        anywhere.update(s.get_name() for s in inner.get_symbols() if s.is_global() and s.is_referenced())
        pending.extend(inner.get_children())
    return frozenset(anywhere - _BUILTINS), frozenset(at_once - _BUILTINS)


def root_name(node: ast.AST) -> str | None:
    """The name at the bottom of a chain of attributes, subscripts and calls."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


@dataclass
class _Names(ast.NodeVisitor):
    """Collects the names that a statement loads, stores and may change."""

    loads: set[str] = field(default_factory=set)
    stores: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    inner: int = 0

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.loads.add(node.id)
        elif not self.inner:
            self.stores.add(node.id)

    def visit_Import(self, node: ast.Import) -> None:
        self.stores.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.stores.update(alias.asname or alias.name for alias in node.names)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.stores.add(node.name)
        self._nested(node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _definition

    def _nested(self, node: ast.AST) -> None:
        self.inner += 1
        self.generic_visit(node)
        self.inner -= 1

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_Lambda = _nested

    def visit_Global(self, node: ast.Global) -> None:
        self.changes.update(node.names)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._place(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._place(node)

    def _place(self, node: ast.Attribute | ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load) and (name := root_name(node)):
            self.changes.add(name)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if name := root_name(node.target):
            self.changes.add(name)
            self.loads.add(name)
        self.visit(node.value)
        if not isinstance(node.target, ast.Name):
            self.visit(node.target)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if name := root_name(target):
                self.changes.add(name)
                self.loads.add(name)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute) and (name := root_name(node.func)):
            in_place = any(k.arg == _IN_PLACE and getattr(k.value, "value", False) for k in node.keywords)
            if in_place or node.func.attr in _MUTATORS:
                self.changes.add(name)
        elif isinstance(node.func, ast.Name) and node.func.id in ("setattr", "delattr", "next", "exec"):
            self.changes.update(argument.id for argument in node.args if isinstance(argument, ast.Name))
        self.generic_visit(node)
