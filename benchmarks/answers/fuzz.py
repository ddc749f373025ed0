"""Hostile texts against every contract: nothing may raise, and time grows with length. `make fuzz-answers`.

`python -m benchmarks.answers.fuzz [--texts N] [--seed N]`. Prints what raised, with its text; exit code 1 then.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import NamedTuple

from benchmarks.answers.generate import kept
from cellwright.answers import NotParsed, compare, dabench, dabstep, parse
from cellwright.core.types import AnswerKind, Contract

_SCALARS: tuple[AnswerKind, ...] = ("integer", "number", "percent", "money", "text", "category", "boolean", "date")
_LOCALES = ("en", "en-GB", "en-US", "de", "fr", "nonsense", "")
_PIECES = (
    "1", "12", "1,234", "1.234,5", "0.5", "-", "−", "–", "+", "%", "$", "€", "e9", "e999999999", "×", "10³", "½", "٣",
    "[", "]", "{", "}", "(", ")", ":", ";", ",", ".", "\n", "\t", "|", "---", "- ", "• ", "1. ", '"', "'", "**", "_",
    "`", "```", "\\boxed{", "\\frac{1}{2}", "\\text{", "<answer>", "</answer>", "yes", "no", "true", "or", "not",
    "about", "~", "and", "is", "The answer is ", "Answer: ", "N/A", "Not Applicable", "nan", "inf", "red", "March ",
    "24", "2020", "2020-03-24", "03/04/2020", "Tuesday ", "10:30", "pm", "Z", "million", "k", "USD", "years", "->",
    "→", "=", "np.float64(", "Timestamp('", "array(", "\u200b", "\u202f", "\u0301", "\ud800", "\x00", "\ufeff", "𝟜",
    "Ⅻ", "⅐", "ﬁ", "İ", "ß", "0x", "\\", "/", "?", "!", "#", "&", "@a[", "lambda", "__import__", "\u2028", "\r",
    "\u0130", "{0}", "%s", "5" * 400,
)  # fmt: skip


class Failure(NamedTuple):
    """A text that made the grader raise, and what."""

    text: str
    contract: Contract
    error: str


def texts(count: int, seed: int) -> Iterator[str]:
    """Texts of three kinds: pieces of answers put together, answers of the set with damage, and any characters."""
    rng = Random(seed)
    answers = [pair.given for pair in kept()]
    for number in range(count):
        if number % 3 == 0:
            yield rng.choice(("", " ")).join(rng.choice(_PIECES) for _ in range(rng.randrange(1, 12)))
        elif number % 3 == 1:
            yield _damaged(rng.choice(answers), rng)
        else:
            top = rng.choice((0x7F, 0x2FF, 0xFFFF, 0x10FFFF))
            yield "".join(chr(rng.randrange(top + 1)) for _ in range(rng.randrange(24)))


def _damaged(text: str, rng: Random) -> str:
    """The text with up to three of its parts cut, doubled, turned or replaced."""
    for _ in range(rng.randrange(1, 4)):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.randrange(4))
        part = text[start:end]
        part = rng.choice(("", part * 2, part[::-1], rng.choice(_PIECES), part + rng.choice(_PIECES)))
        text = text[:start] + part + text[end:]
    return text


def contracts(rng: Random) -> Contract:
    """A contract with every field drawn."""
    kind: AnswerKind = rng.choice((*_SCALARS, "list", "set", "mapping", "not-applicable"))
    return Contract(
        kind,
        unit=rng.choice((None, None, "years", "fraction", "USD", "%", "second", "(")),
        decimals=rng.choice((None, -3, 0, 2, 15, 300)),
        item=rng.choice(_SCALARS),
        key=rng.choice(("integer", "text", "date", "category")),
        ordered=rng.random() < 0.5,
        case_sensitive=rng.random() < 0.5,
        alternatives=rng.choice(((), ("5", "a, b"))),
        choices=rng.choice(((), ("red", "dark red", "R."))),
        locale=rng.choice(_LOCALES),
        in_sentence=rng.random() < 0.3,
    )


def failures(count: int, seed: int) -> Iterator[Failure]:
    """What raises, or is not the answer that it was read as, among so many texts."""
    rng = Random(f"contracts {seed}")
    for text in texts(count, seed):
        contract = contracts(rng)
        try:
            found = parse(text, contract)
            if not isinstance(found, NotParsed) and compare(found, text, contract).verdict == "wrong":
                yield Failure(text, contract, "it is wrong against itself")
            compare(rng.choice((5, 2.5, "red", True, None, (1, 2), (("a", 1),))), text, contract)
            dabench.grade({"a": "2.50"}, f"@a[{text}]")
            dabstep.official(text, "2.50")
        except Exception as error:  # noqa: BLE001 - whatever is raised is what this looks for
            yield Failure(text, contract, f"{type(error).__name__}: {error}")


# --- answers of a megabyte -------------------------------------------------------------------------

_SIZES = (2_000, 20_000, 100_000, 1_000_000)
"""Lengths around the limits of what is read at all, where a reader that is not linear shows."""
LONG: Mapping[str, Callable[[int], str]] = {
    "digits": lambda size: "9" * size,
    "a text": lambda size: "lorem ipsum " * (size // 12),
    "an accented text": lambda size: "ñandú é " * (size // 10),
    "spaces": lambda size: " " * size,
    "no-break spaces": lambda size: "\u00a0" * (size // 2),
    "commas": lambda size: "," * size,
    "opening brackets": lambda size: "[" * size,
    "opening braces": lambda size: "{" * size,
    "opening quotes": lambda size: '"' * size,
    "boxes": lambda size: "\\boxed{" * (size // 7),
    "empty boxes": lambda size: "\\boxed{}" * (size // 8),
    "answers in tags": lambda size: "<answer>5</answer>" * (size // 18),
    "open tags": lambda size: "<answer>" * (size // 8),
    "stars": lambda size: "*" * size,
    "fences": lambda size: "```" * (size // 3),
    "dollars": lambda size: "$" * size,
    "backslashes": lambda size: "\\" * size,
    "bullets": lambda size: "- a\n" * (size // 4),
    "numbered lines": lambda size: "".join(f"{n}. a\n" for n in range(1, size // 9)),
    "numbered in one line": lambda size: "".join(f"{n}. a " for n in range(1, size // 9)),
    "comma text": lambda size: "ab, " * (size // 4),
    "JSON numbers": lambda size: json.dumps(list(range(size // 8))),
    "JSON texts": lambda size: json.dumps(["ab"] * (size // 6)),
    "a JSON object": lambda size: json.dumps({f"key {n}": n for n in range(size // 19)}),
    "a Python dictionary": lambda size: repr({f"key {n}": n for n in range(size // 19)}),
    "lines of pairs": lambda size: "".join(f"key {n}: {n}\n" for n in range(size // 17)),
    "pairs in one line": lambda size: ", ".join(f"key {n}: {n}" for n in range(size // 18)),
    "a table": lambda size: "| a | 1 |\n" * (size // 10),
    "dates": lambda size: "2020-03-24, " * (size // 12),
    "dates in words": lambda size: "March 24, 2020, " * (size // 16),
    "numbers and words": lambda size: "5 or " * (size // 5),
    "yes and no": lambda size: "yes no " * (size // 7),
    "thousands": lambda size: "1" + ",234" * (size // 4),
    "fractions": lambda size: "1/" * (size // 2),
    "LaTeX fractions": lambda size: "\\frac{1}{2}" * (size // 11),
    "minus signs": lambda size: "−" * (size // 3),
    "combining accents": lambda size: "a" + "\u0301" * (size // 2),
    "ligatures": lambda size: "ﷺ" * (size // 3),
    "colons": lambda size: "a:" * (size // 2),
    "arrows": lambda size: "a->" * (size // 3),
    "equals": lambda size: "a = 1 = " * (size // 8),
    "labels": lambda size: "Answer: " * (size // 8),
    "ands": lambda size: "a and " * (size // 6),
    "parentheses": lambda size: "5 (" * (size // 3),
    "calls": lambda size: "np.float64(" * (size // 11),
    "semicolons": lambda size: "1; " * (size // 3),
    "letters and quotes": lambda size: "a'b" * (size // 3),
    "words with spaces between": lambda size: "a" + " " * size + "b",
    "spaced numbers": lambda size: "1 " * (size // 2),
    "the same line": lambda size: "5\n" * (size // 2),
    "thoughts": lambda size: "<think>" * (size // 7),
    "columns": lambda size: "a    1\n" * (size // 7),
    "JSON amounts": lambda size: json.dumps(["$1,234.50"] * min(1_000, size // 13)),
    "zero width": lambda size: "5" + "\u200b" * (size // 3),
}


class Timing(NamedTuple):
    """The time that one long answer took under one contract."""

    seconds: float
    shape: str
    contract: Contract


def long_contracts() -> Iterator[Contract]:
    """A contract of each kind, with and without what costs more."""
    for kind in _SCALARS:
        yield Contract(kind, decimals=2 if kind in ("number", "percent", "money") else None)
        yield Contract(kind, unit="USD" if kind == "money" else None, choices=("red", "blue"), in_sentence=True)
    for item in _SCALARS:
        yield Contract("list", item=item, in_sentence=True)
        yield Contract("set", item=item, locale="de")
        yield Contract("mapping", key="text", item=item)
    yield Contract("not-applicable")


def timings(size: int) -> Iterator[Timing]:
    """Processor time of every shape of a long answer under every contract; the better of two, as caches are shared."""
    for shape, make in LONG.items():
        text = make(size)
        for contract in long_contracts():
            expected: object = (
                (5,) if contract.kind in ("list", "set") else (("a", 5),) if contract.kind == "mapping" else 5
            )
            seconds = []
            for _ in range(2):
                started = time.process_time()
                compare(expected, text, contract)
                seconds.append(time.process_time() - started)
                if seconds[0] < 0.02:
                    break
            yield Timing(min(seconds), shape, contract)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--texts", type=int, default=1_000_000, help="how many texts (1,000,000)")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    started = time.perf_counter()
    count = 0
    for failure in failures(given.texts, given.seed):
        count += 1
        sys.stdout.write(f"{failure.error}: {failure.text!r} under {failure.contract}\n")
    seconds = time.perf_counter() - started
    sys.stdout.write(f"{given.texts:,} texts, {count} failures, {seconds / max(1, given.texts) * 1e6:.0f} µs each\n")
    for size in _SIZES:
        slowest = sorted(timings(size), key=lambda one: one.seconds, reverse=True)
        over = sum(one.seconds > 0.05 for one in slowest)
        sys.stdout.write(f"{len(slowest):,} answers of {size:,} characters, {over} slower than 50 ms; the slowest:\n")
        for one in slowest[:3]:
            sys.stdout.write(f"  {one.seconds * 1e3:.0f} ms: {one.shape} for {one.contract}\n")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
