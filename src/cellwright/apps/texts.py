"""Texts of others, as tables, notebooks and models have them, on a terminal."""

_KEPT = "\n\t"
# Terminals act on the controls of ASCII and, some, on those of 8 bits (C1): each is shown by its picture, or by U+FFFD.
_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in _KEPT}
_PICTURES |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)


def visible(text: str) -> str:
    """The text with every control character but line ends and tabs made visible, so that no terminal acts on it."""
    return text.translate(_PICTURES)
