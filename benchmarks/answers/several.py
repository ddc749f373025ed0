"""Families of lists, sets and mappings."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TypeAlias

from benchmarks.answers.pairs import Family, forms, literally, templates
from benchmarks.answers.wording import WRAPPED
from cellwright.core.types import Contract

LABELS = Contract("list", item="text")
LABELS_ANY_ORDER = replace(LABELS, ordered=False)
LABEL_SET = Contract("set", item="text")
INTEGERS = Contract("list", item="integer")
INTEGER_SET = Contract("set", item="integer")
NUMBERS = Contract("list", item="number", decimals=2)
DATES = Contract("list", item="date")
COUNTS = Contract("mapping", key="text", item="integer")
MEANS = Contract("mapping", key="text", item="number", decimals=2)
YEARS = Contract("mapping", key="integer", item="integer")
SHARES = Contract("mapping", key="text", item="percent", decimals=1)

NAMES: Sequence[str] = (
    "Boston", "Lima", "Oslo", "Cairo", "Tokyo", "Quito", "Paris", "Perth", "Sofia", "Delhi", "Accra", "Hanoi", "Miami",
    "Setosa", "GlobalCard", "TransactPlus", "level 3", "fully_paid", "A-12", "naïve Bayes", "São Paulo", "New York",
)  # fmt: skip
Texts: TypeAlias = tuple[str, ...]
Pairs: TypeAlias = tuple[tuple[str, int], ...]


def families() -> Iterator[Family]:
    """All families of lists, sets and mappings."""
    yield from _labels()
    yield from _wrong_labels()
    yield from _awkward_labels()
    yield from _sets()
    yield from _integers()
    yield from _numbers()
    yield from _mappings()
    yield from _wrong_mappings()
    yield from _other_mappings()


# --- lists of labels -------------------------------------------------------------------------------


def _names(rng: Random) -> tuple[Texts, Texts]:
    found = tuple(rng.sample(NAMES, rng.randrange(3, 6)))
    return found, found


def _bullets(mark: str) -> Callable[[Sequence[object]], str]:
    return lambda items: "\n".join(f"{mark} {item}" for item in items)


_LIST_FORMS: Mapping[str, Callable[[Texts], str]] = {
    "commas": ", ".join,
    "commas without spaces": ",".join,
    "JSON": json.dumps,
    "JSON, not escaped": lambda items: json.dumps(items, ensure_ascii=False),
    "indented JSON": lambda items: json.dumps(items, indent=2),
    "fence of JSON": lambda items: f"```json\n{json.dumps(items)}\n```",
    "Python": lambda items: repr(list(items)),
    "Python tuple": repr,
    "brackets": lambda items: f"[{', '.join(items)}]",
    "braces": lambda items: f"({', '.join(items)})",
    "hyphens": _bullets("-"),
    "stars": _bullets("*"),
    "bullets": _bullets("•"),
    "numbers": lambda items: "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1)),
    "numbers in brackets": lambda items: "\n".join(f"{number}) {item}" for number, item in enumerate(items, 1)),
    "numbers on one line": lambda items: " ".join(f"{number}. {item}" for number, item in enumerate(items, 1)),
    "lines": "\n".join,
    "lines with commas": ",\n".join,
    "empty lines": "\n\n".join,
    "semicolons": "; ".join,
    "quotes": lambda items: ", ".join(f'"{item}"' for item in items),
    "single quotes": lambda items: ", ".join(f"'{item}'" for item in items),
    "bold each": lambda items: ", ".join(f"**{item}**" for item in items),
    "bold bullets": lambda items: "\n".join(f"- **{item}**" for item in items),
    "code each": lambda items: ", ".join(f"`{item}`" for item in items),
    "and": lambda items: f"{', '.join(items[:-1])} and {items[-1]}",
    "comma and": lambda items: f"{', '.join(items[:-1])}, and {items[-1]}",
    "a full stop": lambda items: f"{', '.join(items)}.",
    "upper case": lambda items: ", ".join(items).upper(),
    "label": lambda items: f"Answer: {', '.join(items)}",
    "label over bullets": lambda items: "**Answer:**\n" + _bullets("-")(items),
    "box": lambda items: rf"\boxed{{{', '.join(items)}}}".replace("_", r"\_"),
    "tags": lambda items: f"<answer>{json.dumps(items)}</answer>",
    "spaces around": lambda items: "  ,  ".join(items) + " ",
    "numpy's print": lambda items: "[" + " ".join(f"'{item}'" for item in items) + "]",
    "numpy's repr": lambda items: f"array({list(items)!r}, dtype=object)",
    "pandas' repr": lambda items: f"Index({list(items)!r}, dtype='object')",
    "JSON object": lambda items: json.dumps({"answer": items}),
}
_WRONG_LISTS: Mapping[str, Callable[[Texts], str]] = {
    "one missing": lambda items: ", ".join(items[1:]),
    "last missing": lambda items: ", ".join(items[:-1]),
    "one more": lambda items: ", ".join((*items, "Turin")),
    "one more in JSON": lambda items: json.dumps([*items, "Turin"]),
    "one twice": lambda items: ", ".join((*items, items[0])),
    "one twice for another": lambda items: ", ".join((*items[:-1], items[0])),
    "one replaced": lambda items: ", ".join(("Turin", *items[1:])),
    "one misspelled": lambda items: ", ".join((items[0][:-1], *items[1:])),
    "one split": lambda items: ", ".join((items[0][:2], items[0][2:], *items[1:])),
    "two joined": lambda items: ", ".join((items[0] + items[1], *items[2:])),
    "the first only": lambda items: items[0],
    "hedged": lambda items: f"{', '.join(items)}, or Turin",
    "one or another": lambda items: f"{', '.join(items[:-1])}, {items[-1]} or Turin",
    "maybe one": lambda items: f"{', '.join(items[:-1])}, maybe {items[-1]}",
    "and more": lambda items: f"{', '.join(items)}, etc.",
    "dots": lambda items: f"{', '.join(items)}, ...",
    "nothing": lambda _: "",
    "an empty list": lambda _: "[]",
    "a number": lambda _: "3",
    "the count": lambda items: f"{len(items)} items",
    "two boxes": lambda items: rf"\boxed{{{', '.join(items)}}} \boxed{{{items[0]}}}",
    "nested": lambda items: json.dumps([list(items), list(items)]),
    "a mapping": lambda items: json.dumps({item: number for number, item in enumerate(items)}),
    "counts behind": lambda items: ", ".join(f"{item} ({number})" for number, item in enumerate(items, 3)),
    "one denied": lambda items: f"{', '.join(items[:-1])}, not {items[-1]}",
    "Not Applicable": lambda _: "Not Applicable",
    "one empty": lambda items: f"{items[0]}, , {', '.join(items[1:])}",
    "prose behind": lambda items: f"{', '.join(items)}, which are the largest",
}
_WRONG_ORDER: Mapping[str, Callable[[Texts], str]] = {
    "neighbours swapped": lambda items: ", ".join((items[1], items[0], *items[2:])),
    "last two swapped": lambda items: json.dumps([*items[:-2], items[-1], items[-2]]),
    "reversed": lambda items: ", ".join(reversed(items)),
    "rotated": lambda items: "\n".join(f"- {item}" for item in (*items[1:], items[0])),
    "numbered, swapped": lambda items: (
        f"1. {items[1]}\n2. {items[0]}\n3. {', '.join(items[2:])}" if len(items) == 3 else items[0]
    ),
}


def _labels() -> Iterator[Family]:
    yield from forms(LABELS, "right", _names, _LIST_FORMS, 4)
    wrapped = {f"in words, {name}": _joined(wrap) for name, wrap in WRAPPED.items() if name not in ("quotes", "code")}
    yield from forms(LABELS, "right", _names, wrapped, 2)
    turned: dict[str, Callable[[Texts], str]] = {
        "any order, reversed": lambda items: ", ".join(reversed(items)),
        "any order, rotated": lambda items: json.dumps([*items[1:], items[0]]),
        "any order, sorted": lambda items: "\n".join(f"- {item}" for item in sorted(items)),
    }
    yield from forms(LABELS_ANY_ORDER, "right", _names, turned, 4)


def _joined(wrap: Callable[[object], str]) -> Callable[[Texts], str]:
    return lambda items: wrap(", ".join(items))


def _wrong_labels() -> Iterator[Family]:
    yield from forms(LABELS, "wrong", _names, {**_WRONG_LISTS, **_WRONG_ORDER}, 4)
    yield from forms(LABELS_ANY_ORDER, "wrong", _names, {f"any order, {k}": v for k, v in _WRONG_LISTS.items()}, 2)
    unclear: dict[str, Callable[[Texts], str]] = {
        "a sentence before": lambda items: "The cities are:\n" + _bullets("-")(items),
        "a sentence of them": lambda items: f"The cities are {', '.join(items)}",
    }
    yield from forms(LABELS, "unclear", _names, unclear, 2)


_AWKWARD: Sequence[tuple[Texts, Sequence[str], Sequence[str]]] = (
    (
        ("Smith, John", "Doe, Jane"),
        ('"Smith, John", "Doe, Jane"', '["Smith, John", "Doe, Jane"]', "Smith, John; Doe, Jane"),
        ("Smith, John, Doe, Jane", '["Smith", "John", "Doe", "Jane"]', '"Doe, Jane", "Smith, John"'),
    ),
    (
        ("black and white", "red"),
        ("black and white, red", '["black and white", "red"]', "- black and white\n- red", "'black and white', 'red'"),
        ("black, white, red", "black, white and red", "red, black and white", "black and red, white"),
    ),
    (
        ("E:13.57", "F:14.02"),
        ("E:13.57, F:14.02", "[E:13.57, F:14.02]", "['E:13.57', 'F:14.02']", "- E:13.57\n- F:14.02"),
        ("F:13.57, E:14.02", "E:14.02, F:13.57", "E:13.57, G:14.02", "13.57, 14.02", "E, F", "E:13.57, F:14.03"),
    ),
    (
        ("1 star", "2 stars", "3 stars"),
        ("1 star, 2 stars, 3 stars", "- 1 star\n- 2 stars\n- 3 stars", '["1 star", "2 stars", "3 stars"]'),
        ("1 star, 2 stars", "1, 2, 3", "3 stars, 2 stars, 1 star", "1 star, 2 stars, 4 stars", "1-3 stars"),
    ),
    (
        ("O'Brien", "D'Arcy"),
        ("O'Brien, D'Arcy", '["O\'Brien", "D\'Arcy"]', "O’Brien, D’Arcy", "- O'Brien\n- D'Arcy"),
        ("OBrien, DArcy", "O'Brien", "D'Arcy, O'Brien", "O'Brian, D'Arcy"),
    ),
    (
        ("yes", "no", "maybe"),
        ("yes, no, maybe", '["yes", "no", "maybe"]', "Yes, No, Maybe", "1. yes\n2. no\n3. maybe"),
        ("yes, no", "no, yes, maybe", "yes or no, maybe", "true, false, maybe", "yes, no, maybe, maybe"),
    ),
    (
        ("U.S.", "U.K."),
        ("U.S., U.K.", '["U.S.", "U.K."]', "- U.S.\n- U.K."),
        ("U.K., U.S.", "U.S.", "U.S., U.K., E.U.", "U.S. or U.K."),
    ),
    (
        ("low", "LOW RISK"),
        ("low, LOW RISK", "Low, low risk", "['low', 'LOW RISK']"),
        ("low", "low, low", "LOW RISK, low", "low risk"),
    ),
)  # fmt: skip


def _awkward_labels() -> Iterator[Family]:
    for expected, right, wrong in _AWKWARD:
        draw: Callable[[Random], tuple[Texts, str]] = lambda _, items=expected: (items, "")  # type: ignore[misc]  # noqa: E731
        yield from forms(LABELS, "right", draw, literally(right), 1)
        yield from forms(LABELS, "wrong", draw, literally(wrong), 1)


# --- sets ------------------------------------------------------------------------------------------


def _sets() -> Iterator[Family]:
    right: dict[str, Callable[[Texts], str]] = {
        "as it is": ", ".join,
        "reversed": lambda items: ", ".join(reversed(items)),
        "sorted": lambda items: ", ".join(sorted(items)),
        "Python's set": lambda items: "{" + ", ".join(map(repr, items)) + "}",
        "JSON": lambda items: json.dumps(sorted(items)),
        "one twice": lambda items: ", ".join((*items, items[0])),
        "all twice": lambda items: ", ".join((*items, *items)),
        "one twice in another case": lambda items: ", ".join((*items, items[0].upper())),
        "bullets": lambda items: "\n".join(f"* {item}" for item in items),
        "LaTeX's braces": lambda items: rf"\{{{', '.join(items)}\}}",
        "frozenset's repr": lambda items: "frozenset({" + ", ".join(map(repr, items)) + "})",
    }
    wrong = {name: _WRONG_LISTS[name] for name in _WRONG_LISTS if not name.endswith("twice")}
    yield from forms(LABEL_SET, "right", _names, {f"set, {name}": form for name, form in right.items()}, 4)
    yield from forms(LABEL_SET, "wrong", _names, {f"of a set, {name}": form for name, form in wrong.items()}, 3)

    def numbers(rng: Random) -> tuple[tuple[int, ...], tuple[int, ...]]:
        found = tuple(rng.sample(range(10, 100), rng.randrange(3, 6)))
        return found, found

    right_ids: dict[str, Callable[[tuple[int, ...]], str]] = {
        "ids": lambda ids: ", ".join(map(str, ids)),
        "ids reversed": lambda ids: ", ".join(map(str, reversed(ids))),
        "ids without spaces": lambda ids: ",".join(map(str, ids)),
        "ids as Python's set": lambda ids: repr(set(ids)),
        "ids twice": lambda ids: str([*ids, ids[0]]),
    }
    wrong_ids: dict[str, Callable[[tuple[int, ...]], str]] = {
        "an id off by one": lambda ids: ", ".join(map(str, (max(ids) + 1, *(i for i in ids if i != max(ids))))),
        "an id missing": lambda ids: ", ".join(map(str, ids[1:])),
        "an id more": lambda ids: ", ".join(map(str, (*ids, 777))),
        "an id negative": lambda ids: ", ".join(map(str, (-ids[0], *ids[1:]))),
        "ids joined": lambda ids: "".join(map(str, ids)),
        "a range of ids": lambda ids: f"{min(ids)}-{max(ids)}",
        "ids with a hedge": lambda ids: ", ".join(map(str, ids[:-1])) + f", maybe {ids[-1]}",
    }
    yield from forms(INTEGER_SET, "right", numbers, right_ids, 3)
    yield from forms(INTEGER_SET, "wrong", numbers, wrong_ids, 4)


# --- lists of numbers ------------------------------------------------------------------------------

Ints: TypeAlias = tuple[int, ...]


def _integers() -> Iterator[Family]:
    def draw(rng: Random) -> tuple[Ints, Ints]:
        found = tuple(rng.sample(range(1_000, 90_000), rng.randrange(3, 6)))
        return found, found

    right: dict[str, Callable[[Ints], str]] = {
        "integers": lambda ns: ", ".join(map(str, ns)),
        "integers, JSON": json.dumps,
        "integers, commas inside": lambda ns: ", ".join(f"{n:,}" for n in ns),
        "integers, commas inside, semicolons": lambda ns: "; ".join(f"{n:,}" for n in ns),
        "integers, commas inside, lines": lambda ns: "\n".join(f"{n:,}" for n in ns),
        "integers, commas inside, bullets": lambda ns: "\n".join(f"- {n:,}" for n in ns),
        "integers, numbered lines": lambda ns: "\n".join(f"{k}. {n:,}" for k, n in enumerate(ns, 1)),
        "integers, and": lambda ns: f"{', '.join(map(str, ns[:-1]))} and {ns[-1]}",
        "integers, commas inside, and": lambda ns: f"{', '.join(f'{n:,}' for n in ns[:-1])}, and {ns[-1]:,}",
        "integers, numpy's print": lambda ns: f"[{' '.join(map(str, ns))}]",
        "integers, numpy's items": lambda ns: f"[{', '.join(f'np.int64({n})' for n in ns)}]",
        "integers, zero decimals": lambda ns: str([float(n) for n in ns]),
        "integers, box": lambda ns: rf"\boxed{{{', '.join(map(str, ns))}}}",
        "integers, quoted": lambda ns: json.dumps([str(n) for n in ns]),
        "integers, no spaces": lambda ns: ",".join(map(str, ns)),
        "integers, quoted with commas": lambda ns: json.dumps([f"{n:,}" for n in ns]),
    }
    wrong: dict[str, Callable[[Ints], str]] = {
        "integers, one off by one": lambda ns: ", ".join(map(str, (ns[0] + 1, *ns[1:]))),
        "integers, last off by one": lambda ns: json.dumps([*ns[:-1], ns[-1] - 1]),
        "integers, one negative": lambda ns: ", ".join(map(str, (-ns[0], *ns[1:]))),
        "integers, swapped": lambda ns: ", ".join(map(str, (ns[1], ns[0], *ns[2:]))),
        "integers, reversed": lambda ns: ", ".join(map(str, reversed(ns))),
        "integers, missing": lambda ns: ", ".join(map(str, ns[:-1])),
        "integers, more": lambda ns: ", ".join(map(str, (*ns, 7))),
        "integers, twice": lambda ns: ", ".join(map(str, (*ns, ns[-1]))),
        "integers, hedged": lambda ns: ", ".join(map(str, (*ns[:-1], f"about {ns[-1]}"))),
        "integers, joined": lambda ns: "".join(map(str, ns)),
        "integers, sum": lambda ns: str(sum(ns)),
        "integers, in thousands": lambda ns: ", ".join(f"{n / 1000}" for n in ns),
        "integers, one in words": lambda ns: ", ".join((*map(str, ns[:-1]), "twelve")),
        "integers, percent": lambda ns: ", ".join(f"{n}%" for n in ns),
    }  # fmt: skip
    yield from forms(INTEGERS, "right", draw, right, 4)
    yield from forms(INTEGERS, "wrong", draw, wrong, 5)
    yield from forms(INTEGERS, "unclear", lambda _: ((1234,), ()), templates("1,234", "[1,234, 5]"), 1)


def _numbers() -> Iterator[Family]:
    def draw(rng: Random) -> tuple[tuple[float, ...], tuple[float, ...]]:
        found = tuple((rng.randrange(200, 99_000) * 10 + rng.randrange(2, 9)) / 100 for _ in range(rng.randrange(3, 6)))
        return found, found

    right: dict[str, Callable[[tuple[float, ...]], str]] = {
        "numbers": lambda xs: ", ".join(f"{x:.2f}" for x in xs),
        "numbers, JSON": json.dumps,
        "numbers, commas inside": lambda xs: ", ".join(f"{x + 0:,.2f}" for x in xs),
        "numbers, unrounded": lambda xs: json.dumps([x + 0.0011 for x in xs]),
        "numbers, bullets": lambda xs: "\n".join(f"• {x:.2f}" for x in xs),
        "numbers, numpy": lambda xs: f"[{', '.join(f'np.float64({x})' for x in xs)}]",
        "numbers, numpy's print": lambda xs: f"[{'  '.join(f'{x:.3f}' for x in xs)}]",
    }
    wrong: dict[str, Callable[[tuple[float, ...]], str]] = {
        "numbers, last digit": lambda xs: ", ".join(f"{x:.2f}" for x in (xs[0] + 0.01, *xs[1:])),
        "numbers, rounded": lambda xs: ", ".join(f"{x:.1f}" for x in xs),
        "numbers, sign": lambda xs: ", ".join(f"{x:.2f}" for x in (*xs[:-1], -xs[-1])),
        "numbers, swapped": lambda xs: ", ".join(f"{x:.2f}" for x in (xs[1], xs[0] + 0.1, *xs[2:])),
        "numbers, missing": lambda xs: ", ".join(f"{x:.2f}" for x in xs[:-1]),
        "numbers, mean": lambda xs: f"{sum(xs) / len(xs):.2f}",
        "numbers, decimal commas": lambda xs: ", ".join(f"{x:.2f}".replace(".", ",") for x in xs),
        "numbers, percent of them": lambda xs: ", ".join(f"{x / 100:.4f}" for x in xs),
    }
    yield from forms(NUMBERS, "right", draw, right, 4)
    yield from forms(NUMBERS, "wrong", draw, wrong, 5)
    days = ("2021-03-24", "2021-04-05")
    right_days = (
        "2021-03-24, 2021-04-05", '["2021-03-24", "2021-04-05"]', "March 24, 2021, April 5, 2021",
        "- 24 March 2021\n- 5 April 2021", "24 March 2021 and 5 April 2021", "2021-03-24 and 2021-04-05",
    )  # fmt: skip
    wrong_days = (
        "2021-04-05, 2021-03-24", "2021-03-24", "2021-03-24, 2021-04-06", "2021-03-24 to 2021-04-05",
        "2021-03-24, 2021-05-04", "2021-03-24, 2021-04-05, 2021-04-06", "2021-03-24 or 2021-04-05",
    )  # fmt: skip
    yield from forms(DATES, "right", lambda _: (days, ""), literally(right_days), 1)
    yield from forms(DATES, "wrong", lambda _: (days, ""), literally(wrong_days), 1)


# --- mappings --------------------------------------------------------------------------------------


def _counts(rng: Random) -> tuple[Pairs, Pairs]:
    names = rng.sample(NAMES, rng.randrange(3, 5))
    found = tuple(zip(names, rng.sample(range(1_100, 99_000), len(names)), strict=True))
    return found, found


_MAPPING_FORMS: Mapping[str, Callable[[Pairs], str]] = {
    "JSON": lambda pairs: json.dumps(dict(pairs)),
    "JSON, reversed": lambda pairs: json.dumps(dict(reversed(pairs))),
    "indented JSON": lambda pairs: json.dumps(dict(pairs), indent=2, ensure_ascii=False),
    "fence of JSON": lambda pairs: f"```json\n{json.dumps(dict(pairs))}\n```",
    "Python": lambda pairs: repr(dict(pairs)),
    "Python, numpy": lambda pairs: "{" + ", ".join(f"{k!r}: np.int64({v})" for k, v in pairs) + "}",
    "lines": lambda pairs: "\n".join(f"{k}: {v}" for k, v in pairs),
    "lines, commas inside": lambda pairs: "\n".join(f"{k}: {v:,}" for k, v in pairs),
    "bullets": lambda pairs: "\n".join(f"- {k}: {v}" for k, v in pairs),
    "bold bullets": lambda pairs: "\n".join(f"- **{k}**: {v:,}" for k, v in pairs),
    "bold with the colon": lambda pairs: "\n".join(f"- **{k}:** {v}" for k, v in pairs),
    "numbers": lambda pairs: "\n".join(f"{n}. {k}: {v}" for n, (k, v) in enumerate(pairs, 1)),
    "commas": lambda pairs: ", ".join(f"{k}: {v}" for k, v in pairs),
    "commas, commas inside": lambda pairs: ", ".join(f"{k}: {v:,}" for k, v in pairs),
    "semicolons": lambda pairs: "; ".join(f"{k}: {v}" for k, v in pairs),
    "equals": lambda pairs: ", ".join(f"{k}={v}" for k, v in pairs),
    "spaced equals": lambda pairs: "\n".join(f"{k} = {v}" for k, v in pairs),
    "arrows": lambda pairs: "\n".join(f"{k} → {v}" for k, v in pairs),
    "plain arrows": lambda pairs: ", ".join(f"{k} -> {v}" for k, v in pairs),
    "table": lambda pairs: "| name | count |\n|---|---|\n" + "\n".join(f"| {k} | {v} |" for k, v in pairs),
    "list of pairs": json.dumps,
    "Python's pairs": lambda pairs: repr(list(pairs)),
    "values as texts": lambda pairs: json.dumps({k: str(v) for k, v in pairs}),
    "values as floats": lambda pairs: json.dumps({k: float(v) for k, v in pairs}),
    "label": lambda pairs: f"Answer: {json.dumps(dict(pairs))}",
    "label on a line": lambda pairs: "Answer:\n" + "\n".join(f"{k}: {v}" for k, v in pairs),
    "upper case": lambda pairs: json.dumps({k.upper(): v for k, v in pairs}, ensure_ascii=False),
    "tags": lambda pairs: f"<answer>{json.dumps(dict(pairs))}</answer>",
    "and": lambda pairs: ", ".join(f"{k}: {v}" for k, v in pairs[:-1]) + f" and {pairs[-1][0]}: {pairs[-1][1]}",
    "quoted keys": lambda pairs: ", ".join(f'"{k}": {v}' for k, v in pairs),
    "braces without quotes": lambda pairs: "{" + ", ".join(f"{k}: {v}" for k, v in pairs) + "}",
}


def _swapped(pairs: Pairs) -> Pairs:
    """The first two keys with each other's value."""
    (one, first), (other, second), *rest = pairs
    return ((one, second), (other, first), *rest)


_WRONG_MAPPINGS: Mapping[str, Callable[[Pairs], str]] = {
    "values swapped": lambda pairs: json.dumps(dict(_swapped(pairs))),
    "values swapped on lines": lambda pairs: "\n".join(f"{k}: {v}" for k, v in _swapped(pairs)),
    "values swapped, commas": lambda pairs: ", ".join(f"{k}: {v:,}" for k, v in _swapped(pairs)),
    "off by one": lambda pairs: json.dumps({**dict(pairs), pairs[0][0]: pairs[0][1] + 1}),
    "off by one, lines": lambda pairs: "\n".join(f"{k}: {v - (k == pairs[-1][0]):,}" for k, v in pairs),
    "sign": lambda pairs: json.dumps({**dict(pairs), pairs[0][0]: -pairs[0][1]}),
    "all signs": lambda pairs: ", ".join(f"{k}: -{v}" for k, v in pairs),
    "one missing": lambda pairs: json.dumps(dict(pairs[1:])),
    "one more": lambda pairs: json.dumps({**dict(pairs), "Turin": 5}),
    "total more": lambda pairs: "\n".join([*(f"{k}: {v}" for k, v in pairs), f"Total: {sum(v for _, v in pairs)}"]),
    "a key replaced": lambda pairs: json.dumps({"Turin": pairs[0][1], **dict(pairs[1:])}),
    "a key misspelled": lambda pairs: json.dumps({pairs[0][0] + "s": pairs[0][1], **dict(pairs[1:])}),
    "keys only": lambda pairs: ", ".join(k for k, _ in pairs),
    "values only": lambda pairs: ", ".join(str(v) for _, v in pairs),
    "a key twice": lambda pairs: ", ".join(f"{k}: {v}" for k, v in (*pairs, (pairs[0][0], pairs[0][1] + 1))),
    "a key twice in JSON": lambda pairs: f'{{"{pairs[0][0]}": {pairs[0][1] + 1}, {json.dumps(dict(pairs))[1:]}',
    "turned around": lambda pairs: json.dumps({str(v): k for k, v in pairs}),
    "in thousands": lambda pairs: json.dumps({k: v / 1000 for k, v in pairs}),
    "hedged": lambda pairs: "\n".join(f"{k}: about {v}" for k, v in pairs),
    "one hedged": lambda pairs: "\n".join(f"{k}: {v}{'?' if k == pairs[0][0] else ''}" for k, v in pairs),
    "one null": lambda pairs: json.dumps({**dict(pairs), pairs[0][0]: None}),
    "percent": lambda pairs: "\n".join(f"{k}: {v}%" for k, v in pairs),
    "nested": lambda pairs: json.dumps({"counts": dict(pairs)}),
    "an empty mapping": lambda _: "{}",
    "nothing": lambda _: "",
    "a number": lambda _: "42",
    "two objects": lambda pairs: f"{json.dumps(dict(pairs))} {json.dumps({pairs[0][0]: 1})}",
    "two boxes": lambda pairs: rf"\boxed{{{json.dumps(dict(pairs))}}} \boxed{{{json.dumps({pairs[0][0]: 1})}}}",
    "a value in words": lambda pairs: json.dumps({**dict(pairs), pairs[0][0]: "many"}),
    "broken JSON": lambda pairs: json.dumps(dict(pairs[:-1]))[:-1] + f', "{pairs[-1][0]}": ',
}


def _mappings() -> Iterator[Family]:
    yield from forms(COUNTS, "right", _counts, _MAPPING_FORMS, 4)


def _wrong_mappings() -> Iterator[Family]:
    yield from forms(COUNTS, "wrong", _counts, _WRONG_MAPPINGS, 4)


def _other_mappings() -> Iterator[Family]:
    def means(rng: Random) -> tuple[tuple[tuple[str, float], ...], tuple[tuple[str, float], ...]]:
        names = rng.sample(NAMES, 3)
        found = tuple((name, (rng.randrange(20, 9_900) * 10 + rng.randrange(2, 9)) / 100) for name in names)
        return found, found

    right: dict[str, Callable[[tuple[tuple[str, float], ...]], str]] = {
        "means": lambda pairs: json.dumps(dict(pairs)),
        "means, unrounded": lambda pairs: json.dumps({k: v + 0.0012 for k, v in pairs}),
        "means, lines": lambda pairs: "\n".join(f"{k}: {v:.2f}" for k, v in pairs),
        "means, commas": lambda pairs: ", ".join(f"{k}: {v:.2f}" for k, v in pairs),
    }
    wrong: dict[str, Callable[[tuple[tuple[str, float], ...]], str]] = {
        "means, last digit": lambda pairs: json.dumps({**dict(pairs), pairs[0][0]: round(pairs[0][1] + 0.01, 2)}),
        "means, rounded": lambda pairs: json.dumps({k: round(v, 1) for k, v in pairs}),
        "means, percent": lambda pairs: "\n".join(f"{k}: {v}%" for k, v in pairs),
        "means, sign": lambda pairs: "\n".join(f"{k}: -{v}" for k, v in pairs),
    }
    yield from forms(MEANS, "right", means, right, 5)
    yield from forms(MEANS, "wrong", means, wrong, 6)
    years = ((2019, 120), (2020, 95), (2021, 143))
    right_years = (
        '{"2019": 120, "2020": 95, "2021": 143}', "{2019: 120, 2020: 95, 2021: 143}", "2019: 120, 2020: 95, 2021: 143",
        "2021: 143\n2020: 95\n2019: 120", "- 2019: 120\n- 2020: 95\n- 2021: 143",
    )  # fmt: skip
    wrong_years = (
        "2019: 95, 2020: 120, 2021: 143", "2018: 120, 2019: 95, 2020: 143", "120, 95, 143", "2019: 120, 2020: 95",
        "2019: 120, 2020: 95, 2021: 144", "120: 2019, 95: 2020, 143: 2021", "2019-2021: 358",
    )  # fmt: skip
    yield from forms(YEARS, "right", lambda _: (years, ""), literally(right_years), 1)
    yield from forms(YEARS, "wrong", lambda _: (years, ""), literally(wrong_years), 1)
    shares = (("paid", 62.5), ("open", 30.1), ("lost", 7.4))
    right_shares = (
        "paid: 62.5%, open: 30.1%, lost: 7.4%", '{"paid": 62.5, "open": 30.1, "lost": 7.4}',
        '{"lost": "7.4%", "open": "30.1%", "paid": "62.5%"}', "- paid: 62.5 %\n- open: 30.1 %\n- lost: 7.4 %",
    )  # fmt: skip
    wrong_shares = (
        "paid: 0.625, open: 0.301, lost: 0.074", "paid: 62.5%, open: 7.4%, lost: 30.1%", "paid: 62.5%, open: 30.1%",
        "paid: 62.6%, open: 30.1%, lost: 7.4%", "paid: 63%, open: 30%, lost: 7%",
    )  # fmt: skip
    yield from forms(SHARES, "right", lambda _: (shares, ""), literally(right_shares), 1)
    yield from forms(SHARES, "wrong", lambda _: (shares, ""), literally(wrong_shares), 1)
