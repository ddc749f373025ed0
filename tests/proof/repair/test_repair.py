"""Notebooks of other years, repaired in real kernels."""

from itertools import cycle
from typing import Any

import pytest

from cellwright.core.types import Message
from cellwright.models import ScriptedModel
from cellwright.proof.repair import ran_in_part, ran_whole
from cellwright.proof.repair.cells import Statement
from cellwright.proof.repair.failures import Failure, Losses
from cellwright.proof.repair.model import ModelProposer
from cellwright.proof.units import Unit, parse_cell

from .mending import Mend, sources, stored, values


def parse_units(source: str) -> tuple[Unit, ...]:
    parsed = parse_cell(0, source)
    assert parsed is not None
    return parsed.units


def test_a_notebook_that_runs_is_left_as_it_is(mend: Mend) -> None:
    """Nothing is repaired where nothing fails."""
    repaired = mend("a = 1", "a + 1")
    assert sources(repaired) == ["a = 1", "a + 1"]
    assert (repaired.repairs, repaired.losses, repaired.before) == ((), (), None)


def test_a_function_is_mended_where_it_stands(mend: Mend) -> None:
    """An error inside a function is repaired in the cell that defines it, comments kept, and the caller runs."""
    repaired = mend(
        "import pandas as pd\ndef first(table):\n    return table.ix[0, 'a']  # the first\n",
        "first(pd.DataFrame({'a': [7]}))",
    )
    assert "return table.loc[0, 'a']  # the first" in sources(repaired)[0]
    assert values(repaired, 1) == [7]
    assert [(r.rule, r.cell) for r in repaired.repairs] == [("ix", 0)]


def test_a_function_is_mended_below_another_failure_of_its_cell(mend: Mend) -> None:
    """A traceback's lines stay those of the cell where a part of it runs again, comments and blank lines before it."""
    repaired = mend(
        "import numpy as np\n\n\n# where\nx = np.float(3)\n\n\ndef half(v):\n    w = np.float(v)\n    return w / 2",
        "a = np.float(1)\n\n\n\ndef third(v):\n    return np.float(v) / 3\n\n\nthird(x)",
        "\n\n\ny = half(x)\n\ndef fourth(v):\n    return np.float(v) / 4\n\nfourth(y)",
    )
    assert not repaired.losses
    assert [values(repaired, cell) for cell in (1, 2)] == [[1.0], [0.375]]


def test_two_errors_of_one_statement_are_mended_in_turn(mend: Mend) -> None:
    """A change that uncovers the next failure is kept until that one is mended, too."""
    repaired = mend("import numpy as np", "[np.NaN, np.Inf, np.product([2, 3])][2]")
    assert sources(repaired)[1] == "[np.nan, np.inf, np.prod([2, 3])][2]"
    assert values(repaired, 1) == [6]


def test_a_missing_package_takes_only_what_needs_it(mend: Mend) -> None:
    """Statements that need an absent package are dropped, those that depend on them too, and the rest runs."""
    repaired = mend(
        "import no_such_package as nope\nkept = 2", "made = nope.make()\nkept + 1", "made.shape", "kept + 2"
    )
    assert [(loss.cell, loss.cause, loss.is_direct) for loss in repaired.losses] == [
        (0, "package", True),
        (1, "package", False),
        (2, "package", False),
    ]
    assert all(cell.status == "ok" for cell in repaired.execution.cells)
    assert (values(repaired, 1), values(repaired, 3)) == ([3], [4])
    assert [ran_whole(repaired, cell) for cell in range(4)] == [False, False, False, True]
    assert [ran_in_part(repaired, cell) for cell in range(3)] == [True, True, False]


def test_what_is_made_of_a_stale_value_is_lost_for_the_reason_that_made_it_stale(mend: Mend) -> None:
    """A name that a lost statement would have bound anew still holds what it held, also in a later round."""
    repaired = mend(
        "pieces = [1, 2, 3]",
        "import no_such_package as nope\npieces = nope.parts()\nfew = pieces[:2]",
        "mails = [part.walk() for part in few]",
        "open('data/missing.csv')\nlen(mails)",
        "few = ['fresh']\nfew.walk()",
    )
    assert [(loss.source, loss.cause) for loss in repaired.losses] == [
        ("import no_such_package as nope", "package"),
        ("pieces = nope.parts()", "package"),
        ("mails = [part.walk() for part in few]", "package"),
        ("open('data/missing.csv')", "file"),
        ("len(mails)", "package"),
        ("few.walk()", "unknown"),
    ]


def test_a_later_round_knows_what_an_earlier_one_lost() -> None:
    """What was lost is a comment in the next round, and what it would have bound is wanting all the same."""
    losses = Losses()
    for name in ("rows = load()", "rows"):
        losses.begin(0)
        (unit,) = parse_units(name)
        statement = Statement(0, 0, len(name), 1, 1, name)
        error, message = ("ConnectionError", "") if "load" in name else ("NameError", "name 'rows' is not defined")
        losses.add(Failure(error, message, 0, statement, (), (name,)), [unit])
    assert [loss.cause for loss in losses.rows] == ["network", "network"]


def test_errors_that_a_cell_magic_hides_are_found(mend: Mend) -> None:
    """Of the cell only what fails is lost; where nothing fails, the magic stays."""
    repaired = mend(
        "%%capture seen\nprint(1)",
        "%%capture --no-stdout\nimport no_such_package\ngrid = no_such_package.Grid()\nkept = 1",
        "grid.best",
        "kept, seen.stdout",
    )
    assert [(loss.cell, loss.cause) for loss in repaired.losses] == [(1, "package"), (1, "package"), (2, "package")]
    assert [(r.rule, r.cell) for r in repaired.repairs if not r.is_drop] == [("cell-magic", 1)]
    assert [cell.status for cell in repaired.execution.cells] == ["ok"] * 4


def test_a_cell_whose_errors_are_hidden_runs_once(mend: Mend) -> None:
    """What it changes is changed once, and one that ends the process is dropped."""
    repaired = mend(
        "d = {'a': 1}\nitems = [5, 6, 7]", "%%capture\ndel d['a']\nitems = items[1:]", "import nope", "items[1]"
    )
    assert [loss.source for loss in repaired.losses] == ["import nope"]
    assert values(repaired, 3) == [7]
    ended = mend("kept = 1", "%%capture\nimport os\nos._exit(1)", "kept + 1")
    assert {(loss.cell, loss.cause) for loss in ended.losses} == {(1, "limit")}
    assert values(ended, 2) == [2]


def test_a_statement_that_took_something_out_before_it_failed_is_tried_in_a_fresh_kernel(mend: Mend) -> None:
    repaired = mend(
        "import pandas as pd\ndata = pd.DataFrame({'year': [2000, 2000], 'quarter': [1, 2], 'v': [1, 2]})",
        "periods = pd.PeriodIndex(year=data.pop(\"year\"), quarter=data.pop('quarter'), name='date')\nlen(periods)",
        "len(data.columns)",
    )
    assert not repaired.losses
    assert [r.rule for r in repaired.repairs] == ["period-index-fields"]
    assert values(repaired, 2) == [1]


def test_what_is_bound_anew_after_a_loss_is_what_was_meant(mend: Mend) -> None:
    """In its cell, as in later ones; and a module is not another one because a lost statement set something of it."""
    repaired = mend(
        "import os\nimport pandas as pd\nimport no_such_package as nope",
        "os.environ['K'] = nope.key()\ndf = nope.fetch()\ndf = pd.DataFrame({'a': [1]})",
        "where = os.path.join('a', 'b')\ndf.no_such_method()",
        "len(where).no_such_method()",
    )
    assert [loss.cause for loss in repaired.losses][-2:] == ["unknown", "unknown"]


def test_what_is_worked_out_of_a_picture_is_a_loss(mend: Mend) -> None:
    repaired = mend(
        "import matplotlib.pyplot as plt\ncounts, edges, _ = plt.hist([1], nope=1)", "counts.sum()", "edges[0]"
    )
    assert [loss.cause for loss in repaired.losses] == ["plot", "unknown", "unknown"]


def test_a_name_that_was_lost_is_not_that_of_a_library(mend: Mend) -> None:
    repaired = mend("import no_such_package as q\ninf = q.load()", "len([v for v in [1, 2] if v < inf])", "nan = 1")
    assert [loss.cell for loss in repaired.losses] == [0, 0, 1]


def test_a_function_that_draws_and_is_not_called_leaves_the_witnesses(mend: Mend) -> None:
    """What the author saw speaks against a guess, before the first draw."""
    table = "import numpy as np\nimport pandas as pd\ndf = pd.DataFrame({'t': ['a', 'b']})\n"
    shown = {"output_type": "execute_result", "execution_count": 2, "metadata": {}, "data": {"text/plain": "0"}}
    repaired = mend(table + "def draw():\n    return np.random.rand()", "int((df['t'] > 5).sum())", outputs=[shown])
    assert [loss.cause for loss in repaired.losses] == ["contradicted"]


def test_a_cell_magic_takes_all_that_its_cell_would_have_bound(mend: Mend) -> None:
    repaired = mend("%%no_such_magic\ngrid = 1", "grid + 1")
    assert [loss.cell for loss in repaired.losses] == [0, 1]


def test_methods_that_a_package_would_have_given_are_lost_with_it(mend: Mend) -> None:
    repaired = mend(
        "import pandas as pd\nimport janitor\nimport no_such\ndf = pd.DataFrame({'A a': [1]})",
        "df.clean_names()",
        "df.Aa",
    )
    assert [loss.cause for loss in repaired.losses] == ["package", "package", "package", "unknown"]


def test_what_is_done_to_a_picture_that_failed_computes_nothing(mend: Mend) -> None:
    """What is worked out of one is a loss of its own."""
    repaired = mend(
        "import matplotlib.pyplot as plt\nbar = plt.colorbar()\nbar.set_label('x')\nlow = bar.vmin + 1\nkept = 1"
    )
    assert [loss.cause for loss in repaired.losses] == ["plot", "plot", "unknown"]


def test_a_parameter_with_another_name_is_renamed_where_it_was_written(mend: Mend) -> None:
    """The search that was made of it is made again."""
    repaired = mend(
        "import numpy as np\nfrom sklearn.ensemble import AdaBoostClassifier\n"
        "from sklearn.model_selection import GridSearchCV\nfrom sklearn.tree import DecisionTreeClassifier\n"
        "X, y = np.arange(20).reshape(-1, 1), np.arange(20) % 2\n"
        "model = AdaBoostClassifier(DecisionTreeClassifier(), n_estimators=2, random_state=0)\n"
        "grid = {'base_estimator__max_depth': [1]}\nsearch = GridSearchCV(model, grid, cv=2)",
        "search.fit(X, y)",
        "search.best_params_",
    )
    assert not repaired.losses
    assert [(r.rule, r.after) for r in repaired.repairs] == [
        ("parameter-renamed", "grid = {'estimator__max_depth': [1]}")
    ]


def test_groups_have_their_keys_where_a_later_statement_needs_them(mend: Mend) -> None:
    """The statement that made the groups ran; what was made of them since is made again."""
    repaired = mend(
        "import pandas as pd\ndf = pd.DataFrame({'hour': [1, 1, 2], 'n': [1, 2, 3]})\n"
        "def means(table):\n    return table.groupby('hour').apply(lambda group: group.mean())",
        "found = means(df)",
        "found.drop(columns=['hour']).shape",
    )
    assert not repaired.losses
    assert [r.rule for r in repaired.repairs] == ["groups-with-their-keys"]


def test_the_statement_that_failed_is_lost_and_no_other(mend: Mend) -> None:
    """Where a statement stands does not depend on how many the cell before it had."""
    repaired = mend("a = 1\nb = 2\nc = 3", "import no_such_package\nkept = 4\nother = 5", "kept + other")
    assert [loss.source for loss in repaired.losses] == ["import no_such_package"]
    assert values(repaired, 2) == [9]


def test_a_write_that_pandas_loses_is_mended_although_nothing_fails_in_jupyter(mend: Mend) -> None:
    """A column filled in place through its table keeps its values, even where the notebook hides warnings."""
    repaired = mend(
        "import warnings\nwarnings.filterwarnings('ignore')\nimport pandas as pd\nbroken",
        "df = pd.DataFrame({'a': [1, None]})\ndf['a'].fillna(3, inplace=True)\ndf.a.sum()",
    )
    assert "df['a'] = df['a'].fillna(3)" in sources(repaired)[1]
    assert values(repaired, 1) == [4.0]


def test_a_write_into_a_copy_stays_lost(mend: Mend) -> None:
    """What never had an effect, in no version, is not given one."""
    repaired = mend(
        "import pandas as pd\nbroken", "df = pd.DataFrame({'a': [1, 2]})\ndf[df.a > 1]['a'] = 0\ndf.a.sum()"
    )
    assert values(repaired, 1) == [3]


def test_a_lost_write_is_mended_in_a_notebook_in_which_nothing_fails(mend: Mend) -> None:
    """Nothing tells that a column filled through its table kept its gaps; the notebook is mended all the same."""
    repaired = mend(
        "import pandas as pd\ndf = pd.DataFrame({'Age': [1, None], 'x': [1, 2]})",
        "df['x'][df.x > 1] = 5\ndf.x.update(pd.Series([7]))\ndf.Age.fillna(3, inplace=True)",
        "int(df.Age.sum()) * 100 + int(df.x.sum())",
        "','.join(df.columns)",
    )
    assert "df['Age'] = df.Age.fillna(3)" in sources(repaired)[1]
    assert (values(repaired, 2), values(repaired, 3)) == ([412], ["Age,x"])


LOST_WRITES = [
    ("df['a'][0] = 5", ["x", "y", "z"], [5, 2, 3]),
    ("df['a'][0] = 5", [2, 1, 0], [1, 2, 5]),
    ("df.a[1:] = 5", ["x", "y", "z"], [1, 5, 5]),
    ("k = 1\ndf['a'][k:] = [7, 8]", [5, 6, 7], [1, 7, 8]),
    ("df['a'].loc['x':'y'] = 0", ["x", "y", "z"], [0, 0, 3]),
    ("m = df.a > 1\ndf['a'].loc[m] += 1", [0, 1, 2], [1, 3, 4]),
    ("for i in range(3):\n    df.a[i] -= 1", ["x", "y", "z"], [0, 1, 2]),
    ("m = df.a > 1\ndf['a'][m] **= 2", [0, 1, 2], [1, 4, 9]),
    ("m = df.a > 1\ndf[m]['a'] = 0", [0, 1, 2], [1, 2, 3]),
    ("names = ['a']\ndf[names]['a'] = 0", [0, 1, 2], [1, 2, 3]),
    ("df[['a']].replace(1, 0, inplace=True)", [0, 1, 2], [1, 2, 3]),
]


@pytest.mark.parametrize(("write", "index", "expected"), LOST_WRITES)
def test_writes_reach_what_they_once_reached(mend: Mend, write: str, index: list[Any], expected: list[int]) -> None:
    """By position or label, as far as the rows go, with every operator; into copies in no version."""
    made = f"import pandas as pd\ndf = pd.DataFrame({{'a': [1, 2, 3]}}, {index})"
    repaired = mend(made, write, "','.join(map(str, df.a))")
    assert values(repaired, 2) == [",".join(map(str, expected))]
    assert repaired.losses == ()


def test_a_write_that_nothing_mends_is_a_loss(mend: Mend) -> None:
    """What once changed a table, and does not any more, does not go on in silence."""
    repaired = mend(
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2, 3]})", "df[0:2]['a'] = 0", "df['a'][7] = 0", "df.a.sum()"
    )
    assert [loss.cell for loss in repaired.losses] == [1, 2]
    assert not ran_whole(repaired, 1)


CHANGED_IN_SILENCE = [
    ("pd.Series([1, None, 2]).pct_change(fill_method=None).isna().sum()", 3),
    ("pd.Series([1, None, 2]).pct_change().isna().sum()", 1),
    ("pd.DataFrame({'a': [1, None]}).stack().size", 1),
    ("len(pd.DataFrame({'a': [1, None]}).stack(future_stack=True))", 2),
    ("df = pd.DataFrame({'s': ['m', 'f']})\ndf['s'].replace({'m': 0, 'f': 1}, inplace=True)\ndf.dtypes.s.kind", "i"),
    ("df = pd.DataFrame({'s': ['m', 'f']})\ndf['s'] = df.s.replace(['m', 'f'], [0, 1])\ndf.dtypes.s.kind", "i"),
    ("df = pd.DataFrame({'s': ['m', 'f']})\ndf.s = df.s.replace({'m': 'f'}).str.replace('f', 'x')\ndf.s[0]", "x"),
    ("len(pd.date_range('2020-01-01', '2020-01-03', closed='left'))", 2),
    ("len(pd.date_range('2020-01-01', '2020-01-03', closed=None))", 3),
]


@pytest.mark.parametrize(("code", "expected"), CHANGED_IN_SILENCE)
def test_what_changed_in_silence_gives_what_it_gave(mend: Mend, code: str, expected: Any) -> None:
    """Of calls that run today as they did, and say no more what they said."""
    assert values(mend(f"import pandas as pd\n{code}"), 0)[-1:] == [expected]


@pytest.mark.parametrize("code", ["pd.set_option('mode.use_inf_as_na', True)", "pd.options.mode.use_inf_as_na = True"])
def test_an_option_that_nothing_does_the_work_of_is_a_loss(mend: Mend, code: str) -> None:
    """Without it infinite numbers are not missing any more: no other option is set in its place."""
    repaired = mend("import pandas as pd", code)
    assert [loss.cell for loss in repaired.losses] == [1]


def test_a_notebook_that_forgets_its_names_is_mended(mend: Mend) -> None:
    repaired = mend("%reset -f\nimport numpy as np", "float(np.product([2, 3]))")
    assert values(repaired, 1) == [6.0]
    assert ran_whole(repaired, 0)


def test_a_notebook_that_loses_no_write_is_left_as_it_is(mend: Mend) -> None:
    cells = ("class Box:\n    pass\nbox = Box()\nbox.items = [1, 2]", "box.items[0] = 5\nbox.items")
    repaired = mend(*cells)
    assert (sources(repaired), repaired.repairs) == (list(cells), ())


def test_of_an_import_only_the_name_that_is_gone_is_lost(mend: Mend) -> None:
    """What stands beside it in the statement is imported, and the loss is no absent package."""
    repaired = mend("from math import floor, no_such_name, ceil", "floor(2.5) + ceil(2.5)")
    assert [(loss.source, loss.cause) for loss in repaired.losses] == [("from math import no_such_name", "unknown")]
    assert values(repaired, 1) == [5]


def test_two_forms_that_fail_with_the_same_words_are_both_mended(mend: Mend) -> None:
    """Of one statement, and of a function that a statement calls."""
    repaired = mend(
        "import pandas as pd\ns = pd.Series([None, 1, None])",
        "int(s.fillna(method='ffill').fillna(method='bfill').sum())",
        "def fill(x):\n    a = x.fillna(method='pad')\n    return a + x.fillna(method='bfill')\nint(fill(s).sum())",
    )
    assert (values(repaired, 1), values(repaired, 2)) == ([3], [2])


def test_what_has_moved_is_found_under_the_name_of_its_module(mend: Mend) -> None:
    """A module may be known by any name; one that the notebook did not import is imported where it is used."""
    repaired = mend(
        "import scipy as sp\nfrom scipy import integrate\nimport statsmodels.formula.api as smf\nimport numpy as np",
        "float(sp.mean([1, 2]))",
        "float(integrate.trapz([1, 2]))",
        "smf.OLS.__name__",
    )
    assert sources(repaired)[1:] == [
        "float(__import__('numpy').mean([1, 2]))",
        "float(integrate.trapezoid([1, 2]))",
        "__import__('statsmodels.api').api.OLS.__name__",
    ]
    assert values(repaired, 3) == ["OLS"]


def test_a_timed_cell_of_python2_runs(mend: Mend) -> None:
    repaired = mend("kept = 20", "%%time\nx = kept + 1\nprint x", "x * 2")
    assert sources(repaired)[1] == "%%time\nx = kept + 1\nprint(x)"
    assert values(repaired, 2) == [42]


def test_of_several_statements_on_one_line_the_failed_one_is_mended(mend: Mend) -> None:
    repaired = mend(
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2, 3]})",
        "df['n'] = 0; df['n'].iloc[1] = 2.5; float(df.n.sum())",
    )
    assert [made.before for made in repaired.repairs] == [
        "df['n'].iloc[1] = 2.5",
        "df.iloc[1, df.columns.get_loc('n')] = 2.5",
    ]
    assert values(repaired, 1) == [2.5]


def test_what_everybody_imports_is_imported(mend: Mend) -> None:
    """Also within a cell that is timed; a date is taken from the module or the class, as the statement has it."""
    repaired = mend(
        "%%time\nmade = io.StringIO('5').read()",
        "int(made) + datetime(2020, 1, 2).day",
    )
    assert sources(repaired)[0] == "%%time\nimport io\nmade = io.StringIO('5').read()"
    assert values(repaired, 1) == [7]
    assert sources(mend("datetime.datetime(2020, 1, 2).day"))[0].startswith("import datetime\n")


def test_what_gave_a_value_is_mended_where_the_value_fails(mend: Mend) -> None:
    """The statement that failed is right; an earlier one, which ran, is not what it was."""
    repaired = mend(
        "from sklearn.tree import DecisionTreeClassifier\nmodel = DecisionTreeClassifier(max_features='auto')",
        "float(model.fit([[1], [2]], [0, 1]).score([[1], [2]], [0, 1]))",
        "d = {'b': 1, 'a': 2}\nkeys = d.keys()\nkeys.sort()\nkeys[0]",
        "import pandas as pd\ncounts = pd.Series([1, 2, 3])\nrow = counts.values\nrow[0] = 9\nint(row.sum())",
    )
    assert sources(repaired)[0].endswith("DecisionTreeClassifier(max_features='sqrt')")
    assert (values(repaired, 1), values(repaired, 2), values(repaired, 3)) == ([1.0], ["a"], [14])


def test_whole_numbers_of_python2_are_divided_to_whole_numbers(mend: Mend) -> None:
    """In every cell of a notebook of Python 2; what may be a fraction is divided as it is written."""
    repaired = mend("n = 7\nf = 3.0\nprint n", "n / 2 + len([1, 2, 3]) / 2", "f / 2")
    assert sources(repaired)[1:] == ["n // 2 + len([1, 2, 3]) // 2", "f / 2"]
    assert values(repaired, 1) == [4]
    assert sources(mend("n = 7", "n / 2")) == ["n = 7", "n / 2"]
    assert "n / 2" in sources(mend("from __future__ import division\nn = 7\nprint n / 2"))[0]


def test_filled_groups_are_a_column(mend: Mend) -> None:
    """What apply() makes of groups in the order of the rows fits the table that it came from."""
    repaired = mend(
        "import pandas as pd\ndf = pd.DataFrame({'k': [2, 1, 2], 'a': [1.0, 3.0, 3.0]})",
        "df['share'] = df.groupby('k')['a'].apply(lambda x: x / x.sum())\nfloat(df.share.sum())",
    )
    assert values(repaired, 1) == [2.0]


def test_a_notebook_of_today_keeps_its_values(mend: Mend) -> None:
    """Where what it shows is what only today's pandas shows, nothing is changed that runs."""
    cells = ("import pandas as pd\ns = pd.Series(['a', 'b'])", "int(pd.get_dummies(s).sum().sum())\ns.value_counts()")
    today = stored("a    1", "b    1", "Name: count, dtype: int64")
    assert mend(*cells, outputs=today).repairs == ()
    assert [made.rule for made in mend(*cells).repairs] == ["dummies-are-numbers"]


GROUPED = "import pandas as pd\ndf = pd.DataFrame({'k': [1, 1], 'a': [1, 2], 't': ['x', 'y']})"


def test_a_notebook_that_shows_what_its_file_shows_is_left_as_it_is(mend: Mend) -> None:
    """Where pandas does what the author saw it do, no rule says that it once did something else."""
    repaired = mend(GROUPED, "df.groupby('k').sum().shape", outputs=stored("(1, 2)"))
    assert repaired.repairs == ()


def test_a_silent_change_that_takes_a_value_from_what_its_file_shows_is_undone(mend: Mend) -> None:
    """Of a notebook that fails elsewhere only the rules are left out that its author's file refutes."""
    repaired = mend(
        f"{GROUPED}\nimport numpy as np\nnp.product([2, 3])",
        "totals = df.groupby('k').sum()\ndummies = pd.get_dummies(df.t)",
        "len(totals.columns)",
        outputs=stored("2"),
    )
    assert values(repaired, 2) == [2]
    assert {"renamed-np.product"} <= {made.rule for made in repaired.repairs}
    assert "sums-of-numbers" not in {made.rule for made in repaired.repairs}


def test_a_write_that_was_lost_for_its_author_too_stays_lost(mend: Mend) -> None:
    """A table that the file shows as pandas 3 leaves it is not written into."""
    cells = ("import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})", "df['a'][0] = 5", "int(df.a.sum())")
    assert values(mend(*cells, outputs=stored("3")), 2) == [3]
    assert values(mend(*cells, outputs=stored("7")), 2) == [7]


def test_cells_of_python2_run(mend: Mend) -> None:
    """Print statements, and the names that went with Python 2."""
    repaired = mend("total = 0\nfor n in xrange(3):\n    total += n\nprint total")
    assert sources(repaired) == ["total = 0\nfor n in range(3):\n    total += n\nprint(total)"]
    assert values(repaired, 0) == [3]


def test_cells_are_put_in_the_order_in_which_they_ran(mend: Mend) -> None:
    """Execution counts tell the order, where names are used before they are defined."""
    repaired = mend("b = a + 1", "a = 1", "b", counts=(2, 1, 3))
    assert sources(repaired) == ["a = 1", "b = a + 1", "b"]
    assert values(repaired, 2) == [2]


def test_definitions_go_before_uses(mend: Mend) -> None:
    """Without counts, a cell that defines a name goes before the one that cannot do without it."""
    assert sources(mend("use = base * 2", "other = 5", "base = 4", "use")) == [
        "base = 4",
        "use = base * 2",
        "other = 5",
        "use",
    ]


def test_an_error_that_its_author_saw_is_no_defect(mend: Mend) -> None:
    """A cell that shows an error on purpose is not made to do something else."""
    error = {"output_type": "error", "ename": "KeyError", "evalue": "0", "traceback": []}
    repaired = mend("import pandas as pd\ns = pd.Series([1], ['a'])", "s[0]", outputs=[error])
    assert [loss.cause for loss in repaired.losses] == ["as its author saw"]
    assert not [r for r in repaired.repairs if not r.rule.startswith("dropped")]


def test_what_the_author_typed_is_typed_again(mend: Mend) -> None:
    """input() gets the answer that the file still shows."""
    printed = {"output_type": "stream", "name": "stdout", "text": "Age: 41\n"}
    repaired = mend("1", "age = int(input('Age: '))\nage + 1", outputs=[printed])
    assert sources(repaired)[1] == "age = int('41')\nage + 1"
    assert values(repaired, 1) == [42]


SERIES = "import pandas as pd\ns = pd.Series([10, 20, 30], index=[2, 1, 0])"


def test_a_guess_that_shows_what_its_author_saw_is_kept(mend: Mend) -> None:
    """A guess that runs and agrees with the file, in another format, is a repair and says that it was a guess."""
    repaired = mend(SERIES, "s.ix[0] / 1.0", outputs=stored("30"))
    assert sources(repaired)[1] == "s.loc[0] / 1.0"
    assert [(r.rule, r.is_guess) for r in repaired.repairs] == [("ix", True)]
    assert repaired.losses == ()


def test_a_guess_that_its_author_contradicts_gives_way_to_the_next(mend: Mend) -> None:
    """Where labels give what the file does not show, and positions what it does, positions were meant."""
    repaired = mend(SERIES, "s.ix[0]", outputs=stored("10"))
    assert sources(repaired)[1] == "s.iloc[0]"
    assert values(repaired, 1) == [10]


def test_a_guess_without_another_is_lost_with_the_reason(mend: Mend) -> None:
    """No repair is recorded, the statement is a comment, and the loss says what speaks against the guess."""
    repaired = mend(SERIES, "s.ix[0]", outputs=stored("77"))
    (loss,) = repaired.losses
    assert (loss.cause, loss.is_direct) == ("contradicted", True)
    assert loss.error.startswith("AttributeError: ")
    assert loss.error.endswith("10 is shown, which the author's file does not show")
    assert [r.rule for r in repaired.repairs] == ["dropped: contradicted"]
    assert sources(repaired)[1].endswith("# s.ix[0]")


def test_a_guess_is_taken_back_when_the_rest_of_its_cell_contradicts_it(mend: Mend) -> None:
    """What the cell shows further down counts, and what hangs on the guess goes with it; the rest of it runs."""
    repaired = mend(SERIES, "kept = 5\nx = s.ix[0]\ny = x + 1\ny * 2", outputs=stored("156"))
    assert [(loss.source, loss.cause, loss.is_direct) for loss in repaired.losses] == [
        ("x = s.ix[0]", "contradicted", True),
        ("y = x + 1", "contradicted", False),
        ("y * 2", "contradicted", False),
    ]
    assert all(cell.status == "ok" for cell in repaired.execution.cells)
    assert not [r for r in repaired.repairs if r.is_guess]
    assert sources(repaired)[1].startswith("kept = 5\n# Dropped: contradicted: AttributeError")


def test_an_output_of_another_statement_says_nothing_of_a_guess(mend: Mend) -> None:
    """Where a cell's end does not hang on the guess, what it shows is not held against it."""
    repaired = mend(SERIES, "x = s.ix[0]\nlen(s) + 4", outputs=stored("8"))
    assert sources(repaired)[1] == "x = s.loc[0]\nlen(s) + 4"


def test_how_numpy_writes_a_number_contradicts_no_guess(mend: Mend) -> None:
    """What numpy 2 writes as `np.True_` and `np.float64(30.0)`, versions before it wrote as `True` and `30.0`."""
    repaired = mend(f"import numpy as np\n{SERIES}", "np.bool_(s.ix[0] == 30)", outputs=stored("True"))
    assert sources(repaired)[1] == "np.bool_(s.loc[0] == 30)"


def test_a_wide_table_that_is_cut_today_contradicts_no_guess(mend: Mend) -> None:
    """A table whose lines were folded when its author saw it shows the same values, and how many columns it has."""
    made = "import pandas as pd\ndf = pd.DataFrame({f'column{n}': [n + 0.5] for n in range(21)})"
    folded = ["   " + " ".join(f"column{n}" for n in range(21)), "0  " + " ".join(f"{n}.5" for n in range(21))]
    repaired = mend(made, "df.ix[[0]]", outputs=stored(*folded))
    assert sources(repaired)[1] == "df.loc[[0]]"


def test_draws_and_pictures_contradict_no_guess(mend: Mend) -> None:
    """What an unseeded draw gave, and what stands beside a picture, can be seen again by nobody."""
    drawn = mend(SERIES, "import numpy as np\nfloat(s.ix[0] + np.random.rand())", outputs=stored("30.11"))
    assert "s.loc[0]" in sources(drawn)[1]
    picture: dict[str, Any] = {"image/png": "iVBORw0KGgo=", "text/plain": "(7,)"}
    beside = [{"output_type": "display_data", "data": picture, "metadata": {}}]
    assert sources(mend(SERIES, "s.ix[0]", outputs=beside))[1] == "s.loc[0]"


def test_rules_that_are_no_guesses_are_not_held_against_the_file(mend: Mend) -> None:
    """A change that gives the same value by construction stays, whatever another library printed then."""
    repaired = mend("import numpy as np", "np.product([2, 3])", outputs=stored("7"))
    assert sources(repaired)[1] == "np.prod([2, 3])"


def test_a_failing_plot_loses_no_values(mend: Mend) -> None:
    """A plot inside a function goes; what the function computes stays."""
    repaired = mend(
        "import matplotlib.pyplot as plt\ndef look(x):\n    plt.no_such_plot(x)\n    return x * 2\n", "look(21)"
    )
    assert values(repaired, 1) == [42]
    assert [r.rule for r in repaired.repairs] == ["plot"]


def test_a_seed_makes_draws_repeatable(mend: Mend) -> None:
    """Draws without a seed get one, so that two runs show the same."""
    first, second = (mend("import numpy as np", "float(np.random.rand())") for _ in range(2))
    assert values(first, 1) == values(second, 1)
    assert [r.rule for r in first.repairs] == ["seed"]


def test_a_seed_of_one_draw_is_not_that_of_another(mend: Mend) -> None:
    cells = (
        "import pandas as pd\ns = pd.Series(range(99))\ns.sample(1, random_state=1).iloc[0]",
        "int(s.sample(1).iloc[0])",
    )
    repaired = mend(*cells)
    assert [(r.rule, r.cell) for r in repaired.repairs] == [("seed", 1)]
    assert not mend(cells[0]).repairs


def test_a_draw_inside_a_function_is_seeded_too(mend: Mend) -> None:
    cells = "import numpy as np\ndef draw():\n    return float(np.random.rand())", "draw()"
    first, second = (mend(*cells) for _ in range(2))
    assert values(first, 1) == values(second, 1)


def says(*blocks: str) -> ModelProposer:
    """A model that gives these programs by turns, for ever."""
    turns = cycle(Message("assistant", f"```python\n{block}\n```") for block in blocks)
    return ModelProposer(ScriptedModel(lambda _: next(turns)))


def test_a_model_is_believed_when_its_statement_runs(mend: Mend) -> None:
    """The first proposal fails and is forgotten; the second runs and is recorded as the model's."""
    repaired = mend("text = 'a-b'", "text.cut('-')", proposers=[says("text.slice('-')", "text.split('-')")])
    assert sources(repaired)[1] == "text.split('-')"
    assert [(r.rule, r.why) for r in repaired.repairs] == [("model", "proposed by scripted")]


def test_a_model_that_breaks_what_ran_is_not_believed(mend: Mend) -> None:
    """A proposal after which something fails that ran before is refused with the whole repair."""
    repaired = mend("kept = 5", "kept.cut()", "kept", proposers=[says("del kept")])
    assert sources(repaired) == ["kept = 5", "kept.cut()", "kept"]
    assert repaired.repairs == ()
    assert values(repaired, 2) == [5]
