"""What people see of long work, on a terminal and where there is none."""

import os
import pty
import subprocess
import sys
import threading
import time

import pytest

from cellwright.apps import progress as shown

_SCRIPT = """
import time
from cellwright.apps import progress as shown
shown._LONG_S = 0.0
with shown.make_progress(quiet=False) as progress:
    progress.begin("slice", 3)
    with progress.working("slice", "a/long.ipynb"), progress.working("slice", "b/later.ipynb"):
        time.sleep(0.5)
    progress.advance("slice", 2)
    progress.end("slice", 2, 1)
"""


def test_lines_say_what_is_under_way_while_nothing_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One heavy notebook does not look like a build that hangs; what has ended is not told any more."""
    monkeypatch.setattr(shown, "_SILENT_S", 0.2)
    with shown.make_progress(quiet=False) as progress:
        progress.begin("slice", 3)
        with progress.working("slice", "a/quick.ipynb"):
            pass
        with progress.working("slice", "a/lo\x1bng.ipynb"):
            time.sleep(0.5)
        progress.end("slice", 2, 1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "slice: 0 of 3, under way: lo␛ng.ipynb (0 s)"
    assert lines[-1] == "slice: 2 kept, 1 rejected"
    assert not any("quick" in line for line in lines)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("progress")]


def test_a_bar_shows_the_group_that_takes_longest() -> None:
    """On a terminal, beside its stage."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "150", "TERM": "xterm"}
    with subprocess.Popen([sys.executable, "-c", _SCRIPT], stderr=theirs, env=environment) as running:
        os.close(theirs)
        text = b""
        while chunk := _read(ours):
            text += chunk
    os.close(ours)
    assert running.returncode == 0
    assert b"long.ipynb (0 s)" in text
    assert b"later.ipynb" not in text
    assert b"2 kept, 1 rejected" in text


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when the other end is closed
        return b""
