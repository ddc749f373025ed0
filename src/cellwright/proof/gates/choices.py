"""The choices that a question can leave open, each with the words that settle it and the other readings as rewrites.

A rewrite takes a node of the program and gives what would stand there had the choice been made otherwise; None where
the node makes no such choice. All nodes of a program are rewritten alike, so one reading costs one run.
"""

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cellwright.proof.gates.reading import called
from cellwright.proof.inside import apart

Rewrite = Callable[[ast.expr], ast.expr | None]


@dataclass(frozen=True)
class Choice:
    """One choice."""

    name: str
    """Short, for counting."""
    words: re.Pattern[str]
    """What a question says that has settled it."""
    readings: tuple[Rewrite, ...]


_HELPERS = "__cellwright_readings__"
HELPERS = apart(_HELPERS, "placeholders.py", "readings.py")
"""What the rewrites call: a statement for the beginning of each program."""


def other_readings(modules: Sequence[ast.Module], choice: Choice) -> list[list[str]]:
    """The sources of a program under each other reading of a choice; none where it makes no such choice."""
    found: list[list[str]] = []
    for rewrite in choice.readings:
        rewriter = _Rewriter(rewrite)
        sources = [ast.unparse(ast.fix_missing_locations(rewriter.visit(ast.parse(ast.unparse(m))))) for m in modules]
        if rewriter.count and sources not in found:
            found.append(sources)
    return found


class _Rewriter(ast.NodeTransformer):
    """Rewrites expressions from the inside out, and counts."""

    def __init__(self, rewrite: Rewrite) -> None:
        self._rewrite = rewrite
        self.count = 0

    def visit(self, node: ast.AST) -> ast.AST:
        node = self.generic_visit(node)
        if isinstance(node, ast.expr):
            new = self._rewrite(node)
            if new is not None and ast.dump(new) != ast.dump(node):
                self.count += 1
                return new
        return node


# --- pieces of rewrites ------------------------------------------------------------------------------


def _method(node: ast.expr, *names: str) -> tuple[ast.Call, ast.expr] | None:
    """A call of one of these methods, and its receiver."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
        return node, node.func.value
    return None


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "pd", "pandas", "scipy", "stats", "st", "math")


def _keyword(call: ast.Call, name: str) -> object:
    """The constant value of a keyword argument; `...` where it is not given or not constant."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value.value if isinstance(keyword.value, ast.Constant) else ...
    return ...


def _with(call: ast.Call, **given: object) -> ast.Call:
    """The call with these keyword arguments, None taking one away."""
    kept = [keyword for keyword in call.keywords if keyword.arg not in given]
    new = [ast.keyword(name, ast.Constant(value)) for name, value in given.items() if value is not None]  # type: ignore[arg-type]
    return ast.Call(call.func, call.args, [*kept, *new])


def _helper(name: str, *arguments: ast.expr, **given: object) -> ast.Call:
    constants = [ast.keyword(key, ast.Constant(value)) for key, value in given.items()]  # type: ignore[arg-type]
    return ast.Call(_helper_named(name), list(arguments), constants)


def _helper_named(name: str) -> ast.Subscript:
    return ast.Subscript(ast.Name(_HELPERS, ast.Load()), ast.Constant(name), ast.Load())


def _setting(names: Sequence[str], *, only_given: bool = False, **given: object) -> Rewrite:
    """Calls of these methods or functions with other keyword arguments."""

    def rewrite(node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.Call) or called(node) not in names:
            return None
        if only_given and all(_keyword(node, key) is ... for key in given):
            return None
        return _with(node, **given)

    return rewrite


def _without(*names: str) -> Rewrite:
    """The receiver, in the place of a call of one of these methods."""

    def rewrite(node: ast.expr) -> ast.expr | None:
        found = _method(node, *names)
        return found[1] if found is not None and not _is_module(found[1]) else None

    return rewrite


def _first_of(*rewrites: Rewrite) -> Rewrite:
    """The first rewrite that takes the node."""

    def rewrite(node: ast.expr) -> ast.expr | None:
        return next((new for one in rewrites if (new := one(node)) is not None), None)

    return rewrite


def _attribute(node: ast.expr, name: str) -> ast.Call:
    return ast.Call(ast.Attribute(node, name, ast.Load()), [], [])


# --- the choices -------------------------------------------------------------------------------------


def _spread(ddof: int) -> Rewrite:
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


def _missing_are_rows(node: ast.expr) -> ast.expr | None:
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


def _only_known(node: ast.expr) -> ast.expr | None:
    """A share of rows whose value is known, in the place of one of all rows; missing values no longer unlike others."""
    found = _method(node, "mean")
    if found is not None and isinstance(found[1], ast.Compare) and len(found[1].ops) == 1:
        left = found[1].left
        known = ast.Compare(left, [ast.Eq()], [left])
        return ast.Call(ast.Attribute(ast.Subscript(found[1], known, ast.Load()), "mean", ast.Load()), [], [])
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.NotEq):
        return ast.BinOp(node, ast.BitAnd(), ast.Compare(node.left, [ast.Eq()], [node.left]))
    return None


def _known_members(node: ast.expr) -> ast.expr | None:
    """Rows that are not among some values, without those whose value is missing."""
    if not isinstance(node, ast.UnaryOp) or not isinstance(node.op, ast.Invert):
        return None
    found = _method(node.operand, "isin")
    if found is None:
        return None
    return ast.BinOp(node, ast.BitAnd(), _attribute(found[1], "notna"))


def _first_match_only(node: ast.expr) -> ast.expr | None:
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


def _other_extreme(node: ast.expr) -> ast.expr | None:
    """Extremes that are met from the other end of the rows."""
    found = _method(node, "idxmax", "idxmin", "nlargest", "nsmallest")
    if found is not None:
        return _on_reversed(*found)
    found = _method(node, "argmax", "argmin")
    if found is not None and not _is_module(found[1]) and not found[0].args:
        size = ast.BinOp(ast.Call(ast.Name("len", ast.Load()), [found[1]], []), ast.Sub(), ast.Constant(1))
        return ast.BinOp(size, ast.Sub(), _attribute(_helper("back", found[1]), called(found[0])))
    return _from_the_other_end(node, "max", "min")


def _other_order(node: ast.expr) -> ast.expr | None:
    """Orders in which what is equal stands the other way round."""
    found = _method(node, "sort_values")
    if found is not None:
        return _with(_on_reversed(*found), kind="stable")
    return _from_the_other_end(node, "sorted")


def _other_most_frequent(node: ast.expr) -> ast.expr | None:
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


_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt}


def _other_bound(node: ast.expr) -> ast.expr | None:
    """`>` for `>=` and so on; an interval without its ends."""
    if isinstance(node, ast.Compare) and any(type(operator) in _FLIPPED for operator in node.ops):
        operators = [_FLIPPED.get(type(operator), type(operator))() for operator in node.ops]
        return ast.Compare(node.left, operators, node.comparators)
    found = _method(node, "between")
    if found is not None:
        return _with(found[0], inclusive="neither" if _keyword(found[0], "inclusive") in (..., "both") else "both")
    return None


def _other_edges(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.Call) and called(node) == "cut":
        return _with(node, right=_keyword(node, "right") is False)
    return None


def _plain_number(node: ast.expr) -> ast.expr | None:
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


def _hundredfold(node: ast.expr) -> ast.expr | None:
    """A percentage as a fraction, a fraction as a percentage."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        for side, other in ((node.right, node.left), (node.left, node.right)):
            if (
                isinstance(side, ast.Constant)
                and side.value in (100, 100.0)
                and (side is node.right or isinstance(node.op, ast.Mult))
            ):
                return other
    is_share = isinstance(node, ast.Call) and _keyword(node, "normalize") not in (..., False)
    found = _method(node, "mean")
    if is_share or (found is not None and isinstance(found[1], ast.Compare)):
        return ast.BinOp(node, ast.Mult(), ast.Constant(100))
    return None


def _any_case(node: ast.expr) -> ast.expr | None:
    """Texts compared without regard to upper and lower case; texts left in the case that they have."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
        constant = node.comparators[0]
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
            return _helper("same", node.left, constant)
    found = _method(node, "lower", "upper", "title", "casefold", "capitalize")
    if found is not None and isinstance(found[1], ast.Attribute) and found[1].attr == "str":
        return found[1].value
    return None


def _parts_in_any_case(node: ast.expr) -> ast.expr | None:
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


def _text_not_pattern(node: ast.expr) -> ast.expr | None:
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


def _other_quantile(way: str) -> Rewrite:
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


def _other_weekday(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.Attribute) and node.attr in ("dayofweek", "weekday", "day_of_week"):
        return ast.BinOp(node, ast.Add(), ast.Constant(1))
    return None


def _read_by(helper: str) -> Rewrite:
    """Tables loaded as a more careful reader would."""

    def rewrite(node: ast.expr) -> ast.expr | None:
        if isinstance(node, ast.Call) and called(node) in _READERS and _is_module(getattr(node.func, "value", node)):
            return ast.Call(_helper_named(helper), [node.func, *node.args], node.keywords)
        return None

    return rewrite


def _choice(name: str, words: str, *readings: Rewrite) -> Choice:
    return Choice(name, re.compile(words, re.IGNORECASE), readings)


_JOINS = ("merge", "join")
_READERS = ("read_csv", "read_table", "read_excel", "read_parquet", "read_json")
CHOICES = (
    _choice("divisor of the variance", r"sample|population|ddof|n ?[-−] ?1|unbiased", _spread(0), _spread(1)),
    _choice(
        "missing values",
        r"missing|\bNaN\b|\bnull|blank|empty|not (available|known|given)|unknown|no value|\bfill",
        _first_of(_without("fillna", "ffill", "bfill"), _setting(("fillna",), value=None)),
        _without("dropna"),
        _setting(("nunique",), dropna=False),
        _missing_are_rows,
        _only_known,
        _known_members,
        _setting(
            ("pivot_table", "unstack", "pivot", "add", "sub", "mul", "div", "reindex"), only_given=True, fill_value=None
        ),
        _setting(("mean", "sum", "median", "std", "var", "min", "max", "prod"), only_given=True, skipna=None),
    ),
    _choice(
        # "Leave missing values out of statistics" says nothing of rows whose group is not known.
        "rows without a group",
        r"in no group|among the rows where [^.]*is not missing|missing values? not counted",
        _setting(("groupby", "value_counts", "crosstab", "mode"), dropna=False),
        _setting(("groupby", "value_counts"), only_given=True, dropna=True),
    ),
    _choice(
        "ties",
        r"\bties?\b|\btied\b|if (there is )?more than one|if several|alphabetical|earliest|whichever|comes first",
        # Each on its own: a program that does two of them would turn the order round twice.
        _other_extreme,
        _other_order,
        _other_most_frequent,
        _setting(("rank",), method="first"),
        _setting(("rank",), method="min"),
    ),
    _choice(
        "which of the duplicates stays",
        r"\bkeep|first|last|duplicate",
        _setting(("drop_duplicates", "duplicated"), keep="last"),
    ),
    _choice(
        "bounds",
        r"(greater|more|less|fewer|higher|lower|larger|smaller|longer|shorter|older|younger|better|worse|later) than|"
        r"earlier than|above|below|\bover \d|\bunder \d|at least|at most|exceed|before|after|since|until|up to|"
        r"\bor (more|less|over|above|older|later|earlier|higher|lower)|inclusive|exclusive|includ|excluding|"
        r"positive|negative|[<>≤≥]",
        _other_bound,
    ),
    _choice(
        "edges of bins",
        r"\bbins?\b|interval|right|left|edge|includ|exclusive|at most|at least|less than|\(\d",
        _other_edges,
    ),
    _choice(
        "duplicates",
        r"duplicate|distinct|unique|different|repeat|\bonce\b|rows that are equal",
        _without("drop_duplicates"),
    ),
    _choice(
        "percentage or fraction",
        r"percent|%|per cent|fraction|between 0 and 1|proportion|ratio|[*/×] ?100\b|100 ?[*×]|times 100|divided by",
        _hundredfold,
    ),
    _choice("upper and lower case", r"\bcase\b|capital|lowercase|uppercase|exact|\"", _any_case),
    # A label in quotes is that label; what a text contains is seldom meant so.
    _choice("upper and lower case of a part", r"\bcase\b|capital|lowercase|uppercase", _parts_in_any_case),
    _choice("text or pattern", r"pattern|regular expression|regex", _text_not_pattern),
    _choice(
        "rounding on the way",
        r"round|nearest|truncat|whole|integer part|floor|ceil|cut off|remainder|decimal",
        _plain_number,
    ),
    _choice("interpolation", r"interpolat|median", _other_quantile("lower"), _other_quantile("higher")),
    _choice(
        "kind of correlation",
        r"pearson|spearman|kendall",
        _setting(("corr", "corrwith"), method="spearman"),
        _setting(("corr", "corrwith"), method="pearson"),
    ),
    _choice(
        "rows without a match",
        r"match|inner|outer|left join|right join|keeping (all|every|only|the) rows|"
        r"in (common|both (files|tables))|without a",
        *(_setting(_JOINS, how=how) for how in ("inner", "left", "outer")),
    ),
    _choice(
        "keys that repeat",
        r"\bpairs?\b|(each|every|all|several|more than one|first) match|repeat|duplicate|"
        r"one row for each|once for each|for every match",
        _first_match_only,
    ),
    _choice(
        "day or month first",
        r"format|day.?first|month.?first|\bDD\b|\bMM\b|%[dm]",
        _setting(("to_datetime", "read_csv"), dayfirst=True),
    ),
    _choice(
        "windows that are not full",
        r"full|complete|at least|fewer|available|no value|missing|without|min_periods|minimum",
        _setting(("rolling",), min_periods=1),
    ),
    _choice("numbers of weekdays", r"monday|sunday", _other_weekday),
    # Nobody can tell from a question what the file holds: what is no value or no row there has to be named in it.
    _choice(
        "numbers, words or rows that stand for none",
        r"as a missing value|\btotals?\b|\"(\?{1,2}|-{1,3}|\.{1,3}|\*)\"",
        _read_by("careful"),
    ),
    _choice(
        "labels that differ in case or blanks",
        r"\bcase\b|capital|lowercase|uppercase|exact|\"|blank",
        _read_by("one_spelling"),
    ),
)
