"""Texts as people and models write them, without what is not part of the answer: markup, labels, typography."""

import re
import unicodedata
from functools import cache
from itertools import islice

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－⁃˗➖"), "-")
_QUOTES = {**dict.fromkeys(map(ord, "‘’‚‛′`´ʼ"), "'"), **dict.fromkeys(map(ord, "“”„‟″«»"), '"')}
_INVISIBLE = dict.fromkeys(
    map(
        ord,
        "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u2060\u2061\u2062\u2063\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff",
    ),
    None,
)
"""Of the marks of direction, those that turn characters round (U+202D, U+202E) stay: what is seen is another text."""
_TYPOGRAPHY = {**_DASHES, **_QUOTES, **_INVISIBLE}
_FOLDED = ("<wide>", "<narrow>", "<compat>", "<small>", "<noBreak>")
"""Kinds of Unicode characters that are another way to print the same text, such as ﬁ and Ａ. Raised and circled ones
are not: x² is not x2."""
_LABEL = re.compile(
    r"(?:#{1,6}\s*)?(?:(?:my|the|so,? the|therefore,? the)\s+)?(?:final\s+|correct\s+)?(?:answer|result|solution)"
    r"(?:\s+is(?:\s*:)?\s+|\s*[:=]\s*|\s*\n\s*)",
    re.IGNORECASE,
)
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_TAG = re.compile(r"<answer>", re.IGNORECASE)
_THOUGHT = re.compile(r"\s*<(think|thinking|reasoning)>", re.IGNORECASE)
_HTML = re.compile(r"<(b|i|em|strong|code|p|span|u)>((?:[^<]|<(?![a-z/]))*)</\1>", re.IGNORECASE)
_FENCE = re.compile(r"```[a-z]{0,10}[ \t]*\n?(.*?)\n?```", re.DOTALL)
_WRAPPED = (
    ("```", "```"),
    ("***", "***"),
    ("**", "**"),
    ("__", "__"),
    ("*", "*"),
    ("_", "_"),
    ("`", "`"),
    ("$$", "$$"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
)
_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
_OPENING_QUOTES = frozenset("\"'“‘«„")
_MOST_WRAPPINGS = 8
_MOST_MARKS = 20


@cache
def _plain(character: str) -> str:
    if ord(character) in _TYPOGRAPHY:
        return _TYPOGRAPHY[ord(character)] or ""
    if unicodedata.decomposition(character).startswith(_FOLDED):
        return unicodedata.normalize("NFKC", character)
    return character


def normal(text: str) -> str:
    """Composed letters of usual width, plain dashes and quotes, no invisible characters, single spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        # Few characters of a text are special: to replace each is quicker than to look up every character.
        for character in sorted(set(text)):
            plain = character if character.isascii() else _plain(character)
            if plain != character:
                text = text.replace(character, plain)
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.replace("`", "'").split())


def comparable(text: str, *, case_sensitive: bool) -> str:
    """The form in which two texts are the same text."""
    found = normal(text)
    if case_sensitive:
        return found
    return found.lower() if found.isascii() else normal(found.casefold())


# --- what marks an answer ------------------------------------------------------------------------


def without_thought(text: str) -> str:
    """What a reasoning model says after its thought, which templates leave in: `<think>…</think>5` is `5`."""
    if (thought := _THOUGHT.match(text)) is None:
        return text
    closing = f"</{thought[1]}>"
    end = text.rfind(closing)
    return text[end + len(closing) :].strip() if end > 0 else text


def marked(text: str) -> list[tuple[str, str]]:
    """The parts that a text marks as its answer, in a box or between tags, each with the words around it."""
    if "<" not in text and "\\" not in text:
        return []
    found: list[tuple[str, str]] = []
    for match in islice(_TAG.finditer(text), _MOST_MARKS):
        end = text.lower().find("</answer>", match.end())
        if end > 0:
            found.append((text[match.end() : end].strip(), _around(text, match.start(), end + 9)))
        elif not found:  # A model that is stopped at the closing tag does not write it.
            found.append((text[match.end() :].strip(), _around(text, match.start(), len(text))))
            break
    if not found and text.endswith("</answer>"):  # The opening tag stood in the prompt.
        found.append((text.removesuffix("</answer>").strip(), ""))
    if found:
        return found
    for match in islice(_BOX.finditer(text), _MOST_MARKS):
        closing = _closing(text, match.end())
        if closing is not None:
            found.append((text[match.end() : closing].strip(), _around(text, match.start(), closing + 1)))
    return found


def _around(text: str, start: int, end: int) -> str:
    return f"{text[max(0, start - 40) : start]} … {text[end : end + 40]}"


def _closing(text: str, start: int, most: int = 20_000) -> int | None:
    """Where the brace closes that opened before `start`."""
    depth = 1
    for match in re.compile(r"(?<!\\)[{}]").finditer(text, start, start + most):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            return match.start()
    return None


def unwrapped(text: str) -> str:
    """The text without a label before it and markup around it: `**Answer:** $5$` is `5`."""
    found = text.strip()
    for _ in range(_MOST_WRAPPINGS):
        inner = _unwrapped_once(found)
        code = found[:1] == "`"
        found, before = inner, found
        if inner == before or code:  # What stands in code is meant to the letter: `__init__` is not bold.
            break
    return found


def _unwrapped_once(text: str) -> str:
    if (fenced := _FENCE.fullmatch(text)) and fenced[1].strip() and "```" not in fenced[1]:
        return fenced[1].strip()
    if text[-2:] in ("*.", "`.", "$."):
        inner = _unwrapped_once(text[:-1])
        return text if inner == text[:-1] else inner
    for opening, closing in _WRAPPED:
        inner = text[len(opening) : -len(closing)]
        wraps = text.startswith(opening) and text.endswith(closing) and inner.strip()
        if wraps and opening not in inner.replace("\\$", ""):
            return inner.strip()
    if html := _HTML.fullmatch(text):
        return html[2].strip() or text
    plain = re.sub(r"^(\*\*|__)(.{1,40}?)\1\s*", r"\2 ", text[:100]) + text[100:]
    if label := _LABEL.match(plain):
        rest = plain[label.end() :].strip()
        return rest or text
    if text.startswith(("* ", "• ")) and "\n" not in text:
        return text[2:].strip()
    return text


def unquoted(text: str) -> str:
    """The text without one pair of quotes around it."""
    if text[:1] not in _OPENING_QUOTES:
        return text
    for opening, closing in ('""', "''", "“”", "‘’", "«»", "„“"):
        inner = text[1:-1]
        if len(text) > 1 and text[0] == opening and text[-1] == closing:
            bare = _APOSTROPHE.sub("", inner)
            if opening not in bare and closing not in bare:
                return inner
    return text


# --- LaTeX ---------------------------------------------------------------------------------------

_LATEX_WRITTEN = (
    (re.compile(r"~(?=\\)"), " "),
    (re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|operatorname|mbox)\s*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r" \1/\2"),
    (re.compile(r"\\[dt]?frac\s*(\d)\s*(\d)(?!\d)"), r" \1/\2"),
    (re.compile(r"\^\s?\{ ?([^{} ]*) ?\}"), r"^\1"),
    (re.compile(r"\^\s?\\circ"), "°"),
    (re.compile(r"\\(?:times|cdot)(?![a-zA-Z])"), "×"),
    (re.compile(r"\\(?:approx|sim|simeq)(?![a-zA-Z])"), "≈"),
    (re.compile(r"\\pm(?![a-zA-Z])"), "±"),
    (re.compile(r"\\leq?(?![a-zA-Z])"), "≤"),
    (re.compile(r"\\geq?(?![a-zA-Z])"), "≥"),
    (re.compile(r"\\neq?(?![a-zA-Z])"), "≠"),
    (re.compile(r"\\lt(?![a-zA-Z])"), "<"),
    (re.compile(r"\\gt(?![a-zA-Z])"), ">"),
    (re.compile(r"\\(?:left|right)(?![a-zA-Z])"), ""),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[,;:! ]"), " "),
    (re.compile(r"\\([%$&#_{}])"), r"\1"),
)


def without_latex(text: str) -> str:
    """The text with LaTeX's commands as the characters that they print; the text itself where it has none."""
    if "\\" not in text and "{,}" not in text and "^{" not in text:
        return text
    # A thin space inside a number is one: 1\,234.
    for pattern, written in _LATEX_WRITTEN:
        text = pattern.sub(written, text)
    return text.strip()
