"""Readings of functions and signs: pandas' and numpy's functions, built-ins, arithmetic, comparisons."""

import ast
import math
from collections.abc import Callable
from dataclasses import replace

from cellwright.proof.questions import bins, columns, frames, groups, inference, joins, loading, statistics, wording
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
        return Constant(math.pi)
    if module.path == "numpy" and attribute in ("nan", "NaN", "NAN"):
        return Constant(None)
    if module.path in ("numpy", "math") and attribute == "inf":
        return Constant(math.inf)
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
    elif library == "scipy.stats":
        reading = inference.reading_of(path)
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


def _merge(arguments: Arguments, reader: Evaluator) -> Frame:
    left, right = arguments.take("left", 0), arguments.take("right", 1)
    if not isinstance(left, Frame) or not isinstance(right, Frame):
        raise Unreadable("join with something else than a table")
    sides = joins.Sides(left, right, arguments.text("left", 0), arguments.text("right", 1))
    return joins.merge(sides, arguments, reader, 2)


def _concat(arguments: Arguments, reader: Evaluator) -> Frame:
    parts = arguments.take("objs", 0)
    arguments.ignore("ignore_index", "sort")
    if arguments.constant("axis", None, 0) not in (0, "index"):
        raise Unreadable("concat of columns")
    return joins.stack(joins.parts_of(parts), reader)


def _crosstab(arguments: Arguments, _: Evaluator) -> Grid:
    rows, picked = arguments.take("index", 0), arguments.take("columns", 1)
    normalize = arguments.constant("normalize", None, False)
    if isinstance(rows, Column) and isinstance(picked, Column):
        return statistics.crosstab(rows, picked, normalize)
    raise Unreadable("crosstab of something else than columns")


def _to_datetime(arguments: Arguments, _: Evaluator) -> Symbol:
    column = arguments.take("arg", 0)
    given = arguments.constant("format", None)
    errors = arguments.constant("errors", None, "raise")
    if isinstance(column, Constant) and isinstance(column.value, str) and given is None:
        return column
    if not isinstance(column, Column) or errors not in ("raise", "coerce"):
        raise Unreadable("dates of something else than a column")
    details = f" in the format {given}" if given else ""
    if arguments.constant("dayfirst", None, False):
        details += ", the day before the month"
    if errors == "coerce":
        details += " (missing where it is none)"
    return column.computed(f"{column.words} read as a date{details}", compound=True, kind="dates")


def _to_numeric(arguments: Arguments, _: Evaluator) -> Column:
    column = arguments.take("arg", 0)
    errors = arguments.constant("errors", None, "raise")
    if not isinstance(column, Column) or errors not in ("raise", "coerce"):
        raise Unreadable("numbers of something else than a column")
    lost = " (missing where it is none)" if errors == "coerce" else ""
    return column.computed(f"{column.words} read as a number{lost}", compound=True)


def _named_aggregation(arguments: Arguments, _: Evaluator) -> Constant:
    return Constant((arguments.constant("column", 0), arguments.constant("aggfunc", 1)))


def _reshaped(method: str) -> Reading:
    """`pd.melt(frame, …)` for `frame.melt(…)`."""

    def reading(arguments: Arguments, reader: Evaluator) -> Symbol:
        frame = arguments.take("frame", 0) or arguments.take("data", 0)
        if not isinstance(frame, Frame):
            raise Unreadable("reshaping of something else than a table")
        named = {key: value for key, value in arguments.named.items() if key not in ("frame", "data")}
        arguments.ignore(*named, *(str(place) for place in range(len(arguments.positional))))
        return frames.call(frame, method, Arguments(method, arguments.positional[1:], named), reader)

    return reading


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
    "to_numeric": _to_numeric,
    "cut": bins.cut,
    "qcut": bins.qcut,
    "NamedAgg": _named_aggregation,
    "melt": _reshaped("melt"),
    "pivot": _reshaped("pivot"),
    "pivot_table": _reshaped("pivot_table"),
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
    return _NUMPY.get(name)


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
                return operand.computed(form.format(operand.operand))
            case Quantity():
                return replace(operand, words=form.format(operand.operand), decimals=None)
        raise Unreadable("function of something else than a column")

    return reading


def _where(arguments: Arguments, _: Evaluator) -> Column:
    condition, yes, no = (arguments.take(key, place) for place, key in enumerate(("condition", "x", "y")))
    if isinstance(condition, Condition) and yes is not None and no is not None:
        return _choice(condition, yes, no)
    raise Unreadable("numpy.where of something else than a condition")


def _select(arguments: Arguments, _: Evaluator) -> Column:
    """numpy.select: the first condition that holds decides."""
    conditions, choices = arguments.take("condlist", 0), arguments.take("choicelist", 1)
    default = arguments.take("default", 2) or Constant(0)
    given = list(conditions.symbols) if isinstance(conditions, Items) else []
    values: list[Symbol] = []
    if isinstance(choices, Items):
        values = list(choices.symbols)
    elif isinstance(choices, Constant) and isinstance(choices.value, list):
        values = [Constant(value) for value in choices.value]
    holds = [condition for condition in given if isinstance(condition, Condition)]
    if not holds or len(holds) != len(given) or len(values) != len(holds) or len({c.frame for c in holds}) != 1:
        raise Unreadable("numpy.select of something else than conditions")
    clauses = [
        f"{_operand(value)} {'' if number == 0 else 'else '}where {_clause(condition.words)}"
        for number, (condition, value) in enumerate(zip(holds, values, strict=True))
    ]
    return Column(holds[0].frame, f"{', '.join(clauses)}, and {_operand(default)} otherwise", compound=True)


def _choice(condition: Condition, yes: Symbol, no: Symbol) -> Column:
    if any(isinstance(side, Column) and side.frame != condition.frame for side in (yes, no)):
        raise Unreadable("choice between values of other rows")
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
            to = f"{decimals} decimal{'s' if decimals > 1 else ''}" if decimals else "a whole number"
            return number.computed(f"{number.words} rounded to {to}", compound=True)
    raise Unreadable("rounding of something else than a number")


def _len(arguments: Arguments, reader: Evaluator) -> Symbol:
    owner = arguments.take("obj", 0)
    match owner:
        case Frame():
            return statistics.rows_count(owner)
        case Column(kind="parts"):
            return owner.computed(f"the number of {owner.words.removeprefix('the ')}")
        case Column() if owner.name is None and not owner.frame.where:
            return owner.computed(f"the number of characters of {owner.operand}")
        case Column():
            return statistics.rows_count(owner.frame)
        case Distinct():
            return _distinct_count(owner)
        case Labelled() if owner.table is not None and not owner.taken:
            return statistics.rows_count(groups.as_column(owner, reader).frame)
        case Grid(table=Frame() as table):
            return statistics.rows_count(table)
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


_NUMPY: dict[str, Reading] = {
    "where": _where,
    "select": _select,
    "polyfit": inference.polyfit,
    "round": _round,
    "unique": _unique_values,
    "percentile": _percentile,
    "quantile": _percentile,
}
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
            return _arithmetic(reader.evaluate(node.left), node.op, reader.evaluate(node.right), reader)
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
            return symbol.computed(f"minus {symbol.operand}", compound=True)
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
    if len(conditions) != len(symbols) or not all(_same(c.frame, conditions[0].frame) for c in conditions):
        raise Unreadable("conditions on different rows")
    frame = conditions[0].frame
    for condition in conditions:
        frame = _told_alike(frame, condition.frame)
    other = " or " if both else " and "
    clauses = [f"({c.words})" if other in c.words or " between " in c.words else c.words for c in conditions]
    return replace(conditions[0], frame=frame, words=(" and " if both else " or ").join(clauses))


def _arithmetic(left: Symbol, sign: ast.operator, right: Symbol, reader: Evaluator) -> Symbol:
    left, right = _as_columns(left, right, reader)
    match left, right:
        case Constant(value=(int() | float() | str()) as a), Constant(value=(int() | float() | str()) as b):
            return Constant(_computed(a, sign, b))
        case Constant(value=list() as first), Constant(value=list() as second) if isinstance(sign, ast.Add):
            return Constant([*first, *second])
        case (Column(), _) | (_, Column()):
            return _column_arithmetic(left, sign, right, reader)
        case (Quantity(), _) | (_, Quantity()):
            return _quantity_arithmetic(left, sign, right, reader)
    raise Unreadable("arithmetic of whole tables or groups")


def _as_columns(left: Symbol, right: Symbol, reader: Evaluator) -> tuple[Symbol, Symbol]:
    """Labelled quantities as columns of one table, so that they can be added or divided."""
    match left, right:
        case Labelled(), Labelled():
            return _side_by_side(left, right)
        case Labelled(), _:
            return groups.as_column(left, reader), right
        case _, Labelled():
            return left, groups.as_column(right, reader)
    return left, right


def _side_by_side(left: Labelled, right: Labelled) -> tuple[Symbol, Symbol]:
    if left.table is not None and right.table is not None and left.frame == right.frame:
        tables = left.table(left.column), right.table(right.column)
        if tables[0].base == tables[1].base:
            first, second = (Column(tables[0], wording.name(side.column), side.column) for side in (left, right))
            return first, second
    if left.pair is None or right.pair is None or left.taken or right.taken:
        raise Unreadable("arithmetic of different groups")
    table = statistics.paired_table(left.pair, right.pair)
    first, second = (Column(table, wording.name(name), name) for name in ("first value", "second value"))
    return first, second


def _computed(left: object, sign: ast.operator, right: object) -> object:
    expression = ast.Expression(ast.BinOp(ast.Constant(left), sign, ast.Constant(right)))  # type: ignore[arg-type]
    if isinstance(sign, (ast.Pow, ast.LShift)) or (isinstance(sign, ast.Mult) and str in (type(left), type(right))):
        raise Unreadable("arithmetic of large constants")
    try:
        return eval(compile(ast.fix_missing_locations(expression), "<constant>", "eval"), {"__builtins__": {}})
    except (ArithmeticError, TypeError, ValueError):
        raise Unreadable("arithmetic of constants") from None


def _column_arithmetic(left: Symbol, sign: ast.operator, right: Symbol, reader: Evaluator) -> Column:
    sides = [_of_booleans(side) for side in (left, right)]
    columns_ = [side for side in sides if isinstance(side, Column)]
    frame = columns_[0].frame
    if any(not _same(side.frame, frame) for side in columns_):
        raise Unreadable("arithmetic of different rows")
    for side in columns_:
        frame = _told_alike(frame, side.frame)
    first, second = (_beside(side, frame, reader) for side in sides)
    base = replace(columns_[0], frame=frame)
    if isinstance(sign, ast.FloorDiv):
        return base.computed(f"({first} / {second}) rounded down")
    if isinstance(sign, ast.Mod):
        return base.computed(f"the remainder of {first} divided by {second}")
    if type(sign) not in _SIGNS:
        raise Unreadable("bitwise arithmetic")
    return base.computed(f"{first} {_SIGNS[type(sign)]} {second}", compound=True)


def _same(first: Frame, second: Frame) -> bool:
    """Whether two columns have the same rows in the same order, however that is told."""
    return first == second or first.settled() == second.settled()


def _told_alike(first: Frame, second: Frame) -> Frame:
    """One frame for two that have the same rows: where they tell their conditions in two ways, as steps.

    What a row's value is among other rows, such as the mean of its group, is told of the rows that are left.
    """
    return first if first == second else first.settled()


def _of_booleans(symbol: Symbol) -> Symbol:
    """A condition in arithmetic: 1 where it is met."""
    if isinstance(symbol, Condition):
        return Column(symbol.frame, f"1 where {symbol.words}, else 0", compound=True)
    return symbol


def _beside(symbol: Symbol, frame: Frame, reader: Evaluator) -> str:
    """An operand's words beside values of these rows: a value of other rows gets a name."""
    if isinstance(symbol, Quantity) and symbol.frame.base != frame.base:
        return joins.aside(symbol, reader)
    return _operand(symbol)


def _quantity_arithmetic(left: Symbol, sign: ast.operator, right: Symbol, reader: Evaluator) -> Quantity:
    sides = [side for side in (left, right) if isinstance(side, Quantity)]
    if type(sign) not in _QUANTITY_SIGNS:
        raise Unreadable("bitwise arithmetic")
    if any(side.text and side.family != "look-up" for side in sides):
        raise Unreadable("arithmetic of labels")
    share = _as_percentage(left, sign, right)
    if share is not None:
        return share
    # The question is about the rows with the longer story; what comes of others is told beside it.
    main = max(sides, key=lambda side: len(side.frame.steps))
    first, second = (_beside(side, main.frame, reader) for side in (left, right))
    words = f"{first} {_QUANTITY_SIGNS[type(sign)]} {second}"
    family = "ratio" if isinstance(sign, ast.Div) else "arithmetic"
    return Quantity(replace(main.frame, where=(), order=None), words, family=family)


def _as_percentage(left: Symbol, sign: ast.operator, right: Symbol) -> Quantity | None:
    """A fraction times 100."""
    match left, right:
        case (Quantity(family="share") as share, Constant(value=100 | 100.0)):
            pass
        case (Constant(value=100 | 100.0), Quantity(family="share") as share):
            pass
        case _:
            return None
    if not isinstance(sign, ast.Mult) or "the fraction (between 0 and 1)" not in share.words:
        return None
    words = share.words.replace("the fraction (between 0 and 1)", "the percentage (0 to 100)", 1)
    return replace(share, words=words, family="percentage")


def _comparison(node: ast.Compare, reader: Evaluator) -> Condition:
    left = reader.evaluate(node.left)
    clauses: list[Condition] = []
    for sign, element in zip(node.ops, node.comparators, strict=True):
        right = reader.evaluate(element)
        clauses.append(_compared(left, sign, right, reader))
        left = right
    return clauses[0] if len(clauses) == 1 else _combined(list(clauses), both=True)


def _compared(left: Symbol, sign: ast.cmpop, right: Symbol, reader: Evaluator) -> Condition:
    if isinstance(left, Labelled) or isinstance(right, Labelled):
        left, right = _as_columns(left, right, reader)
    if not isinstance(left, (Column, Condition)) and isinstance(right, Column) and type(sign) in _MIRRORED:
        left, sign, right = right, _MIRRORED[type(sign)](), left
    match left:
        case Condition() if isinstance(right, Constant) and isinstance(right.value, bool) and isinstance(sign, ast.Eq):
            return left if right.value else _inverted(left)
        case Column() if isinstance(sign, (ast.In, ast.NotIn)) and isinstance(right, Constant):
            found = columns.call(left, "isin", Arguments("isin", [right], {}), reader)
            assert isinstance(found, Condition)
            return found if isinstance(sign, ast.In) else _inverted(found)
        case Column():
            frame = _told_alike(left.frame, right.frame) if isinstance(right, Column) else left.frame
            return Condition(frame, _comparison_words(replace(left, frame=frame), sign, right, reader))
        case Quantity() if isinstance(right, (Constant, Quantity)):
            return _of_quantities(left, sign, right, reader)
    raise Unreadable("comparison of something else than a column")


_WORDS_FOR_MISSING = frozenset(("nan", "none", "null", "na", "n/a", "nat", ""))


def _of_quantities(left: Quantity, sign: ast.cmpop, right: Constant | Quantity, reader: Evaluator) -> Condition:
    """A truth about the table as a whole."""
    if type(sign) not in _COMPARISONS or isinstance(right.value if isinstance(right, Constant) else 0, list):
        raise Unreadable("comparison of values")
    main = right if isinstance(right, Quantity) and len(right.frame.steps) > len(left.frame.steps) else left
    first, second = (_beside(side, main.frame, reader) for side in (left, right))
    first = left.words if first == left.operand else first
    clause = f"{first} {_COMPARISONS[type(sign)]} {second}"
    return Condition(replace(main.frame, where=(), order=None), clause, single=True)


def _comparison_words(left: Column, sign: ast.cmpop, right: Symbol, reader: Evaluator) -> str:
    match right:
        case Constant(value=None) | Constant(value=list() | dict()):
            raise Unreadable("comparison with no value")
        case Constant(value=str() as text) if text.strip().casefold() in _WORDS_FOR_MISSING:
            # Equal to the text, and to no missing value: a reader would take the one for the other.
            raise Unreadable("comparison with a text that says missing")
        case Column() if not _same(right.frame, left.frame):
            raise Unreadable("comparison of different rows")
    words = _beside(right, left.frame, reader)
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
