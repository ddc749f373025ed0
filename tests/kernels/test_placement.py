"""Files at the paths that lead to them from a notebook's folder."""

import asyncio
import os
from pathlib import Path

import pytest

from cellwright.core.errors import UsageError
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.kernels.placement import describe, place, prepare


def test_files_are_read_by_their_own_paths(tmp_path: Path) -> None:
    """Beside the notebook, below it, above it, in folders, two of the same name; and nothing else is left behind."""
    (tmp_path / "home" / "in").mkdir(parents=True)
    (tmp_path / "other" / "deep").mkdir(parents=True)
    names = ["home/a.csv", "home/in/a.csv", "other/deep/b c.csv", "other/c.csv", "top.csv"]
    for name in names:
        (tmp_path / name).write_text(name)
    (tmp_path / "other" / ".hidden").write_text("no")
    files = [tmp_path / "home" / "a.csv", tmp_path / "home" / "in", tmp_path / "other", tmp_path / "top.csv"]
    placement = place(files, tmp_path / "home")
    assert list(placement.paths) == ["a.csv", "in/a.csv", "../other/c.csv", "../other/deep/b c.csv", "../top.csv"]
    assert describe(placement)[0] == "a.csv (0.0 kB)"

    async def job() -> list[str]:
        async with LocalPool(1, preload=()) as pool, pool.kernel(KernelSettings(placement.tables)) as kernel:
            await prepare(kernel, placement)
            texts = [(await kernel.execute(f"print(open({path!r}).read())")).stdout.strip() for path in placement.paths]
            left = await kernel.execute(
                "print([n for n in dir() if n in ('_os', '_links', '_data', '_path', '_name')])"
            )
            assert left.stdout == "[]\n"
            written = await kernel.execute(f"open({next(iter(placement.paths))!r}, 'w')")
            assert written.status == "error"
            return texts

    assert asyncio.run(job()) == ["home/a.csv", "home/in/a.csv", "other/c.csv", "other/deep/b c.csv", "top.csv"]


def test_links_that_lead_out_of_a_folder_are_left_out(tmp_path: Path) -> None:
    """Each is told of; one that stays inside, or that is named itself, is read."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.csv").touch()
    (inside / "key.csv").symlink_to(outside / "a.csv")
    (inside / "all").symlink_to(outside)
    (inside / "same.csv").symlink_to("a.csv")
    (inside / "loop.csv").symlink_to("loop.csv")
    placement = place([inside], tmp_path)
    assert list(placement.paths) == ["in/a.csv"]
    assert [line.partition(" leads out of ")[0] for line in placement.left_out] == [
        str(inside / "all"),
        str(inside / "key.csv"),
    ]
    assert list(place([inside / "key.csv"], tmp_path).paths) == ["out/a.csv"]


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """No cell could name such a file; in a folder it is left out."""
    (tmp_path / os.fsdecode(b"caf\xe9.csv")).touch()
    (path,) = tmp_path.iterdir()
    with pytest.raises(UsageError, match=r"caf\\xe9\.csv is not UTF-8"):
        place([path], tmp_path)
    (line,) = place([tmp_path], tmp_path).left_out
    assert "caf\\xe9.csv" in line


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(UsageError, match="there is no file"):
        place([tmp_path / "none.csv"], tmp_path)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    """A home folder is not a table."""
    for number in range(1001):
        (tmp_path / f"{number}.csv").touch()
    with pytest.raises(UsageError, match="1001 files"):
        place([tmp_path], tmp_path)
