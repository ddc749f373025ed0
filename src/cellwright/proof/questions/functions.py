"""Readings of functions and signs: pandas' and numpy's functions, built-ins, arithmetic, comparisons."""

import ast
from collections.abc import Callable
from dataclasses import replace

from cellwright.proof.questions import columns, frames, loading, statistics, wording
from cellwright.proof.questions.symbols import (
    Arguments,
    Column,
    Condition,
    Constant,
    Distinct,
    Evaluator,
    Frame,
    Grid,
    Items,
    Labelled,
    Module,
    Quantity,
    Shape,
    Symbol,
    Unreadable,
)

_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "^",
}
_QUANTITY_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "plus",
    ast.Sub: "minus",
    ast.Mult: "times",
    ast.Div: "divided by",
}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "is",
    ast.Gt: "is greater than",
    ast.GtE: "is at least",
    ast.Lt: "is less than",
    ast.LtE: "is at most",
}
_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
}
_QUIET_CALLS = ("print", "display", "filterwarnings", "simplefilter", "set_option", "set_style", "set_theme", "set",
                "run_line_magic", "use", "seed", "head", "info", "show", "figure")  # fmt: skip
_NUMPY_STATISTICS = {"mean": "mean", "median": "median", "sum": "sum", "min": "min", "max": "max", "amin": "min",
                     "amax": "max", "std": "std", "var": "var", "nanmean": "mean"}  # fmt: skip
_ELEMENTWISE = {
    "log": "the natural logarithm of {}",
    "log10": "the base-10 logarithm of {}",
    "log2": "the base-2 logarithm of {}",
    "log1p": "the natural logarithm of (1 + {})",
    "sqrt": "the square root of {}",
    "abs": "the absolute value of {}",
    "exp": "e to the power of {}",
    "round": "{} rounded to a whole number",
}


def has_no_effect(node: ast.expr) -> bool:
    """Whether a statement that is this call leaves every table as it was: it only shows or sets how to show."""
    if not isinstance(node, ast.Call):
        return not any(isinstance(part, ast.Call) for part in ast.walk(node))
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    in_place = any(k.arg == "inplace" for k in node.keywords)
    return name in _QUIET_CALLS and not in_place


def module_attribute(module: Module, attribute: str) -> Symbol:
    """`np.nan`, `pd.read_csv`, …"""
    if module.path.startswith(("numpy", "math")) and attribute == "pi":
        return Constant(3.141592653589793)
    return Module(f"{module.path}.{attribute}")


def call(path: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    """The symbol of a call of a library's function or a built-in."""
    library, _, name = path.rpartition(".")
    if library == "pandas":
        reading = _PANDAS.get(name) or (loading.load(name) if name.startswith("read_") else None)
    elif library == "numpy":
        reading = _numpy(name)
    elif library == "builtins":
        reading = _BUILTINS.get(name)
    elif path in ("os.path.join", "pathlib.Path"):
        reading = _join
    else:
        reading = None
    if reading is None:
        known = library in ("pandas", "numpy", "builtins")
        raise Unreadable(f"function {name}" if known else f"library {path.partition('.')[0]}")
    symbol = reading(arguments, reader)
    arguments.done()
    return symbol


Reading = Callable[[Arguments, Evaluator], Symbol]


def _join(arguments: Arguments, _: Evaluator) -> Constant:
    parts = [arguments.constant("", position) for position in range(len(arguments.positional))]
    return Constant("/".join(str(part).rstrip("/") for part in parts))


# --- pandas -------------------------------------------------------------------------------------------


def _merge(arguments: Arguments, _: Evaluator) -> Frame:
    left, right = arguments.take("left", 0), arguments.take("right", 1)
    if not isinstance(left, Frame) or not isinstance(right, Frame):
        raise Unreadable("join with something else than a table")
    return frames.merge(left, right, arguments, 2)


def _concat(arguments: Arguments, _: Evaluator) -> Frame:
    parts = arguments.take("objs", 0)
    arguments.ignore("ignore_index", "sort")
    if arguments.constant("axis", None, 0) not in (0, "index") or not isinstance(parts, Items):
        raise Unreadable("concat of columns")
    tables = [part for part in parts.symbols if isinstance(part, Frame)]
    if len(tables) != len(parts.symbols):
        raise Unreadable("concat of something else than tables")
    return frames.stack(tables)


def _crosstab(arguments: Arguments, _: Evaluator) -> Grid:
    rows, picked = arguments.take("index", 0), arguments.take("columns", 1)
    normalize = arguments.constant("normalize", None, False)
    if isinstance(rows, Column) and isinstance(picked, Column):
        return statistics.crosstab(rows, picked, normalize)
    raise Unreadable("crosstab of something else than columns")


def _to_datetime(arguments: Arguments, _: Evaluator) -> Column:
    column = arguments.take("arg", 0)
    given = arguments.constant("format", None)
    if not isinstance(column, Column):
        raise Unreadable("dates of something else than a column")
    words = f"{column.words} read as a date" + (f" in the format {given}" if given else "")
    return replace(column, words=words, compound=True, name=None)


def _unique(arguments: Arguments, _: Evaluator) -> Distinct:
    column = arguments.take("values", 0)
    if isinstance(column, Column):
        return Distinct(column)
    raise Unreadable("unique of something else than a column")


def _missing(absent: bool) -> Reading:
    def reading(arguments: Arguments, _: Evaluator) -> Condition:
        column = arguments.take("obj", 0)
        if isinstance(column, Column):
            return columns.missing(column, absent)
        raise Unreadable("missing values of something else than a column")

    return reading


_PANDAS: dict[str, Reading] = {
    "merge": _merge,
    "concat": _concat,
    "crosstab": _crosstab,
    "to_datetime": _to_datetime,
    "unique": _unique,
    "isnull": _missing(absent=True),
    "isna": _missing(absent=True),
    "notnull": _missing(absent=False),
    "notna": _missing(absent=False),
}


# --- numpy and built-ins -------------------------------------------------------------------------------


def _numpy(name: str) -> Reading | None:
    if name in _NUMPY_STATISTICS:
        return _numpy_statistic(name)
    if name in _ELEMENTWISE:
        return _elementwise(_ELEMENTWISE[name])
    return {"where": _where, "round": _round, "unique": _unique_values, "percentile": _percentile,
            "quantile": _percentile}.get(name)  # fmt: skip


def _unique_values(arguments: Arguments, reader: Evaluator) -> Distinct:
    return _unique(Arguments("unique", [arguments.take("ar", 0) or Constant(None)], {}), reader)


def _percentile(arguments: Arguments, _: Evaluator) -> Quantity:
    column, asked = arguments.take("a", 0), arguments.constant("q", 1)
    if not isinstance(column, Column) or not isinstance(asked, (int, float)):
        raise Unreadable("several quantiles")
    fraction = asked / 100 if arguments.call.endswith("percentile") else asked
    return statistics.of_column(column, statistics.quantile_name(fraction))


def _numpy_statistic(name: str) -> Reading:
    def reading(arguments: Arguments, _: Evaluator) -> Quantity:
        column = arguments.take("a", 0)
        # numpy's default; on a pandas column it hands over to the column's own method with this ddof.
        ddof = arguments.constant("ddof", None, 0)
        if isinstance(column, Condition):
            return _of_condition(column, name)
        if not isinstance(column, Column):
            raise Unreadable("numpy statistic of something else than a column")
        return statistics.of_column(column, _NUMPY_STATISTICS[name], ddof)

    return reading


def _of_condition(condition: Condition, name: str) -> Quantity:
    if name == "sum":
        return statistics.rows_count(condition.frame.keep(condition.words))
    if name == "mean":
        return statistics.rows_share(condition)
    raise Unreadable(f"{name} of a condition")


def _elementwise(form: str) -> Reading:
    def reading(arguments: Arguments, _: Evaluator) -> Symbol:
        operand = arguments.take("x", 0)
        match operand:
            case Column():
                return replace(operand, words=form.format(operand.operand), compound=False, name=None)
            case Quantity():
                return replace(operand, words=form.format(operand.operand), decimals=None)
        raise Unreadable("function of something else than a column")

    return reading


def _where(arguments: Arguments, _: Evaluator) -> Column:
    condition, yes, no = (arguments.take(key, place) for place, key in enumerate(("condition", "x", "y")))
    if isinstance(condition, Condition) and yes is not None and no is not None:
        return _choice(condition, yes, no)
    raise Unreadable("numpy.where of something else than a condition")


def _choice(condition: Condition, yes: Symbol, no: Symbol) -> Column:
    words = f"{_operand(yes)} where {condition.words}, else {_operand(no)}"
    return Column(condition.frame, words, compound=True)


def _operand(symbol: Symbol) -> str:
    match symbol:
        case Constant() if not isinstance(symbol.value, (list, dict)):
            return wording.value(symbol.value)
        case Column() | Quantity():
            return symbol.operand
    raise Unreadable("operand that is no value")


def _round(arguments: Arguments, _: Evaluator) -> Symbol:
    number = arguments.take("number", 0) or arguments.take("a", 0)
    decimals = arguments.constant("ndigits", 1) if "decimals" not in arguments.named else arguments.constant("decimals")
    match number:
        case Quantity():
            return replace(number, decimals=decimals or 0)
        case Labelled() | Grid():
            return replace(number, decimals=decimals or 0)
        case Column():
            return replace(number, words=f"{number.words} rounded to {decimals or 0} decimals", compound=True)
    raise Unreadable("rounding of something else than a number")


def _len(arguments: Arguments, _: Evaluator) -> Symbol:
    owner = arguments.take("obj", 0)
    match owner:
        case Frame():
            return statistics.rows_count(owner)
        case Column() if owner.name is None and not owner.frame.where:
            return Column(owner.frame, f"the number of characters of {owner.operand}")
        case Column():
            return statistics.rows_count(owner.frame)
        case Distinct():
            return _distinct_count(owner)
        case Constant():
            return Constant(len(owner.value))
    raise Unreadable("length of something else than a table")


def _distinct_count(owner: Distinct) -> Quantity:
    """len(unique()) counts a missing value as one more."""
    words = f"the number of distinct values of {owner.column.operand}{owner.column.frame.over}"
    return Quantity(
        owner.column.frame, f"{words} (a missing value, if there is any, counts as one more)", family="nunique"
    )


def _cast(arguments: Arguments, _: Evaluator) -> Symbol:
    value = arguments.take("x", 0)
    if value is None:
        raise Unreadable("conversion of nothing")
    return value


def _list(arguments: Arguments, _: Evaluator) -> Symbol:
    owner = arguments.take("x", 0)
    if isinstance(owner, (Column, Distinct)):
        return owner
    raise Unreadable("list of something else than a column")


def _column_statistic(name: str) -> Reading:
    def reading(arguments: Arguments, _: Evaluator) -> Quantity:
        owner = arguments.take("x", 0)
        match owner:
            case Column():
                return statistics.of_column(owner, name)
            case Condition() if name == "sum":
                return statistics.rows_count(owner.frame.keep(owner.words))
        raise Unreadable(f"{name} of something else than a column")

    return reading


def _range(arguments: Arguments, _: Evaluator) -> Constant:
    bounds = [arguments.constant("", position) for position in range(len(arguments.positional))]
    if not all(isinstance(bound, int) for bound in bounds) or not 1 <= len(bounds) <= 3:
        raise Unreadable("function range")
    numbers = range(*bounds)
    if len(numbers) > 1000:
        raise Unreadable("long range of numbers")
    return Constant(list(numbers))


_BUILTINS: dict[str, Reading] = {
    "range": _range,
    "len": _len,
    "round": _round,
    "float": _cast,
    "list": _list,
    **{name: _column_statistic(name) for name in ("sum", "min", "max")},
}


# --- signs --------------------------------------------------------------------------------------------


def operation(node: ast.expr, reader: Evaluator) -> Symbol:
    """The symbol of an arithmetic, comparison or logical expression."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _negative(reader.evaluate(operand))
        case ast.UnaryOp(op=ast.Invert() | ast.Not(), operand=operand):
            return _inverted(reader.evaluate(operand))
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr() as sign):
            return _combined([reader.evaluate(node.left), reader.evaluate(node.right)], isinstance(sign, ast.BitAnd))
        case ast.BoolOp():
            return _combined([reader.evaluate(value) for value in node.values], isinstance(node.op, ast.And))
        case ast.BinOp():
            return _arithmetic(reader.evaluate(node.left), node.op, reader.evaluate(node.right))
        case ast.Compare():
            return _comparison(node, reader)
        case ast.IfExp():
            condition = reader.evaluate(node.test)
            if isinstance(condition, Condition):
                return _choice(condition, reader.evaluate(node.body), reader.evaluate(node.orelse))
    raise Unreadable(f"{type(node).__name__.lower()} expression")


def _negative(symbol: Symbol) -> Symbol:
    match symbol:
        case Constant(value=(int() | float()) as number):
            return Constant(-number)
        case Column():
            return replace(symbol, words=f"minus {symbol.operand}", compound=True, name=None)
    raise Unreadable("negative of something else than a number")


_OPPOSITES = (
    (" is not missing", " is missing"),
    (" is missing", " is not missing"),
)


def _inverted(symbol: Symbol) -> Condition:
    if isinstance(symbol, Condition):
        for ending, other in _OPPOSITES:
            if symbol.words.endswith(ending) and " and " not in symbol.words and " or " not in symbol.words:
                return replace(symbol, words=symbol.words.removesuffix(ending) + other)
        return replace(symbol, words=f"it is not true that {_clause(symbol.words)}")
    raise Unreadable("negation of something else than a condition")


def _clause(words: str) -> str:
    return f"({words})" if " and " in words or " or " in words else words


def _combined(symbols: list[Symbol], both: bool) -> Condition:
    conditions = [symbol for symbol in symbols if isinstance(symbol, Condition)]
    if len(conditions) != len(symbols) or any(c.frame != conditions[0].frame for c in conditions):
        raise Unreadable("conditions on different rows")
    other = " or " if both else " and "
    clauses = [f"({c.words})" if other in c.words or " between " in c.words else c.words for c in conditions]
    return replace(conditions[0], words=(" and " if both else " or ").join(clauses))


def _arithmetic(left: Symbol, sign: ast.operator, right: Symbol) -> Symbol:
    match left, right:
        case Constant(value=(int() | float() | str()) as a), Constant(value=(int() | float() | str()) as b):
            return Constant(_computed(a, sign, b))
        case Constant(value=list() as first), Constant(value=list() as second) if isinstance(sign, ast.Add):
            return Constant([*first, *second])
        case (Column(), _) | (_, Column()):
            return _column_arithmetic(left, sign, right)
        case (Quantity(), _) | (_, Quantity()):
            return _quantity_arithmetic(left, sign, right)
    raise Unreadable("arithmetic of whole tables or groups")


def _computed(left: object, sign: ast.operator, right: object) -> object:
    expression = ast.Expression(ast.BinOp(ast.Constant(left), sign, ast.Constant(right)))  # type: ignore[arg-type]
    if isinstance(sign, (ast.Pow, ast.LShift)) or (isinstance(sign, ast.Mult) and str in (type(left), type(right))):
        raise Unreadable("arithmetic of large constants")
    try:
        return eval(compile(ast.fix_missing_locations(expression), "<constant>", "eval"), {"__builtins__": {}})
    except (ArithmeticError, TypeError, ValueError):
        raise Unreadable("arithmetic of constants") from None


def _column_arithmetic(left: Symbol, sign: ast.operator, right: Symbol) -> Column:
    sides = [side.frame for side in (left, right) if isinstance(side, Column)]
    quantities = [side.frame for side in (left, right) if isinstance(side, Quantity)]
    if any(frame != sides[0] for frame in sides) or any(frame.base != sides[0].base for frame in quantities):
        raise Unreadable("arithmetic of different rows")
    if isinstance(sign, ast.FloorDiv):
        return Column(sides[0], f"({_operand(left)} / {_operand(right)}) rounded down")
    if isinstance(sign, ast.Mod):
        return Column(sides[0], f"the remainder of {_operand(left)} divided by {_operand(right)}")
    if type(sign) not in _SIGNS:
        raise Unreadable("bitwise arithmetic")
    return Column(sides[0], f"{_operand(left)} {_SIGNS[type(sign)]} {_operand(right)}", compound=True)


def _quantity_arithmetic(left: Symbol, sign: ast.operator, right: Symbol) -> Quantity:
    sides = [side for side in (left, right) if isinstance(side, Quantity)]
    if type(sign) not in _QUANTITY_SIGNS or any(side.frame.base != sides[0].frame.base for side in sides):
        raise Unreadable("arithmetic of quantities of different tables")
    if any(side.text for side in sides):
        raise Unreadable("arithmetic of labels")
    words = f"{_operand(left)} {_QUANTITY_SIGNS[type(sign)]} {_operand(right)}"
    return Quantity(
        replace(sides[0].frame, where=()), words, family="ratio" if isinstance(sign, ast.Div) else "arithmetic"
    )


def _comparison(node: ast.Compare, reader: Evaluator) -> Condition:
    left = reader.evaluate(node.left)
    clauses: list[Condition] = []
    for sign, element in zip(node.ops, node.comparators, strict=True):
        right = reader.evaluate(element)
        clauses.append(_compared(left, sign, right))
        left = right
    return clauses[0] if len(clauses) == 1 else _combined(list(clauses), both=True)


def _compared(left: Symbol, sign: ast.cmpop, right: Symbol) -> Condition:
    if not isinstance(left, (Column, Condition)) and isinstance(right, Column) and type(sign) in _MIRRORED:
        left, sign, right = right, _MIRRORED[type(sign)](), left
    match left:
        case Condition() if isinstance(right, Constant) and isinstance(right.value, bool) and isinstance(sign, ast.Eq):
            return left if right.value else _inverted(left)
        case Column() if isinstance(sign, (ast.In, ast.NotIn)) and isinstance(right, Constant):
            found = columns.call(left, "isin", Arguments("isin", [right], {}), _NoReader())
            assert isinstance(found, Condition)
            return found if isinstance(sign, ast.In) else _inverted(found)
        case Column():
            return Condition(left.frame, _comparison_words(left, sign, right))
    raise Unreadable("comparison of something else than a column")


_WORDS_FOR_MISSING = frozenset(("nan", "none", "null", "na", "n/a", "nat", ""))


def _comparison_words(left: Column, sign: ast.cmpop, right: Symbol) -> str:
    match right:
        case Constant(value=None) | Constant(value=list() | dict()):
            raise Unreadable("comparison with no value")
        case Constant(value=str() as text) if text.strip().casefold() in _WORDS_FOR_MISSING:
            # Equal to the text, and to no missing value: a reader would take the one for the other.
            raise Unreadable("comparison with a text that says missing")
        case Column() if right.frame != left.frame:
            raise Unreadable("comparison of different rows")
        case Quantity() if right.frame.base != left.frame.base:
            raise Unreadable("comparison with a value of other rows")
    words = _operand(right)
    if isinstance(sign, ast.NotEq):
        return f"{left.words} is not {words} (a missing value counts as different)"
    if type(sign) not in _COMPARISONS:
        raise Unreadable("comparison by identity")
    equal_to = "equals" if isinstance(right, Column) and isinstance(sign, ast.Eq) else _COMPARISONS[type(sign)]
    return f"{left.words} {equal_to} {words}"


def shape_items(frame: Frame) -> tuple[Quantity, Quantity]:
    """The parts of `shape`."""
    not_counted = f", not counting {wording.name(frame.index)}" if frame.index else ""
    columns_count = Quantity(frame, f"the number of columns{not_counted}", family="shape")
    return statistics.rows_count(frame), columns_count


def quantity_call(quantity: Quantity, method: str, arguments: Arguments) -> Symbol:
    """`quantity.round(2)` and the like."""
    if method == "round":
        return replace(quantity, decimals=arguments.constant("decimals", 0, 0))
    if method == "item":
        return quantity
    raise Unreadable(f"method {method} of a number")


_TEXT_METHODS = frozenset(
    ("split", "strip", "lower", "upper", "title", "replace", "startswith", "endswith", "removeprefix", "removesuffix")
)


def constant_call(constant: Constant, method: str, arguments: Arguments) -> Symbol:
    """Methods of constant texts."""
    if isinstance(constant.value, str) and method in _TEXT_METHODS and not arguments.named:
        given = [arguments.constant("", position) for position in range(len(arguments.positional))]
        try:
            return Constant(getattr(constant.value, method)(*given))
        except (TypeError, ValueError):
            raise Unreadable(f"method {method} of a constant") from None
    if isinstance(constant.value, str) and method in ("format", "joinpath") and not arguments.named:
        parts = [arguments.constant("", position) for position in range(len(arguments.positional))]
        return Constant(constant.value.format(*parts) if method == "format" else "/".join([constant.value, *parts]))
    raise Unreadable(f"method {method} of a constant")


def shape_words(shape: Shape) -> str:
    """Both parts of `shape`."""
    return f"the number of {shape.frame.rows} and the number of columns"


class _NoReader:
    """Stands where a reading needs no names."""

    def evaluate(self, node: ast.expr) -> Symbol:
        raise Unreadable("names inside a constant")

    def constant(self, node: ast.expr) -> object:
        raise Unreadable("names inside a constant")

    def apply(self, function: object, symbols: object) -> Symbol:
        raise Unreadable("names inside a constant")

    def within(self, names: object, body: ast.expr) -> Symbol:
        raise Unreadable("names inside a constant")
