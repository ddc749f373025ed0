"""Readings of signs: arithmetic, comparisons, conditions put together, choices between values."""

import ast
from collections.abc import Sequence
from dataclasses import replace

from cellwright.proof.questions import columns, comparing, joins, labelled, statistics, wording
from cellwright.proof.questions.symbols import (
    BINS,
    Arguments,
    Column,
    Condition,
    Constant,
    Evaluator,
    Form,
    Frame,
    Labelled,
    Quantity,
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


def operation(node: ast.expr, reader: Evaluator) -> Symbol:
    """The symbol of an arithmetic, comparison or logical expression."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _negative(reader.evaluate(operand))
        case ast.UnaryOp(op=ast.Invert() | ast.Not(), operand=operand):
            return inverted(reader.evaluate(operand))
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
                return choice(condition, reader.evaluate(node.body), reader.evaluate(node.orelse))
    raise Unreadable(f"{type(node).__name__.lower()} expression")


def _negative(symbol: Symbol) -> Symbol:
    match symbol:
        case Constant(value=(int() | float()) as number):
            return Constant(-number)
        case Column():
            return symbol.computed(f"minus {symbol.term}", compound=True)
    raise Unreadable("negative of something else than a number")


def inverted(symbol: Symbol | None) -> Condition:
    """The opposite of a condition."""
    if isinstance(symbol, Condition):
        if symbol.opposite:
            return replace(symbol, words=symbol.opposite, opposite=symbol.words)
        return replace(symbol, words=f"it is not true that {wording.clause(symbol.words, ' and ', ' or ')}")
    raise Unreadable("negation of something else than a condition")


def _combined(symbols: list[Symbol], both: bool) -> Condition:
    conditions = [symbol for symbol in symbols if isinstance(symbol, Condition)]
    if len(conditions) != len(symbols) or not all(_same(c.frame, conditions[0].frame) for c in conditions):
        raise Unreadable("conditions on different rows")
    frame = conditions[0].frame
    for condition in conditions:
        frame = _told_alike(frame, condition.frame)
    other = " or " if both else " and "
    clauses = [wording.clause(c.words, other) for c in conditions]
    return Condition(frame, (" and " if both else " or ").join(clauses), conditions[0].single)


def _arithmetic(left: Symbol, sign: ast.operator, right: Symbol, reader: Evaluator) -> Symbol:
    if any(isinstance(side, Column) and side.form == "list" for side in (left, right)):
        raise Unreadable("arithmetic of lists")
    if isinstance(left, Constant) and isinstance(right, Labelled) and isinstance(sign, ast.Mult):
        left, right = right, left
    if isinstance(left, Labelled) and left.each == "column":
        return _of_every_column(left, sign, right)
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


def _unsaid(_: Sequence[object]) -> str:
    raise Unreadable("a hundred times a number of values")


_HUNDRED = "100 times the "
PERCENTAGE = "the percentage (0 to 100)"
"""What a question begins with whose answer is one."""
_FRACTION, _PERCENTAGE = "fraction (between 0 and 1) of", "percentage (0 to 100) of"


def _of_every_column(left: Labelled, sign: ast.operator, right: Symbol) -> Labelled:
    """`frame.isnull().sum() / len(frame) * 100`: missing values as shares."""
    number = left.statistic.removeprefix(_HUNDRED)
    match right:
        case Quantity(family="count") if number.startswith("number of ") and isinstance(sign, ast.Div):
            is_of_rows = right.words.startswith("the number of rows") and right.frame.base == left.frame.base
            if left.family == "missing-values" and is_of_rows and right.frame.where == left.frame.where:
                share = statistics.missing_per_column(left.frame, "non-missing" not in number, share=True)
                cut = replace(share, taken=left.taken, order=left.order)
                return cut if number == left.statistic else _of_every_column(cut, ast.Mult(), Constant(100))
        case Constant(value=100 | 100.0) if (
            left.family == "missing-values" and isinstance(sign, ast.Mult) and (left.statistic.startswith("number of "))
        ):
            return replace(left, statistic=f"{_HUNDRED}{left.statistic}", at=_unsaid, table=None)
        case Constant(value=100 | 100.0) if left.statistic.startswith(_FRACTION) and isinstance(sign, ast.Mult):

            def at(labels: Sequence[object]) -> str:
                return left.at(labels).replace(_FRACTION, _PERCENTAGE, 1)

            return replace(left, at=at, statistic=left.statistic.replace(_FRACTION, _PERCENTAGE, 1), table=None)
    raise Unreadable("arithmetic of every column")


def _as_columns(left: Symbol, right: Symbol, reader: Evaluator) -> tuple[Symbol, Symbol]:
    """Labelled quantities as columns of one table, so that they can be added or divided."""
    match left, right:
        case Labelled(), Labelled():
            return _side_by_side(left, right)
        case Labelled(), _:
            return labelled.as_column(left, reader), right
        case _, Labelled():
            return left, labelled.as_column(right, reader)
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
    base = replace(columns_[0], frame=frame, form=_form(columns_))
    if isinstance(sign, ast.FloorDiv):
        return base.computed(f"({first} / {second}) rounded down", compound=True)
    if isinstance(sign, ast.Mod):
        return base.computed(f"the remainder of {first} divided by {second}", compound=True)
    if type(sign) not in _SIGNS:
        raise Unreadable("bitwise arithmetic")
    return base.computed(f"{first} {_SIGNS[type(sign)]} {second}", compound=True)


def _form(sides: list[Column]) -> Form:
    """Of arithmetic: a column of pandas makes all of it one."""
    return next((side.form for side in sides if side.form in ("series", "element")), "array")


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
    return operand(symbol)


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
    words = share.words.replace("the fraction (between 0 and 1)", PERCENTAGE, 1)
    return replace(share, words=words, family="percentage")


def _comparison(node: ast.Compare, reader: Evaluator) -> Condition:
    left, source = reader.evaluate(node.left), node.left
    clauses: list[Condition] = []
    for sign, element in zip(node.ops, node.comparators, strict=True):
        right = reader.evaluate(element)
        if not isinstance(sign, (ast.In, ast.NotIn)):
            is_equality = isinstance(sign, (ast.Eq, ast.NotEq))
            if not is_equality and any(isinstance(side, Column) and side.kind in BINS for side in (left, right)):
                raise Unreadable("order of bins")
            for (column, of), text in (((left, source), right), ((right, element), left)):
                if isinstance(column, Column) and isinstance(text, Constant):
                    comparing.require_order(ast.unparse(of), text.value, reader, is_equality=is_equality)
        clauses.append(_compared(left, sign, right, reader))
        left, source = right, element
    return clauses[0] if len(clauses) == 1 else _combined(list(clauses), both=True)


def _compared(left: Symbol, sign: ast.cmpop, right: Symbol, reader: Evaluator) -> Condition:
    if isinstance(left, Labelled) or isinstance(right, Labelled):
        left, right = _as_columns(left, right, reader)
    if isinstance(sign, (ast.In, ast.NotIn)) and isinstance(right, Column):
        return _contained(left, sign, right)
    if not isinstance(left, (Column, Condition)) and isinstance(right, Column) and type(sign) in _MIRRORED:
        left, sign, right = right, _MIRRORED[type(sign)](), left
    match left:
        case Condition() if isinstance(right, Constant) and isinstance(right.value, bool) and isinstance(sign, ast.Eq):
            return left if right.value else inverted(left)
        case Column() if isinstance(sign, (ast.In, ast.NotIn)) and isinstance(right, Constant):
            found = columns.call(left, "isin", Arguments("isin", [right], {}), reader)
            assert isinstance(found, Condition)
            return found if isinstance(sign, ast.In) else inverted(found)
        case Column():
            frame = _told_alike(left.frame, right.frame) if isinstance(right, Column) else left.frame
            return Condition(frame, _comparison_words(replace(left, frame=frame), sign, right, reader))
        case Quantity() if isinstance(right, (Constant, Quantity)):
            return _of_quantities(left, sign, right, reader)
    raise Unreadable("comparison of something else than a column")


def _contained(left: Symbol, sign: ast.cmpop, right: Column) -> Condition:
    """`"x" in value`, for each value."""
    if right.form != "element" or right.kind or not isinstance(left, Constant) or not isinstance(left.value, str):
        raise Unreadable("membership in a column")
    found = Condition(right.frame, f"{right.subject} contains {wording.value(left.value)}")
    return found if isinstance(sign, ast.In) else inverted(found)


_WORDS_FOR_MISSING = frozenset(("nan", "none", "null", "na", "n/a", "nat", ""))


def _of_quantities(left: Quantity, sign: ast.cmpop, right: Constant | Quantity, reader: Evaluator) -> Condition:
    """A truth about the table as a whole."""
    if type(sign) not in _COMPARISONS or isinstance(right.value if isinstance(right, Constant) else 0, list):
        raise Unreadable("comparison of values")
    main = right if isinstance(right, Quantity) and len(right.frame.steps) > len(left.frame.steps) else left
    first, second = (_beside(side, main.frame, reader) for side in (left, right))
    first = left.told if first == left.operand else first
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
        return f"{left.subject} is not {words} (a missing value counts as different)"
    if type(sign) not in _COMPARISONS:
        raise Unreadable("comparison by identity")
    equal_to = "equals" if isinstance(right, Column) and isinstance(sign, ast.Eq) else _COMPARISONS[type(sign)]
    return f"{left.subject} {equal_to} {words}"


def choice(condition: Condition, yes: Symbol, no: Symbol) -> Column:
    """One value where a condition holds, another elsewhere."""
    if any(isinstance(side, Column) and side.frame != condition.frame for side in (yes, no)):
        raise Unreadable("choice between values of other rows")
    words = f"{operand(yes)} where {condition.words}, else {operand(no)}"
    return Column(condition.frame, words, compound=True)


def operand(symbol: Symbol) -> str:
    """The words of a value inside a larger expression."""
    match symbol:
        case Constant() if not isinstance(symbol.value, (list, dict)):
            return wording.value(symbol.value)
        case Column():
            return symbol.term
        case Quantity():
            return symbol.operand
    raise Unreadable("operand that is no value")
