"""What the expressions of a notebook are worth where its text tells: paths joined from constants.

Not an interpreter: a name that is bound in ways that it does not follow has no value. A name may have several, one for
each turn of a loop over constants.
"""

import ast
import itertools
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

_MOST = 500
"""Values of one expression: more are not followed."""
_MOST_CHARS = 2_000


@dataclass(frozen=True)
class Known:
    """A value with the constant in the text that it is, where it is one."""

    value: "Plain"
    origin: ast.Constant | None = field(default=None, compare=False)


Plain: TypeAlias = str | int | float | bool | tuple[Known, ...] | None
Values: TypeAlias = tuple[Known, ...]
Environment: TypeAlias = Mapping[str, Values]


def evaluate(node: ast.expr, names: Environment) -> Values:
    """The values that an expression can have; none when the text does not tell."""
    try:
        return _evaluate(node, names)[:_MOST]
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, MemoryError, RecursionError):
        return ()


def texts(values: Values) -> list[tuple[str, ast.Constant | None]]:
    """Those values that can be paths."""
    return [(known.value, known.origin) for known in values if isinstance(known.value, str)]


def _evaluate(node: ast.expr, names: Environment) -> Values:
    match node:
        case ast.Constant(value=str() | int() | float() | bool() | None):
            return (Known(node.value, node),)  # type: ignore[arg-type]  # the pattern leaves only these
        case ast.Name():
            return names.get(node.id, ())
        case ast.JoinedStr():
            return _joined(node, names)
        case ast.BinOp():
            return _operation(node, names)
        case ast.Call():
            return _call(node, names)
        case ast.List() | ast.Tuple() | ast.Set():
            items = [evaluate(item, names) for item in node.elts]
            if any(len(item) != 1 for item in items) or len(items) > _MOST:
                return ()
            return (Known(tuple(item[0] for item in items)),)
        case ast.Dict():
            return _table(node, names)
        case ast.Subscript():
            return _subscript(node, names)
        case ast.Attribute(attr="parent"):
            return tuple(Known(posixpath.dirname(text) or ".") for text, _ in texts(evaluate(node.value, names)))
        case ast.IfExp():
            return (*evaluate(node.body, names), *evaluate(node.orelse, names))
    return ()


def _combinations(parts: Sequence[Values]) -> Iterator[tuple[Known, ...]]:
    return itertools.islice(itertools.product(*parts), _MOST)


def _joined(node: ast.JoinedStr, names: Environment) -> Values:
    parts: list[Values] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append((Known(str(part.value)),))
        elif isinstance(part, ast.FormattedValue):
            wanted = part.format_spec
            spec = evaluate(wanted, names) if wanted is not None else (Known(""),)
            values = evaluate(part.value, names)
            parts.append(tuple(Known(format(v.value, str(s.value))) for v in values for s in spec))
    return tuple(Known("".join(str(known.value) for known in row)) for row in _combinations(parts))


def _operation(node: ast.BinOp, names: Environment) -> Values:
    found: list[Known] = []
    for left, right in _combinations([evaluate(node.left, names), evaluate(node.right, names)]):
        one, other = left.value, right.value
        match node.op:
            case ast.Add() if isinstance(one, str) and isinstance(other, str):
                found.append(Known(one + other))
            case ast.Add() if isinstance(one, int) and isinstance(other, int):
                found.append(Known(one + other))
            case ast.Div() if isinstance(one, str) and isinstance(other, str):
                found.append(Known(posixpath.join(one, other)))
            case ast.Mod() if isinstance(one, str) and len(one) < _MOST_CHARS:
                given = tuple(k.value for k in other) if isinstance(other, tuple) else other
                found.append(Known(one % given))
    return tuple(found)


def _table(node: ast.Dict, names: Environment) -> Values:
    """A dictionary as a tuple of pairs: what loops over `.items()` see."""
    pairs: list[Known] = []
    for key, value in zip(node.keys, node.values, strict=True):
        left = evaluate(key, names) if key is not None else ()
        right = evaluate(value, names)
        if len(left) != 1 or len(right) != 1:
            return ()
        pairs.append(Known((left[0], right[0])))
    return (Known(tuple(pairs)),)


def _subscript(node: ast.Subscript, names: Environment) -> Values:
    (holder,), (index,) = evaluate(node.value, names), evaluate(node.slice, names)
    if not isinstance(holder.value, tuple):
        return ()
    if isinstance(index.value, int):
        return (holder.value[index.value],)
    found = [k.value[1] for k in holder.value if isinstance(k.value, tuple) and k.value[0].value == index.value]
    return tuple(found[:1])


def _call(node: ast.Call, names: Environment) -> Values:
    function = ast.unparse(node.func)
    last = function.rpartition(".")[2]
    if function.endswith("path.join") or last in {"PurePath", "Path", "PosixPath", "joinpath"}:
        parts = [evaluate(argument, names) for argument in node.args]
        if last == "joinpath" and isinstance(node.func, ast.Attribute):
            parts.insert(0, evaluate(node.func.value, names))
        rows = ([str(known.value) for known in row] for row in _combinations(parts))
        return tuple(Known(posixpath.join(*row) if row else ".") for row in rows)
    if function in {"str", "os.fspath", "os.path.abspath", "os.path.normpath", "os.path.expanduser", "r"} and node.args:
        values = evaluate(node.args[0], names)
        # Of another folder's path, the text is no constant of the notebook's any more.
        is_same = function in {"str", "r"}
        return tuple(Known(str(known.value), known.origin if is_same else None) for known in values)
    if function in {"list", "sorted", "tuple", "set"} and node.args:
        return evaluate(node.args[0], names)
    if function == "range":
        bounds = [evaluate(argument, names) for argument in node.args]
        numbers = range(*(b[0].value for b in bounds))  # type: ignore[arg-type]  # other kinds raise TypeError
        return (Known(tuple(map(Known, numbers))),) if len(numbers) <= _MOST else ()
    if isinstance(node.func, ast.Attribute):
        return _method(node, node.func, names)
    return ()


def _method(node: ast.Call, function: ast.Attribute, names: Environment) -> Values:
    receivers = evaluate(function.value, names)
    if function.attr in {"items", "keys", "values"}:
        (holder,) = receivers
        pairs = holder.value if isinstance(holder.value, tuple) else ()
        if function.attr == "items":
            return (Known(pairs),)
        side = 0 if function.attr == "keys" else 1
        return (Known(tuple(k.value[side] for k in pairs if isinstance(k.value, tuple))),)
    arguments = [evaluate(argument, names) for argument in node.args]
    keywords = {k.arg: evaluate(k.value, names) for k in node.keywords if k.arg}
    if function.attr in {"resolve", "absolute", "expanduser", "as_posix", "strip"}:
        return tuple(Known(text) for text, _ in texts(receivers))
    if function.attr == "format":
        found: list[Known] = []
        for row in _combinations([receivers, *arguments, *keywords.values()]):
            plain = [known.value for known in row]
            named = dict(zip(keywords, plain[1 + len(arguments) :], strict=True))
            found.append(Known(str(plain[0]).format(*plain[1 : 1 + len(arguments)], **named)))
        return tuple(found)
    if function.attr in {"replace", "lower", "upper"}:
        rows = _combinations([receivers, *arguments])
        return tuple(Known(getattr(str(row[0].value), function.attr)(*(str(k.value) for k in row[1:]))) for row in rows)
    if function.attr == "join" and len(arguments) == 1:
        (separator,), (joined,) = receivers, arguments[0]
        items = joined.value if isinstance(joined.value, tuple) else ()
        return (Known(str(separator.value).join(str(k.value) for k in items)),)
    return ()
