"""Texts of others, as tables, notebooks and models have them, on a terminal."""

import unicodedata

from rich.markup import escape

_KEPT = "\n\t"
# Terminals act on the controls of ASCII and, some, on those of 8 bits (C1): each is shown by its picture, or by U+FFFD.
# Halves of surrogate pairs cannot be written out at all.
_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in _KEPT}
_PICTURES |= {0x7F: 0x2421} | dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000)), 0xFFFD)
_UNSEEN = ("Cf", "Zl", "Zp")
"""Unicode's categories of format characters (of direction, of no width) and of its own line ends."""


def visible(text: str) -> str:
    """The text with every control character but line ends and tabs made visible, so that no terminal acts on it."""
    return text.translate(_PICTURES)


def in_markup(text: str) -> str:
    """The text made visible, to stand in what a console takes for its markup."""
    return escape(visible(text))


def visible_code(code: str) -> str:
    """Code as Python reads it: also what turns the direction of a line or has no width is visible, as ⟨U+202E⟩."""
    # Python ends a line, and so a comment, at a lone carriage return too.
    shown = visible(code.replace("\r\n", "\n").replace("\r", "\r\n"))
    return "".join(f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in _UNSEEN else c for c in shown)
