"""Large pages for templates."""

import re
import subprocess
import sys

CODE = """
import re
from pathlib import Path
from cellwright.kernels.inside import pages

def large():
    return int(re.search(r"AnonHugePages: +(\\d+)", Path("/proc/self/smaps_rollup").read_text())[1]) << 10

block = bytearray(bytes(range(256)) * (64 << 10))
before, count = large(), pages.gather()
print(bytes(block) == bytes(range(256)) * (64 << 10), count, large() - before)
"""


def test_memory_is_gathered_and_stays_what_it_is() -> None:
    """As many large pages more as were told, and no byte another; a kernel that has none tells none."""
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    told = re.fullmatch(r"True (\d+) (-?\d+)\n", run.stdout)
    assert told, run.stdout
    count, more = int(told[1]), int(told[2])
    assert more >= count * (2 << 20) * 0.9 if count else more >= 0
