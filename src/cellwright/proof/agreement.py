"""How the outputs of a re-run compare with those stored in the file.

A statement about the file, not a gate: a value is proved by running its slice, not by looking like an old output.
"""

import re
from collections.abc import Sequence
from typing import Literal

from cellwright.core.types import Output

Agreement = Literal["same", "same values", "different", "nothing stored", "not run"]

_NUMPY_SCALAR = re.compile(r"np\.\w+\(([^()]*)\)")
_TOKEN = re.compile(r"-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\w+")
_SIGNIFICANT = 5


def agreement(stored: Sequence[Output], fresh: Sequence[Output]) -> Agreement:
    """`same` as text; `same values` where only format, dtype lines or the last digits differ."""
    before, after = _text(stored), _text(fresh)
    if not before.strip():
        return "nothing stored"
    if before.split() == after.split():
        return "same"
    return "same values" if tokens(before) == tokens(after) else "different"


def _text(outputs: Sequence[Output]) -> str:
    """What a person could compare: printed text and plain renderings, without what went to stderr."""
    shown = (o.text if o.kind == "stream" else o.data.get("text/plain", "") for o in outputs if o.name != "stderr")
    return "\n".join(shown)


def tokens(text: str) -> list[str]:
    """The numbers, to five digits, and words of an output, without what only tells types or memory."""
    kept = [line for line in text.splitlines() if "dtype:" not in line and "memory usage" not in line]
    return [_number(token) for token in _TOKEN.findall(_NUMPY_SCALAR.sub(r"\1", "\n".join(kept)))]


def _number(token: str) -> str:
    try:
        return f"{float(token):.{_SIGNIFICANT}g}"
    except ValueError:
        return token
