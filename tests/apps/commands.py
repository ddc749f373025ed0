"""Commands as a person types them: in a process of their own, or, where only words are looked at, in this one."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import pytest

from cellwright.apps.cli import main

Done = subprocess.CompletedProcess[str]


def cellwright(*arguments: str | Path) -> Done:
    """Run a command to its end."""
    command = [sys.executable, "-m", "cellwright", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)


def said(*arguments: str | Path) -> Done:
    """What a command says and its exit code, without the seconds that a process takes to import everything."""
    command = ["cellwright", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", command)
        try:
            main()
            code: object = 0
        except SystemExit as end:
            code = end.code
    return subprocess.CompletedProcess(command, code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())
