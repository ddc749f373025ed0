"""Readings of functions: those of pandas and numpy, and built-ins."""

import ast
import math
from collections.abc import Callable
from dataclasses import replace

from cellwright.proof.questions import (
    bins,
    columns,
    comparing,
    frames,
    inference,
    joins,
    labelled,
    loading,
    series,
    signs,
    statistics,
    texts,
    values,
    wording,
)
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
    Method,
    Module,
    Quantity,
    Shape,
    Symbol,
    Unreadable,
)

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
}


def has_no_effect(node: ast.expr) -> bool:
    """Whether a statement that is this call leaves every table as it was: it only shows or sets how to show."""
    if not isinstance(node, ast.Call):
        return not any(isinstance(part, ast.Call) for part in ast.walk(node))
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
    in_place = any(k.arg == "inplace" for call in calls for k in call.keywords)
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
    left, right = (joins.table_of(arguments.take(side, place)) for place, side in enumerate(("left", "right")))
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


def _to_datetime(arguments: Arguments, reader: Evaluator) -> Symbol:
    column = arguments.take("arg", 0)
    given = arguments.constant("format", None)
    errors = arguments.constant("errors", None, "raise")
    if isinstance(column, Constant) and isinstance(column.value, str) and given is None:
        return column
    if not isinstance(column, Column) or errors not in ("raise", "coerce"):
        raise Unreadable("dates of something else than a column")
    details = f" in the format {given}" if given and given != "mixed" else ""
    if given == "mixed":
        details = ", each in the format in which it is written"
    if arguments.constant("dayfirst", None, False):
        details += ", the day before the month"
    if errors == "coerce":
        details += " (missing where it is none)"
        if not given:  # pandas takes the format of the first one for all
            day = ", dayfirst=True" if arguments.constant("dayfirst", None, False) else ""
            read = f"__import__('pandas').to_datetime({arguments.text('arg', 0)}, errors='coerce'{day}"
            reader.require(reader.check(f"{read}).isna().sum() == {read}, format='mixed').isna().sum()"))
    return column.computed(f"{column.term} read as a date{details}", compound=True, kind="dates")


def _to_numeric(arguments: Arguments, reader: Evaluator) -> Column:
    column = arguments.take("arg", 0)
    errors = arguments.constant("errors", None, "raise")
    if not isinstance(column, Column) or errors not in ("raise", "coerce"):
        raise Unreadable("numbers of something else than a column")
    lost = " (missing where it is none)" if errors == "coerce" else ""
    if lost:  # "1,200" and "$5" are numbers to a person
        source = arguments.text("arg", 0)
        plain = f"({source}).astype(str).str.replace(r'[\\s,$€£%]', '', regex=True)"
        read = "__import__('pandas').to_numeric({}, errors='coerce').isna().sum()"
        reader.require(reader.check(f"{read.format(source)} == {read.format(plain)}"))
    return column.computed(f"{column.term} read as a number{lost}", compound=True)


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
        source = arguments.text("frame", 0) or arguments.text("data", 0)
        texts = {key: text for key, text in arguments.texts.items() if key in named}
        texts |= {str(int(key) - 1): text for key, text in arguments.texts.items() if key.isdigit() and key != "0"}
        return frames.call(frame, method, Arguments(method, arguments.positional[1:], named, source, texts), reader)

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
            return values.missing(column, absent)
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
    def reading(arguments: Arguments, reader: Evaluator) -> Quantity:
        column = arguments.take("a", 0)
        # numpy's default; on a pandas column it hands over to the column's own method with this ddof.
        ddof = arguments.constant("ddof", None, 0)
        if isinstance(column, Condition):
            return _of_condition(column, name)
        if not isinstance(column, Column):
            raise Unreadable("numpy statistic of something else than a column")
        if name in ("max", "min", "amax", "amin"):
            comparing.in_their_order(f"__import__('pandas').Series({arguments.text('a', 0)})", reader)
        if name == "median" or (column.form in ("array", "list") and name != "nanmean"):
            _no_missing(arguments, "a", reader)
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
            case Frame():
                frame = operand.settled() if operand.taken else operand
                return series.replace_every_value(frame, form.format("the value"))
        raise Unreadable("function of something else than a column")

    return reading


def _where(arguments: Arguments, _: Evaluator) -> Column:
    condition, yes, no = (arguments.take(key, place) for place, key in enumerate(("condition", "x", "y")))
    if isinstance(condition, Condition) and yes is not None and no is not None:
        return replace(signs.choice(condition, yes, no), form="array")
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
        f"{signs.operand(value)} {'' if number == 0 else 'else '}where "
        f"{wording.clause(condition.words, ' and ', ' or ')}"
        for number, (condition, value) in enumerate(zip(holds, values, strict=True))
    ]
    words = f"{', '.join(clauses)}, and {signs.operand(default)} otherwise"
    return Column(holds[0].frame, words, compound=True, form="array")


def _round(arguments: Arguments, _: Evaluator) -> Symbol:
    number = arguments.take("number", 0) or arguments.take("a", 0)
    decimals = arguments.constant("ndigits", 1) if "decimals" not in arguments.named else arguments.constant("decimals")
    match number:
        case Quantity():
            return replace(number, decimals=decimals or 0)
        case Labelled() | Grid():
            return replace(number, decimals=decimals or 0)
        case Column():
            return values.rounded(number, decimals or 0)
    raise Unreadable("rounding of something else than a number")


def _len(arguments: Arguments, reader: Evaluator) -> Symbol:
    owner = arguments.take("obj", 0)
    match owner:
        case Frame():
            return statistics.rows_count(owner)
        case Method(receiver=Frame() as frame, name="index"):
            return statistics.rows_count(frame)
        case Column(kind="parts", form="element"):
            return texts.parts_count(owner)
        case Column(form="element"):
            return owner.computed(f"the number of characters of {owner.operand}")
        case Column():
            return statistics.rows_count(owner.frame)
        case Distinct():
            return statistics.distinct_count(owner.column)
        case Labelled() if owner.table is not None and not owner.taken:
            return statistics.rows_count(labelled.as_column(owner, reader).frame)
        case Grid(table=Frame() as table):
            return statistics.rows_count(table)
        case Constant():
            return Constant(len(owner.value))
    raise Unreadable("length of something else than a table")


def _cast(arguments: Arguments, _: Evaluator) -> Symbol:
    value = arguments.take("x", 0)
    if value is None:
        raise Unreadable("conversion of nothing")
    return value


def _set(arguments: Arguments, reader: Evaluator) -> Distinct:
    owner = arguments.take("x", 0)
    if not isinstance(owner, Column):
        raise Unreadable("set of something else than a column")
    # Missing values, unlike others, are each a member of their own.
    reader.require(reader.check(f"not bool(__import__('pandas').isna(list({arguments.text('x', 0)})).any())"))
    return Distinct(owner)


def _list(arguments: Arguments, _: Evaluator) -> Symbol:
    owner = arguments.take("x", 0)
    if isinstance(owner, Column) and owner.form != "element":
        return replace(owner, form="list")
    if isinstance(owner, Distinct):
        return owner
    raise Unreadable("list of something else than a column")


def _sorted(arguments: Arguments, reader: Evaluator) -> Symbol:
    owner = arguments.take("x", 0)
    descending = bool(arguments.constant("reverse", None, False))
    if isinstance(owner, Distinct):
        return owner
    if not isinstance(owner, Column) or owner.form == "element":
        raise Unreadable("list of something else than a column")
    _no_missing(arguments, "x", reader)
    way: dict[str, Symbol] = {"ascending": Constant(not descending)}
    source = f"__import__('pandas').Series({arguments.text('x', 0)})"
    ordered = columns.call(owner, "sort_values", Arguments("sorted", [], way, source), reader)
    assert isinstance(ordered, Column)
    return replace(ordered, form="list")


def _no_missing(arguments: Arguments, key: str, reader: Evaluator) -> None:
    """Ask only where no value is missing: Python itself, and numpy's median, do not leave such values out."""
    source = arguments.text(key, 0)
    if not source:
        raise Unreadable("missing values in a function of Python")
    reader.require(reader.check(f"not bool(__import__('pandas').isna({source}).any())"))


def _column_statistic(name: str) -> Reading:
    def reading(arguments: Arguments, reader: Evaluator) -> Quantity:
        owner = arguments.take("x", 0)
        match owner:
            case Column() if owner.form != "element":
                _no_missing(arguments, "x", reader)
                if name != "sum":
                    comparing.in_their_order(f"__import__('pandas').Series({arguments.text('x', 0)})", reader)
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


def _invert(arguments: Arguments, _: Evaluator) -> Condition:
    return signs.inverted(arguments.take("x", 0))


_NUMPY: dict[str, Reading] = {
    "invert": _invert,
    "logical_not": _invert,
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
    "abs": _elementwise(_ELEMENTWISE["abs"]),
    "float": _cast,
    "list": _list,
    "sorted": _sorted,
    "set": _set,
    **{name: _column_statistic(name) for name in ("sum", "min", "max")},
}


def shape_items(frame: Frame) -> tuple[Quantity, Quantity]:
    """The parts of `shape`."""
    columns_count = Quantity(frame, f"the number of columns{frame.among}", family="shape")
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
