"""`cellwright replay`: a notebook run again, cell by cell, and what of it came out the same."""

import datetime
import json
import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape

from cellwright.agent.observation import clean
from cellwright.apps.texts import in_markup
from cellwright.core.errors import BadNotebook, UsageError
from cellwright.core.hashing import sha256_file
from cellwright.kernels import Kernel, KernelSettings, Limits, Pool
from cellwright.kernels.placement import Placement, place, prepare
from cellwright.notebooks.recorded import RecordedNotebook, read_recorded, without_cells
from cellwright.proof.replay import Replay, ReplayedCell, difference, needed_cells, replay

REPLAYED = "replay"
"""Key of the notebook's record under which the last replay is kept."""
_COLOURS = {"same": "green", "differs": "red", "not run": "red", "not shown": "yellow", "no answer": "yellow"}
_ANSWER_WORDS = {
    "same": "came out the same, shown by cell {cell}",
    "differs": "did not come out again; cell {cell} had shown it",
    "not shown": "stands in no cell's output, so running them again says nothing of it",
    "no answer": "there is none",
}


@dataclass(frozen=True)
class Checked:
    """A replay and how it is kept in the notebook."""

    replay: Replay
    record: Mapping[str, Any]


async def checked(
    notebook: RecordedNotebook,
    kernel: Kernel,
    *,
    cell_s: float,
    tell: Callable[[int, ReplayedCell], None] | None = None,
) -> Checked:
    """Replay a notebook in a kernel in which its files are in their places."""
    found = await replay(notebook.cells, _answers(notebook), kernel, cell_s=cell_s, tell=tell)
    record = {
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "kernel": kernel.isolation,
        "cells": [cell.verdict for cell in found.cells],
        "answers": [answer.verdict for answer in found.answers],
    }
    return Checked(found, record)


def _answers(notebook: RecordedNotebook) -> list[tuple[str | None, int]]:
    """Each answer with the number of code cells up to it."""
    found: list[tuple[str | None, int]] = []
    end = 0
    for question in _record(notebook).questions:
        ends = [number + 1 for number, cell in enumerate(notebook.cells) if cell.run == question.run]
        # A question without a cell of its own is answered from what those before it showed.
        end = max(ends, default=end)
        found.append((question.answer, end))
    return found


class _File(msgspec.Struct):
    path: str
    """From the notebook's folder."""
    sha256: str = ""


class _Question(msgspec.Struct):
    answer: str | None = None
    run: str = ""


class _Record(msgspec.Struct):
    """What a replay reads of a notebook's record."""

    files: list[_File] = []
    questions: list[_Question] = []


def _record(notebook: RecordedNotebook) -> _Record:
    """Raises UsageError for a record that is none of ours."""
    try:
        return msgspec.convert(notebook.record, _Record)
    except msgspec.ValidationError as error:
        raise UsageError(f"what it says of itself under `cellwright` cannot be read: {error}") from None


@dataclass(frozen=True)
class Opened:
    """A notebook with the files that it reads."""

    notebook: RecordedNotebook
    placement: Placement
    changed: Sequence[str]
    """Files that are not as they were when the notebook was made."""


def open_notebook(path: Path, files: Sequence[Path]) -> Opened:
    """A notebook and its files: those of its record, and `files` besides. Raises UsageError.

    The record may be anybody's: what it names outside the notebook's folder must be among `files`.
    """
    try:
        notebook = read_recorded(path.read_bytes())
        recorded = {file.path: file.sha256 for file in _record(notebook).files}
    except FileNotFoundError:
        raise UsageError(f"there is no notebook {path}") from None
    except (BadNotebook, UsageError) as error:
        raise UsageError(f"{path}: {error}") from error
    if not notebook.cells:
        raise UsageError(f"{path} has no code cells")
    _refuse_unnamed(path, recorded, files)
    missing = [name for name in recorded if not (path.parent / name).is_file()]
    if missing:
        raise UsageError(f"{path} reads {', '.join(missing)}, which is not there any more")
    changed = [name for name, sha256 in recorded.items() if sha256_file(path.parent / name) != sha256]
    placement = place([*(path.parent / name for name in recorded), *files], path.parent)
    return Opened(notebook, placement, changed)


def _refuse_unnamed(notebook: Path, recorded: Iterable[str], files: Sequence[Path]) -> None:
    """Raises UsageError where files of the record lie, or lead by links, where the person did not point to."""
    named = [_real(file) for file in files]
    folders = [_real(notebook.parent), *(place for place in named if place.is_dir())]
    real = {path: _real(path) for path in (notebook.parent / name for name in recorded)}
    unnamed = [
        path
        for path, place in real.items()
        if place not in named and not any(_is_open(place, folder) for folder in folders)
    ]
    if unnamed:
        words = " ".join(shlex.quote(os.path.normpath(path)) for path in unnamed)
        raise UsageError(
            f"{notebook} says that it reads {words}, which is hidden or outside its folder. "
            f"If it shall read that, name it: cellwright replay {shlex.quote(str(notebook))} {words}"
        )


def _real(path: Path) -> Path:
    """Where it leads by links. Raises UsageError for what can be no path."""
    try:
        return Path(os.path.realpath(path))
    except ValueError:
        raise UsageError(f"{str(path)!r} is no name of a file") from None


def _is_open(path: Path, folder: Path) -> bool:
    """Whether it lies in the folder and is not hidden there."""
    return path.is_relative_to(folder) and not any(part.startswith(".") for part in path.relative_to(folder).parts)


async def run_again(opened: Opened, pool: Pool, limits: Limits, *, cell_s: float, console: Console | None) -> Checked:
    """Replay in a fresh kernel, a line for each cell on the console."""

    def tell(number: int, cell: ReplayedCell) -> None:
        if console is not None:
            detail = f": {escape(clean(cell.detail))}" if cell.detail else ""
            console.print(f"cell {number + 1:3}  [{_COLOURS[cell.verdict]}]{cell.verdict}[/]{detail}")

    async with pool.kernel(KernelSettings(opened.placement.tables, limits=limits)) as kernel:
        await prepare(kernel, opened.placement)
        return await checked(opened.notebook, kernel, cell_s=cell_s, tell=tell)


def print_left_out(placement: Placement, console: Console) -> None:
    """A line for each file that the kernel is not shown."""
    for line in placement.left_out:
        console.print(f"[yellow]left out: {in_markup(line)}[/]", soft_wrap=True)


def print_answers(found: Replay, console: Console) -> None:
    """A line for each answer, and one for the cells that differ."""
    for answer in found.answers:
        words = _ANSWER_WORDS[answer.verdict].format(cell=None if answer.shown_by is None else answer.shown_by + 1)
        console.print(f"answer    [{_COLOURS[answer.verdict]}]{answer.verdict}[/]: {words}")
    different = sum(cell.verdict != "same" for cell in found.cells)
    count = len(found.cells)
    console.print(f"{count - different} of {count} cells came out the same")


def replay_json(checked_: Checked, opened: Opened) -> str:
    """The same facts for machines."""
    found = checked_.replay
    facts = {
        **checked_.record,
        "cells": [{"verdict": cell.verdict, "detail": cell.detail} for cell in found.cells],
        "answers": [
            {"answer": answer.answer, "verdict": answer.verdict, "shown_by": answer.shown_by}
            for answer in found.answers
        ],
        "changed_files": list(opened.changed),
        "same": found.is_same,
    }
    return json.dumps(facts, ensure_ascii=False)


async def keep_what_matters(  # noqa: PLR0913, PLR0917
    notebook: RecordedNotebook,
    found: Replay,
    pool: Pool,
    placement: Placement,
    limits: Limits,
    console: Console,
    cell_s: float = 60.0,
) -> bytes | None:
    """The notebook with only the cells that its answers depend on; None where that cannot be known."""
    targets = [answer.shown_by for answer in found.answers if answer.verdict == "same"]
    if not targets or len(targets) < len(found.answers):
        console.print("[yellow]all cells are kept: not every answer was shown again by a cell[/]")
        return None

    async def gives_it(numbers: Sequence[int]) -> bool:
        async with pool.kernel(KernelSettings(placement.tables, limits=limits)) as kernel:
            await prepare(kernel, placement)
            for number in numbers:
                cell = notebook.cells[number]
                result = await kernel.execute(cell.source, timeout_s=cell_s)
                if result.status in ("timeout", "dead") or difference(cell.outputs, result.outputs):
                    return False
            return True

    kept: set[int] = set()
    for target in targets:
        if target is not None:
            kept |= set(await needed_cells(notebook.cells, target, gives_it))
    if not await gives_it(sorted(kept)):
        console.print("[yellow]all cells are kept: what is left of them does not come out the same[/]")
        return None
    console.print(f"kept {len(kept)} of {len(notebook.cells)} cells: those that the answer depends on")
    return without_cells(notebook, kept)
