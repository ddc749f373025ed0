"""Reads the small notebooks of `cases/`, whose marks say which lines the shortest program keeps (`cases/README.md`)."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    """One notebook, its last line being the output."""

    name: str
    cells: tuple[str, ...]
    kept: tuple[str, ...]
    """The cells with only the lines to keep, and the output's line last."""
    refusal: str
    """Words of the reason for which it must be refused; empty when it must be found."""


def read_cases() -> list[Case]:
    """Every notebook of the folder."""
    return [
        _case(path.stem, text)
        for path in sorted(FOLDER.glob("*.txt"))
        for text in path.read_text().split("=== ")
        if text.strip()
    ]


def _case(theme: str, text: str) -> Case:
    name, *lines = text.rstrip().splitlines()
    cells: list[list[str]] = [[]]
    kept: list[list[str]] = [[]]
    refusal = ""
    for line in filter(None, lines):
        mark, content = line[:2], line[2:]
        match mark:
            case "--" if line == "---":
                cells.append([])
                kept.append([])
            case "!!":
                refusal = line[4:]
            case "+ " | "- " | "= " | "> ":
                if mark != "> ":
                    cells[-1].append(content)
                if mark != "- ":
                    kept[-1].append(content)
            case _:
                raise ValueError(f"{theme}, {name}: no mark before {line!r}")
    return Case(f"{theme}: {name}", tuple(map("\n".join, cells)), tuple(map("\n".join, kept)), refusal)
