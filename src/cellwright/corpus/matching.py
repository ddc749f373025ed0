"""Which file of a source a path in a notebook means: one of another machine, of Kaggle, of the web, in another case."""

import posixpath
import re
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from cellwright.corpus.sources import Source

_DRIVE = re.compile(r"^[A-Za-z]:")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]{1,20}://", re.IGNORECASE)
_GENERIC_NAMES = re.compile(
    "train|test|valid|validation|data|dataset|input|output|sample|example|file|results|labels|submission"
)
"""What files are called that could hold anything."""
_GENERIC_FOLDERS = re.compile("data|datasets?|inputs?|raw|files|csv|tables|resources|assets")
_NEVER = {".ipynb", ".py", ".ipy", ".md", ".html", ".png", ".jpg", ".gif"}


class Match(NamedTuple):
    """The file that a path means."""

    path: str
    how: str
    """`relative`, `relative to a folder above`, `end of the path` or `name`."""


def match(path: str, notebook: str, source: Source) -> Match | None:
    """The file of the source that `path` means in the notebook at `notebook`; None when no file is meant for sure."""
    parts, is_elsewhere = _parts(path)
    if not parts or posixpath.splitext(parts[-1])[1].casefold() in _NEVER:
        return None
    if not is_elsewhere and (exact := _relative(path, notebook, source)) is not None:
        return exact
    return _by_name(parts, notebook, source)


def match_pattern(pattern: str, notebook: str, source: Source) -> list[str]:
    """The files that a glob pattern means; none unless the pattern's folder is found."""
    folder, name = posixpath.split(pattern.replace("\\", "/"))
    if not name or "*" in folder or "?" in folder:
        return []
    for base in _folders(notebook):
        here = posixpath.normpath(posixpath.join(base, folder)) if folder or base else ""
        found = [p for p in source.in_folder("" if here == "." else here) if fnmatchcase(posixpath.basename(p), name)]
        if found:
            return [p for p in found if posixpath.splitext(p)[1].casefold() not in _NEVER]
    return []


def _parts(path: str) -> tuple[list[str], bool]:
    """The meaningful parts of a path, and whether it leads to another machine."""
    if _SCHEME.match(path):
        try:
            inner = unquote(urlsplit(path).path)
        except ValueError:
            return [], True
        return [part for part in inner.split("/") if part not in ("", ".", "..")], True
    plain = path.replace("\\", "/")
    elsewhere = plain.startswith(("/", "~")) or bool(_DRIVE.match(plain))
    parts = [part for part in _DRIVE.sub("", plain).split("/") if part not in ("", ".", "..", "~")]
    return parts, elsewhere


def _folders(notebook: str) -> list[str]:
    """The notebook's folder and those above it, nearest first."""
    parts = notebook.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(len(parts), -1, -1)]


def _relative(path: str, notebook: str, source: Source) -> Match | None:
    plain = path.replace("\\", "/")
    for depth, base in enumerate(_folders(notebook)):
        here = posixpath.normpath(posixpath.join(base, plain))
        if not here.startswith("..") and source.has(here):
            return Match(here, "relative to a folder above" if depth else "relative")
    return None


def _by_name(parts: list[str], notebook: str, source: Source) -> Match | None:
    """The file of this name whose path ends most like the wanted one; of equals, the one nearest to the notebook.

    Only inside the notebook's own project: `train.csv` of another one is another table.
    """
    project = source.project(notebook)
    inside = [p for p in source.named(parts[-1]) if not project or p.startswith(f"{project}/")]
    if len(parts) == 1:
        inside = [p for p in inside if not _is_of_others(p, notebook)]
    if not inside:
        return None
    ranked = sorted(inside, key=lambda p: (-_common_end(parts, p), *_distance(notebook, p), p))
    best = ranked[0]
    if len(ranked) > 1 and _rank(parts, notebook, ranked[1]) == _rank(parts, notebook, best):
        return None  # two files are meant as well: a guess could be the wrong table
    return Match(best, "end of the path" if _common_end(parts, best) > 1 else "name")


def _is_of_others(path: str, notebook: str) -> bool:
    """Whether a file with a name such as `train.csv` stands in a folder that is about something else than the notebook:
    one that says what it holds, away from the notebook, which does not say so."""
    stem = posixpath.splitext(posixpath.basename(path))[0].casefold()
    folder, here = posixpath.dirname(path), posixpath.dirname(notebook)
    is_on_the_way = not here or f"{here}/".startswith(f"{folder}/") or f"{folder}/".startswith(f"{here}/")
    if _GENERIC_NAMES.fullmatch(stem) is None or not folder or is_on_the_way:
        return False
    about = posixpath.basename(folder).casefold()
    return _GENERIC_FOLDERS.fullmatch(about) is None and about not in notebook.casefold()


def _rank(parts: list[str], notebook: str, path: str) -> tuple[int, int, int]:
    return (-_common_end(parts, path), *_distance(notebook, path))


def _common_end(wanted: list[str], path: str) -> int:
    count = 0
    for one, other in zip(reversed(wanted), reversed(path.split("/")), strict=False):
        if one.casefold() != other.casefold():
            break
        count += 1
    return count


def _distance(notebook: str, path: str) -> tuple[int, int]:
    """Steps up from the notebook to the folder that holds both, then down to the file."""
    here, there = notebook.split("/")[:-1], path.split("/")[:-1]
    shared = next((n for n, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), min(len(here), len(there)))
    return len(here) - shared, len(there) - shared
