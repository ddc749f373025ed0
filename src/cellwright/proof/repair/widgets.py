"""Controls for a function's arguments (ipywidgets), as the one call that they make before anybody moves them.

What a control holds at first is what ipywidgets 8 documents of abbreviations and of its widgets ("Using Interact",
"Widget List") and does (`widgets/interaction.py`). Nothing is guessed: where the text tells no value, there is no
call. What this does not promise: that the author had not moved a control before the file was saved.
"""

import ast
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cellwright.proof.repair.cells import parse, statements

_HOMES = ("ipywidgets", "IPython.html")
_INTERACTS = ("interact", "interact_manual")
"""Both give back the function: a button that runs it first runs it with the same values."""
_NUMBERS: Mapping[str, type[int] | type[float]] = {
    "IntSlider": int,
    "IntText": int,
    "BoundedIntText": int,
    "FloatSlider": float,
    "FloatText": float,
    "BoundedFloatText": float,
}
_UNBOUNDED = ("IntText", "FloatText")
_LOWEST, _HIGHEST = 0, 100
_EMPTY = {"Text": "''", "Textarea": "''", "Checkbox": "False", "ToggleButton": "False"}
_SELECTIONS = ("Dropdown", "Select", "RadioButtons", "ToggleButtons", "SelectionSlider")
_NAMES = (*_INTERACTS, "interactive", "fixed", *_NUMBERS, *_EMPTY, *_SELECTIONS)
_WHERE_IN_A_SLIDER = ("value", "min", "max", "step")


@dataclass(frozen=True)
class Controls:
    """What a notebook says of controls before the statement that needs them."""

    names: Mapping[str, str]
    """Names that were to be imported, and what of ipywidgets they are; the empty text for the package itself."""
    takes: Mapping[str, ast.arguments]
    """Of the functions that cells define: their arguments."""
    held: Mapping[str, ast.expr]
    """Names that were to hold one widget each, and how it is made."""

    def name_of(self, node: ast.expr) -> str:
        """What of ipywidgets an expression is; empty for anything else."""
        match node:
            case ast.Name(id=name):
                return self.names.get(name, "")
            case ast.Attribute(value=ast.Name(id=module), attr=name) if self.names.get(module) == "":
                return name.removesuffix("Widget")  # IPython 2 called a slider IntSliderWidget
        return ""


class _Call(NamedTuple):
    """A call that makes controls: of what, for which function, with which abbreviations."""

    maker: str
    function: ast.expr | None
    given: Mapping[str, ast.expr]


def is_import(source: str) -> bool:
    """Whether a statement imports widgets, and nothing else."""
    tree = parse(source)
    return tree is not None and len(tree.body) == 1 and bool(_bound(tree.body[0]))


def controls(lost: Sequence[str], cells: Iterable[str]) -> Controls:
    """What is known of controls. `lost`: statements that could not run. `cells`: up to the one that needs controls."""
    bodies = [node for source in lost for node in (parse(source) or ast.Module([], [])).body]
    names = {name: what for node in bodies for name, what in _bound(node).items()}
    takes = {node.name: node.args for source in cells for node in _functions(source)}
    return Controls(names, takes, _held(bodies))


def first_call(source: str, known: Controls) -> str | None:
    """A statement that makes controls with the call that they make in their place; None for any other statement, or
    where the text does not tell what they hold at first."""
    tree = parse(source)
    node = tree.body[0] if tree is not None and len(tree.body) == 1 else None
    match node:
        case ast.FunctionDef(decorator_list=[decorator, *_]):
            return _undecorated(source, node, _made(decorator, known), known)
        case ast.Expr(value=ast.Call(func=ast.Name(id="display"), args=[shown], keywords=[])):
            return _called(_made(shown, known), known)
        case ast.Expr(value=value):
            return _called(_made(value, known), known)
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return _assigned(name, _made(value, known), known)
    return None


# --- statements --------------------------------------------------------------------------------------


def _bound(node: ast.stmt) -> dict[str, str]:
    """The names that an import of widgets binds, as in `Controls.names`."""
    match node:
        case ast.Import(names=aliases) if all(_is_home(alias.name) for alias in aliases):
            return {alias.asname or alias.name: "" for alias in aliases}
        case ast.ImportFrom(module=str(module), level=0, names=aliases) if _is_home(module):
            if aliases[0].name == "*":
                return {name: name for name in _NAMES} | {"widgets": ""}
            return {a.asname or a.name: "" if a.name == "widgets" else a.name for a in aliases}
    return {}


def _is_home(module: str) -> bool:
    return any(module == home or module.startswith(f"{home}.") for home in _HOMES)


def _functions(source: str) -> Iterator[ast.FunctionDef]:
    for statement in statements(source) or []:
        tree = parse(statement.source)
        yield from (node for node in (tree.body if tree is not None else ()) if isinstance(node, ast.FunctionDef))


def _held(lost: Sequence[ast.stmt]) -> dict[str, ast.expr]:
    """Names that lost statements bind once, to what a call gives, and change nothing of."""
    targets = [target for node in lost if isinstance(node, ast.Assign) for target in node.targets]
    roots = [ast.unparse(target).partition(".")[0].partition("[")[0] for target in targets]
    return {
        node.targets[0].id: node.value
        for node in lost
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and roots.count(node.targets[0].id) == 1
    }


def _made(node: ast.expr, known: Controls) -> _Call | None:
    """What an expression makes controls of; also without a call, as a decorator may stand."""
    if maker := known.name_of(node):
        return _Call(maker, None, {})
    if not isinstance(node, ast.Call) or len(node.args) > 1 or any(word.arg is None for word in node.keywords):
        return None
    # What begins with two underscores is about the controls, and so is whether they clear what was shown.
    given = {w.arg: w.value for w in node.keywords if w.arg and not w.arg.startswith("__") and w.arg != "clear_output"}
    return _Call(known.name_of(node.func), next(iter(node.args), None), given)


def _called(made: _Call | None, known: Controls) -> str | None:
    if made is None or made.function is None or made.maker not in (*_INTERACTS, "interactive"):
        return None
    match made.function:
        case ast.Name(id=name) if name in known.takes:
            return _call(name, known.takes[name], made.given, known)
        case ast.Lambda(args=takes):
            return _call(f"({ast.unparse(made.function)})", takes, made.given, known)
    return None


def _assigned(name: str, made: _Call | None, known: Controls) -> str | None:
    call = _called(made, known)
    if call is None or made is None or made.function is None:
        return None
    if made.maker in _INTERACTS:
        return f"{call}\n{name} = {ast.unparse(made.function)}"
    return f"{name} = __import__('types').SimpleNamespace(result={call})"


def _undecorated(source: str, node: ast.FunctionDef, made: _Call | None, known: Controls) -> str | None:
    if made is None or made.function is not None or made.maker not in _INTERACTS:
        return None
    call = _call(node.name, node.args, made.given, known)
    decorator, lines = node.decorator_list[0], source.split("\n")
    del lines[decorator.lineno - 1 : decorator.end_lineno]
    return None if call is None else "\n".join([*lines, "", call])


# --- values ------------------------------------------------------------------------------------------


def _call(function: str, takes: ast.arguments, given: Mapping[str, ast.expr], known: Controls) -> str | None:
    """The call of a function with what its controls hold at first; None where that is not told."""
    if takes.posonlyargs:
        return None
    positional = dict(zip([word.arg for word in takes.args][::-1], takes.defaults[::-1], strict=False))
    named = {word.arg: value for word, value in zip(takes.kwonlyargs, takes.kw_defaults, strict=True) if value}
    defaults = positional | named
    names = [word.arg for word in (*takes.args, *takes.kwonlyargs)]
    if takes.kwarg is not None:
        names += [name for name in given if name not in names]
    values = []
    for name in names:
        abbreviation, default = given.get(name, defaults.get(name)), defaults.get(name)
        value = _first(abbreviation, default if name in given else None, known) if abbreviation is not None else None
        if value is None:
            return None
        values.append(f"{name}={value}")
    return f"{function}({', '.join(values)})"


def _first(node: ast.expr, default: ast.expr | None, known: Controls) -> str | None:
    """What a control holds at first, as an expression. `default`: of the argument; a control begins with it where it
    may. None where the text does not tell."""
    if _plain(node) is not None:
        return ast.unparse(node)
    match node:
        case ast.Name(id=name) if name in known.held:
            return _of_widget(known.held[name], known)
        case ast.Call() if known.name_of(node.func):
            return _of_widget(node, known)
        case ast.Tuple(elts=elements) if all(isinstance(_plain(element), (int, float)) for element in elements):
            return _of_range(elements, default)
        case ast.Tuple(elts=elements) if not all(isinstance(_plain(element), str) for element in elements):
            return None
    return _of_options(node, default)


def _plain(node: ast.expr | None) -> bool | int | float | str | None:
    """The number, truth value or text that an expression is; None for anything else."""
    try:
        value = ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, (bool, int, float, str)) else None


def _of_range(elements: Sequence[ast.expr], default: ast.expr | None) -> str | None:
    """The middle of (lowest, highest) or (lowest, highest, step), on a step."""
    numbers = [value for element in elements if isinstance(value := _plain(element), (int, float))]
    if len(numbers) not in (2, 3) or any(isinstance(number, bool) or not math.isfinite(number) for number in numbers):
        return None
    low, high = numbers[:2]
    whole = all(isinstance(number, int) for number in numbers)
    is_told = default is None or _number(default) is not None
    if high < low or any(step <= 0 for step in numbers[2:]) or not is_told:
        return None
    if (start := _number(default)) is not None:
        return repr(_between((int if whole else float)(start), low, high))
    middle = low + (high - low) // 2 if isinstance(high - low, int) else low + (high - low) / 2
    for step in numbers[2:]:
        middle = low + int((middle - low) / step) * step
    return repr((int if whole else float)(middle))


def _number(node: ast.expr | None) -> int | float | None:
    value = _plain(node)
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None


def _between(value: float, low: float, high: float) -> float:
    return type(value)(min(max(value, low), high))


def _of_options(node: ast.expr, default: ast.expr | None) -> str | None:
    """The first of some options, or the argument's default where that is one of them."""
    options = _options(node)
    if options is None:
        return f"{ast.unparse(node)}[0]" if default is None and _is_of_values(node) else None
    if not options:
        return None
    if default is None:
        return ast.unparse(options[0])
    values = [_plain(option) for option in options]
    if None in values or _plain(default) is None:
        return None
    return ast.unparse(default if _plain(default) in values else options[0])


def _options(node: ast.expr) -> list[ast.expr] | None:
    """What stands in a list, or a dictionary of labels, to be chosen; None where that is not told."""
    match node:
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return values
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            pairs = [e.elts for e in elements if isinstance(e, (ast.Tuple, ast.List)) and len(e.elts) == 2]
            if len(pairs) == len(elements):  # each a label and what it stands for
                return [pair[1] for pair in pairs]
            is_told = any(_plain(e) is not None for e in elements) and not isinstance(elements[0], ast.Starred)
            return elements if is_told else None
    return None


def _is_of_values(node: ast.expr) -> bool:
    """Whether an expression gives some values of a column, or the names of columns: options, none of them a pair."""
    match node:
        case ast.Call(func=ast.Name(id="list" | "sorted"), args=[inner]):
            return _is_of_values(inner)
        case ast.Call(func=ast.Name(id="range"), args=[_, *_]):
            return True
        case ast.Call(func=ast.Attribute(value=inner, attr="tolist"), args=[]):
            return _is_of_values(inner)
        case ast.Call(func=ast.Attribute(attr="unique")) | ast.Attribute(attr="columns"):
            return True
    return False


def _of_widget(node: ast.expr, known: Controls) -> str | None:
    """What a widget holds that is made by a call."""
    if not isinstance(node, ast.Call) or any(word.arg is None for word in node.keywords):
        return None
    kind = known.name_of(node.func)
    given = {word.arg: word.value for word in node.keywords if word.arg}
    if kind in _SELECTIONS:
        return _of_selection(given) if not node.args else None
    given = dict(zip(_WHERE_IN_A_SLIDER, node.args, strict=False)) | given
    if kind in _NUMBERS:
        return _of_number(kind, given)
    if kind == "fixed" and "value" in given:
        return ast.unparse(given["value"])
    return ast.unparse(given["value"]) if kind in _EMPTY and "value" in given else _EMPTY.get(kind)


def _of_selection(given: Mapping[str, ast.expr]) -> str | None:
    if "value" in given:
        return ast.unparse(given["value"])
    if "options" not in given or "index" in given or "label" in given:
        return None
    return _of_options(given["options"], None)


def _of_number(kind: str, given: Mapping[str, ast.expr]) -> str | None:
    """The value of a slider or a field for numbers: 0 where none is given, and within its bounds."""
    number = _NUMBERS[kind]
    if "value" in given and _number(given["value"]) is None:
        return f"{number.__name__}({ast.unparse(given['value'])})"
    value = number(_number(given.get("value")) or 0)
    if kind in _UNBOUNDED:
        return repr(value)
    low, high = (_number(given[end]) if end in given else limit for end, limit in (("min", _LOWEST), ("max", _HIGHEST)))
    if "value" not in given and low is None:
        return None
    return repr(_between(value, value if low is None else low, value if high is None else high))
