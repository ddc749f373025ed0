"""What a program would be, had it made a choice otherwise: a function for each way.

A rewrite takes a node of the program and gives what would stand there; None where the node makes no such choice.
`choices.CHOICES` says which of them are other readings of which choice.
"""

import ast
import re
from collections.abc import Callable, Sequence

from cellwright.proof.gates.reading import called
from cellwright.proof.inside import apart

Rewrite = Callable[[ast.expr], ast.expr | None]
_HELPERS = "__cellwright_readings__"
HELPERS = apart(_HELPERS, "placeholders.py", "readings.py")
"""What the rewrites call: a statement for the beginning of each program."""
_READERS = ("read_csv", "read_table", "read_excel", "read_parquet", "read_json")
_PLACES: dict[tuple[str, str], tuple[int, ...]] = {
    ("merge", "how"): (1, 2),
    ("join", "how"): (2,),
    ("read_excel", "sheet_name"): (1,),
    ("parse", "sheet_name"): (0,),
    ("cut", "right"): (2,),
    ("digitize", "right"): (2,),
    ("rolling", "min_periods"): (1,),
    ("corr", "method"): (0, 1),
    ("rank", "method"): (1,),
    ("duplicated", "keep"): (1,),
    ("from_breaks", "closed"): (1,),
    ("from_tuples", "closed"): (1,),
    ("from_arrays", "closed"): (2,),
}
"""Where an argument may stand without its name: in a method, and in the function of that name."""


def _method(node: ast.expr, *names: str) -> tuple[ast.Call, ast.expr] | None:
    """A call of one of these methods, and its receiver."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
        return node, node.func.value
    return None


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "pd", "pandas", "scipy", "stats", "st", "math")


def _place(call: ast.Call, name: str) -> int | None:
    """Where a call has an argument without its name: `merge(table, "left")`. Only what is constant is found."""
    places = _PLACES.get((called(call), name), ())
    return next((n for n in places if n < len(call.args) and isinstance(call.args[n], ast.Constant)), None)


def _keyword(call: ast.Call, name: str) -> object:
    """The constant value of an argument; `...` where it is not given or not constant."""
    place = _place(call, name)
    at_place = [] if place is None else [call.args[place]]
    for value in (*at_place, *(keyword.value for keyword in call.keywords if keyword.arg == name)):
        return value.value if isinstance(value, ast.Constant) else ...
    return ...


def _with(call: ast.Call, **given: object) -> ast.Call:
    """The call with these arguments, None taking one away."""
    arguments = list(call.args)
    for name in list(given):
        if (place := _place(call, name)) is not None:
            arguments[place] = ast.Constant(given.pop(name))  # type: ignore[arg-type]
    kept = [keyword for keyword in call.keywords if keyword.arg not in given]
    new = [ast.keyword(name, ast.Constant(value)) for name, value in given.items() if value is not None]  # type: ignore[arg-type]
    return ast.Call(call.func, arguments, [*kept, *new])


def _helper(name: str, *arguments: ast.expr, **given: object) -> ast.Call:
    constants = [ast.keyword(key, ast.Constant(value)) for key, value in given.items()]  # type: ignore[arg-type]
    return ast.Call(_helper_named(name), list(arguments), constants)


def _helper_named(name: str) -> ast.Subscript:
    return ast.Subscript(ast.Name(_HELPERS, ast.Load()), ast.Constant(name), ast.Load())


def setting(names: Sequence[str], *, only_given: bool = False, **given: object) -> Rewrite:
    """Calls of these methods or functions with other keyword arguments."""

    def rewrite(node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.Call) or called(node) not in names:
            return None
        if only_given and all(_keyword(node, key) is ... for key in given):
            return None
        return _with(node, **given)

    return rewrite


def without(*names: str) -> Rewrite:
    """The receiver, in the place of a call of one of these methods."""

    def rewrite(node: ast.expr) -> ast.expr | None:
        found = _method(node, *names)
        return found[1] if found is not None and not _is_module(found[1]) else None

    return rewrite


def first_of(*rewrites: Rewrite) -> Rewrite:
    """The first rewrite that takes the node."""

    def rewrite(node: ast.expr) -> ast.expr | None:
        return next((new for one in rewrites if (new := one(node)) is not None), None)

    return rewrite


def _attribute(node: ast.expr, name: str) -> ast.Call:
    return ast.Call(ast.Attribute(node, name, ast.Load()), [], [])


def spread(ddof: int) -> Rewrite:
    """Standard deviations and variances with another divisor, also where only their name is given."""

    def rewrite(node: ast.expr) -> ast.expr | None:
        found = _method(node, "std", "var", "sem", "nanstd", "nanvar")
        if found is not None:
            return _with(found[0], ddof=ddof)
        described = _method(node, "describe")
        if described is not None and not described[0].args and not described[0].keywords:
            return _helper("describe", described[1], ddof=ddof)
        if isinstance(node, ast.Call) and called(node) in (
            "agg",
            "aggregate",
            "pivot_table",
            "transform",
            "apply",
            "crosstab",
        ):
            return _named_spread(node, ddof)
        return None

    return rewrite


def _named_spread(call: ast.Call, ddof: int) -> ast.expr | None:
    class Name(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.expr:
            return _helper("spread", node, ddof=ddof) if node.value in ("std", "var") else node

    if not any(isinstance(n, ast.Constant) and n.value in ("std", "var") for n in ast.walk(call)):
        return None
    copy = ast.parse(ast.unparse(call), mode="eval").body
    assert isinstance(copy, ast.Call)
    arguments = [Name().visit(argument) for argument in copy.args]
    keywords = [
        ast.keyword(k.arg, k.value if k.arg in ("values", "index", "columns") else Name().visit(k.value))
        for k in copy.keywords
    ]
    return ast.Call(copy.func, arguments, keywords)


def missing_are_rows(node: ast.expr) -> ast.expr | None:
    """Counts that take in what is missing, or leave it out, the other way."""
    found = _method(node, "count")
    if found is not None and not found[0].args and not found[0].keywords:
        return _helper("rows", found[1])
    if isinstance(node, ast.Call) and called(node) == "len" and len(node.args) == 1 and _is_column(node.args[0]):
        return _attribute(node.args[0], "count")
    found = _method(node, "unique")
    if found is not None and not _is_module(found[1]):
        return ast.Call(ast.Attribute(_attribute(found[1], "dropna"), "unique", ast.Load()), [], [])
    return None


def _is_column(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
    )


def only_known(node: ast.expr) -> ast.expr | None:
    """Comparisons with what is missing are missing themselves: of no share, and not true where they are negated."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _helper("known", node, node.left, node.comparators[0])
    found = _method(node, "isin", "between")
    return _helper("known", node, found[1]) if found is not None else None


def first_match_only(node: ast.expr) -> ast.expr | None:
    """Joins in which a key that repeats in the second table counts once."""
    found = _method(node, "merge")
    if found is None:
        return None
    call, receiver = found
    place = 1 if _is_module(receiver) else 0
    if len(call.args) > place:
        changed = [*call.args[:place], _once(call.args[0] if place else receiver, call.args[place], call)]
        changed += call.args[place + 1 :]
        return ast.Call(call.func, changed, call.keywords)
    right = next((keyword for keyword in call.keywords if keyword.arg == "right"), None)
    if right is None:
        return None
    left: ast.expr | None = receiver
    if place:
        left = call.args[0] if call.args else _named(call, "left")
    if left is None:
        return None
    others = [keyword for keyword in call.keywords if keyword is not right]
    return ast.Call(call.func, call.args, [*others, ast.keyword("right", _once(left, right.value, call))])


def _named(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _once(left: ast.expr, right: ast.expr, call: ast.Call) -> ast.Call:
    """The second table of a join with the first row of each key."""
    keys = _named(call, "on") or _named(call, "right_on") or ast.Constant(None)
    return _helper("once", left, right, keys)


def other_extreme(node: ast.expr) -> ast.expr | None:
    """Extremes that are met from the other end of the rows."""
    found = _method(node, "idxmax", "idxmin", "nlargest", "nsmallest")
    if found is not None:
        return _on_reversed(*found)
    found = _method(node, "argmax", "argmin")
    if found is not None and not _is_module(found[1]) and not found[0].args:
        size = ast.BinOp(ast.Call(ast.Name("len", ast.Load()), [found[1]], []), ast.Sub(), ast.Constant(1))
        return ast.BinOp(size, ast.Sub(), _attribute(_helper("back", found[1]), called(found[0])))
    return _from_the_other_end(node, "max", "min")


def other_order(node: ast.expr) -> ast.expr | None:
    """Orders in which what is equal stands the other way round."""
    found = _method(node, "sort_values")
    if found is not None:
        return _with(_on_reversed(*found), kind="stable")
    return _from_the_other_end(node, "sorted")


def other_most_frequent(node: ast.expr) -> ast.expr | None:
    """Counts in which what is as frequent stands the other way round."""
    found = _method(node, "value_counts", "most_common")
    if found is not None and not _is_module(found[1]):
        return _on_reversed(*found)
    found = _method(node, "mode")
    if found is not None and not _is_module(found[1]):
        back = ast.Subscript(ast.Attribute(node, "iloc", ast.Load()), _reversed(), ast.Load())
        return _with(_attribute(back, "reset_index"), drop=True)
    return None


def _on_reversed(call: ast.Call, receiver: ast.expr) -> ast.Call:
    """The method called on its receiver's items in the other order."""
    method = ast.Attribute(_helper("back", receiver), called(call), ast.Load())
    return ast.Call(method, call.args, call.keywords)


def _from_the_other_end(node: ast.expr, *names: str) -> ast.expr | None:
    """`max(d, key=…)` and `sorted(…)` over the items in the other order."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or called(node) not in names:
        return None
    if len(node.args) != 1 or not (node.keywords or called(node) == "sorted"):
        return None
    items = ast.Call(ast.Name("list", ast.Load()), node.args, [])
    return ast.Call(node.func, [_helper("back", items)], node.keywords)


def _reversed() -> ast.Slice:
    return ast.Slice(step=ast.UnaryOp(ast.USub(), ast.Constant(1)))


_WITH_BOUND: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Gt: ast.GtE, ast.Lt: ast.LtE}
_WITHOUT_BOUND = {strict: plain for plain, strict in _WITH_BOUND.items()}


def bounds(*, included: bool) -> Rewrite:
    """Comparisons and intervals with their bounds, `>=` for `>`; or without them."""
    others = _WITH_BOUND if included else _WITHOUT_BOUND

    def rewrite(node: ast.expr) -> ast.expr | None:
        if isinstance(node, ast.Compare):
            operators = [others.get(type(operator), type(operator))() for operator in node.ops]
            return ast.Compare(node.left, operators, node.comparators)
        found = _method(node, "between")
        return _with(found[0], inclusive=None if included else "neither") if found is not None else None

    return rewrite


def other_edges(node: ast.expr) -> ast.expr | None:
    """Bins that hold their other edge."""
    if not isinstance(node, ast.Call):
        return None
    if called(node) in ("cut", "digitize"):
        holds_right = _keyword(node, "right")
        return _with(node, right=not (called(node) == "cut" if holds_right is ... else holds_right))
    if called(node) in _OF_INTERVALS:
        closed = _keyword(node, "closed")
        return _with(node, closed=_OTHER_END.get("right" if closed is ... else str(closed)))
    if called(node) == "qcut":
        return ast.Call(_helper_named("quantile_bins"), node.args, node.keywords)
    found = _method(node, "value_counts")
    if found is not None and _named(node, "bins") is not None:
        return ast.Call(_helper_named("counted_in_bins"), [found[1], *node.args], node.keywords)
    return None


_OF_INTERVALS = ("from_breaks", "from_arrays", "from_tuples", "interval_range")
_OTHER_END = {"right": "left", "left": "right", "both": "neither", "neither": "both"}


def plain_number(node: ast.expr) -> ast.expr | None:
    """Without the rounding, the cutting off, or the whole division that the program does on its way."""
    found = _method(node, "round", "floor", "ceil", "trunc", "rint")
    if found is not None:
        if not _is_module(found[1]):
            return found[1]
        return found[0].args[0] if found[0].args else None
    found = _method(node, "astype")
    if found is not None and found[0].args:
        kind = found[0].args[0]
        name = kind.value if isinstance(kind, ast.Constant) else getattr(kind, "id", getattr(kind, "attr", ""))
        return _helper("whole", found[1]) if str(name) in ("int", "int32", "int64", "Int64") else None
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("round", "int")
        and node.args
    ):
        return _helper("whole", node.args[0])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv):
        return ast.BinOp(node.left, ast.Div(), node.right)
    return None


def hundredth(node: ast.expr) -> ast.expr | None:
    """A percentage as a fraction: what is multiplied by 100, or divided by it, as it was."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        for side, other in ((node.right, node.left), (node.left, node.right)):
            if (
                isinstance(side, ast.Constant)
                and side.value in (100, 100.0)
                and (side is node.right or isinstance(node.op, ast.Mult))
            ):
                return other
    return None


def hundredfold(node: ast.expr) -> ast.expr | None:
    """A fraction as a percentage."""
    is_share = isinstance(node, ast.Call) and _keyword(node, "normalize") not in (..., False)
    found = _method(node, "mean")
    if is_share or (found is not None and isinstance(found[1], ast.Compare)):
        return ast.BinOp(node, ast.Mult(), ast.Constant(100))
    return None


def any_case(node: ast.expr) -> ast.expr | None:
    """Texts compared without regard to upper and lower case; texts left in the case that they have."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
        constant = node.comparators[0]
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
            return _helper("same", node.left, constant)
    found = _method(node, "lower", "upper", "title", "casefold", "capitalize")
    if found is not None and isinstance(found[1], ast.Attribute) and found[1].attr == "str":
        return found[1].value
    return None


def parts_in_any_case(node: ast.expr) -> ast.expr | None:
    """Parts of texts, found without regard to upper and lower case, or with."""
    found = _method(node, "contains", "count", "startswith", "endswith")
    if found is None or not isinstance(found[1], ast.Attribute) or found[1].attr != "str" or not found[0].args:
        return None
    if called(found[0]) == "contains":
        return _with(found[0], case=_keyword(found[0], "case") is False)
    part, rest = found[0].args[0], found[0].args[1:]
    if not (isinstance(part, ast.Constant) and isinstance(part.value, str)) or part.value.lower() == part.value.upper():
        return None
    lowered = ast.Attribute(_attribute(found[1], "lower"), "str", ast.Load())
    method = ast.Attribute(lowered, called(found[0]), ast.Load())
    return ast.Call(method, [ast.Constant(part.value.lower()), *rest], found[0].keywords)


def text_not_pattern(node: ast.expr) -> ast.expr | None:
    """What is searched for as a text, where it was a pattern, and the other way round."""
    found = _method(node, "contains", "replace")
    if found is None or not isinstance(found[1], ast.Attribute) or found[1].attr != "str" or not found[0].args:
        return None
    text = found[0].args[0]
    if isinstance(text, ast.Constant) and isinstance(text.value, str) and re.escape(text.value) != text.value:
        default = found[0].func.attr == "contains"  # type: ignore[attr-defined]
        return _with(
            found[0], regex=not (default if _keyword(found[0], "regex") is ... else _keyword(found[0], "regex"))
        )
    return None


def other_quantile(way: str) -> Rewrite:
    """Quantiles with another rule for what lies between two values."""

    def rewrite(node: ast.expr) -> ast.expr | None:
        found = _method(node, "quantile", "percentile", "nanpercentile", "nanquantile")
        if found is not None:
            key = "method" if _is_module(found[1]) else "interpolation"
            return _with(found[0], **{key: way})
        described = _method(node, "describe")
        if described is not None and not described[0].args and not described[0].keywords:
            return _helper("describe", described[1], interpolation=way)
        return None

    return rewrite


def other_weekday(node: ast.expr) -> ast.expr | None:
    """Weekdays counted from one; those that are, from none."""
    if isinstance(node, ast.Attribute) and node.attr in ("dayofweek", "weekday", "day_of_week"):
        return ast.BinOp(node, ast.Add(), ast.Constant(1))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.BinOp):  # `day.weekday()`: its name was met before it
        return ast.BinOp(ast.Call(node.func.left, node.args, node.keywords), ast.Add(), ast.Constant(1))
    return ast.BinOp(node, ast.Sub(), ast.Constant(1)) if _method(node, "isoweekday") is not None else None


_DAY_AND_MONTH = re.compile(r"^%([dm])(\W?)%([dm])")


def other_format(node: ast.expr) -> ast.expr | None:
    """Dates whose format begins with day and month, with the two the other way round."""
    if not isinstance(node, ast.Call) or called(node) not in ("to_datetime", "strptime", "read_csv"):
        return None
    keywords = [ast.keyword(keyword.arg, _other_way_round(keyword.value)) for keyword in node.keywords]
    return ast.Call(node.func, [_other_way_round(argument) for argument in node.args], keywords)


def _other_way_round(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.Constant(_DAY_AND_MONTH.sub(r"%\3\2%\1", node.value))
    return node


def read_carefully(node: ast.expr) -> ast.expr | None:
    """Tables loaded as a more careful reader would."""
    if not _is_load(node):
        return None
    assert isinstance(node, ast.Call)
    return ast.Call(_helper_named("careful"), [node.func, *node.args], node.keywords)


def one_spelling(modules: Sequence[ast.Module]) -> Rewrite:
    """Tables loaded with one spelling for labels that differ in case or blanks, but for labels that are spelt out."""
    labels = _texts(modules)
    return lambda node: _loaded_with("one_spelling", labels, node)


def all_groups(modules: Sequence[ast.Module]) -> Rewrite | None:
    """Groups that a condition leaves no row of, as groups of no rows: in counts and sums, where that is a number."""
    nodes = [node for module in modules for node in ast.walk(module)]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    if not attributes & _COUNTED or not attributes & {"groupby", "value_counts"}:
        return None
    names = sorted(attributes.union(_texts(modules)))

    def rewrite(node: ast.expr) -> ast.expr | None:
        if _is_load(node):
            return _loaded_with("with_all_labels", names, node)
        if (found := _method(node, "groupby")) is not None:
            return _with(found[0], observed=True)
        found = _method(node, *_COUNTED, "agg", "aggregate")
        if found is None or (called(found[0]).startswith("agg") and not _COUNTED.issuperset(_texts([*found[0].args]))):
            return None
        groups = _of_all_labels(found[1])
        if groups is None:
            return None
        return ast.Call(ast.Attribute(groups, called(found[0]), ast.Load()), found[0].args, found[0].keywords)

    return rewrite


_COUNTED = frozenset(("size", "count", "sum", "nunique", "value_counts"))


def _of_all_labels(node: ast.expr) -> ast.expr | None:
    """`groupby(key)`, or columns of it, with the groups of all labels; None for more keys than one."""
    if isinstance(node, ast.Subscript):
        inner = _of_all_labels(node.value)
        return ast.Subscript(inner, node.slice, ast.Load()) if inner is not None else None
    if isinstance(node, ast.Attribute):
        inner = _of_all_labels(node.value)
        return ast.Attribute(inner, node.attr, ast.Load()) if inner is not None else None
    found = _method(node, "groupby")
    keys = found[0].args[:1] if found is not None else []
    if found is None or len(keys) != 1 or (isinstance(keys[0], ast.List) and len(keys[0].elts) != 1):
        return None
    return _with(found[0], observed=False)


def without_categories(modules: Sequence[ast.Module]) -> Rewrite | None:
    """Labels that no row has are none: columns of a kind that remembers them hold plain labels."""
    calls = {called(node) for module in modules for node in ast.walk(module) if isinstance(node, ast.Call)}
    if "category" not in _texts(modules) and not calls & {"read_parquet", "read_pickle", "read_feather", "Categorical"}:
        return None

    def rewrite(node: ast.expr) -> ast.expr | None:
        found = _method(node, "astype")
        if found is not None and _texts(found[0].args) == ["category"]:
            return found[1]
        return _loaded_with("with_plain_labels", [], node)

    return rewrite


def _texts(nodes: Sequence[ast.AST]) -> list[str]:
    """All constant texts in these nodes."""
    inner = (node for outer in nodes for node in ast.walk(outer))
    return sorted({node.value for node in inner if isinstance(node, ast.Constant) and isinstance(node.value, str)})


def _loaded_with(helper: str, texts: Sequence[str], node: ast.expr) -> ast.expr | None:
    if not _is_load(node):
        return None
    assert isinstance(node, ast.Call)
    given = ast.List([ast.Constant(text) for text in texts], ast.Load())
    return ast.Call(_helper_named(helper), [given, node.func, *node.args], node.keywords)


def _is_load(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and called(node) in _READERS and _is_module(getattr(node.func, "value", node))
