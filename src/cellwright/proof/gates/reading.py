"""What the text of an oracle tells: the files that it reads and how, and the names that it speaks of."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cellwright.proof.judge import Program
from cellwright.proof.tables import ReadHint, TableFacts

_DATA = "data/"
_CODE_IN_TEXT = ("query", "eval", "ols", "logit", "glm", "filter")
_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r"`([^`]*)`")
_SHORT_TEXT = 500


@dataclass(frozen=True)
class ReadCall:
    """A call that reads a file."""

    function: str
    path: str
    """The constant text that it is given; empty where it is computed."""
    given: dict[str, object]
    """Its keyword arguments that are constants; others are there with the value `...`."""


@dataclass(frozen=True)
class Reading:
    """The text of a program as gates need it."""

    modules: tuple[ast.Module, ...]
    """One for each unit, and the expression's last."""
    calls: tuple[ReadCall, ...]
    names: frozenset[str]
    """Texts, attributes and keywords that may be names of columns."""

    @property
    def source(self) -> str:
        return "\n".join(ast.unparse(module) for module in self.modules)

    def nodes(self) -> Iterator[ast.AST]:
        """Every node of every unit."""
        for module in self.modules:
            yield from ast.walk(module)

    def hint(self, table: str) -> ReadHint:
        """How the program reads a table."""
        for call in self.calls:
            if call.path.removeprefix(_DATA) == table or (not call.path and len(self.calls) == 1):
                return _hint(call)
        return ReadHint("read_csv" if table.lower().endswith(".csv") and self.calls else "")

    def named_columns(self, facts: TableFacts, question: str) -> frozenset[str]:
        """The columns of a table that the program or the question speaks of."""
        said = self.names | frozenset(_QUOTED.findall(question))
        return frozenset(name for name in facts.names if name in said or name.strip() in said)


def read_oracle(program: Program) -> Reading:
    """Raises SyntaxError for a program that is no Python."""
    sources = [*program.units, *([program.expression] if program.expression else [])]
    modules = tuple(ast.parse(source) for source in sources)
    constants = _literals(modules)
    calls = tuple(
        _call(node, constants)
        for module in modules
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and _reads(node)
    )
    names = frozenset(name for module in modules for node in ast.walk(module) for name in _names(node))
    return Reading(modules, calls, names)


def called(node: ast.Call) -> str:
    """The last part of the name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _reads(node: ast.Call) -> bool:
    name = called(node)
    return name.startswith("read_") or name in ("loadtxt", "genfromtxt", "open", "ExcelFile")


def _literals(modules: Sequence[ast.Module]) -> dict[str, object]:
    """Names that are bound to a literal: `names = ["a", "b"]`."""
    found: dict[str, object] = {}
    for module in modules:
        for statement in module.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                value = _literal(statement.value, found)
                if value is not ...:
                    found[statement.targets[0].id] = value
    return found


def _literal(node: ast.expr, constants: dict[str, object]) -> object:
    if isinstance(node, ast.Name) and node.id in constants:
        return constants[node.id]
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ...
    return value


def _call(node: ast.Call, constants: dict[str, object]) -> ReadCall:
    given = {keyword.arg: _literal(keyword.value, constants) for keyword in node.keywords if keyword.arg}
    first = node.args[0] if node.args else None
    path = _literal(first, constants) if first is not None else ""
    if len(node.args) > 1 and called(node) in ("read_csv", "read_table"):
        given.setdefault("sep", _literal(node.args[1], constants))
    return ReadCall(called(node), path if isinstance(path, str) else "", given)


def _hint(call: ReadCall) -> ReadHint:
    given = call.given
    header = given.get("header", 0)
    skip = given.get("skiprows", 0)
    names = given.get("names")
    sep = given.get("sep", given.get("delimiter"))
    if given.get("delim_whitespace") is True:
        sep = r"\s+"
    if sep is None and call.function == "read_table":
        sep = "\t"
    header_given = "header" in given and (header is None or isinstance(header, int))
    return ReadHint(
        call.function if call.function != "ExcelFile" else "read_excel",
        sep=sep if isinstance(sep, str) else None,
        header=header if isinstance(header, int) else None if header is None else 0,
        header_given=header_given,
        names=tuple(str(name) for name in names) if isinstance(names, (list, tuple)) else (),
        skiprows=skip if isinstance(skip, int) else 0,
        skipped=tuple(n for n in skip if isinstance(n, int)) if isinstance(skip, (list, tuple)) else (),
        comment=_text(given.get("comment")),
        encoding=_text(given.get("encoding")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
        if "~" in node.value and len(node.value) < _SHORT_TEXT:  # a formula
            yield from _WORD.findall(node.value)
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg
    elif isinstance(node, ast.Call) and called(node) in _CODE_IN_TEXT:
        for argument in node.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield from _WORD.findall(argument.value)
                yield from _QUOTED.findall(argument.value)
