"""Mistakes as a small model makes them, put into a cell: a name not copied to the letter, a wrong path or method."""

import random
import re

_QUOTED = re.compile(r"\['([^']+)'\]|groupby\('([^']+)'\)")
_PATH = re.compile(r"read_csv\('([^']+)'\)")
_METHOD = re.compile(r"\.(mean|median|max|min|sum|std|nunique|idxmax|idxmin)\(\)")
_WRONG_METHODS = ("avg", "average", "total", "maximum", "minimum", "stdev", "most", "distinct", "mode_of", "first_max")


def slip(code: str, rng: random.Random) -> str:
    """The cell with one mistake, with which it cannot run. A cell without anything to get wrong stays as it is."""
    kinds = [kind for kind, form in ((_column, _QUOTED), (_path, _PATH), (_method, _METHOD)) if form.search(code)]
    if not kinds:
        return code
    weights = [3 if kind is _column else 1 for kind in kinds]
    return rng.choices(kinds, weights)[0](code, rng)


def _column(code: str, rng: random.Random) -> str:
    found = rng.choice(list(_QUOTED.finditer(code)))
    group = 1 if found[1] is not None else 2
    return code[: found.start(group)] + _misspelt(found[group], rng) + code[found.end(group) :]


def _path(code: str, rng: random.Random) -> str:
    found = next(_PATH.finditer(code))
    path = found[1]
    wrong = rng.choice((path.rpartition("/")[2] if "/" in path else f"data/{path}", _misspelt(path, rng)))
    return code[: found.start(1)] + wrong + code[found.end(1) :]


def _method(code: str, rng: random.Random) -> str:
    found = rng.choice(list(_METHOD.finditer(code)))
    return code[: found.start(1)] + rng.choice(_WRONG_METHODS) + code[found.end(1) :]


def _misspelt(name: str, rng: random.Random) -> str:
    """One letter left out, doubled, or another one."""
    at = rng.choice([n for n, letter in enumerate(name) if letter.isalpha()])
    other = rng.choice([letter for letter in "abdegiklmnoprstuz" if letter != name[at]])
    return name[:at] + rng.choice(("", name[at] * 2, other)) + name[at + 1 :]
