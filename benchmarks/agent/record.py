"""Records a terminal in which `cellwright ask` runs against a real HTTP server: `python -m benchmarks.agent.record`.

Writes docs/ask.cast, for `asciinema play docs/ask.cast` (https://docs.asciinema.org/manual/asciicast/v2/).
The model is a script; the server, the stream, the kernel and the terminal are real.
"""

import codecs
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cellwright.core.types import Message, ToolCall
from cellwright.models.server import ScriptedServer

CAST = Path(__file__).parents[2] / "docs" / "ask.cast"
_COLUMNS, _LINES = 80, 40
_TABLE = "day,bill,tip\nSun,16.99,1.01\nSun,10.34,1.66\nSat,20.65,3.35\nSun,24.59,3.61\nSat,17.92,4.08\n"
_QUESTION = "Which share of the bill is tipped on Sundays, in percent to one decimal?"
_TURNS = (
    {"code": "import pandas as pd\n\ntips = pd.read_csv('tips.csv')\ntips", "comment": "I look at the file first."},
    {
        "code": "tips.groupby('day').sum().plot.bar(title='Bills and tips');",
        "comment": "How the two days compare, as a figure.",
    },
    {
        "code": "sunday = tips[tips.day == 'Sun']\nround(100 * sunday.tip.sum() / sunday.bill.sum(), 1)",
        "comment": "All tips of Sundays by all their bills.",
    },
    {"answer": "12.1%", "comment": "Read off the last output."},
)
_ARGUMENTS = ("ask", _QUESTION, "tips.csv", "--verify", "--keep", "only-what-matters")


def _script(request: Mapping[str, Any]) -> Message:
    turn = _TURNS[sum(message["role"] == "assistant" for message in request["messages"])]
    name = "final_answer" if "answer" in turn else "execute_code"
    return Message("assistant", "", tool_calls=(ToolCall("call_1", name, json.dumps(turn)),))


def record(folder: Path) -> list[tuple[float, str]]:
    """What the terminal was sent, with the seconds since the command began."""
    (folder / "tips.csv").write_text(_TABLE)
    shown = " ".join(f'"{word}"' if " " in word else word for word in _ARGUMENTS)
    events = [(0.0, f"$ cellwright {shown}\r\n")]
    with ScriptedServer(_script, latency_s=0.5, piece_s=0.03) as server:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, _COLUMNS, 0, 0))
        environment = {**os.environ, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "none"}
        environment |= {"TERM": "xterm-256color", "XDG_CONFIG_HOME": str(folder)}
        began = time.monotonic()
        command = [sys.executable, "-m", "cellwright", *_ARGUMENTS]
        with subprocess.Popen(command, cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave) as process:
            os.close(slave)
            events += _read(master, began)
        os.close(master)
        if process.returncode:
            raise SystemExit("".join(text for _, text in events))
    return events


def _read(terminal: int, began: float) -> list[tuple[float, str]]:
    events: list[tuple[float, str]] = []
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while True:
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:  # Linux says so when the last program has let go of the terminal.
            return events
        if not data:
            return events
        events.append((time.monotonic() - began, decoder.decode(data)))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        events = record(Path(folder))
    head = {"version": 2, "width": _COLUMNS, "height": _LINES, "title": "cellwright ask"}
    lines = [json.dumps(head), *(json.dumps([round(at, 3), "o", text], ensure_ascii=False) for at, text in events)]
    CAST.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"{CAST.name}: {events[-1][0]:.1f} s, {len(events)} pieces\n")


if __name__ == "__main__":
    main()
