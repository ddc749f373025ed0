"""Names that statements bind, read and may change, as the syntax tree tells."""

import ast
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# Methods that change their receiver although nothing in the syntax says so.
# fmt: off
_MUTATORS = frozenset((
    "append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", "sort", "reverse", "add",
    "discard", "fit", "fit_transform", "partial_fit", "resize", "shuffle", "fill", "put", "itemset", "write",
    "writelines", "close", "seek", "readline", "read", "set_params", "train", "seed", "popitem", "set",
))
# fmt: on
_IN_PLACE = "inplace"


def of_scope(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes but those of the bodies of functions and classes inside, which stand for themselves."""
    pending = list(body)
    while pending:
        part = pending.pop()
        yield part
        pending += _in_same_scope(part)


def _in_same_scope(node: ast.AST) -> Iterable[ast.AST]:
    match node:
        case ast.Lambda():
            return [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        case ast.ClassDef():
            return [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]
    return ast.iter_child_nodes(node)


def bound_names(body: Iterable[ast.AST]) -> set[str]:
    """Names that statements may bind in their own scope. A comprehension keeps its names to itself, but for `:=`."""
    found: set[str] = set()
    pending = [(node, False) for node in body]
    while pending:
        part, inside = pending.pop()
        match part:
            case ast.NamedExpr():
                found.add(part.target.id)
            case ast.Name(ctx=ast.Store()) if not inside:
                found.add(part.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(part.name)
            case ast.Import() | ast.ImportFrom():
                found |= {(alias.asname or alias.name).partition(".")[0] for alias in part.names}
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                found.add(name)
            case ast.MatchMapping(rest=str(name)):
                found.add(name)
            case ast.AnnAssign(simple=1):
                found.add("__annotations__")
        within = inside or isinstance(part, _COMPREHENSIONS)
        pending += [(child, within) for child in _in_same_scope(part)]
    return found


def may_bind(node: ast.AST) -> set[str]:
    """Names that a statement at the top of a program may bind, or a function that it defines, once it is called."""
    declared = (part.names for part in ast.walk(node) if isinstance(part, ast.Global))
    return bound_names([node]).union(*declared)


def free_names(source: str) -> frozenset[str]:
    """The global names that a source reads anywhere. A builtin is among them, as a notebook may bind its name anew."""
    table = symtable.symtable(source, "<unit>", "exec")
    anywhere = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    pending = list(table.get_children())
    while pending:
        inner = pending.pop()
        anywhere.update(s.get_name() for s in inner.get_symbols() if s.is_global() and s.is_referenced())
        pending.extend(inner.get_children())
    return frozenset(anywhere)


def root_name(node: ast.AST) -> str | None:
    """The name at the bottom of a chain of attributes, subscripts and calls."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def changed_names(node: ast.AST) -> tuple[set[str], set[str]]:
    """Names whose objects a statement may change without binding them, those inside of functions included; and which of
    them it also reads."""
    found = _Changes()
    found.visit(node)
    return found.changes, found.changes & found.loads


@dataclass
class _Changes(ast.NodeVisitor):
    loads: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.loads.add(node.id)

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
