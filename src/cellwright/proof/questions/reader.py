"""Reads the statements of a slice and says what its expression is, in words.

Covers straight-line pandas code: loading, picking, filtering, adding columns, sorting, grouping, merging, aggregates.
Loops, conditions, classes, models and everything else raise Unreadable.
"""

import ast
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from cellwright.proof.questions import columns, frames, functions, groups
from cellwright.proof.questions.symbols import (
    Absence,
    Arguments,
    Column,
    Condition,
    Constant,
    Distinct,
    Frame,
    FrameBox,
    Function,
    Grid,
    Grouping,
    Items,
    Labelled,
    Method,
    Module,
    Quantity,
    Shape,
    Symbol,
    Unreadable,
)

_MOST_ITEMS = 1000
_MAX_DEPTH = 60
_ACCESSORS = {"str", "dt", "loc", "iloc", "at", "iat"}


@cache
def _pandas_names() -> frozenset[str]:
    """Attributes of a DataFrame (pandas 3.1): every other attribute is a column."""
    return frozenset(files(__package__).joinpath("pandas_names.txt").read_text().split())


def read_slice(units: Sequence[str], expression: str) -> Symbol:
    """The symbol of `expression` after the statements. Raises Unreadable."""
    reader = Reader()
    for unit in units:
        for statement in ast.parse(unit).body:
            reader.statement(statement)
    symbol = reader.evaluate(ast.parse(expression, mode="eval").body)
    return symbol.frame if isinstance(symbol, FrameBox) else symbol


class Reader:
    """The interpreter: `names` bound to symbols."""

    def __init__(self) -> None:
        self.names: dict[str, Symbol] = {}
        self._depth = 0

    # --- statements ---------------------------------------------------------------------

    def statement(self, node: ast.stmt) -> None:
        """Carry out one statement on the symbols."""
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.Assign(targets=[target]):
                self._assign(target, self._value(node.value))
            case ast.Assign(targets=targets):
                symbol = self._value(node.value)
                for target in targets:
                    self._assign(target, symbol)
            case ast.AugAssign():
                load = ast.parse(ast.unparse(node.target), mode="eval").body
                self._assign(node.target, self.evaluate(ast.BinOp(load, node.op, node.value)))
            case ast.Delete():
                self._delete(node)
            case ast.FunctionDef():
                self._define(node)
            case ast.Expr():
                self._effect(node.value)
            case ast.Pass():
                pass
            case _:
                raise Unreadable(f"{type(node).__name__.lower()} statement")

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                self.names[alias.asname or alias.name] = Module(f"{node.module}.{alias.name}")
            else:
                path = alias.name if alias.asname else alias.name.partition(".")[0]
                self.names[alias.asname or path] = Module(path)

    def _value(self, node: ast.expr) -> Symbol:
        """The symbol that an assignment binds: a new frame gets a box of its own."""
        symbol = self.evaluate(node, unbox=False)
        return FrameBox(symbol) if isinstance(symbol, Frame) else symbol

    def _assign(self, target: ast.expr, symbol: Symbol) -> None:
        match target:
            case ast.Name():
                self.names[target.id] = symbol
            case ast.Subscript() | ast.Attribute():
                self._assign_inside(target, symbol)
            case ast.Tuple() | ast.List() if isinstance(symbol, Items) and len(symbol.symbols) == len(target.elts):
                for element, part in zip(target.elts, symbol.symbols, strict=True):
                    self._assign(element, part)
            case ast.Tuple() | ast.List() if isinstance(symbol, Shape) and len(target.elts) == 2:
                for element, part in zip(target.elts, functions.shape_items(symbol.frame), strict=True):
                    self._assign(element, part)
            case _:
                raise Unreadable("assignment to several names")

    def _assign_inside(self, target: ast.Subscript | ast.Attribute, symbol: Symbol) -> None:
        owner = target.value
        if isinstance(owner, ast.Attribute) and owner.attr == "loc":
            raise Unreadable("assignment to some rows")
        box = self.evaluate(owner, unbox=False)
        if not isinstance(box, FrameBox):
            raise Unreadable("assignment into a value that is not a table")
        if isinstance(target, ast.Attribute):
            key: object = target.attr
            if key in _pandas_names():
                box.frame = frames.set_attribute(box.frame, target.attr, symbol)
                return
        else:
            key = self.constant(target.slice)
        if not isinstance(key, str):
            raise Unreadable("assignment to several columns")
        box.frame = frames.add_column(box.frame, key, self._unboxed(symbol))

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if not isinstance(target, ast.Subscript):
                continue
            box = self.evaluate(target.value, unbox=False)
            if isinstance(box, FrameBox):
                box.frame = frames.drop_columns(box.frame, [str(self.constant(target.slice))])

    def _define(self, node: ast.FunctionDef) -> None:
        body = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        *lead, last = _with_one_return(body)
        plain = all(isinstance(s, ast.Assign) and all(isinstance(t, ast.Name) for t in s.targets) for s in lead)
        if not plain or not isinstance(last, ast.Return) or last.value is None:
            raise Unreadable("function of several statements")
        named = node.args.args[len(node.args.args) - len(node.args.defaults) :]
        pairs = zip(named, node.args.defaults, strict=True)
        defaults = {argument.arg: self.evaluate(default) for argument, default in pairs}
        self.names[node.name] = Function(tuple(a.arg for a in node.args.args), last.value, tuple(lead), defaults)

    def _effect(self, node: ast.expr) -> None:
        """A statement that is only a call: in-place methods change the frame, settings and prints do not matter."""
        if isinstance(node, ast.Constant) or functions.has_no_effect(node):
            return
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            raise Unreadable("call for its effect")
        in_place = any(k.arg == "inplace" and getattr(k.value, "value", False) is True for k in node.keywords)
        if not in_place:
            raise Unreadable("call for its effect")
        box = self.evaluate(node.func.value, unbox=False)
        if not isinstance(box, FrameBox):
            raise Unreadable("in-place change of a column")
        arguments = self._arguments(node)
        arguments.ignore("inplace")
        changed = frames.call(box.frame, node.func.attr, arguments, self)
        if not isinstance(changed, Frame):
            raise Unreadable("call for its effect")
        box.frame = changed

    # --- expressions --------------------------------------------------------------------

    def evaluate(self, node: ast.expr, *, unbox: bool = True) -> Symbol:
        """The symbol of an expression."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Unreadable("expression too deep")
        try:
            symbol = self._dispatch(node)
        finally:
            self._depth -= 1
        return self._unboxed(symbol) if unbox else symbol

    @staticmethod
    def _unboxed(symbol: Symbol) -> Symbol:
        return symbol.frame if isinstance(symbol, FrameBox) else symbol

    def constant(self, node: ast.expr) -> object:
        """The value of an expression that must be a constant."""
        symbol = self.evaluate(node)
        if isinstance(symbol, Constant):
            return symbol.value
        raise Unreadable("value known only at run time")

    def _dispatch(self, node: ast.expr) -> Symbol:
        match node:
            case ast.Constant():
                return Constant(node.value)
            case ast.Name():
                return self._name(node.id)
            case ast.List() | ast.Tuple():
                return _items([self.evaluate(element) for element in node.elts])
            case ast.Dict() if all(node.keys):
                pairs = zip(node.keys, node.values, strict=True)
                return Constant({self.constant(key): self._plain(value) for key, value in pairs if key is not None})
            case ast.Attribute():
                return self._attribute(self.evaluate(node.value), node.attr)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return self._call(node)
            case ast.BinOp() | ast.UnaryOp() | ast.Compare() | ast.BoolOp() | ast.IfExp():
                return functions.operation(node, self)
            case ast.ListComp(generators=[ast.comprehension(is_async=0)]):
                return self._comprehension(node)
            case ast.Lambda():
                return Function(tuple(argument.arg for argument in node.args.args), node.body)
        raise Unreadable(f"{type(node).__name__.lower()} expression")

    def _comprehension(self, node: ast.ListComp) -> Constant:
        """A list made of constants."""
        (generator,) = node.generators
        items, target = self.constant(generator.iter), generator.target
        if not isinstance(items, (list, tuple)) or len(items) > _MOST_ITEMS or not isinstance(target, ast.Name):
            raise Unreadable("listcomp expression")
        found: list[object] = []
        for item in items:
            names: dict[str, Symbol] = {target.id: Constant(item)}
            conditions = [self.within(names, condition) for condition in generator.ifs]
            if not all(isinstance(c, Constant) and isinstance(c.value, bool) for c in conditions):
                raise Unreadable("listcomp expression")
            if all(isinstance(c, Constant) and c.value for c in conditions):
                element = self.within(names, node.elt)
                if not isinstance(element, Constant):
                    raise Unreadable("listcomp expression")
                found.append(element.value)
        return Constant(found)

    def _plain(self, node: ast.expr) -> object:
        symbol = self.evaluate(node)
        match symbol:
            case Constant():
                return symbol.value
            case Module():
                return symbol.path.rpartition(".")[2]
        raise Unreadable("computed value in a dictionary")

    def _name(self, identifier: str) -> Symbol:
        if identifier in self.names:
            return self.names[identifier]
        return Module(f"builtins.{identifier}")

    def _attribute(self, owner: Symbol, attribute: str) -> Symbol:
        match owner:
            case Module():
                return functions.module_attribute(owner, attribute)
            case Method(receiver=Column() as column, name="dt") if attribute in columns.DATE_PARTS:
                return columns.date_part(column, attribute)
            case Frame() if attribute not in _pandas_names():
                return frames.column(owner, attribute)
            case Frame() if attribute not in _ACCESSORS:
                found = frames.attribute(owner, attribute)
                return found if found is not None else Method(owner, attribute)
            case Grouping() if attribute not in _pandas_names():
                return groups.pick(owner, attribute)
            case Column() | Condition() | Labelled() | Grid() | Grouping() | Distinct() if attribute not in _ACCESSORS:
                return columns.attribute(owner, attribute, _pandas_names())
        return Method(owner, attribute)

    def _subscript(self, node: ast.Subscript) -> Symbol:
        owner = self.evaluate(node.value)
        match owner:
            case Frame():
                return frames.subscript(owner, node.slice, self)
            case Method(receiver=Frame() as frame, name=("loc" | "at") as accessor):
                return frames.locate(frame, node.slice, accessor, self)
            case Method(receiver=Labelled() | Grid() as labelled, name="loc" | "at"):
                return groups.locate(labelled, node.slice, self)
            case Grouping():
                return groups.pick(owner, self.constant(node.slice))
            case Labelled() | Grid():
                return groups.locate(owner, node.slice, self)
            case Shape():
                return functions.shape_items(owner.frame)[_position(self.constant(node.slice), 2)]
            case Items():
                return owner.symbols[_position(self.constant(node.slice), len(owner.symbols))]
            case Column() | Condition():
                return columns.subscript(owner, node.slice, self)
            case Constant(value=list() | tuple() | dict() as value):
                key = self.evaluate(node.slice)
                if isinstance(key, Column) and isinstance(value, dict):
                    return columns.looked_up(key, value)
                return _look_up(value, self.constant(node.slice))
            case Method(receiver=Column() as column, name="str"):
                return columns.text_item(column, self.constant(node.slice))
        raise Unreadable("subscript")

    def _call(self, node: ast.Call) -> Symbol:
        if isinstance(node.func, ast.Attribute):
            receiver = self.evaluate(node.func.value)
            if not isinstance(receiver, Module):
                return self._method(receiver, node.func.attr, self._arguments(node))
        function = self.evaluate(node.func)
        arguments = self._arguments(node)
        match function:
            case Module():
                return functions.call(function.path, arguments, self)
            case Function():
                return self.apply(function, arguments.positional, arguments.named)
        raise Unreadable("call of an unknown function")

    def _method(self, receiver: Symbol, method: str, arguments: Arguments) -> Symbol:
        match receiver:
            case Frame():
                return frames.call(receiver, method, arguments, self)
            case Absence():
                return groups.absence_call(receiver, method, arguments)
            case Column() | Condition() | Distinct():
                return columns.call(receiver, method, arguments, self)
            case Method(receiver=Column() as column, name=("str" | "dt") as accessor):
                return columns.accessor_call(column, accessor, method, arguments)
            case Grouping():
                return groups.aggregate(receiver, method, arguments)
            case Labelled() | Grid():
                return groups.call(receiver, method, arguments)
            case Quantity():
                return functions.quantity_call(receiver, method, arguments)
            case Constant():
                return functions.constant_call(receiver, method, arguments)
        raise Unreadable(f"method {method}")

    def _arguments(self, node: ast.Call) -> Arguments:
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            raise Unreadable("starred arguments")
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        named = {str(keyword.arg): self.evaluate(keyword.value) for keyword in node.keywords}
        return Arguments(name, [self.evaluate(argument) for argument in node.args], named)

    def apply(self, function: Function, symbols: Sequence[Symbol], named: Mapping[str, Symbol] | None = None) -> Symbol:
        """The symbol that a function returns for these arguments."""
        given = {**function.defaults, **dict(zip(function.parameters, symbols, strict=False)), **(named or {})}
        if len(symbols) > len(function.parameters) or set(given) != set(function.parameters):
            raise Unreadable("call with other arguments than the function takes")
        return self.within(given, function.body, function.lead)

    def within(self, names: Mapping[str, Symbol], body: ast.expr, lead: Sequence[ast.stmt] = ()) -> Symbol:
        """The symbol of an expression, after some statements, where some names mean something else."""
        outer = self.names
        self.names = {**outer, **names}
        try:
            for statement in lead:
                self.statement(statement)
            return self.evaluate(body)
        finally:
            self.names = outer


def _with_one_return(body: list[ast.stmt]) -> list[ast.stmt]:
    """A body that ends in `if a: return b` and `return c`, with one `return b if a else c` instead."""
    match body:
        case [*lead, ast.If(test=test, body=[ast.Return(value=ast.expr() as yes)], orelse=[ast.Return(value=no)])]:
            rest: ast.expr | None = no
        case [*lead, ast.If(test=test, body=[ast.Return(value=ast.expr() as yes)], orelse=[]), ast.Return(value=no)]:
            rest = no
        case _:
            return body or [ast.Pass()]
    if rest is None:
        return body
    return [*lead, ast.Return(ast.IfExp(test, yes, rest))]


def _items(symbols: list[Symbol]) -> Symbol:
    values = [symbol.value for symbol in symbols if isinstance(symbol, Constant)]
    return Constant(values) if len(values) == len(symbols) else Items(tuple(symbols))


def _position(index: object, length: int) -> int:
    if isinstance(index, int) and -length <= index < length:
        return index
    raise Unreadable("subscript out of range")


def _look_up(container: object, key: object) -> Symbol:
    try:
        return Constant(container[key])  # type: ignore[index]  # a list, tuple or dict, by the caller's match
    except (KeyError, IndexError, TypeError):
        raise Unreadable("subscript out of range") from None
