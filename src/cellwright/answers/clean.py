"""Texts as people and models write them, without what is not part of the answer: markup, labels, typography."""

import re
import unicodedata

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹣－"), "-")
_QUOTES = {**dict.fromkeys(map(ord, "‘’‚‛′`´"), "'"), **dict.fromkeys(map(ord, "“”„‟″«»"), '"')}
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f"), None)
_TYPOGRAPHY = {**_DASHES, **_QUOTES, **_INVISIBLE}
_LABEL = re.compile(r"(?:the\s+)?(?:final\s+)?answer(?:\s+is\s*:?|\s*[:=])\s*", re.IGNORECASE)
_BOXED = re.compile(r"\$?\\boxed\{(.*)\}\$?", re.DOTALL)
_WRAPPED = (
    ("```", "```"),
    ("**", "**"),
    ("__", "__"),
    ("`", "`"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("<answer>", "</answer>"),
)
_MOST_WRAPPINGS = 8


def normal(text: str) -> str:
    """Composed letters, plain dashes and quotes, no invisible characters, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_TYPOGRAPHY).split())


def comparable(text: str, *, case_sensitive: bool) -> str:
    """The form in which two texts are the same text."""
    found = normal(text)
    return found if case_sensitive else unicodedata.normalize("NFC", found.casefold())


def unwrapped(text: str) -> str:
    """The text without a label before it and markup around it: `**Answer:** $\\boxed{5}$` is `5`."""
    found = text.strip()
    for _ in range(_MOST_WRAPPINGS):
        inner = _unwrapped_once(found)
        if inner == found:
            break
        found = inner
    return found


def _unwrapped_once(text: str) -> str:
    if boxed := _BOXED.fullmatch(text):
        return boxed[1].strip()
    for opening, closing in _WRAPPED:
        inner = text[len(opening) : -len(closing)]
        if text.startswith(opening) and text.endswith(closing) and inner.strip() and opening not in inner:
            return inner.strip()
    plain = re.sub(r"^(\*\*|__)(.{1,40}?)\1\s*", r"\2 ", text)
    if label := _LABEL.match(plain):
        rest = plain[label.end() :].strip()
        return rest or text
    return text


def unquoted(text: str) -> str:
    """The text without one pair of quotes around it."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text[0] not in text[1:-1]:
        return text[1:-1]
    return text
