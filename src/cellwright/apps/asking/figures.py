"""Pictures that cells draw: beside the notebook as files, and in the terminal where it can show them.

Two protocols, which most terminals that show pictures speak: kitty's
(https://sw.kovidgoyal.net/kitty/graphics-protocol/) and iTerm2's (https://iterm2.com/documentation-images.html).
"""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

from cellwright.core.types import Output

_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/svg+xml": ".svg"}
_KITTY_PIECE = 4096
_KITTY_TERMINALS = ("xterm-kitty", "xterm-ghostty")
_ITERM_PROGRAMS = ("iTerm.app", "WezTerm", "vscode", "mintty", "Hyper")


class Figures:
    """The pictures of one notebook, in a folder that appears with the first."""

    def __init__(self, notebook: Path) -> None:
        self._folder = notebook.with_name(f"{notebook.stem}_files")
        self._count = 0

    def save(self, output: Output) -> Path | None:
        """Write the output's picture, if it has one, and return where."""
        for media, suffix in _SUFFIXES.items():
            if media not in output.data:
                continue
            text = output.data[media]
            try:
                data = text.encode() if suffix == ".svg" else base64.b64decode(text)
            except (binascii.Error, ValueError):
                return None
            self._folder.mkdir(exist_ok=True)
            self._count += 1
            path = self._folder / f"figure-{self._count}{suffix}"
            path.write_bytes(data)
            return path
        return None


def inline(path: Path, environment: Mapping[str, str]) -> str:
    """What makes this terminal show a PNG; empty where it cannot, as far as its environment says."""
    if path.suffix != ".png" or environment.get("TMUX") or environment.get("TERM", "").startswith("screen"):
        return ""
    data = base64.b64encode(path.read_bytes()).decode()
    if environment.get("TERM") in _KITTY_TERMINALS or environment.get("KITTY_WINDOW_ID"):
        return _kitty(data)
    if environment.get("TERM_PROGRAM") in _ITERM_PROGRAMS:
        return f"\x1b]1337;File=inline=1;size={path.stat().st_size}:{data}\x07"
    return ""


def _kitty(data: str) -> str:
    pieces = [data[at : at + _KITTY_PIECE] for at in range(0, len(data), _KITTY_PIECE)]
    sent = []
    for number, piece in enumerate(pieces):
        control = "a=T,f=100," if number == 0 else ""
        sent.append(f"\x1b_G{control}m={int(number < len(pieces) - 1)};{piece}\x1b\\")
    return "".join(sent)
