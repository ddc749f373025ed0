"""What runs today as it did, and gives something else: changed before the notebook runs, whether or not it fails."""

import re
from collections.abc import Collection, Iterator, Sequence

from cellwright.proof.repair.cells import is_cell_magic, replaced, statements
from cellwright.proof.repair.patterns import rewritten
from cellwright.proof.repair.rules import Rule, table
from cellwright.proof.repair.session import Repair

SEED = "seed"
"""Name of the repair that sets a seed before the first draw."""
_DRAWS = re.compile(
    r"\b(?:np|numpy)\.random\.(?!seed|default_rng|RandomState)\w|\brandom\.(?:random|randint|choice|sample|shuffle|uniform|gauss)\(|\.sample\(|train_test_split\(|\bshuffle\(|resample\(X|KFold\(.*shuffle=True|RandomForest\w+\(|KMeans\(|TSNE\(|MLP\w+\(|DecisionTree\w+\(|\brandn?\("
)
_DEFINES = re.compile(r"(?:@[^\n]*\n\s*)*(?:async\s+)?(?:def|class)\s+(\w+)")
_SEEDED = re.compile(r"\bseed\(|set_random_seed")
_OWN_SEED = re.compile(r"random_state\s*=|RandomState\(\w")
"""Of one draw: what stands elsewhere draws without it."""


_OF_TODAY = re.compile(
    r"^Name: count, dtype: |\bnp\.(?:float64|int64|str_)\(|\bnp\.(?:True|False)_|dtype='?str\b", re.MULTILINE
)
"""What only pandas since 2.0, or numpy since 2.0, shows: the notebook's author knew how they behave."""


def silent_rules() -> frozenset[str]:
    """Names of the rules that are applied here."""
    return frozenset(rule.name for rule in table().silent)


def silent_repairs(
    sources: Sequence[str], shown: str = "", without: Collection[str] = ()
) -> tuple[list[str], list[Repair]]:
    """The cells with the changes made, and what was changed.

    `shown`: what the notebook's file shows as outputs. `without`: rules, by name, that its author's libraries refute.
    """
    changed, repairs = list(sources), list[Repair]()
    of_then = [] if _OF_TODAY.search(shown) else _that_apply("\n".join(sources), shown)
    rules = [rule for rule in of_then if rule.name not in without]
    for cell, source in enumerate(sources):
        for statement in reversed(statements(source) or []):
            if is_cell_magic(source):
                continue
            text = statement.source
            for rule in rules:
                for pattern in rule.patterns():
                    new = next(rewritten(text, pattern), text)
                    if new != text:
                        repairs.append(Repair(rule.name, cell, text, new, rule.reason))
                        text = new
            if text != statement.source:
                changed[cell] = replaced(changed[cell], statement, text)
    return _seeded(changed, repairs), repairs


def _that_apply(code: str, shown: str) -> Iterator[Rule]:
    for rule in table().silent:
        is_unfit = rule.unless and (re.search(rule.unless, code) or re.search(rule.unless, shown, re.MULTILINE))
        if not is_unfit and re.search(rule.given, code):
            yield rule


def _seeded(sources: list[str], repairs: list[Repair]) -> list[str]:
    """The cells with a seed before the first draw, where none is set. What only defines a function does not draw."""
    if any(_SEEDED.search(source) for source in sources):
        return sources
    draws = _DRAWS
    for cell, source in enumerate(sources):
        for statement in [] if is_cell_magic(source) else statements(source) or []:
            text = statement.source
            is_idle = draws.search(text) is None or _OWN_SEED.search(text) is not None
            if is_idle or text.startswith(("import ", "from ")):
                continue
            if (defined := _DEFINES.match(text)) is not None:
                draws = re.compile(rf"{draws.pattern}|\b{defined[1]}\b")
                continue
            why = "a draw without a seed gives another value at each run"
            seeded = f"__import__('random').seed(0)\n__import__('numpy').random.seed(0)\n{text}"
            repairs.append(Repair(SEED, cell, text, seeded, why))
            return [*sources[:cell], replaced(source, statement, seeded), *sources[cell + 1 :]]
    return sources
