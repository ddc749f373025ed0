"""Lists, sets and mappings from their texts: JSON, Python, bullets, lines, tables, comma text."""

import ast
import csv
import io
import json
import re
import warnings
from collections.abc import Mapping, Sequence, Set
from typing import Any

from cellwright.answers.clean import normal, unquoted, unwrapped
from cellwright.answers.locales import decimal_comma
from cellwright.answers.scalars import is_not_applicable, parse_scalar, without_repr
from cellwright.answers.values import (
    MAX_ITEMS,
    NUMERIC,
    TEXTUAL,
    NotParsed,
    Scalar,
    Value,
    conform,
    item_contract,
    key_contract,
)
from cellwright.core.types import Contract

_MAX_WRITTEN_CHARS = 50_000
"""Longer lists are read as JSON only."""
_MAX_READ_TWICE_CHARS = 20_000
_MAX_PYTHON_CHARS = 30_000
"""Longer literals are read as JSON or plain text: Python's parser takes ten times as long."""
_QUICK_ITEMS = 50
"""Lists longer than this are read without the slow forms of dates."""
_BULLET = re.compile(r"\s*(?:[-*•+–—▪◦·‣]|\(?(?P<number>\d{1,4})[.)]|[a-z]\))\s+")
_COMMA = re.compile(r",(?=\s)|\n")
_AND = re.compile(r",? (?:and|&|und|et|y) ", re.IGNORECASE)
_WIDE = str.maketrans({"，": ", ", "、": ", ", "；": "; ", "：": ": "})
_NUMPY_TEXTS = re.compile(r"\[\s*(?:'[^']*'|\"[^\"]*\")(?:\s+(?:'[^']*'|\"[^\"]*\"))+\s*\]")
_TOO_LONG = NotParsed("a list as long as this must be JSON", "kind")
_TOO_MANY = NotParsed(f"it has more than {MAX_ITEMS} elements", "kind")
_EMPTY = NotParsed("an element is empty", "missing")


class _Pairs(list[tuple[Any, Any]]):
    """An object or dictionary with all its pairs: a dict would drop a key that comes twice."""


def parse_container(text: str, contract: Contract) -> Value | NotParsed:
    """A tuple of elements, or of pairs for a mapping."""
    text = _printed(text)
    if len(text) > _MAX_WRITTEN_CHARS:
        loaded = _json(text)
        return _TOO_LONG if loaded is None else _from_literal(loaded, contract)
    text = without_repr(text)
    loaded = _literal(text, contract)
    if isinstance(loaded, NotParsed):
        return loaded
    if loaded is not None:
        return _from_literal(loaded, contract)
    if sum(map(text.count, ",;\n|")) > 3 * MAX_ITEMS:
        return _TOO_MANY
    bare = _without_brackets(text.translate(_WIDE))
    if contract.kind == "mapping":
        return _pairs(_mapping_lines(bare), contract)
    parts = _parts(bare, contract, printed=bare != text)
    return parts if isinstance(parts, NotParsed) else _items(parts, contract)


def other_readings(text: str, contract: Contract) -> list[Value]:
    """What else a comma text of labels may say: `a, b and c` three labels, the last point the end of a sentence."""
    if "\n" in text or len(text) > _MAX_READ_TWICE_CHARS:
        return []
    if contract.kind != "mapping" and "|" in text and "," not in text and ";" not in text:
        return _read([text.replace("|", " | ")], contract)
    if contract.kind != "mapping" and item_contract(contract).kind not in TEXTUAL:
        return []
    ended = [text.strip().removesuffix(".")] if text.strip().endswith(".") else []
    joined = []
    for one in (text, *ended):
        head, separator, tail = _last_and(" ".join(one.split()))
        if separator:
            joined.append(f"{head}, {tail}")
    return _read(ended + joined, contract)


def _read(texts: Sequence[str], contract: Contract) -> list[Value]:
    found = (parse_container(one, contract) for one in texts)
    return [value for value in found if not isinstance(value, NotParsed)]


def _last_and(text: str) -> tuple[str, str, str]:
    matches = list(_AND.finditer(text))
    if not matches or not text[: matches[-1].start()].strip():
        return text, "", ""
    last = matches[-1]
    return text[: last.start()].rstrip(", "), "and", text[last.end() :]


def _printed(text: str) -> str:
    """The text without the name of a language before a literal, and LaTeX's braces of a set."""
    text = re.sub(r"^(?:json|python)\s+(?=[\[{(])", "", text.strip()).replace("\\{", "{").replace("\\}", "}")
    return text[:-1] if text.endswith(("].", "}.", ").")) else text


# --- literals ------------------------------------------------------------------------------------


def _literal(text: str, contract: Contract) -> Any:
    """What the text is in JSON or Python; None when it is neither a list, a set nor a mapping."""
    if text[:1] in "\"'" and text[-1:] in "\"'" and "," in text and contract.kind != "mapping":
        text = f"[{text}]"
    if text[:1] not in ("[", "{", "(") or text[-1:] not in ("]", "}", ")"):
        return None
    numeric = item_contract(contract).kind in NUMERIC and contract.kind != "mapping"
    if (
        numeric
        and '"' not in text
        and "'" not in text
        and re.search(r"\d,\d{3}(?!\d)", text[:5_000])
        and re.search(r",\s", text[:5_000])
    ):
        return NotParsed("commas may separate numbers or group their digits", "unclear")
    loaded = _json(text)
    if loaded is not None or len(text) > _MAX_PYTHON_CHARS:
        return loaded
    if len(text) < 20_000 and _NUMPY_TEXTS.fullmatch(text):
        return [one or other for one, other in re.findall(r"'([^']*)'|\"([^\"]*)\"", text)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _from_syntax(ast.parse(text, mode="eval").body)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def _json(text: str) -> Any:
    """The list or mapping of a JSON text; None for another text."""
    if text[:1] not in ("[", "{"):
        return None
    try:
        return json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return None


def _from_syntax(node: ast.expr) -> Any:
    """A Python literal as `ast.literal_eval` reads it, but with all pairs of a dictionary."""
    if isinstance(node, ast.Dict):
        keys = [None if key is None else _from_syntax(key) for key in node.keys]
        return _Pairs(zip(keys, map(_from_syntax, node.values), strict=True))
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return [_from_syntax(element) for element in node.elts]
    return ast.literal_eval(node)


def _from_literal(loaded: Any, contract: Contract) -> Value | NotParsed:
    if not isinstance(loaded, Sequence) or isinstance(loaded, str):
        # Parentheses around one value: (5) is not a list.
        return _items([loaded], contract) if contract.kind != "mapping" else NotParsed("it is not a mapping", "kind")
    if contract.kind == "mapping":
        if any(not isinstance(pair, (list, tuple)) or len(pair) != 2 for pair in loaded):
            return NotParsed("it is not a mapping", "kind")
        return _pairs(list(loaded), contract)
    if isinstance(loaded, _Pairs) and loaded:
        return NotParsed("it is a mapping where a list was asked for", "kind")
    return _items(list(loaded), contract)


def _without_brackets(text: str) -> str:
    """`[a, b]` without its brackets, when they are the only ones."""
    for opening, closing in ("[]", "{}", "()"):
        inner = text[1:-1]
        if text[:1] == opening and text[-1:] == closing and opening not in inner and closing not in inner:
            return inner.strip()
    return text


# --- elements ------------------------------------------------------------------------------------


def _items(parts: Sequence[Any], contract: Contract) -> Value | NotParsed:
    if len(parts) > MAX_ITEMS:
        return _TOO_MANY
    item, quick = item_contract(contract), len(parts) > _QUICK_ITEMS
    found: list[Scalar] = []
    for part in parts:
        value = _element(part, item, quick=quick)
        if isinstance(value, NotParsed):
            return value
        found.append(value)
    return conform(tuple(found), contract)


def _pairs(parts: Sequence[tuple[Any, Any]] | NotParsed, contract: Contract) -> Value | NotParsed:
    if isinstance(parts, NotParsed):
        return parts
    if len(parts) > MAX_ITEMS:
        return _TOO_MANY
    quick = len(parts) > _QUICK_ITEMS
    found: dict[Scalar, Scalar] = {}
    for key, item in parts:
        left = _element(key, key_contract(contract), quick=quick)
        right = _element(item, item_contract(contract), quick=quick)
        if isinstance(left, NotParsed):
            return left
        if isinstance(right, NotParsed):
            return right
        if left in found and found[left] != right:
            return NotParsed(f"it gives two values for {str(left)[:40]!r}", "hedged")
        found[left] = right
    return conform(tuple(found.items()), contract)


def _element(part: Any, contract: Contract, *, quick: bool) -> Scalar | NotParsed:
    """One element, from its text or from its value in a literal."""
    if isinstance(part, str):
        text = part.strip()
        if contract.kind in TEXTUAL:
            # The elements of a literal are their own texts; quotes and markup around others are gone already.
            return parse_scalar(text, contract) if contract.choices else (text or _EMPTY)
        return None if is_not_applicable(text, contract) else parse_scalar(text, contract, quick=quick)
    if isinstance(part, (list, tuple, Mapping, Set)):
        return NotParsed("it is nested deeper than was asked for", "kind")
    value = conform(part, contract)
    if isinstance(value, (tuple, NotParsed)):
        return value if isinstance(value, NotParsed) else NotParsed("it is nested deeper than was asked for", "kind")
    return value  # type: ignore[return-value]  # conform gives scalars for scalar contracts


def _bare(part: str) -> str:
    """An element without the quotes and the markup around it."""
    part = re.sub(r"\\([_*#&%$])", r"\1", part.strip()) if "\\" in part else part.strip()
    if part[:1] in "*`" and part[-1:] in "*`":
        part = unwrapped(part)
    return unquoted(part)


def _parts(text: str, contract: Contract, *, printed: bool) -> list[str] | NotParsed:
    """The elements of a list in bullets, lines, or with commas; `printed` says that it stood in brackets."""
    item = item_contract(contract)
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_ITEMS:
        return _TOO_MANY
    if not text.strip():
        return []
    if len(lines) > 1 and not printed:
        return _column(lines) if _is_table(lines) else _lines(lines, contract)
    text = " ".join(lines)
    if text.startswith("| ") and text.endswith(" |"):
        text = text[1:-1].strip()
    if numbered := _enumerated(text):
        return numbered
    if item.kind not in NUMERIC and (bullet := _BULLET.match(text)):
        text = text[bullet.end() :]
    if item.kind in NUMERIC or item.kind in ("date", "boolean"):
        return _plain_parts(text, item, printed=printed)
    separator = next((sign for sign in (";", " | ") if sign in text and '"' not in text), ",")
    if separator == " | ":
        return [_bare(part) for part in text.split(separator)]
    try:
        (row,) = csv.reader(io.StringIO(text.strip()), delimiter=separator, skipinitialspace=True)
    except (csv.Error, ValueError):
        return NotParsed("it is not a list", "unclear")
    parts = [_bare(part) for part in row]
    if parts and not parts[-1]:
        parts.pop()
    if len(parts) > 2 and (oxford := re.match(r"(?:and|&)\s+", parts[-1], re.IGNORECASE)):
        parts[-1] = _bare(parts[-1][oxford.end() :])
    return parts if all(parts) else _EMPTY


def _lines(lines: list[str], contract: Contract) -> list[str] | NotParsed:
    """One element per line, with bullets or numbers before all of them or none."""
    bullets = [_BULLET.match(line) for line in lines]
    if lines[0].rstrip(" *_").endswith(":") and not bullets[0] and all(bullets[1:]):
        if not contract.in_sentence:
            return NotParsed("a sentence stands before the list", "unclear")
        lines, bullets = lines[1:], bullets[1:]
    if not any(bullets):
        return [_bare(line.strip().rstrip(",;")) for line in lines]
    numbers = [int(bullet["number"]) for bullet in bullets if bullet and bullet["number"]]
    if not all(bullets) or (numbers and numbers != list(range(numbers[0], numbers[0] + len(lines)))):
        return NotParsed("only some of its lines are marked as elements", "unclear")
    ends = [bullet.end() for bullet in bullets if bullet]
    return [_bare(line[end:].strip().rstrip(",;")) for line, end in zip(lines, ends, strict=True)]


def _enumerated(text: str) -> list[str] | None:
    """The elements of `1. a, 2. b` or `(1) a (2) b`: numbered from one, without a gap."""
    if not re.match(r"\(?1[.)]\s", text) or len(text) > 20_000:
        return None
    marks = list(re.finditer(r"(?:^|(?<=\s))\(?(\d{1,4})[.)]\s+", text))
    if len(marks) < 2 or [int(mark[1]) for mark in marks] != list(range(1, len(marks) + 1)):
        return None
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [_bare(text[mark.end() : end].strip().rstrip(",;")) for mark, end in zip(marks, ends, strict=True)]


def _plain_parts(text: str, item: Contract, *, printed: bool) -> list[str] | NotParsed:
    """The elements of numbers, dates or yes and no, which hold no words that could be `and`."""
    text = _with_commas(text.removesuffix("."), item)
    if item.kind in NUMERIC and "," not in text and ";" not in text and (printed or _stand_apart(text)):
        return text.split()
    if ";" in text or " | " in text:
        parts = re.split(r";| \| ", text)
    else:
        parts = _COMMA.split(text) if re.search(r",\s", text) or decimal_comma(item.locale) else [text]
        if item.kind == "date" and len(parts) > 1:
            return _dates_with_commas(parts)
    if len(parts) == 1 and "," in text and not decimal_comma(item.locale):
        if item.kind in NUMERIC and re.fullmatch(r"\s*[-+]?\d{1,3}(,\d{3})+(\.\d+)?\s*", text):
            return NotParsed("it could be one number or several: put a space after each comma", "unclear")
        parts = text.split(",")
    parts = [part.strip() for part in parts]
    if parts and not parts[-1]:
        parts.pop()
    return [_bare(part) for part in parts] if all(parts) else _EMPTY


def _with_commas(text: str, item: Contract) -> str:
    """The text with commas, or semicolons where it has them, for the words that join: `1, 2 and 3`."""
    text = " ".join(text.split())
    if ";" in text:
        return _AND.sub("; ", text)
    tight = "," in text and not re.search(r",\s|\d,\d{3}(?!\d)", text) and not decimal_comma(item.locale)
    return _AND.sub("," if tight else ", ", text)


def _stand_apart(text: str) -> bool:
    """Whether spaces separate whole numbers, and do not group the digits of one: `1 2 3`, but not `1 234`."""
    parts = text.split()
    return 1 < len(parts) <= MAX_ITEMS and all(
        re.fullmatch(r"[-+]?\d+(?:\.\d+)?", part) and (not number or not re.match(r"\d{3}(?!\d)", part))
        for number, part in enumerate(parts)
    )


def _dates_with_commas(parts: list[str]) -> list[str] | NotParsed:
    """`March 24, 2020, March 25, 2020`: the comma before a year stands inside of a date."""
    joined: list[str] = []
    for part in parts:
        if re.fullmatch(r"\s*\d{4}\s*", part) and joined and not re.search(r"\d{4}", joined[-1]):
            joined[-1] = f"{joined[-1]},{part}"
        else:
            joined.append(part)
    parts = [_bare(part) for part in joined]
    return parts if all(parts) else _EMPTY


# --- mappings ------------------------------------------------------------------------------------

_ARROW = re.compile(r"\s*(?:->|→|=>|⇒|↦)\s*")
_RULE = re.compile(r"\|?[\s:|-]+\|?")
_PRINTED_END = re.compile(r"(?:Name: .{0,200}, )?(?:Length: \d+, )?dtype: \w+(?:\[[^\]]*\])?")
"""The last line of a Series as pandas prints it."""
_GAP = re.compile(r"\t|\s{2,}")


def _mapping_lines(text: str) -> list[tuple[Any, Any]] | NotParsed:
    """`a: 1` by line or with commas, with a colon, an arrow or an equals sign, or a table of two columns."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_ITEMS:
        return _TOO_MANY
    if _is_table(lines):
        return _table(lines)
    if (columns := _columns(lines)) is not None:
        return columns
    lines = [line[bullet.end() :] if (bullet := _BULLET.match(line)) else line for line in lines]
    if len(lines) == 1:
        lines = _split_pairs(lines[0])
    pairs: list[tuple[Any, Any]] = []
    for line in lines:
        pair = _pair(line.strip().rstrip(",;"))
        if pair is None:
            return NotParsed("it is not a mapping of keys to values", "kind")
        pairs.append(pair)
    return pairs


def _split_pairs(line: str) -> list[str]:
    """The pairs of one line: a comma ends one where another key follows, so that 1,234 stays whole."""
    line = " ".join(line.split())
    if ";" in line:
        parts = line.split(";")
    elif line.endswith(")") and not re.search("[:=→]|->", line):
        parts = re.split(r"(?<=\)),?\s*(?:and\s+)?", line)
    else:
        parts = re.split(r",\s*(?:and\s+)?(?=(?:\"[^\"]*\"|'[^']*'|[^,:=]{1,200}?)\s*(?::|=|->|→))", line)
    return [part.strip() for part in parts if part.strip()]


def _pair(line: str) -> tuple[str, str] | None:
    if arrow := _ARROW.search(line):
        key, value = line[: arrow.start()], line[arrow.end() :]
    else:
        sign = next((sign for sign in (": ", ":", "=") if sign in line), None)
        if sign is None:
            bracketed = re.fullmatch(r"([^()]+)\(([^()]+)\)", line)
            return (_bare(bracketed[1]), _bare(bracketed[2])) if bracketed else None
        key, _, value = line.rpartition(sign)
    key, value = key.strip().strip("*").rstrip(":"), value.strip().strip("*")
    return (_bare(key.strip()), _bare(value.strip())) if key.strip() else None


def _columns(lines: list[str]) -> list[tuple[Any, Any]] | None:
    """Lines of a key and a value with a tab, spaces or one comma between them, as pandas and files have them."""
    ended = len(lines) > 1 and _PRINTED_END.fullmatch(lines[-1])
    if ended:
        lines = lines[:-1]
        if len(lines) > 1 and not _GAP.search(lines[0]):  # the name of the index
            lines = lines[1:]
    elif len(lines) < 2 or any(re.search(r": |=|->|→", line) for line in lines):
        return None
    for separator in (_GAP, re.compile(",")):
        rows = [[part.strip() for part in separator.split(line)] for line in lines]
        if all(len(row) == 2 and all(row) for row in rows):
            return [(_bare(key), _bare(value)) for key, value in rows]
    return None


# --- tables in Markdown --------------------------------------------------------------------------


def _is_table(lines: list[str]) -> bool:
    return len(lines) > 1 and all(line.startswith("|") and line.endswith("|") for line in map(str.strip, lines))


def _rows(lines: list[str], width: int) -> list[list[str]] | NotParsed:
    """The cells of each row; what stands above the rule is the head."""
    lines = [line.strip() for line in lines]
    rules = [number for number, line in enumerate(lines) if _RULE.fullmatch(line)]
    body = lines[rules[0] + 1 if rules else 0 :]
    rows = [[_bare(normal(cell)) for cell in line[1:-1].split("|")] for line in body]
    if len(rules) > 1 or any(len(row) != width for row in rows):
        return NotParsed("it is a table of more or fewer columns than the answer has", "unclear")
    return rows


def _column(lines: list[str]) -> list[str] | NotParsed:
    """The elements of a table of one column."""
    rows = _rows(lines, 1)
    return rows if isinstance(rows, NotParsed) else [row[0] for row in rows]


def _table(lines: list[str]) -> list[tuple[Any, Any]] | NotParsed:
    """The pairs of a table of two columns."""
    rows = _rows(lines, 2)
    return rows if isinstance(rows, NotParsed) else [(key, value) for key, value in rows]
