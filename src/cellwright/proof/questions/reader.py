"""Reads the statements of a slice and says what its expression is, in words.

Covers straight-line pandas code: loading, picking, filtering, adding columns, sorting, grouping, reshaping, joining,
time series, texts, aggregates, tests; loops over a few constants are unrolled. Conditions, classes, models and
everything else raise Unreadable.
"""

import ast
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from cellwright.proof.questions import (
    changing,
    columns,
    frames,
    functions,
    groups,
    labelled,
    locating,
    picking,
    series,
    signs,
    statistics,
    syntax,
    texts,
    values,
)
from cellwright.proof.questions.symbols import (
    Absence,
    Arguments,
    Check,
    Collected,
    Column,
    Condition,
    Constant,
    Distinct,
    Finding,
    Frame,
    FrameBox,
    Function,
    Grid,
    Grouping,
    Items,
    Labelled,
    Look,
    Method,
    Module,
    Note,
    Quantity,
    Reading,
    Resampled,
    Rolling,
    Seen,
    Shape,
    Symbol,
    Unreadable,
    Unseen,
)

_MOST_ITEMS = 1000
_MAX_DEPTH = 60
_MOST_TURNS = 12
_MOST_NOTES = 6
_LISTS = {"tolist", "to_list", "unique"}
_ACCESSORS = {"str", "dt", "loc", "iloc", "at", "iat"}
NOTHING_SEEN: Seen = MappingProxyType({})
_MOST_COLUMNS = 30


@cache
def _pandas_names() -> frozenset[str]:
    """Attributes of a DataFrame (pandas 3.1): every other attribute is a column."""
    return frozenset(files(__package__).joinpath("pandas_names.txt").read_text().split())


def read_slice(units: Sequence[str], expression: str, seen: Seen = NOTHING_SEEN) -> Reading:
    """What `expression` is after the statements. Raises Unreadable, and Unseen where a look would help."""
    reader = Reader(seen)
    for unit in units:
        for statement in ast.parse(unit).body:
            reader.run(statement)
    symbol = reader.evaluate(ast.parse(expression, mode="eval").body)
    return Reading(symbol, tuple(reader.checks), tuple(reader.notes.values()))


class Reader:
    """The interpreter: `names` bound to symbols."""

    def __init__(self, seen: Seen = NOTHING_SEEN) -> None:
        self._seen = seen
        self.names: dict[str, Symbol] = {}
        self.checks: list[Check] = []
        self.notes: dict[str, Note] = {}
        self._done: list[str] = []
        self._depth = 0
        self._inside = 0
        """Loops and functions that the reader is in."""
        self._loops = 0

    # --- statements ---------------------------------------------------------------------

    def run(self, node: ast.stmt) -> None:
        """Carry out one statement of the slice itself."""
        self.statement(node)
        self._done.append(ast.unparse(node))

    def statement(self, node: ast.stmt) -> None:
        """Carry out one statement on the symbols."""
        match node:
            case ast.AnnAssign(target=ast.Name(), value=ast.expr() as value):
                self._assign(node.target, self._value(value))
            case ast.For(orelse=[]):
                self._unroll(node)
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

    def _unroll(self, node: ast.For) -> None:
        """A loop over a few constants, or one that only collects names of columns."""
        if (collected := syntax.collected(node)) and all(_is_list(self.names.get(name)) for name in collected):
            self.names.update(dict.fromkeys(collected, Collected()))
            return
        items = self.evaluate(node.iter)
        if not isinstance(items, Constant) or not isinstance(items.value, (list, tuple)):
            raise Unreadable("for statement")
        if len(items.value) > _MOST_TURNS:
            raise Unreadable("long loop")
        self._inside += 1
        self._loops += 1
        for item in items.value:
            self._bind(node.target, item)
            for statement in node.body:
                self.statement(statement)
        self._loops -= 1
        self._inside -= 1

    def _bind(self, target: ast.expr, item: object) -> None:
        match target:
            case ast.Name():
                self.names[target.id] = Constant(item)
            case ast.Tuple() if isinstance(item, (list, tuple)) and len(item) == len(target.elts):
                for element, part in zip(target.elts, item, strict=True):
                    self._bind(element, part)
            case _:
                raise Unreadable("for statement")

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
            case ast.Tuple() | ast.List() if isinstance(symbol, Finding) and len(symbol.parts) >= len(target.elts):
                for element, quantity in zip(target.elts, symbol.parts.values(), strict=False):
                    self._assign(element, quantity)
            case ast.Tuple() | ast.List() if isinstance(symbol, Constant) and isinstance(symbol.value, (list, tuple)):
                self._bind(ast.Tuple(target.elts), symbol.value)
            case ast.Tuple() | ast.List() if isinstance(symbol, Shape) and len(target.elts) == 2:
                for element, part in zip(target.elts, functions.shape_items(symbol.frame), strict=True):
                    self._assign(element, part)
            case _:
                raise Unreadable("assignment to several names")

    def _assign_inside(self, target: ast.Subscript | ast.Attribute, symbol: Symbol) -> None:
        owner = target.value
        if isinstance(owner, ast.Attribute) and owner.attr in ("loc", "at") and isinstance(target, ast.Subscript):
            box = self.evaluate(owner.value, unbox=False)
            if not isinstance(box, FrameBox):
                raise Unreadable("assignment to some rows")
            place = locating.Place(box.frame, ast.unparse(owner.value), by_label=True)
            self._set(box, changing.set_rows(place, target.slice, self._unboxed(symbol), self))
            return
        box = self.evaluate(owner, unbox=False)
        if isinstance(box, Grid) and box.table is not None and isinstance(owner, ast.Name):
            box = self._boxed_grid(owner.id, box)
        if not isinstance(box, FrameBox):
            raise Unreadable("assignment into a value that is not a table")
        if isinstance(target, ast.Attribute):
            key: object = target.attr
            if key in _pandas_names():
                self._set(box, changing.set_attribute(box.frame, target.attr, symbol))
                return
        else:
            key = self.constant(target.slice)
        if not isinstance(key, str):
            self._set(box, changing.replace_columns(box.frame, key, self._unboxed(symbol), self))
            return
        self._set(box, changing.add_column(box.frame, key, self._unboxed(symbol), self))

    def _set(self, box: FrameBox, changed: Frame) -> None:
        """Change a table in place: what else holds it, such as its groups or a list, would change with it."""
        if any(_holds(symbol, box.frame) for symbol in self.names.values()):
            raise Unreadable("change of a table that is held elsewhere")
        box.frame = changed

    def _boxed_grid(self, name: str, grid: Grid) -> FrameBox:
        """A table of groups that gets a new column, from then on an ordinary table."""
        if grid.table is None or sum(symbol is grid for symbol in self.names.values()) != 1:
            raise Unreadable("assignment into a table of groups")
        box = FrameBox(grid.table)
        self.names[name] = box
        return box

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                continue
            box = self.evaluate(target.value, unbox=False) if isinstance(target, ast.Subscript) else None
            if not isinstance(target, ast.Subscript) or not isinstance(box, FrameBox):
                raise Unreadable("del of something else than a column")
            self._set(box, changing.drop_columns(box.frame, [str(self.constant(target.slice))]))

    def _define(self, node: ast.FunctionDef) -> None:
        body = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        *lead, last = syntax.with_one_return(body)
        plain = all(isinstance(s, ast.Assign) and all(isinstance(t, ast.Name) for t in s.targets) for s in lead)
        if not plain or not isinstance(last, ast.Return) or last.value is None:
            raise Unreadable("function of several statements")
        named = node.args.args[len(node.args.args) - len(node.args.defaults) :]
        pairs = zip(named, node.args.defaults, strict=True)
        defaults = {argument.arg: self.evaluate(default) for argument, default in pairs}
        if any(isinstance(part, ast.Name) and part.id == node.name for part in ast.walk(last)):
            raise Unreadable("function that calls itself")
        self.names[node.name] = Function(tuple(a.arg for a in node.args.args), last.value, tuple(lead), defaults)

    def _effect(self, node: ast.expr) -> None:
        """A statement that is only a call: in-place methods change the frame, settings and prints do not matter."""
        if isinstance(node, ast.Constant) or functions.has_no_effect(node) or self._appended(node):
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
        arguments.receiver = ast.unparse(node.func.value)
        arguments.ignore("inplace")
        changed = frames.call(box.frame, node.func.attr, arguments, self)
        if not isinstance(changed, Frame):
            raise Unreadable("call for its effect")
        self._set(box, changed)

    def _appended(self, node: ast.expr) -> bool:
        """Whether a call adds a constant to a list that a name stands for; it is added."""
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item], keywords=[]):
                owner = self.names.get(name)
                if isinstance(owner, Constant) and isinstance(owner.value, list):
                    owner.value.append(self.constant(item))
                return _is_list(owner)
        return False

    # --- expressions --------------------------------------------------------------------

    def evaluate(self, node: ast.expr, *, unbox: bool = True) -> Symbol:
        """The symbol of an expression."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Unreadable("expression too deep")
        try:
            symbol = self._dispatch(node)
        except Unreadable as unreadable:
            # What is picked from a table's column names is a list of names, however it is picked.
            if isinstance(unreadable, Unseen) or not syntax.picks_columns(node):
                raise
            symbol = self.look(ast.unparse(node))
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
            case ast.JoinedStr():
                return Constant("".join(self._formatted(part) for part in node.values))
            case ast.Attribute():
                owner = self.evaluate(node.value)
                if node.attr == "columns" and isinstance(owner, Frame):
                    return self.look(ast.unparse(node))
                return self._attribute(owner, node.attr)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return self._call(node)
            case ast.BinOp() | ast.UnaryOp() | ast.Compare() | ast.BoolOp() | ast.IfExp():
                return signs.operation(node, self)
            case ast.ListComp(generators=[ast.comprehension(is_async=0)]):
                return self._comprehension(node)
            case ast.Lambda():
                return Function(tuple(argument.arg for argument in node.args.args), node.body)
        raise Unreadable(f"{type(node).__name__.lower()} expression")

    def _formatted(self, part: ast.expr) -> str:
        """A part of an f-string."""
        if isinstance(part, ast.FormattedValue):
            if part.format_spec is not None or part.conversion != -1:
                raise Unreadable("formatted text")
            return str(self.constant(part.value))
        return str(self.constant(part))

    def _comprehension(self, node: ast.ListComp) -> Symbol:
        """A list made from a list of constants."""
        (generator,) = node.generators
        items, target = self.constant(generator.iter), generator.target
        if not isinstance(items, (list, tuple)) or len(items) > _MOST_ITEMS or not isinstance(target, ast.Name):
            raise Unreadable("listcomp expression")
        found: list[Symbol] = []
        for item in items:
            names: dict[str, Symbol] = {target.id: Constant(item)}
            conditions = [self.within(names, condition) for condition in generator.ifs]
            if not all(isinstance(c, Constant) and isinstance(c.value, bool) for c in conditions):
                raise Unreadable("listcomp expression")
            if all(isinstance(c, Constant) and c.value for c in conditions):
                found.append(self.within(names, node.elt))
        return _items(found)

    def _plain(self, node: ast.expr) -> object:
        symbol = self.evaluate(node)
        match symbol:
            case Constant():
                return symbol.value
            case Module():
                return statistics.function_name(symbol.path)
            case Items():
                return [s.value if isinstance(s, Constant) else self._module_name(s) for s in symbol.symbols]
        raise Unreadable("computed value in a dictionary")

    @staticmethod
    def _module_name(symbol: Symbol) -> str:
        if isinstance(symbol, Module):
            return statistics.function_name(symbol.path)
        raise Unreadable("computed value in a dictionary")

    def _name(self, identifier: str) -> Symbol:
        found = self.names.get(identifier)
        if isinstance(found, Collected):
            return self.look(identifier)
        if found is not None:
            return found
        return Module(f"builtins.{identifier}")

    def _attribute(self, owner: Symbol, attribute: str) -> Symbol:
        match owner:
            case Module():
                return functions.module_attribute(owner, attribute)
            case Method(receiver=Column() as column, name="dt"):
                return texts.date_attribute(column, attribute) or Method(owner, attribute)
            case Finding() if attribute in owner.parts:
                return owner.parts[attribute]
            case Resampled():
                return series.pick(owner, attribute)
            case Method(receiver=Frame() as frame, name="each row") if attribute not in (*_pandas_names(), "name"):
                return picking.cell(frame, attribute)
            case Method(receiver=Frame() as frame, name="row") if attribute not in (*_pandas_names(), "name"):
                return picking.value_in_row(frame, attribute)
            case Grid() if attribute not in _pandas_names():
                return labelled.column_of(owner, attribute)
            case Grid() if attribute == "T":
                return labelled.transpose(owner)
            case Frame() if attribute not in _pandas_names():
                return picking.column(owner, attribute)
            case Frame() if attribute not in _ACCESSORS:
                found = picking.attribute(owner, attribute)
                return found if found is not None else Method(owner, attribute)
            case Grouping() if attribute not in _pandas_names():
                return groups.pick(owner, attribute)
            case Column() | Condition() | Labelled() | Grid() | Grouping() | Distinct() if attribute not in _ACCESSORS:
                return columns.attribute(owner, attribute, _pandas_names())
        return Method(owner, attribute)

    def _subscript(self, node: ast.Subscript) -> Symbol:
        owner = self.evaluate(node.value)
        match owner:
            case Method():
                return self._through_accessor(owner, node.value, node.slice)
            case Frame():
                return picking.subscript(owner, node.slice, self)
            case Grouping():
                return groups.pick(owner, self.constant(node.slice))
            case Resampled():
                return series.pick(owner, self.constant(node.slice))
            case Labelled() | Grid():
                return labelled.locate(owner, node.slice, self, ast.unparse(node.value))
            case Finding():
                return list(owner.parts.values())[_position(self.constant(node.slice), len(owner.parts))]
            case Shape():
                return functions.shape_items(owner.frame)[_position(self.constant(node.slice), 2)]
            case Items():
                return owner.symbols[_position(self.constant(node.slice), len(owner.symbols))]
            case Column() | Condition():
                return columns.subscript(owner, node.slice, self, ast.unparse(node.value))
            case Constant(value=list() | tuple() | dict() as value):
                if isinstance(node.slice, ast.Slice):
                    return self._part(value, node.slice)
                key = self.evaluate(node.slice)
                if isinstance(key, Column) and isinstance(value, dict):
                    return values.looked_up(key, value)
                return _look_up(value, self.constant(node.slice))
        raise Unreadable("subscript")

    def _part(self, value: object, node: ast.Slice) -> Constant:
        """A part of a constant list."""
        ends = [self.constant(end) if end is not None else None for end in (node.lower, node.upper, node.step)]
        whole = [end for end in ends if end is None or isinstance(end, int)]
        if not isinstance(value, (list, tuple)) or len(whole) < len(ends):
            raise Unreadable("slice expression")
        return Constant(list(value[slice(*whole)]))

    def _through_accessor(self, owner: Method, source: ast.expr, key: ast.expr) -> Symbol:
        """`frame.loc[…]`, `frame.iloc[…]`, `column.str[…]`, `labelled.index[0]`."""
        match owner:
            case Method(receiver=Frame() as frame, name="each row"):
                return picking.cell(frame, str(self.constant(key)))
            case Method(receiver=Frame() as frame, name="row"):
                return picking.value_in_row(frame, str(self.constant(key)))
            case Method(receiver=Frame() as frame, name="loc" | "at" | "iloc" | "iat") if isinstance(
                source, ast.Attribute
            ):
                place = locating.Place(frame, ast.unparse(source.value), owner.name in ("loc", "at"))
                return locating.locate(place, key, self)
            case Method(receiver=Labelled() | Grid() as quantities, name="loc" | "at"):
                return labelled.locate(quantities, key, self, ast.unparse(source))
            case Method(receiver=Labelled() as quantities, name="index"):
                return labelled.first_label(quantities, self.constant(key), self)
            case Method(receiver=Labelled() as quantities, name="iloc" | "values"):
                return columns.at_position(labelled.as_column(quantities, self), key, self)
            case Method(receiver=Column() as column, name="mode") if self.constant(key) == 0:
                return columns.most_frequent(column)
            case Method(receiver=Method(receiver=Column() as column, name="mode"), name="iloc" | "values"):
                return columns.most_frequent(column)
            case Method(receiver=Column() as column, name="iloc" | "loc") if isinstance(
                key, (ast.Slice, ast.List)
            ) and isinstance(source, ast.Attribute):
                place = locating.Place(column.frame, ast.unparse(source.value), owner.name == "loc")
                return locating.column_in_rows(place, column, key, self)
            case Method(receiver=Column() as column, name="iloc" | "values"):
                return columns.at_position(column, key, self)
            case Method(receiver=Column() as column, name="loc" | "at"):
                return columns.subscript(column, key, self, ast.unparse(source))
            case Method(receiver=Column() as column, name="str"):
                return texts.item(column, key, self)
        raise Unreadable("subscript")

    def _call(self, node: ast.Call) -> Symbol:
        if isinstance(node.func, ast.Attribute):
            receiver = self.evaluate(node.func.value)
            if not isinstance(receiver, Module):
                arguments = self._arguments(node)
                arguments.receiver = ast.unparse(node.func.value)
                return self._method(receiver, node.func.attr, arguments)
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
                return labelled.absence_call(receiver, method, arguments)
            case Column() | Condition() | Distinct():
                return columns.call(receiver, method, arguments, self)
            case Method(receiver=Column() as column, name=("str" | "dt") as accessor):
                return texts.call(column, accessor, method, arguments)
            case Method(receiver=Labelled() | Distinct() as owner, name="index" | "values") if method in _LISTS:
                return labelled.labels(owner) if isinstance(owner, Labelled) else owner
            case Grouping():
                return groups.aggregate(receiver, method, arguments, self)
            case Resampled():
                return groups.resampled_call(receiver, method, arguments, self)
            case Rolling():
                return series.rolling_call(receiver, method, arguments)
            case Labelled() | Grid():
                return labelled.call(receiver, method, arguments, self)
            case Quantity():
                return functions.quantity_call(receiver, method, arguments)
            case Constant():
                return functions.constant_call(receiver, method, arguments)
        raise Unreadable(f"method {method}")

    def _arguments(self, node: ast.Call) -> Arguments:
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            raise Unreadable("starred arguments")
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        named: dict[str, Symbol] = {}
        for keyword in node.keywords:
            if keyword.arg is not None:
                named[keyword.arg] = self.evaluate(keyword.value)
                continue
            spread = self.evaluate(keyword.value)
            if not isinstance(spread, Constant) or not isinstance(spread.value, dict):
                raise Unreadable("starred arguments")
            named.update({str(key): Constant(value) for key, value in spread.value.items()})
        texts = {str(place): ast.unparse(argument) for place, argument in enumerate(node.args)}
        texts |= {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg is not None}
        return Arguments(name, [self.evaluate(argument) for argument in node.args], named, texts=texts)

    def apply(self, function: Function, symbols: Sequence[Symbol], named: Mapping[str, Symbol] | None = None) -> Symbol:
        """The symbol that a function returns for these arguments."""
        given = {**function.defaults, **dict(zip(function.parameters, symbols, strict=False)), **(named or {})}
        if len(symbols) > len(function.parameters) or set(given) != set(function.parameters):
            raise Unreadable("call with other arguments than the function takes")
        return self.within(given, function.body, function.lead)

    def call(self, function: Module, column: Column, named: Mapping[str, Symbol], source: str) -> Symbol:
        """The symbol of a library function's value for a column, whose source is given, and these arguments."""
        arguments = Arguments(function.path, [column], dict(named), texts={"0": source})
        return functions.call(function.path, arguments, self)

    def within(self, names: Mapping[str, Symbol], body: ast.expr, lead: Sequence[ast.stmt] = ()) -> Symbol:
        """The symbol of an expression, after some statements, where some names mean something else."""
        outer = self.names
        self.names = {**outer, **names}
        self._inside += 1
        try:
            for statement in lead:
                self.statement(statement)
            return self.evaluate(body)
        finally:
            self.names = outer
            self._inside -= 1

    # --- what goes with the value -------------------------------------------------------

    def look(self, expression: str) -> Constant:
        """The column names that an expression gives where the reader now is. Raises Unseen when they are not known."""
        if self._inside:
            raise Unreadable("columns known only inside a function")
        look = Look(tuple(self._done), f"list({expression})")
        if look not in self._seen:
            raise Unseen(look)
        names = self._seen[look]
        if names is None:
            raise Unreadable("column names that are no texts")
        if len(names) > _MOST_COLUMNS:
            raise Unreadable("very many columns")
        return Constant(list(names))

    def check(self, expression: str) -> Check:
        """A check to be made where the reader now is. Raises Unreadable inside of functions.

        Inside of a loop it is made before the loop, with what the loop's names stand for: a check knows only whole
        statements. What an earlier turn has changed about other columns is then not seen.
        """
        if self._inside > self._loops:
            raise Unreadable("order of rows inside a function")
        if self._loops:
            constants = {name: s.value for name, s in self.names.items() if isinstance(s, Constant)}
            expression = syntax.with_constants(expression, constants)
        return Check(tuple(self._done), expression)

    def require(self, check: Check | None) -> None:
        """Ask only where this is true."""
        if check is not None and check not in self.checks:
            self.checks.append(check)

    def note(self, kind: str, text: str) -> str:
        """The name of a value or table on the side, such as "value A"."""
        if text not in self.notes:
            if len(self.notes) == _MOST_NOTES:
                raise Unreadable("too many values on the side")
            self.notes[text] = Note(f"{kind} {'ABCDEFGHIJ'[len(self.notes)]}", text)
        return self.notes[text].name


def _holds(symbol: Symbol, frame: Frame) -> bool:
    """Whether a symbol stands for groups or periods of such a table, or for the table itself, as in a list."""
    match symbol:
        case Frame():
            return symbol.tables == frame.tables
        case Grouping() | Resampled():
            return symbol.frame.tables == frame.tables
        case Items():
            return any(_holds(one, frame) for one in symbol.symbols)
    return False


def _is_list(symbol: Symbol | None) -> bool:
    return isinstance(symbol, Collected) or (isinstance(symbol, Constant) and isinstance(symbol.value, list))


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
