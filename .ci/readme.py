"""Runs the commands of README.md: every line that begins with `$ cellwright` in a console block, in order.

`make` lines are left out: .ci/run calls them itself, before this. The model of `cellwright ask` is a script here,
behind a real server.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
_RUNS_KERNELS = ("build", "verify", "ask", "replay")
_TURNS = [
    {
        "code": "import pandas as pd\n\ncrime = pd.read_csv('demo/notebooks/data/statecrime.csv')\ncrime.head(3)",
        "comment": "I first look at the file: its columns and a few rows.",
    },
    {
        "code": "crime.plot.scatter('poverty', 'murder', title='Murder and poverty');",
        "comment": "A plot shows whether murder grows with poverty, and one state far from the others.",
    },
    {
        "code": "rest = crime[crime['state'] != 'District of Columbia']\nrest['poverty'].corr(rest['murder']).round(3)",
        "comment": "The District of Columbia would decide it alone; the question leaves it out.",
    },
    {"answer": "0.6", "comment": "Read off the last output."},
]
_SERVER = """
import json, sys
from cellwright.core.types import Message, ToolCall
from cellwright.models.server import ScriptedServer
turns = json.loads(sys.argv[1])
def script(request):
    turn = turns[sum(message["role"] == "assistant" for message in request["messages"])]
    name = "final_answer" if "answer" in turn else "execute_code"
    return Message("assistant", "", tool_calls=(ToolCall("call_1", name, json.dumps(turn)),))
with ScriptedServer(script, names=["scripted"]) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


def main() -> int:
    blocks = re.findall(r"^```console\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    commands = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ cellwright")]
    if not commands:
        print("README.md has no commands to run", file=sys.stderr)
        return 1
    trusted = "" if _has_sandbox() else " --trusted"
    with _scripted_model() as url:
        path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none"}
        for line in commands:
            command = f"{line}{trusted}" if line.split()[1] in _RUNS_KERNELS else line
            print(f"$ {command}", flush=True)
            done = subprocess.run(command, shell=True, cwd=ROOT, env=environment, check=False)
            if done.returncode:
                print(f"README.md: this command failed with code {done.returncode}: {command}", file=sys.stderr)
                return 1
    shutil.rmtree(ROOT / "my-dataset", ignore_errors=True)
    shutil.rmtree(ROOT / "answer_files", ignore_errors=True)
    (ROOT / "answer.ipynb").unlink(missing_ok=True)
    return 0


@contextlib.contextmanager
def _scripted_model() -> Iterator[str]:
    """The URL of a server whose model answers the question of README.md."""
    command = [ROOT / ".venv/bin/python", "-c", _SERVER, json.dumps(_TURNS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        yield server.stdout.readline().strip()
        server.stdin.close()


def _has_sandbox() -> bool:
    """Whether kernels can be isolated here; what README.md builds is our own, so it may run without."""
    ask = "import sys; from cellwright.kernels.isolation import best_rung; best_rung(sys.executable)"
    done = subprocess.run([ROOT / ".venv/bin/python", "-c", ask], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"NOT TESTED HERE: {done.stderr.splitlines()[-1]} Commands run with --trusted.", file=sys.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
