"""Families of single numbers: whole ones, decimals, percentages, money."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import NamedTuple

from benchmarks.answers.pairs import Family, constant, forms, templates
from benchmarks.answers.wording import BOXES, HEDGED, NOTHING, SEVERAL, WRAPPED
from cellwright.core.types import Contract

INTEGER = Contract("integer")
YEARS = Contract("integer", unit="years")
NUMBER = Contract("number", decimals=2)
WHOLE = Contract("number", decimals=0)
THOUSANDS = Contract("number", decimals=-3)
EXACT = Contract("number")
KILOMETRES = Contract("number", unit="km", decimals=2)
GERMAN = Contract("number", decimals=2, locale="de")
PERCENT = Contract("percent", decimals=2)
FRACTION = Contract("percent", unit="fraction", decimals=4)
MONEY = Contract("money", decimals=2)
DOLLARS = Contract("money", unit="USD", decimals=2)
EUROS = Contract("money", unit="EUR", decimals=2)

MINUS_SIGNS = "-−–—‐‑‒－﹣"


class Cents(NamedTuple):
    """A number of two decimals, neither of them zero."""

    whole: int
    cents: int

    @property
    def value(self) -> float:
        """The number."""
        return round(self.whole + self.cents / 100, 2)

    def moved(self, hundredths: int) -> str:
        """The number, so many hundredths higher."""
        return f"{(self.whole * 100 + self.cents + hundredths) / 100:.2f}"


def families() -> Iterator[Family]:
    """All families of single numbers."""
    yield from _integers()
    yield from _wrong_integers()
    yield from _numbers()
    yield from _wrong_numbers()
    yield from _other_roundings()
    yield from _with_units()
    yield from _locales()
    yield from _percentages()
    yield from _fractions()
    yield from _money()
    yield from _wrong_money()
    yield from _hedged_and_several()


# --- draws -----------------------------------------------------------------------------------------


def small(rng: Random) -> int:
    """From two to a thousand."""
    return rng.randrange(2, 1_000)


def varied(rng: Random) -> int:
    """Of one to eight digits, above one."""
    digits = rng.randrange(8)
    return rng.randrange(max(2, 10**digits), 10 ** (digits + 1))


def big(rng: Random) -> int:
    """Of four to nine digits."""
    digits = rng.randrange(3, 9)
    return rng.randrange(10**digits, 10 ** (digits + 1))


def _whole(draw: Callable[[Random], int], factor: int = 1) -> Callable[[Random], tuple[object, int]]:
    """A whole number as the parts, so many times it as the answer."""

    def drawn(rng: Random) -> tuple[object, int]:
        number = draw(rng)
        return number * factor, number

    return drawn


def _cents(draw: Callable[[Random], int] = small, sign: int = 1) -> Callable[[Random], tuple[float, Cents]]:
    def drawn(rng: Random) -> tuple[float, Cents]:
        parts = Cents(draw(rng), rng.randrange(1, 10) * 10 + rng.randrange(2, 9))
        return sign * parts.value, parts

    return drawn


def _half(rng: Random) -> tuple[float, Cents]:
    """A number that lies between two roundings, and the lower one."""
    _, parts = _cents()(rng)
    return (parts.whole * 1000 + parts.cents * 10 + 5) / 1000, parts


def _hundredths(rng: Random) -> int:
    """Of a percentage between two and 98 that has two decimals, the last one between 2 and 8."""
    return rng.randrange(20, 980) * 10 + rng.randrange(2, 9)


def grouped(number: int, sign: str) -> str:
    """Digits in groups of three."""
    return f"{number:,}".replace(",", sign)


def in_script(text: str, zero: str) -> str:
    """ASCII digits as those of another script."""
    return "".join(chr(ord(zero) + int(sign)) if sign.isdigit() else sign for sign in text)


def swapped(digits: str) -> str:
    """Two neighbours swapped that differ, the first digit never."""
    places = [at for at in range(1, len(digits) - 1) if digits[at] != digits[at + 1]]
    if not places:
        return digits + "7"
    at = places[len(places) // 2]
    return digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]


# --- whole numbers ---------------------------------------------------------------------------------

_INTEGER_FORMS: Mapping[str, Callable[[int], str]] = {
    "commas": lambda n: f"{n:,}",
    "thin spaces": lambda n: grouped(n, "\u2009"),
    "narrow no-break spaces": lambda n: grouped(n, "\u202f"),
    "no-break spaces": lambda n: grouped(n, "\u00a0"),
    "spaces": lambda n: grouped(n, " "),
    "apostrophes": lambda n: grouped(n, "'"),
    "typographic apostrophes": lambda n: grouped(n, "’"),
    "underscores": lambda n: f"{n:_}",
    "plus": lambda n: f"+{n}",
    "a zero decimal": lambda n: f"{n}.0",
    "two zero decimals": lambda n: f"{n:,}.00",
    "full width": lambda n: in_script(str(n), "０"),
    "Arabic-Indic digits": lambda n: in_script(str(n), "٠"),
    "Devanagari digits": lambda n: in_script(str(n), "०"),
    "a full stop": lambda n: f"{n}.",
    "LaTeX commas": lambda n: grouped(n, "{,}"),
    "LaTeX thin spaces": lambda n: grouped(n, "\\,"),
    "dollars of LaTeX": lambda n: f"${n}$",
    "numpy's repr": lambda n: f"np.int64({n})",
    "text in LaTeX": lambda n: rf"\text{{{n}}}",
    "label in capitals": lambda n: f"ANSWER: {n}",
    "label with a box": lambda n: rf"**Answer:** $\boxed{{{n:,}}}$",
    "bold box": lambda n: rf"**\boxed{{{n}}}**",
    "said twice": lambda n: f"{n} ({n:,})",
    "steps, then a box": lambda n: f"Filter the rows, then count them.\n\nThere are 3 steps.\n\n\\boxed{{{n}}}",
    "the same box twice": lambda n: rf"So it is \boxed{{{n}}}. The answer: \boxed{{{n}}}",
    "scientific": lambda n: f"{n:.12e}",
    "JSON": lambda n: f'{{"answer": {n}}}',
}
_ROUND_FORMS: Mapping[str, Callable[[int], str]] = {
    "e": lambda n: f"{n}e3",
    "E and a plus": lambda n: f"{n}E+3",
    "raised power": lambda n: f"{n} × 10³",
    "caret": lambda n: f"{n} x 10^3",
    "stars": lambda n: f"{n}*10**3",
    "LaTeX power": lambda n: rf"${n} \times 10^{{3}}$",
    "thousand": lambda n: f"{n} thousand",
}
_WRONG_INTEGERS: Mapping[str, Callable[[int], str]] = {
    **{f"sign U+{ord(sign):04X}": lambda n, s=sign: f"{s}{n}" for sign in MINUS_SIGNS},  # type: ignore[misc]
    "sign in words": lambda n: f"minus {n}",
    "off by one": lambda n: f"{n + 1}",
    "off by one below": lambda n: f"{n - 1}",
    "off by one, commas": lambda n: f"{n + 1:,}",
    "off by one in a box": lambda n: rf"\boxed{{{n - 1}}}",
    "off by one under a label": lambda n: f"Answer: {n + 1}",
    "ten times": lambda n: f"{n}0",
    "digit dropped": lambda n: str(n)[:-1] or "0",
    "digit repeated": lambda n: f"{n}{n % 10}",
    "a half more": lambda n: f"{n}.5",
    "a little more": lambda n: f"{n}.01",
    "a little less": lambda n: f"{n - 1}.9999",
    "percent": lambda n: f"{n}%",
    "dollars": lambda n: f"${n}",
    "euros": lambda n: f"{n} €",
    "kilograms": lambda n: f"{n} kg",
    "a letter before": lambda n: f"A{n}",
    "a letter and a colon before": lambda n: f"E:{n}",
    "a letter behind": lambda n: f"{n}x",
    "hexadecimal": hex,
    "hexadecimal mark": lambda n: f"0x{n}",
    "a sum": lambda n: f"{n} + 3",
    "a product": lambda n: f"{n} * 2",
    "a difference": lambda n: f"{n} - 1",
    "a raised power": lambda n: f"{n}²",
    "a power": lambda n: f"{n}^2",
    "a power in LaTeX": lambda n: f"${n}^{{2}}$",
    "a power in Python": lambda n: f"{n}**2",
    "a root": lambda n: f"√{n}",
    "millions for ones": lambda n: f"{n} million",
    "thousands for ones": lambda n: f"{n}k",
    "part of a total": lambda n: f"{n} of {n + 40}",
    "out of": lambda n: f"{n} out of {n + 7}",
    "an equation": lambda n: f"{n} + 1 = {n + 1}",
    "a vulgar half": lambda n: f"{n}½",
    "a time": lambda n: f"{n % 24}:{n % 60:02}",
    "an address": lambda n: f"{n % 256}.{n % 256}.0.1",
    "a row": lambda n: f"{n}\t{n + 1}",
    "another box": lambda n: rf"{n}, so \boxed{{{n + 1}}}",
    "another in tags": lambda n: f"{n} <answer>{n + 1}</answer>",
    "another in bold": lambda n: f"{n} **{n + 1}**",
    "another as JSON": lambda n: f'{{"answer": {n + 1}, "check": {n}}}',
    "double minus": lambda n: f"--{n}",
    "plus and minus": lambda n: f"+-{n}",
    "ambiguous sign": lambda n: f"±{n}",
    "quotient": lambda n: f"{n}/2",
    "Roman": lambda n: f"{n} (XII)",
}
_UNCLEAR_INTEGERS = templates(
    "{}th", "{} customers", "{} rows", "There are {} customers in the table.", "n = {}", "#{}", "No. {}", "{}!"
)


def _integers() -> Iterator[Family]:
    yield from forms(INTEGER, "right", _whole(varied), {**WRAPPED, **BOXES}, 3)
    yield from forms(INTEGER, "right", _whole(big), _INTEGER_FORMS, 5)
    yield from forms(INTEGER, "right", _whole(small, 1000), _ROUND_FORMS, 3)
    yield from forms(INTEGER, "right", _whole(small, 1_000_000), templates("{} million", "{} millions", "{}M"), 3)
    signed = templates(*(f"{sign}{{}}" for sign in MINUS_SIGNS), "- {}", "minus {}", "Answer: −{}", r"\boxed{{-{}}}")
    yield from forms(INTEGER, "right", _whole(varied, -1), signed, 3)
    zeros = templates("0", "0.0", "-0", "**0**", "+0", "0.", "Answer: 0", "０")
    yield from forms(INTEGER, "right", lambda _: (0, ()), zeros, 1)


def _wrong_integers() -> Iterator[Family]:
    yield from forms(INTEGER, "wrong", _whole(small), _WRONG_INTEGERS, 4)
    yield from forms(INTEGER, "wrong", _whole(varied), {"off by one, any size": lambda n: f"{n + 1:,}"}, 20)
    yield from forms(INTEGER, "wrong", _whole(varied), {"sign, any size": lambda n: f"−{n:,}"}, 12)
    yield from forms(INTEGER, "wrong", _whole(varied, -1), {"sign lost": str, "sign lost, plus": lambda n: f"+{n}"})
    yield from forms(INTEGER, "wrong", _whole(big), {"digits swapped": lambda n: swapped(str(n))}, 12)
    yield from forms(INTEGER, "wrong", _whole(small, 10), {"a tenth": str, "a tenth, point": lambda n: f"{n}.0"})
    yield from forms(INTEGER, "wrong", _whole(small, 1_000_000), {"millions lost": str, "thousand": lambda n: f"{n}k"})
    wrong: dict[str, Callable[[int], str]] = {
        "a point for a comma": lambda n: f"{n // 1000}.{n % 1000:03}",
        "wrong groups": lambda n: f"{n // 100},{n % 100:02}",
        "groups and more": lambda n: f"{n:,},{n % 100:02}",
    }
    yield from forms(INTEGER, "wrong", _whole(lambda rng: rng.randrange(1_001, 9_999)), wrong)
    zeros = templates("1", "-1", "0.1", "none", "no", "", "00.5", "1e-9", "O", "o", "null", "0%", "0 or 1")
    yield from forms(INTEGER, "wrong", lambda _: (0, ()), zeros, 1)
    yield from forms(INTEGER, "unclear", _whole(small), _UNCLEAR_INTEGERS, 2)


# --- numbers ---------------------------------------------------------------------------------------

_NUMBER_FORMS: Mapping[str, Callable[[Cents], str]] = {
    "commas": lambda x: f"{x.whole:,}.{x.cents}",
    "spaces": lambda x: f"{grouped(x.whole, ' ')}.{x.cents}",
    "narrow no-break spaces": lambda x: f"{grouped(x.whole, chr(0x202F))}.{x.cents}",
    "apostrophes": lambda x: f"{grouped(x.whole, chr(39))}.{x.cents}",
    "plus": lambda x: f"+{x.whole}.{x.cents}",
    "more zeros": lambda x: f"{x.whole}.{x.cents}000",
    "cents as a power": lambda x: f"{x.whole * 100 + x.cents}e-2",
    "scientific": lambda x: f"{x.value:.14e}",
    "LaTeX power": lambda x: rf"${x.whole * 100 + x.cents} \times 10^{{-2}}$",
    "raised power": lambda x: f"{x.whole * 100 + x.cents} × 10⁻²",
    "power with a star": lambda x: f"{x.whole * 100 + x.cents}*10^-2",
    "full width": lambda x: in_script(f"{x.whole}．{x.cents}", "０"),
    "Arabic-Indic digits": lambda x: in_script(f"{x.whole}٫{x.cents}", "٠"),
    "LaTeX commas": lambda x: f"${grouped(x.whole, '{,}')}.{x.cents}$",
    "more decimals": lambda x: f"{x.whole}.{x.cents}3178",
    "more decimals below": lambda x: f"{x.moved(-1)}8812",
    "numpy's repr": lambda x: f"np.float64({x.whole}.{x.cents})",
    "Decimal's repr": lambda x: f"Decimal('{x.whole}.{x.cents}')",
    "a full stop": lambda x: f"{x.whole}.{x.cents}.",
    "math brackets": lambda x: rf"\({x.whole}.{x.cents}\)",
    "said twice, rounded": lambda x: f"{x.whole}.{x.cents}31 ({x.whole}.{x.cents})",
    "said twice, equals": lambda x: f"{x.whole}.{x.cents}31 = {x.whole}.{x.cents}",
    "label of a result": lambda x: f"Result: {x.whole}.{x.cents}",
    "JSON": lambda x: f'{{"answer": {x.whole}.{x.cents}}}',
}
_WRONG_NUMBERS: Mapping[str, Callable[[Cents], str]] = {
    "sign": lambda x: f"-{x.value}",
    "sign, typographic": lambda x: f"−{x.value}",
    "sign in LaTeX": lambda x: rf"$-{x.value}$",
    "last digit, one more": lambda x: x.moved(1),
    "last digit, one less": lambda x: x.moved(-1),
    "last digit in a box": lambda x: rf"\boxed{{{x.moved(1)}}}",
    "last digit under a label": lambda x: f"**Answer:** {x.moved(-1)}",
    "more decimals, next": lambda x: f"{x.value}5001",
    "more decimals, next below": lambda x: f"{x.moved(-1)}4999",
    "rounded to tenths": lambda x: f"{x.value:.1f}",
    "rounded to ones": lambda x: f"{x.value:.0f}",
    "cut off": lambda x: f"{x.whole}.{x.cents // 10}",
    "whole part": lambda x: f"{x.whole}",
    "whole part with zeros": lambda x: f"{x.whole}.00",
    "a hundred times": lambda x: f"{x.whole * 100 + x.cents}",
    "a hundredth": lambda x: f"{x.value / 100:.4f}",
    "ten times": lambda x: f"{x.value * 10:.1f}",
    "a thousand times": lambda x: f"{x.value * 1000:.0f}",
    "both sides swapped": lambda x: f"{x.cents}.{x.whole + 1}",
    "one digit changed": lambda x: f"{x.whole + 10}.{x.cents}",
    "percent": lambda x: f"{x.value}%",
    "percent of it": lambda x: f"{x.value * 100:.0f}%",
    "dollars": lambda x: f"${x.value}",
    "a letter before": lambda x: f"E:{x.value}",
    "a letter behind": lambda x: f"{x.value}x",
    "a decimal comma": lambda x: f"{x.whole},{x.cents}",
    "points that group": lambda x: f"{grouped(x.whole + 1000, '.')},{x.cents}",
    "thousands": lambda x: f"{x.value}k",
    "millions": lambda x: f"{x.value} million",
    "exponent": lambda x: f"{x.value}e1",
    "negative exponent": lambda x: f"{x.value}e-1",
    "power of ten": lambda x: f"{x.value} × 10²",
    "a version": lambda x: f"{x.value}.1",
    "inverted": lambda x: f"{1 / x.value:.2f}",
    "inverted, as a quotient": lambda x: f"1/{x.value}",
    "squared": lambda x: f"{x.value}²",
    "root": lambda x: rf"\sqrt{{{x.value}}}",
    "one minus it": lambda x: f"{1 - x.value:.2f}",
    "with a p-value": lambda x: f"{x.value} (p = 0.03)",
    "with an interval": lambda x: f"{x.value} [{x.value - 1:.2f}, {x.value + 1:.2f}]",
    "plus or minus": lambda x: f"{x.value} ± 0.5",
    "plus or minus in LaTeX": lambda x: rf"${x.value} \pm 0.5$",
    "said twice, differently": lambda x: f"{x.value} ({x.moved(3)})",
    "another box": lambda x: rf"{x.value}, so \boxed{{{x.moved(100)}}}",
    "another label": lambda x: f"Answer: {x.moved(100)} (not {x.value})",
    "its logarithm": lambda x: f"log({x.value})",
    "a comparison": lambda x: f"{x.value} > 0",
    "kilograms": lambda x: f"{x.value} kg",
}


def _numbers() -> Iterator[Family]:
    def in_text(wrap: Callable[[str], str]) -> Callable[[Cents], str]:
        return lambda parts: wrap(f"{parts.whole}.{parts.cents}")

    wrapped = {name: in_text(wrap) for name, wrap in {**WRAPPED, **BOXES}.items()}
    yield from forms(NUMBER, "right", _cents(varied), wrapped, 3)
    yield from forms(NUMBER, "right", _cents(big), _NUMBER_FORMS, 5)
    minus = templates(*(f"{sign}{{}}.{{}}" for sign in MINUS_SIGNS), "- {}.{}", "minus {}.{}", "negative {}.{}")
    yield from forms(NUMBER, "right", _cents(varied, -1), minus, 3)
    short: dict[str, Callable[[int], str]] = {
        "tenths": lambda n: f"{n / 10}",
        "tenths, two decimals": lambda n: f"{n / 10:.2f}",
        "fraction": lambda n: f"{n}/10",
        "LaTeX fraction": lambda n: rf"$\frac{{{n}}}{{10}}$",
        "mixed": lambda n: f"{n // 10} {n % 10}/10",
    }
    yield from forms(NUMBER, "right", lambda rng: ((n := rng.randrange(1_001, 9_999)) / 10, n), short, 4)
    below_one = {"no zero in front": lambda n: f".{n}", "as usual": lambda n: f"0.{n}"}
    yield from forms(NUMBER, "right", lambda rng: ((n := rng.randrange(11, 99)) / 100, n), below_one, 4)
    yield from forms(NUMBER, "right", lambda rng: ((n := small(rng)) + 0.5, n), templates("{}½", "{} 1/2", "{} ½"), 3)
    yield from forms(
        NUMBER, "right", lambda rng: (float(n := small(rng)), n), templates("{}", "{}.", "{}.0", "{}.00"), 2
    )
    halves: dict[str, Callable[[Cents], str]] = {
        "a half up": lambda x: x.moved(1),
        "a half down": lambda x: x.moved(0),
        "a half itself": lambda x: f"{x.moved(0)}5",
    }
    yield from forms(NUMBER, "right", _half, halves, 10)


def _wrong_numbers() -> Iterator[Family]:
    yield from forms(NUMBER, "wrong", _cents(), _WRONG_NUMBERS, 5)
    yield from forms(NUMBER, "wrong", _cents(small, -1), {"sign lost": lambda x: f"{x.value}"})
    last = {"last digit, any size": lambda x: x.moved(1), "last digit below, any size": lambda x: x.moved(-1)}
    yield from forms(NUMBER, "wrong", _cents(varied), last, 16)
    halves: dict[str, Callable[[Cents], str]] = {
        "a half, two up": lambda x: x.moved(2),
        "a half, one below": lambda x: x.moved(-1),
        "another half": lambda x: f"{x.moved(1)}5",
    }
    yield from forms(NUMBER, "wrong", _half, halves)


def _other_roundings() -> Iterator[Family]:
    def whole(rng: Random) -> tuple[float, int]:
        number = varied(rng)
        return float(number), number

    def thousands(rng: Random) -> tuple[float, int]:
        number = varied(rng)
        return number * 1000.0, number

    def long(rng: Random) -> tuple[float, float]:
        number = 1 + rng.random()
        return number, number

    yield from forms(WHOLE, "right", whole, {"whole": str, "whole, unrounded": lambda n: f"{n}.38"})
    yield from forms(
        WHOLE, "wrong", whole, {"whole, next": lambda n: f"{n + 1}", "whole, unrounded next": lambda n: f"{n}.62"}
    )
    right: dict[str, Callable[[int], str]] = {
        "to thousands": lambda n: f"{n * 1000:,}",
        "to thousands, unrounded": lambda n: f"{n * 1000 + 321:,}",
    }
    wrong: dict[str, Callable[[int], str]] = {
        "to thousands, next": lambda n: f"{n * 1000 + 1000:,}",
        "in thousands": str,
        "to thousands, sign": lambda n: f"-{n * 1000}",
    }
    yield from forms(THOUSANDS, "right", thousands, right)
    yield from forms(THOUSANDS, "wrong", thousands, wrong)
    exact: dict[str, Callable[[float], str]] = {"all digits": repr, "no last bits": lambda x: f"{x:.14f}"}
    inexact: dict[str, Callable[[float], str]] = {
        "a millionth off": lambda x: f"{x * (1 + 1e-6):.12f}",
        "rounded where nothing said so": lambda x: f"{x + 0.00321:.2f}",
    }
    yield from forms(EXACT, "right", long, exact)
    yield from forms(EXACT, "wrong", long, inexact)


def _with_units() -> Iterator[Family]:
    right = templates(
        "{} years", "{} yrs", "{}", "{} Years.", "{} year", "**{} years**", r"\boxed{{{} \text{{ years}}}}", "{}years"
    )
    wrong = templates(
        "{} months", "{} days", "{}%", "${}", "{} kg", "{} million years", "{} years and 3 months", "-{} years",
        "{}0 years", "{} years or less", "about {} years", "{} light years", "{} dog years", "{} years?",
    )  # fmt: skip
    yield from forms(YEARS, "right", _whole(small), right, 4)
    yield from forms(YEARS, "wrong", _whole(small), wrong, 3)
    right = templates("{}.{} km", "{}.{} kilometers", "{}.{} kilometres", "{}.{}", "{}.{}km", r"{}.{}\ \text{{km}}")
    wrong = templates(
        "{}.{} m", "{}.{} miles", "{}.{} kg", "{}.{}%", "{}.{} km/h", "{}.{} km²", "{}.{} kmh", "-{}.{} km"
    )
    yield from forms(KILOMETRES, "right", _cents(), right, 3)
    yield from forms(KILOMETRES, "wrong", _cents(), wrong, 3)


def _locales() -> Iterator[Family]:
    def point(rng: Random) -> tuple[float, int]:
        number = rng.randrange(1_001, 9_999)
        return number / 1000, number

    def comma(rng: Random) -> tuple[float, int]:
        number = rng.randrange(1_001, 9_999)
        return float(number), number

    right: dict[str, Callable[[Cents], str]] = {
        "decimal comma": lambda x: f"{x.whole},{x.cents}",
        "points and a comma": lambda x: f"{grouped(x.whole, '.')},{x.cents}",
        "spaces and a comma": lambda x: f"{grouped(x.whole, chr(0x202F))},{x.cents}",
        "comma and euros": lambda x: f"{grouped(x.whole, '.')},{x.cents}",
    }
    wrong: dict[str, Callable[[Cents], str]] = {
        "decimal comma, sign": lambda x: f"-{x.whole},{x.cents}",
        "decimal comma, last digit": lambda x: f"{x.whole},{x.cents + 1}",
        "decimal comma, hedged": lambda x: f"etwa {x.whole},{x.cents}",
    }
    for locale in ("de", "fr", "es", "pt-BR", "it", "nl", "pl", "ru", "sv", "tr"):
        contract = replace(GERMAN, locale=locale)
        yield from forms(contract, "right", _cents(big), _named(right, locale), 1)
        yield from forms(contract, "wrong", _cents(), _named(wrong, locale), 1)
    swiss = {"apostrophes of Switzerland": lambda x: f"{grouped(x.whole, '’')}.{x.cents}"}
    yield from forms(replace(GERMAN, locale="de-CH"), "right", _cents(big), swiss, 3)
    yield from forms(GERMAN, "wrong", point, {"a point that groups": lambda n: f"{n / 1000:.3f}"}, 4)
    yield from forms(GERMAN, "wrong", comma, {"a comma that does not": lambda n: f"{n:,}"}, 4)


def _named(written: Mapping[str, Callable[[Cents], str]], suffix: str) -> dict[str, Callable[[Cents], str]]:
    return {f"{name}, {suffix}": write for name, write in written.items()}


# --- percentages -----------------------------------------------------------------------------------


def _percentages() -> Iterator[Family]:
    def draw(rng: Random) -> tuple[float, float]:
        number = _hundredths(rng) / 100
        return number, number

    right = templates(
        "{:.2f}%", "{:.2f} %", "{:.2f}", "{:.2f} percent", "{:.2f} per cent", "{:.2f} pct", "**{:.2f}%**",
        r"\boxed{{{:.2f}\%}}", "{:.2f}\u00a0%", "+{:.2f}%", "{:.2f}％", "Answer: {:.2f}%.", "{:.3f}%", r"${:.2f}\%$",
        "`{:.2f}%`", r"\boxed{{{:.2f}}}", "The answer is {:.2f}%", "{:.2f}﹪", "{:.2f} Percent", r"\({:.2f}\%\)",
    )  # fmt: skip
    right["also as a fraction"] = lambda x: f"{x:.2f}% ({x / 100:.4f})"
    wrong: dict[str, Callable[[float], str]] = {
        "fraction": lambda x: f"{x / 100:.4f}",
        "fraction with a sign": lambda x: f"{x / 100:.4f}%",
        "a hundred times": lambda x: f"{x * 100:.0f}%",
        "a hundred times, no sign": lambda x: f"{x * 100:.0f}",
        "sign": lambda x: f"-{x:.2f}%",
        "last digit": lambda x: f"{x + 0.01:.2f}%",
        "last digit below": lambda x: f"{x - 0.01:.2f}",
        "rounded": lambda x: f"{x:.1f}%",
        "rounded to ones": lambda x: f"{x:.0f}%",
        "the rest": lambda x: f"{100.03 - x:.2f}%",
        "per mille": lambda x: f"{x:.2f}‰",
        "dollars": lambda x: f"${x:.2f}",
        "a range": lambda x: f"{x:.2f}%-{x + 1:.2f}%",
        "two percentages": lambda x: f"{x:.2f}% and {100 - x:.2f}%",
        "basis points": lambda x: f"{x:.2f} bps",
        "kilograms": lambda x: f"{x:.2f} kg",
        "factor": lambda x: f"{x:.2f}x",
        "both, differently": lambda x: f"{x:.2f}% ({x / 100 + 0.01:.4f})",
        "two signs": lambda x: f"{x:.2f}%%",
        "a sign in front of less": lambda x: f"<{x:.2f}%",
    }
    yield from forms(PERCENT, "right", draw, right, 3)
    yield from forms(PERCENT, "wrong", draw, wrong, 5)
    yield from forms(PERCENT, "unclear", draw, templates("{:.2f} pp", "{:.2f} percentage points"), 3)


def _fractions() -> Iterator[Family]:
    def draw(rng: Random) -> tuple[float, int]:
        number = _hundredths(rng)
        return number / 10_000, number

    right: dict[str, Callable[[int], str]] = {
        "plain": lambda n: f"{n / 10_000:.4f}",
        "no zero in front": lambda n: f".{n:04}",
        "percent sign": lambda n: f"{n / 100:.2f}%",
        "percent in words": lambda n: f"{n / 100:.2f} percent",
        "scientific": lambda n: f"{n}e-4",
        "both": lambda n: f"{n / 10_000:.4f} ({n / 100:.2f}%)",
        "both, equals": lambda n: f"{n / 10_000:.4f} = {n / 100:.2f}%",
        "quotient": lambda n: f"{n}/10000",
        "box": lambda n: rf"\boxed{{{n / 100:.2f}\%}}",
    }
    wrong: dict[str, Callable[[int], str]] = {
        "percentage without its sign": lambda n: f"{n / 100:.2f}",
        "fraction with a percent sign": lambda n: f"{n / 10_000:.4f}%",
        "sign": lambda n: f"-{n / 10_000:.4f}",
        "sign, percent": lambda n: f"-{n / 100:.2f}%",
        "last digit": lambda n: f"{(n + 1) / 10_000:.4f}",
        "last digit, percent": lambda n: f"{(n + 1) / 100:.2f}%",
        "rounded": lambda n: f"{n / 10_000:.2f}",
        "ten times": lambda n: f"{n / 1_000:.4f}",
        "the rest": lambda n: f"{(10_003 - n) / 10_000:.4f}",
        "both, differently": lambda n: f"{n / 10_000:.4f} ({n / 100 + 1:.2f}%)",
        "upside down": lambda n: f"10000/{n}",
    }
    yield from forms(FRACTION, "right", draw, {f"fraction, {name}": write for name, write in right.items()}, 4)
    yield from forms(FRACTION, "wrong", draw, {f"of a fraction, {name}": write for name, write in wrong.items()}, 5)


# --- money -----------------------------------------------------------------------------------------


def _amount(rng: Random) -> tuple[float, float]:
    value, _ = _cents(big)(rng)
    return value, value


def _loss(rng: Random) -> tuple[float, float]:
    value, _ = _cents(big)(rng)
    return -value, value


def _money() -> Iterator[Family]:
    dollars = templates(
        "${:,.2f}", "$ {:,.2f}", "{:,.2f} USD", "USD {:,.2f}", "US${:,.2f}", "{:.2f}", "{:,.2f} dollars", "{:,.2f}$",
        "**${:,.2f}**", r"\${:,.2f}", r"\boxed{{\${:,.2f}}}", "USD{:,.2f}", "Answer: ${:,.2f}.", "${:,.2f} USD",
        "`${:.2f}`", "${:,.4f}", "{:,.2f} US dollars", "＄{:,.2f}", "$$ {:.2f} $$", "+${:,.2f}",
    )  # fmt: skip
    euros = templates("€{:,.2f}", "{:,.2f} €", "{:,.2f} EUR", "EUR {:,.2f}", "{:,.2f} euros", "{:,.2f}", "€ {:,.2f}")
    yield from forms(DOLLARS, "right", _amount, dollars, 3)
    yield from forms(EUROS, "right", _amount, euros, 3)
    yield from forms(MONEY, "right", _amount, templates("${:,.2f}", "€{:,.2f}", "{:,.2f}", "£{:,.2f}"), 3)
    losses = templates("-${:,.2f}", "$-{:,.2f}", "−${:,.2f}", "-{:,.2f} USD", "- ${:,.2f}", "-$ {:.2f}", "–${:,.2f}")
    yield from forms(DOLLARS, "right", _loss, losses, 3)
    yield from forms(DOLLARS, "unclear", _loss, templates("(${:,.2f})", "({:,.2f})"), 3)
    for power, words in ((3, ("K", "k", " thousand")), (6, ("M", "m", " million", "mn")), (9, ("B", "bn", " billion"))):
        draw = _scaled(power - 1)
        right = {f"in{word}": (lambda n, w=word: f"${n / 10}{w}") for word in words}
        wrong = {f"in{word}, next": (lambda n, w=word: f"${(n + 1) / 10}{w}") for word in words}
        yield from forms(DOLLARS, "right", draw, right, 3)
        yield from forms(DOLLARS, "wrong", draw, wrong, 3)
        other = {"scale lost": lambda n: f"${n / 10}", "another scale": lambda n: f"${n / 10} trillion"}
        yield from forms(DOLLARS, "wrong", draw, {f"{name} {power}": write for name, write in other.items()}, 3)


def _scaled(power: int) -> Callable[[Random], tuple[float, int]]:
    def draw(rng: Random) -> tuple[float, int]:
        number = rng.randrange(111, 999)
        return float(number * 10**power), number

    return draw


def _wrong_money() -> Iterator[Family]:
    wrong = templates(
        "€{:,.2f}", "£{:,.2f}", "{:,.2f} EUR", "¥{:,.2f}", "C${:,.2f}", "A${:,.2f}", "{:,.2f} pounds", "{:,.2f} CAD",
        "{:,.2f}%", "{:,.2f} cents", "${:,.2f} million", "${:,.2f}k", "${:,.1f}", "${:,.0f}", "${:,.2f} per customer",
        "{:,.2f} kg", "-${:,.2f}", "$-{:,.2f}", "−${:,.2f}", "-{:,.2f}", "${:,.2f}/month", "${:,.2f}+", "~${:,.2f}",
        "${:,.2f} CAD", "USD {:,.2f} EUR", "₹{:,.2f}",
    )  # fmt: skip
    wrong["last digit"] = lambda x: f"${x + 0.01:,.2f}"
    wrong["last digit below"] = lambda x: f"{x - 0.01:,.2f} USD"
    wrong["cents for dollars"] = lambda x: f"${x * 100:,.0f}"
    wrong["two amounts"] = lambda x: f"${x:,.2f} or ${x + 1:,.2f}"
    wrong["two amounts, listed"] = lambda x: f"${x:,.2f}, ${x + 1:,.2f}"
    wrong["an equation of currencies"] = lambda x: f"${x:,.2f} = €{x * 0.9:,.2f}"
    yield from forms(DOLLARS, "wrong", _amount, wrong, 4)
    yield from forms(DOLLARS, "wrong", _loss, templates("${:,.2f}", "{:,.2f}", "+${:,.2f}"), 4)


# --- what every kind of number must withstand ------------------------------------------------------


def _hedged_and_several() -> Iterator[Family]:
    def integers(rng: Random) -> tuple[object, tuple[str, str]]:
        number = small(rng)
        return number, (str(number), str(number + rng.randrange(1, 9)))

    def numbers(rng: Random) -> tuple[object, tuple[str, str]]:
        value, parts = _cents()(rng)
        return value, (str(value), parts.moved(100))

    def percentages(rng: Random) -> tuple[object, tuple[str, str]]:
        number = _hundredths(rng) / 100
        return number, (f"{number:.2f}%", f"{number + 1:.2f}%")

    def amounts(rng: Random) -> tuple[object, tuple[str, str]]:
        number, _ = _amount(rng)
        return number, (f"${number:,.2f}", f"${number + 1:,.2f}")

    kinds = ((INTEGER, integers), (NUMBER, numbers), (PERCENT, percentages), (DOLLARS, amounts))
    for contract, draw in kinds:
        several = templates(*SEVERAL)
        wrong: dict[str, Callable[[tuple[str, str]], str]] = {
            **{f"hedged, {name}": write for name, write in templates(*HEDGED).items()},
            **{f"several, {name}": write for name, write in several.items()},
            **{f"several, the other first, {name}": _turned(write) for name, write in several.items()},
            **{f"nothing, {text!r}": constant(text) for text in NOTHING},
        }
        yield from forms(contract, "wrong", draw, wrong, 1)


def _turned(write: Callable[[tuple[str, str]], str]) -> Callable[[tuple[str, str]], str]:
    return lambda parts: write((parts[1], parts[0]))
