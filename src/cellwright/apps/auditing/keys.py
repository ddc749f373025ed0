"""One key of a terminal, without Enter."""

import os
import termios
import tty
from collections.abc import Collection

END = "q"
"""What the end of the input and Ctrl-C are taken for."""


def read_key(known: Collection[str], descriptor: int = 0) -> str:
    """The next key that is known; others are passed over. Keys that were typed ahead are not lost."""
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSADRAIN)
        while True:
            data = os.read(descriptor, 1)
            if data in (b"", b"\x04"):
                return END
            if (key := data.decode("ascii", "replace")) in known:
                return key
    except KeyboardInterrupt:
        return END
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
