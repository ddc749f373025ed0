"""Names that a statement cannot do without, against what running it without them does."""

import ast
from collections.abc import Mapping

import pytest

from cellwright.proof.needs import Known, needs_of, needs_when_called

VALUES: Mapping[str, object] = {
    "a": 1, "b": 2, "xs": [1, 2], "f": abs, "d": {"k": 1}, "s": "text", "g": lambda *_: 3, "total": 0, "cls": object,
}  # fmt: skip

# A statement, the names it needs, and those of VALUES that it mentions and can do without.
STATEMENTS = [
    ("y = a + b", "a b", ""),
    ("y = f(a)", "a f", ""),
    ("y = a if s else b", "s", "b"),
    ("y = [a for x in xs]", "xs", ""),
    ("y = (lambda z: z + a)", "", "a"),
    ("y = b and a", "b", ""),
    ("total += a", "a total", ""),
    ("del a", "a", ""),
    ("for x in xs:\n    y = f(x)", "f xs", ""),
    ("for x in xs:\n    y = x\n    y += a", "a xs", ""),
    ("for x in xs:\n    if x > 5:\n        break\n    y = a", "xs", ""),
    ("for x in xs:\n    if x == 1:\n        continue\n    y = a", "xs", ""),
    ("for x in xs:\n    if x == 9:\n        y = a", "xs", "a"),
    ("for x in xs:\n    for z in s:\n        y = a", "a s xs", ""),
    ("for x in xs:\n    if x > 1:\n        y = p\n    p = x", "xs", ""),
    ("while a < 2:\n    y = b\n    a = 9", "a b", ""),
    ("for x in xs:\n    y = a\nelse:\n    y = b", "xs", ""),
    ("while b > 4:\n    y = a\nelse:\n    y = s", "b", "a"),
    ("if a > 4:\n    y = b", "a", "b"),
    ("try:\n    y = a\nexcept NameError:\n    y = b", "", "a"),
    ("with open('/dev/null') as h:\n    y = h.read()", "", ""),
    ("def h(z=a):\n    return b", "a", "b"),
    ("@g\ndef h():\n    return b", "g", "b"),
    ("class C(cls):\n    k = a", "cls", ""),
    ("(y := a)", "a", ""),
    ("y = (q := a) + q", "a", ""),
    ("match a:\n    case 7:\n        y = b", "a", "b"),
    ("d[s] = a", "a d s", ""),
    ("y: int = a", "a", ""),
    ("import math\nmath.floor(a)", "a", ""),
]


@pytest.mark.parametrize(("source", "needed", "idle"), STATEMENTS)
def test_without_a_needed_name_it_fails(source: str, needed: str, idle: str) -> None:
    """Each needed name, taken away alone, gives NameError, and a name that is not needed gives none."""
    found = needs_of(ast.parse(source)).names
    assert found == set(needed.split())
    for name in needed.split():
        with pytest.raises(NameError):
            exec(source, {key: value for key, value in VALUES.items() if key != name})
    for name in idle.split():
        exec(source, {key: value for key, value in VALUES.items() if key != name})


def test_first_turn_counts_only_where_it_may() -> None:
    """Of whole cells a loop must not take the rest with it."""
    loop = ast.parse("for x in xs:\n    y = a")
    assert needs_of(loop, loops_turn=False).names == {"xs"}


FUNCTIONS = [
    ("def h(z):\n    return z + a", "a"),
    ("def h(z):\n    if z:\n        return a\n    return b", ""),
    ("def h(z):\n    y = z\n    return y", ""),
    ("def h(z):\n    for x in xs:\n        y = a", "xs"),
    ("def h(z):\n    global total\n    total = total + a", "a total"),
    ("def h(z):\n    import math\n    return math.floor(a)", "a"),
    ("def h(z):\n    def inner():\n        return b\n    return a", "a"),
]


@pytest.mark.parametrize(("source", "needed"), FUNCTIONS)
def test_what_a_function_needs_when_it_is_called(source: str, needed: str) -> None:
    """The same, of a body: each name taken away makes the call fail, and none makes the definition fail."""
    body = needs_when_called(ast.parse(source).body[0])
    assert body is not None
    assert body.names == set(needed.split())
    for name in needed.split():
        names = {key: value for key, value in VALUES.items() if key != name}
        exec(source, names)
        with pytest.raises(NameError):
            exec("h(1)", names)


@pytest.mark.parametrize(
    "source",
    ["def h():\n    yield a", "@g\ndef h():\n    return a", "async def h():\n    return a", "h = 1"],
)
def test_bodies_that_a_call_does_not_run_are_unknown(source: str) -> None:
    """A generator, a coroutine and what a decorator makes need nothing when they are called, as far as one can see."""
    assert needs_when_called(ast.parse(source).body[0]) is None


def test_calls_are_followed_through_functions() -> None:
    """A function that calls another needs what that needs, and itself, until a name is bound anew."""
    known = Known()
    inner, outer = (ast.parse(text).body[0] for text in ("def inner():\n    return a", "def outer():\n    inner()"))
    known.bind({"outer"}, {"outer"}, needs_when_called(outer))
    call = needs_of(ast.parse("outer()"))
    assert known.lacking(call) == {"inner"}
    known.bind({"inner"}, {"inner"}, needs_when_called(inner))
    assert known.lacking(call) == {"a"}
    known.bind({"outer"}, {"outer"}, None)
    assert known.lacking(call) == set()
