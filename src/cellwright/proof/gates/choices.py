"""The choices that a question can leave open, each with the words that settle it and the other readings as rewrites.

All nodes of a program are rewritten alike (`rewrites.py`), so one reading costs one run.
"""

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cellwright.proof.gates.asking import SKIPS_MISSING
from cellwright.proof.gates.rewrites import (
    Rewrite,
    all_groups,
    any_case,
    bounds,
    first_match_only,
    first_of,
    hundredfold,
    hundredth,
    missing_are_rows,
    one_spelling,
    only_known,
    other_edges,
    other_extreme,
    other_format,
    other_most_frequent,
    other_order,
    other_quantile,
    other_weekday,
    parts_in_any_case,
    plain_number,
    read_carefully,
    setting,
    spread,
    text_not_pattern,
    without,
    without_categories,
)


@dataclass(frozen=True)
class Choice:
    """One choice."""

    name: str
    """Short, for counting."""
    words: re.Pattern[str]
    """What a question says that has settled it."""
    readings: tuple[Rewrite, ...]
    of_program: tuple[Callable[[Sequence[ast.Module]], Rewrite | None], ...] = ()
    """Readings that depend on the whole program; None for one that they do not concern."""
    by_labels: bool = False
    """Whether a label that the question quotes can settle it."""


def other_readings(modules: Sequence[ast.Module], choice: Choice) -> list[list[str]]:
    """The sources of a program under each other reading of a choice; none where it makes no such choice."""
    found: list[list[str]] = []
    made = (make(modules) for make in choice.of_program)
    for rewrite in (*choice.readings, *(rewrite for rewrite in made if rewrite is not None)):
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


def _choice(name: str, words: str, *readings: Rewrite) -> Choice:
    return Choice(name, re.compile(words, re.IGNORECASE), readings)


_JOINS = ("merge", "join")
CHOICES = (
    _choice("divisor of the variance", r"sample|population|ddof|n ?[-−] ?1|unbiased", spread(0), spread(1)),
    _choice(
        "missing values",
        r"missing|\bNaN\b|\bnull|blank|empty|not (available|known|given)|unknown|no value|\bfill",
        first_of(without("fillna", "ffill", "bfill"), setting(("fillna",), value=None)),
        without("dropna"),
        setting(("nunique",), dropna=False),
        setting(("nunique",), only_given=True, dropna=None),
        missing_are_rows,
        only_known,
        setting(
            ("pivot_table", "unstack", "pivot", "add", "sub", "mul", "div", "reindex"), only_given=True, fill_value=None
        ),
    ),
    _choice(
        "missing values in statistics",
        rf"missing|\bNaN\b|\bnull|blank|empty|not (available|known|given)|unknown|{SKIPS_MISSING}",
        setting(("mean", "sum", "median", "std", "var", "min", "max", "prod"), only_given=True, skipna=None),
    ),
    _choice(
        # "Leave missing values out of statistics" says nothing of rows whose group is not known.
        "rows without a group",
        r"in no group|among the rows where [^.]*is not missing|missing values? not counted",
        setting(("groupby", "value_counts", "crosstab", "mode"), dropna=False),
        setting(("groupby", "value_counts"), only_given=True, dropna=True),
    ),
    _choice(
        "ties",
        r"\bties?\b|\btied\b|if (there is )?more than one|if several|alphabetical|earliest|whichever|comes first",
        # Each on its own: a program that does two of them would turn the order round twice.
        other_extreme,
        other_order,
        other_most_frequent,
        setting(("rank",), method="first"),
        setting(("rank",), method="min"),
    ),
    _choice(
        "which of the duplicates stays",
        r"keep(s|ing)? (only )?the (first|last)\b|(first|last) (one|row|record|of (them|these|those|each))\b",
        setting(("drop_duplicates", "duplicated"), keep="last"),
        setting(("drop_duplicates", "duplicated"), only_given=True, keep="first"),
    ),
    _choice(
        "bounds",
        r"(greater|more|less|fewer|higher|lower|larger|smaller|longer|shorter|older|younger|better|worse|later) than|"
        r"earlier than|above|below|\bover \d|\bunder \d|at least|at most|exceed|before|after|since|until|up to|"
        r"\bor (more|less|over|above|older|later|earlier|higher|lower)|inclusive|exclusive|includ|excluding|"
        r"positive|negative|[<>≤≥]",
        # Each on its own: turned round together, the two ends of an interval may take in as many rows as they lose.
        bounds(included=True),
        bounds(included=False),
    ),
    _choice(
        "edges of bins",
        r"includ|exclu|left out|on an? (bin )?edge|up to|below|above|at most|at least|"
        r"(less|greater|more|fewer) than|closed|[(\[]-?\d",
        other_edges,
    ),
    _choice(
        "duplicates",
        r"duplicate|distinct|unique|different|repeat|\bonce\b|rows that are equal",
        without("drop_duplicates"),
    ),
    _choice(
        "percentage or fraction",
        r"percent|%|per cent|\bfraction|between 0 and 1|\bproportion|\bratio\b|[*/×] ?100\b|100 ?[*×]|times 100|"
        r"divided by",
        # Each on its own: together they leave a program as it was that makes a percentage of a fraction.
        hundredth,
        hundredfold,
    ),
    _choice("upper and lower case", r"\bcase\b|capital|lowercase|uppercase|exact|\"", any_case),
    # A label in quotes is that label; what a text contains is seldom meant so.
    _choice("upper and lower case of a part", r"\bcase\b|capital|lowercase|uppercase", parts_in_any_case),
    _choice("text or pattern", r"pattern|regular expression|regex", text_not_pattern),
    _choice(
        "rounding on the way",
        r"round|nearest|truncat|whole|integer part|floor|ceil|cut off|remainder|decimal",
        plain_number,
    ),
    _choice("interpolation", r"interpolat|median", other_quantile("lower"), other_quantile("higher")),
    _choice(
        "kind of correlation",
        r"pearson|spearman|kendall",
        setting(("corr", "corrwith"), method="spearman"),
        setting(("corr", "corrwith"), method="pearson"),
    ),
    _choice(
        "rows without a match",
        r"match|inner|outer|left join|right join|keeping (all|every|only|the) rows|"
        r"in (common|both (files|tables))|without a",
        *(setting(_JOINS, how=how) for how in ("inner", "left", "outer")),
    ),
    _choice(
        "keys that repeat",
        r"\bpairs?\b|(each|every|all|several|more than one|first) match|repeat|duplicate|"
        r"one row for each|once for each|for every match",
        first_match_only,
    ),
    _choice(
        "day or month first",
        r"day.?first|month.?first|day before (the )?month|month before (the )?day|\bDD\b|\bMM\b|%[dm]",
        setting(("to_datetime", "read_csv"), dayfirst=True),
        setting(("to_datetime", "read_csv"), only_given=True, dayfirst=None),
        other_format,
    ),
    _choice(
        "windows that are not full",
        r"full|complete|at least|fewer|available|no value|missing|without|min_periods|minimum|as there are",
        setting(("rolling",), min_periods=1),
        setting(("rolling",), only_given=True, min_periods=None),
    ),
    _choice("numbers of weekdays", r"monday|sunday", other_weekday),
    # Nobody can tell from a question what the file holds: what is no value or no row there has to be named in it.
    replace(
        _choice(
            "numbers, words or rows that stand for none",
            r"as a missing value|\btotals? (rows?|lines?)\b|\b(rows?|lines?) (of|with|for) (the |sub)?totals?\b|"
            r"\"[^\"]*\btotals?\b[^\"]*\"|\"(\?{1,2}|-{1,3}|\.{1,3}|\*)\"",
            read_carefully,
        ),
        by_labels=True,
    ),
    replace(
        _choice("labels that differ in case or blanks", r"\bcase\b|capital|lowercase|uppercase|exact|blank"),
        of_program=(one_spelling,),
    ),
    replace(
        _choice(
            "groups without rows",
            r"(keep only|drop) the rows|\bremain|rows (that )?are left|at least one (such )?row|have (any|such) rows?|"
            r"no (such )?rows?\b",
        ),
        of_program=(all_groups,),
    ),
    replace(
        _choice(
            "labels of no row",
            r"no (such )?rows?\b",
            setting(("groupby", "pivot_table", "crosstab"), only_given=True, observed=True),
        ),
        of_program=(without_categories,),
    ),
    _choice("sheet of the workbook", r"\bsheet\b", *(setting(("read_excel", "parse"), sheet_name=n) for n in range(4))),
)
