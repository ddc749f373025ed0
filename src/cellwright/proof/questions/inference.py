"""Readings of statistical tests and fitted lines (scipy.stats, numpy.polyfit): which test, of what, and which number.

The words name what the library leaves to defaults: equal variances or not, sidedness, continuity correction.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from cellwright.proof.questions import joins, statistics
from cellwright.proof.questions.symbols import (
    Arguments,
    Column,
    Evaluator,
    Finding,
    Frame,
    Grid,
    Quantity,
    Symbol,
    Unreadable,
)

Reading = Callable[[Arguments, Evaluator], Symbol]


def _column(symbol: Symbol | None) -> Column:
    if isinstance(symbol, Column):
        return symbol.whole
    raise Unreadable("test of something else than columns")


def _of(column: Column) -> str:
    return f"{column.operand}{column.frame.over}"


def _sided(arguments: Arguments) -> str:
    sides = {"two-sided": "two-sided", "greater": "one-sided (greater)", "less": "one-sided (less)"}
    asked = arguments.constant("alternative", None, "two-sided")
    if asked not in sides:
        raise Unreadable("argument alternative of a test")
    return sides[asked]


def _finding(frame: Frame, parts: Mapping[str, str]) -> Finding:
    base = replace(frame, where=())
    return Finding(base, {key: Quantity(base, words, family="test") for key, words in parts.items()})


def _two(arguments: Arguments, reader: Evaluator, names: tuple[str, str]) -> tuple[Frame, str, str]:
    """Two samples and the frame that the question starts from; rows of another table are told beside."""
    first, second = (_column(arguments.take(name, place)) for place, name in enumerate(names))
    if first.frame.base == second.frame.base:
        return first.frame, _of(first), _of(second)
    files = joins.described(replace(second.frame, selection=None).settled())
    return first.frame, _of(first), reader.note("sample", f"the values of {second.operand} in {files}")


def _ttest_ind(arguments: Arguments, reader: Evaluator) -> Finding:
    frame, first, second = _two(arguments, reader, ("a", "b"))
    equal = arguments.constant("equal_var", None, True)
    _no_missing(arguments)
    kind = "Student's t-test (equal variances assumed)" if equal else "Welch's t-test (variances may differ)"
    test = f"the {_sided(arguments)} {kind} of {first} against {second}"
    return _finding(frame, {"statistic": f"the t statistic of {test}", "pvalue": f"the p-value of {test}"})


def _no_missing(arguments: Arguments) -> None:
    """nan_policy: the default gives no answer where a value is missing; omitting them is said."""
    if arguments.constant("nan_policy", None, "propagate") != "propagate":
        raise Unreadable("argument nan_policy of a test")


def _paired(name: str, statistic: str) -> Reading:
    def reading(arguments: Arguments, reader: Evaluator) -> Finding:
        first, second = (_column(arguments.take(key, place)) for place, key in enumerate(("a", "b")))
        if first.frame != second.frame:
            raise Unreadable("paired test of different rows")
        _no_missing(arguments)
        test = f"the {_sided(arguments)} {name} of {first.operand} against {second.operand}{first.frame.over}"
        return _finding(first.frame, {"statistic": f"the {statistic} of {test}", "pvalue": f"the p-value of {test}"})

    return reading


def _ranked(arguments: Arguments, reader: Evaluator) -> Finding:
    frame, first, second = _two(arguments, reader, ("x", "y"))
    if arguments.constant("method", None, "auto") != "auto":
        raise Unreadable("argument method of a test")
    test = (
        f"the {_sided(arguments)} Mann-Whitney U test of {first} against {second} (exact where one sample has at most "
        "8 values and there are no ties, else by the normal approximation with continuity correction)"
    )
    parts = {"statistic": f"the U statistic of the first sample in {test}", "pvalue": f"the p-value of {test}"}
    return _finding(frame, parts)


def _two_sample_ks(arguments: Arguments, reader: Evaluator) -> Finding:
    frame, first, second = _two(arguments, reader, ("data1", "data2"))
    test = f"the {_sided(arguments)} two-sample Kolmogorov-Smirnov test of {first} against {second}"
    return _finding(frame, {"statistic": f"the statistic of {test}", "pvalue": f"the p-value of {test}"})


def _association(name: str) -> Reading:
    def reading(arguments: Arguments, _: Evaluator) -> Finding:
        places = ("a", "b") if name == "Spearman" else ("x", "y")
        first, second = (_column(arguments.take(key, place)) for place, key in enumerate(places))
        quantity = statistics.correlation(first, second, name.lower())
        p_value = f"the two-sided p-value of {quantity.words}"
        found = _finding(first.frame, {"statistic": quantity.words, "pvalue": p_value})
        parts = dict(found.parts)
        parts["statistic"] = replace(parts["statistic"], family="correlation")
        return Finding(found.frame, parts)

    return reading


def _one_way(arguments: Arguments, _: Evaluator) -> Finding:
    samples = [_column(symbol) for symbol in arguments.positional]
    arguments.ignore(*(str(place) for place in range(len(samples))))
    if len(samples) < 2 or len({sample.frame.base for sample in samples}) != 1:
        raise Unreadable("test of samples of different tables")
    listed = "; ".join(_of(sample) for sample in samples)
    test = f"the one-way analysis of variance of these samples: {listed}"
    frame = samples[0].frame
    return _finding(frame, {"statistic": f"the F statistic of {test}", "pvalue": f"the p-value of {test}"})


def _one_sample(arguments: Arguments, _: Evaluator) -> Finding:
    column, mean = _column(arguments.take("a", 0)), arguments.constant("popmean", 1)
    _no_missing(arguments)
    test = f"the {_sided(arguments)} one-sample t-test of {_of(column)} against a mean of {mean}"
    parts = {"statistic": f"the t statistic of {test}", "pvalue": f"the p-value of {test}"}
    return _finding(column.frame, parts)


def _chi_squared(arguments: Arguments, _: Evaluator) -> Finding:
    table = arguments.take("observed", 0)
    corrected = arguments.constant("correction", 1, True)
    if not isinstance(table, Grid) or table.family != "crosstab" or not table.pair:
        raise Unreadable("test of another table than a crosstab")
    yates = "with" if corrected else "without"
    test = (
        f"the chi-squared test of independence of {table.pair}{table.frame.over} ({yates} Yates' correction where "
        "there is one degree of freedom)"
    )
    parts = {
        "statistic": f"the chi-squared statistic of {test}",
        "pvalue": f"the p-value of {test}",
        "dof": f"the degrees of freedom of {test}",
    }
    return _finding(table.frame, parts)


def _line(arguments: Arguments, _: Evaluator) -> Finding:
    x, y = (_column(arguments.take(key, place)) for place, key in enumerate(("x", "y")))
    if x.frame != y.frame:
        raise Unreadable("line through different rows")
    line = f"the least-squares line of {y.operand} on {x.operand}{x.frame.over}"
    parts = {
        "slope": f"the slope of {line}",
        "intercept": f"the intercept of {line}",
        "rvalue": f"the correlation coefficient of {line}",
        "pvalue": f"the two-sided p-value for a slope of zero of {line}",
        "stderr": f"the standard error of the slope of {line}",
    }
    return _finding(x.frame, parts)


def polyfit(arguments: Arguments, _: Evaluator) -> Finding:
    """`numpy.polyfit(x, y, 1)`."""
    x, y = (_column(arguments.take(key, place)) for place, key in enumerate(("x", "y")))
    if arguments.constant("deg", 2) != 1 or x.frame != y.frame:
        raise Unreadable("polynomial of a higher degree")
    line = f"the least-squares line of {y.operand} on {x.operand}{x.frame.over}"
    return _finding(x.frame, {"slope": f"the slope of {line}", "intercept": f"the intercept of {line}"})


_TESTS: dict[str, Reading] = {
    "ttest_ind": _ttest_ind,
    "ttest_rel": _paired("paired t-test", "t statistic"),
    "ttest_1samp": _one_sample,
    "mannwhitneyu": _ranked,
    "f_oneway": _one_way,
    "ks_2samp": _two_sample_ks,
    "pearsonr": _association("Pearson"),
    "spearmanr": _association("Spearman"),
    "chi2_contingency": _chi_squared,
    "linregress": _line,
}


def reading_of(path: str) -> Reading | None:
    """The reading of a function of scipy.stats."""
    library, _, name = path.rpartition(".")
    return _TESTS.get(name) if library == "scipy.stats" else None
