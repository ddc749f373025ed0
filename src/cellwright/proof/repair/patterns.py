"""Python with holes, to find in a statement and to put in its place, the author's formatting kept elsewhere.

    $name   any expression; in the replacement, what stood there, within a text too. Twice the same name: the same text
    ...     among the arguments: all those that the pattern does not name; as the only index: any index

Keyword arguments are matched by name, in any order. LibCST does the work. Its parser is given only what is small and
shallow: it recurses in native code, and a hostile expression would end the process or hold it for minutes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import libcst as cst

from cellwright.proof.repair.cells import hide_magics, parse, show_magics, walk_depth

_MAX_CHARS, _MAX_DEPTH = 20_000, 60
_HOLE = re.compile(r"\$(\w+)")
_PREFIX = "__hole_"
_HELD = re.compile(rf"{_PREFIX}(\w+)")
_LAYOUT = frozenset(
    (
        "lpar",
        "rpar",
        "comma",
        "semicolon",
        "equal",
        "leading_lines",
        "lbracket",
        "rbracket",
        "asname",
        "header",
        "footer",
    )
)
_TIGHT = (cst.Attribute, cst.Call, cst.Subscript)
_ATOMS = (
    cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.SimpleString, cst.ConcatenatedString, cst.FormattedString,
    cst.Integer, cst.Float, cst.List, cst.Dict, cst.Set, cst.ListComp, cst.DictComp, cst.SetComp, cst.Ellipsis,
)  # fmt: skip

Found = Mapping[str, "cst.CSTNode | Sequence[cst.Arg] | Sequence[cst.SubscriptElement]"]


@dataclass(frozen=True)
class Pattern:
    """What to find, what to put in its place, and what the holes must look like."""

    match: str
    rewrite: str
    where: Mapping[str, str]
    """Of some holes, and of `...` among the arguments: a regular expression that the whole text must match."""
    inside: str = ""
    """Of functions and methods: only what is passed to them, alone or in a list or dictionary, is looked at."""


def rewritten(statement: str, pattern: Pattern) -> Iterator[str]:
    """The statement with all matches rewritten, then, where there are several, with each of them alone."""
    module, magics = parsed(statement)
    if module is None:
        return
    counter = _Rewriter(pattern, None)
    everywhere = module.visit(counter)
    if counter.count:
        yield show_magics(everywhere.code, magics)
    for only in range(counter.count if counter.count > 1 else 0):
        yield show_magics(module.visit(_Rewriter(pattern, only)).code, magics)


def parsed(statement: str) -> tuple[cst.Module | None, list[str]]:
    """A statement for LibCST, and the lines of IPython's that were taken out; None where it would be unsafe."""
    text, magics = hide_magics(statement) if parse(statement) is None else (statement, [])
    tree = parse(text)
    if tree is None or len(text) > _MAX_CHARS or walk_depth(tree) > _MAX_DEPTH:
        return None, magics
    try:
        return cst.parse_module(text), magics
    except (cst.ParserSyntaxError, RecursionError, UnicodeError):
        return None, magics


class _Rewriter(cst.CSTTransformer):
    """Rewrites matches, innermost first; with `only`, the match of that number."""

    def __init__(self, pattern: Pattern, only: int | None) -> None:
        super().__init__()
        self._pattern, self._only = pattern, only
        self._shape = _shape(pattern.match)
        self._passed: set[cst.CSTNode] = set()
        self.count = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if self._pattern.inside and isinstance(node, cst.Call) and re.fullmatch(self._pattern.inside, _last_name(node)):
            self._passed.update(part for argument in node.args for part in _parts(argument.value))
        return super().on_visit(node)

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        node = super().on_leave(original_node, updated_node)
        if type(original_node) is not type(self._shape) or not isinstance(node, cst.CSTNode):
            return node  # type: ignore[return-value]
        if self._pattern.inside and original_node not in self._passed:
            return node
        found: dict[str, object] = {}
        # The original is compared: what stands inside may have been rewritten already.
        if not _matches(original_node, self._shape, found, self._pattern.where):
            return node
        if _repeats(_filled(self._pattern.rewrite, found, original_node)):
            return node
        self.count += 1
        if self._only is not None and self._only != self.count - 1:
            return node
        found = {}
        if not _matches(node, self._shape, found, self._pattern.where):
            return node
        return _filled(self._pattern.rewrite, found, node)


def _repeats(made: cst.CSTNode) -> bool:
    """Whether a call names an argument twice: what the rule would add was there."""
    names = [code(argument.keyword) for argument in made.args if argument.keyword] if isinstance(made, cst.Call) else []
    return len(names) > len(set(names))


def _last_name(call: cst.Call) -> str:
    return code(call.func.attr if isinstance(call.func, cst.Attribute) else call.func)


def _parts(value: cst.BaseExpression) -> Iterator[cst.CSTNode]:
    """A value, or what a list, tuple or dictionary holds in its place."""
    if isinstance(value, (cst.List, cst.Tuple, cst.Dict)):
        for element in value.elements:
            yield from _parts(element.value)
    else:
        yield value


@cache
def _shape(text: str) -> cst.CSTNode:
    """A pattern as a tree: of an expression, or of a small statement such as an assignment."""
    source = _HOLE.sub(rf"{_PREFIX}\1", text)
    line = cst.ensure_type(cst.parse_statement(source), cst.SimpleStatementLine).body[0]
    return line.value if isinstance(line, cst.Expr) and not text.endswith(";") else line


def _hole(node: cst.CSTNode | None) -> str | None:
    is_hole = isinstance(node, cst.Name) and node.value.startswith(_PREFIX)
    return node.value.removeprefix(_PREFIX) if is_hole and isinstance(node, cst.Name) else None


def _matches(node: object, shape: object, found: dict[str, object], where: Mapping[str, str]) -> bool:
    if isinstance(shape, cst.CSTNode) and (name := _hole(shape)) is not None and isinstance(node, cst.CSTNode):
        return _bind(name, node, found, where)
    if type(node) is not type(shape):
        return False
    if isinstance(shape, cst.Call) and isinstance(node, cst.Call):
        return _matches(node.func, shape.func, found, where) and _match_arguments(node.args, shape.args, found, where)
    if isinstance(shape, cst.Subscript) and isinstance(node, cst.Subscript):
        return _matches(node.value, shape.value, found, where) and _match_index(node.slice, shape.slice, found, where)
    if isinstance(shape, cst.SimpleString) and isinstance(node, cst.SimpleString):
        return node.evaluated_value == shape.evaluated_value
    if isinstance(shape, cst.CSTNode):
        fields = (f for f in type(shape).__dataclass_fields__ if f not in _LAYOUT and not f.startswith("whitespace"))
        return all(_matches(getattr(node, f), getattr(shape, f), found, where) for f in fields)
    if isinstance(shape, (list, tuple)) and isinstance(node, (list, tuple)):
        return len(node) == len(shape) and all(
            _matches(one, other, found, where) for one, other in zip(node, shape, strict=True)
        )
    return node == shape


def _bind(name: str, node: cst.CSTNode, found: dict[str, object], where: Mapping[str, str]) -> bool:
    text = code(node)
    if name in where and re.fullmatch(where[name], text, re.DOTALL) is None:
        return False
    known = found.setdefault(name, node)
    return isinstance(known, cst.CSTNode) and code(known) == text


def code(node: cst.CSTNode) -> str:
    """The text of a node."""
    return cst.Module([]).code_for_node(node)


def _match_arguments(
    given: Sequence[cst.Arg], wanted: Sequence[cst.Arg], found: dict[str, object], where: Mapping[str, str]
) -> bool:
    rest = list(given)
    shapes = [shape for shape in wanted if shape.keyword or not isinstance(shape.value, cst.Ellipsis)]
    takes_rest = len(shapes) < len(wanted)
    for shape in shapes:
        for argument in rest:
            same = (argument.keyword.value if argument.keyword else None) == (
                shape.keyword.value if shape.keyword else None
            )
            if same and argument.star == shape.star:
                break
        else:
            return False
        if not _matches(argument.value, shape.value, found, where):
            return False
        rest.remove(argument)
    if takes_rest:
        found["..."] = rest
        return re.fullmatch(where.get("...", ".*"), ", ".join(map(code, rest)), re.DOTALL) is not None
    return not rest


def _match_index(
    given: Sequence[cst.SubscriptElement],
    wanted: Sequence[cst.SubscriptElement],
    found: dict[str, object],
    where: Mapping[str, str],
) -> bool:
    if len(wanted) == 1 and isinstance(wanted[0].slice, cst.Index) and isinstance(wanted[0].slice.value, cst.Ellipsis):
        found["[]"] = given
        return True
    if len(given) != len(wanted):
        return False
    for element, shape in zip(given, wanted, strict=True):
        name = _hole(shape.slice.value) if isinstance(shape.slice, cst.Index) else None
        if name is not None and isinstance(element.slice, cst.Slice):
            if not _bind(name, element.slice, found, where):
                return False
        elif not _matches(element.slice, shape.slice, found, where):
            return False
    return True


def _filled(rewrite: str, found: Mapping[str, object], node: cst.CSTNode) -> cst.CSTNode:
    """The replacement, with what the holes held."""
    source = _HOLE.sub(rf"{_PREFIX}\1", rewrite)
    if isinstance(node, cst.BaseSmallStatement):
        lines = [cst.ensure_type(cst.parse_statement(part), cst.SimpleStatementLine) for part in source.split("\n")]
        small = [statement.visit(_Filler(found)) for line in lines for statement in line.body]
        return cst.FlattenSentinel(small)  # type: ignore[type-var, return-value]
    filled = cst.parse_expression(source).visit(_Filler(found))
    assert isinstance(filled, cst.BaseExpression)
    outer = node if isinstance(node, cst.BaseExpression) else None
    return filled.with_changes(lpar=outer.lpar, rpar=outer.rpar) if outer is not None and outer.lpar else filled


class _Filler(cst.CSTTransformer):
    """Puts into a replacement what the holes of the pattern held."""

    def __init__(self, found: Mapping[str, object]) -> None:
        super().__init__()
        self._found = found

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        name = _hole(original_node)
        held = self._found.get(name) if name is not None else None
        return held if isinstance(held, cst.BaseExpression) else updated_node

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.SimpleString:
        return updated_node.with_changes(value=_HELD.sub(self._text, updated_node.value))

    def _text(self, hole: re.Match[str]) -> str:
        held = self._found.get(hole[1])
        return code(held) if isinstance(held, cst.CSTNode) else hole[0]

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(value=_closed(updated_node.value))

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.Subscript:
        elements: list[cst.SubscriptElement] = []
        for element, original in zip(updated_node.slice, original_node.slice, strict=True):
            inner = original.slice.value if isinstance(original.slice, cst.Index) else None
            held = self._found.get(_hole(inner) or "")
            if isinstance(inner, cst.Ellipsis) and isinstance(rest := self._found.get("[]"), Sequence):
                elements.extend(rest)
            elif isinstance(held, (cst.Slice, cst.Index)):
                elements.append(element.with_changes(slice=held))
            else:
                elements.append(element)
        return updated_node.with_changes(value=_closed(updated_node.value), slice=elements)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        arguments: list[cst.Arg] = []
        for argument in updated_node.args:
            if isinstance(argument.value, cst.Ellipsis) and isinstance(rest := self._found.get("..."), Sequence):
                arguments.extend(rest)
            else:
                arguments.append(argument)
        # Positional arguments stand before those with a name, whichever the rest held.
        arguments.sort(key=lambda argument: argument.keyword is not None or argument.star == "**")
        if arguments:
            arguments[-1] = arguments[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(func=_closed(updated_node.func), args=arguments)

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BinaryOperation:
        return updated_node.with_changes(left=_closed(updated_node.left), right=_closed(updated_node.right))


def _closed(node: cst.BaseExpression) -> cst.BaseExpression:
    """The expression in parentheses, where it would fall apart without."""
    if isinstance(node, _ATOMS) or node.lpar:
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
