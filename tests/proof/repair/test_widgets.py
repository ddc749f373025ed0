"""Notebooks with controls, in kernels without ipywidgets."""

import pytest

from cellwright.proof.repair import cells_that_ran, ran_whole
from cellwright.proof.repair.widgets import controls, first_call

from .mending import Mend, sources, values

IMPORTS = ("import ipywidgets as widgets", "from ipywidgets import *", "level = widgets.IntSlider(value=4)")
FUNCTIONS = ("def f(x):\n    return x", "def g(x, y=2, *, z='a'):\n    return x", "def h(**given):\n    return given")


@pytest.mark.parametrize(
    ("given", "first"),
    [
        ("7", "7"),
        ("-0.5", "-0.5"),
        ("True", "True"),
        ("'Oslo'", "'Oslo'"),
        ("(0, 10)", "5"),
        ("(0, 9)", "4"),
        ("(-3, 4)", "0"),
        ("(0, 10, 4)", "4"),
        ("(0.0, 1.0)", "0.5"),
        ("(0, 10, 0.5)", "5.0"),
        ("(1, 10.0)", "5.5"),
        ("['a', 'b']", "'a'"),
        ("('a', 'b')", "'a'"),
        ("[('one', 10), ('two', 20)]", "10"),
        ("{'one': np.mean, 'two': np.std}", "np.mean"),
        ("df.city.unique()", "df.city.unique()[0]"),
        ("sorted(df.city.unique())", "sorted(df.city.unique())[0]"),
        ("range(3, 9)", "range(3, 9)[0]"),
        ("fixed(df)", "df"),
        ("widgets.fixed(value=df)", "df"),
        ("widgets.IntSlider(value=3, min=0, max=9)", "3"),
        ("widgets.IntSlider(30, 0, 9)", "9"),
        ("IntSlider(min=5, max=9)", "5"),
        ("IntSlider(value=df.x.min())", "int(df.x.min())"),
        ("widgets.FloatSlider(value=1)", "1.0"),
        ("widgets.IntText(value=500)", "500"),
        ("widgets.Text()", "''"),
        ("widgets.Text('Oslo', description='City')", "'Oslo'"),
        ("widgets.Checkbox(value=True)", "True"),
        ("widgets.Dropdown(options=['a', 'b'])", "'a'"),
        ("widgets.Dropdown(options=['a', 'b'], value='b')", "'b'"),
        ("level", "4"),
    ],
)
def test_a_control_holds_at_first_what_is_documented(given: str, first: str) -> None:
    """Of abbreviations and of widgets, the value with which the function is called when the controls appear."""
    assert call(f"interact(f, x={given})") == f"f(x={first})"


@pytest.mark.parametrize(
    "given",
    [
        "None",
        "n",
        "(0, n)",
        "(5, 1)",
        "(0, 9, 0)",
        "(1, 2, 3, 4)",
        "[]",
        "[first, second]",
        "list(pairs)",
        "make()",
        "widgets.DatePicker()",
        "widgets.Dropdown(options=cities)",
        "widgets.IntSlider(**given)",
        "widgets.IntSlider(min=n)",
    ],
)
def test_a_value_that_the_text_does_not_tell_is_not_guessed(given: str) -> None:
    """Then there is no call."""
    assert call(f"interact(f, x={given})") is None


@pytest.mark.parametrize(
    ("statement", "called"),
    [
        ("interact(g, x=1)", "g(x=1, y=2, z='a')"),
        ("interact(g, x=1, y=(0, 10))", "g(x=1, y=2, z='a')"),
        ("interact(g, x=1, y=(5, 9), z=['b', 'c'])", "g(x=1, y=5, z='b')"),
        ("interact(g, x=1, z=['b', 'a'])", "g(x=1, y=2, z='a')"),
        ("interact(h, x=1, y='b')", "h(x=1, y='b')"),
        ("interact(f, x=1, other=2)", "f(x=1)"),
        ("interact(lambda x: x + 1, x=3)", "(lambda x: x + 1)(x=3)"),
        ("widgets.interact_manual(f, x=3)", "f(x=3)"),
        ("display(interactive(f, x=3))", "f(x=3)"),
        ("again = interact(f, x=3)", "f(x=3)\nagain = f"),
        ("panel = interactive(f, x=3)", "panel = __import__('types').SimpleNamespace(result=f(x=3))"),
        ("@interact\ndef k(x=(0, 10)):\n    return x", "def k(x=(0, 10)):\n    return x\n\nk(x=5)"),
        (
            "@interact(x=['a',\n  'b'])\n@cached\ndef k(x):\n    return x",
            "@cached\ndef k(x):\n    return x\n\nk(x='a')",
        ),
        ("interact(f)", None),
        ("interact(elsewhere, x=3)", None),
        ("interact(f, {'manual': True}, x=3)", None),
        ("interact.options(manual=True)(f, x=3)", None),
        ("@cached\n@interact(x=1)\ndef k(x):\n    return x", None),
        ("print(f(3))", None),
    ],
)
def test_the_call_is_the_one_that_the_controls_would_make(statement: str, called: str | None) -> None:
    """With all arguments of the function, those that have a default too, under their names."""
    assert call(statement) == called


def call(statement: str) -> str | None:
    return first_call(statement, controls(IMPORTS, FUNCTIONS))


def test_a_decorated_function_is_kept_and_called(mend: Mend) -> None:
    """The import of controls computes nothing, so that its cell has lost nothing."""
    repaired = mend(
        "import ipywidgets as widgets\nfrom ipywidgets import interact\nkept = 2",
        "@interact(n=(0, 10), kind=['sum', 'max'])\ndef look(n, kind):\n    return n * kept",
        "look(20, 'max')",
    )
    assert sources(repaired)[1] == "def look(n, kind):\n    return n * kept\n\nlook(n=5, kind='sum')"
    assert (values(repaired, 1), values(repaired, 2)) == ([10], [40])
    assert [(loss.cause, loss.cell) for loss in repaired.losses] == [("widget", 0), ("widget", 0)]
    assert [made.rule for made in repaired.repairs if not made.is_drop] == ["widgets"]
    assert cells_that_ran(repaired) == 3


def test_what_is_called_by_controls_is_mended_in_its_turn(mend: Mend) -> None:
    """An old form inside of the function fails only when the function is called."""
    repaired = mend(
        "from IPython.html.widgets import interact, IntSlider\nimport numpy as np",
        "def twice(n, shout):\n    return np.product([2, n])",
        "slider = IntSlider(value=3, min=0, max=9)",
        "interact(twice, n=slider, shout=True)",
    )
    assert values(repaired, 3) == [6]
    assert "np.prod([2, n])" in sources(repaired)[1]
    assert [ran_whole(repaired, cell) for cell in range(4)] == [True, True, False, True]


def test_what_needs_controls_themselves_is_lost_for_want_of_the_package(mend: Mend) -> None:
    """A panel that is laid out, and an interaction whose first values the text does not tell."""
    repaired = mend(
        "import ipywidgets as w",
        "panel = w.VBox([w.Text()])",
        "panel",
        "def f(x):\n    return x\nn = 5\nw.interact(f, x=(0, n))",
    )
    assert [(loss.cell, loss.cause) for loss in repaired.losses] == [
        (0, "widget"),
        (1, "package"),
        (2, "package"),
        (3, "package"),
    ]
