"""Runs the commands of README.md: every line that begins with `$ cellwright` in a console block, in order.

`make` lines are left out: .ci/run calls them itself, before this.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> int:
    blocks = re.findall(r"^```console\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    commands = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ cellwright")]
    if not commands:
        print("README.md has no commands to run", file=sys.stderr)
        return 1
    environment = {**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"}
    trusted = "" if _has_sandbox() else " --trusted"
    for line in commands:
        command = f"{line}{trusted}" if line.split()[1] in ("build", "verify") else line
        print(f"$ {command}", flush=True)
        done = subprocess.run(command, shell=True, cwd=ROOT, env=environment, check=False)
        if done.returncode:
            print(f"README.md: this command failed with code {done.returncode}: {command}", file=sys.stderr)
            return 1
    shutil.rmtree(ROOT / "my-dataset", ignore_errors=True)
    return 0


def _has_sandbox() -> bool:
    """Whether kernels can be isolated here; what README.md builds is our own, so it may run without."""
    ask = "import sys; from cellwright.kernels.isolation import best_rung; best_rung(sys.executable)"
    done = subprocess.run([ROOT / ".venv/bin/python", "-c", ask], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"NOT TESTED HERE: {done.stderr.splitlines()[-1]} Commands run with --trusted.", file=sys.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
