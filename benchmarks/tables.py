"""Results as a Markdown table, under a heading of its own in docs/benchmarks.md."""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

_PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"
_INTRODUCTION = """# Benchmarks

Each section is written by the command under its heading. Machines that run tests are shared and noisy: compare figures
of one run with each other, not with those of another.
"""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def circumstances() -> str:
    """Commit, day and kind of machine."""
    commit = _said("git", "rev-parse", "--short", "HEAD")
    changed = " with changes" if _said("git", "status", "--porcelain", "--", "src") else ""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"Commit {commit}{changed}, {_said('date', '+%Y-%m-%d')}; {len(os.sched_getaffinity(0))} cores, "
        f"{memory_gib:.0f} GiB, Linux {platform.release().split('-')[0]}, Python {platform.python_version()}."
    )


def write_section(title: str, command: str, body: str) -> None:
    """Put a section into the page of benchmarks, in the place of the one of that title."""
    page = _PAGE.read_text() if _PAGE.exists() else _INTRODUCTION
    section = f"## {title}\n\n`{command}`. {circumstances()}\n\n{body.strip()}\n"
    found = re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    before, after = (page[: found.start()], page[found.end() :]) if found else (f"{page.rstrip()}\n\n", "")
    _PAGE.write_text(f"{before}{section}\n{after}".rstrip() + "\n")


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_PAGE.parents[1])
    return done.stdout.strip()
