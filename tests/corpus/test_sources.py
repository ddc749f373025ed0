"""Sources: folders, zips and single notebooks, friendly and hostile."""

import json
import os
import stat
import zipfile
from pathlib import Path

import pytest

from cellwright.core.errors import SourceError
from cellwright.core.types import Reject
from cellwright.corpus.sources import BUILT_HERE, NotebookFile, Sources
from tests.writing import notebook, write_notebook

NOTEBOOK = json.dumps(notebook("1")).encode()


def seen(*paths: Path) -> tuple[list[str], dict[str, str]]:
    """Paths of the notebooks of sources, and path to reason of what was left out."""
    found: list[str] = []
    rejects: dict[str, str] = {}
    with Sources(paths) as sources:
        for source in sources.by_name.values():
            for item in source.notebooks():
                if isinstance(item, Reject):
                    rejects[item.record] = item.reason
                else:
                    assert isinstance(item, NotebookFile)
                    assert item.data
                    found.append(item.path)
    return found, rejects


def test_folder_gives_its_notebooks_in_order(tmp_path: Path) -> None:
    """All notebooks below a folder, sorted; autosaves, version control and results of builds are none of it."""
    for name in ("b.ipynb", "a/z.ipynb", ".ipynb_checkpoints/b-checkpoint.ipynb", ".git/x.ipynb", "out/n.ipynb"):
        write_notebook(tmp_path / name, "1")
    (tmp_path / "out" / BUILT_HERE).touch()
    assert seen(tmp_path) == (
        ["a/z.ipynb", "b.ipynb"],
        {".ipynb_checkpoints/b-checkpoint.ipynb": "autosave of Jupyter"},
    )


def test_links_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    """A link to a file elsewhere is refused; one inside the folder is read."""
    write_notebook(tmp_path / "secret.ipynb", "1")
    root = tmp_path / "root"
    write_notebook(root / "a.ipynb", "1")
    (root / "evil.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (root / "inside.ipynb").symlink_to(root / "a.ipynb")
    (root / "loop").symlink_to(root)
    assert seen(root) == (["a.ipynb", "inside.ipynb"], {"evil.ipynb": "link that leads out of the folder"})


def test_hostile_members_of_a_zip_are_refused(tmp_path: Path) -> None:
    """Names that lead out, links, doubles and bombs give a reject each; the good member is read."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("ok.ipynb", "../up.ipynb", "/root.ipynb", "a/../../b.ipynb", "C:\\c.ipynb"):
            archive.writestr(name, NOTEBOOK)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("ok.ipynb", b"{}")
        link = zipfile.ZipInfo("link.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("bomb.ipynb", b"0" * 50_000_000)
    found, rejects = seen(path)
    # Of two members of one name, zipfile reads the last: what both say is refused.
    assert found == ["ok.ipynb"]
    assert set(rejects.values()) == {
        "unsafe name in the zip",
        "name comes twice in the zip",
        "link in the zip",
        "zip bomb",
    }
    assert sum(reason == "unsafe name in the zip" for reason in rejects.values()) == 4


def test_broken_member_is_refused_and_the_rest_is_read(tmp_path: Path) -> None:
    """A member whose bytes do not match its checksum costs itself only."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.ipynb", NOTEBOOK)
        archive.writestr("b.ipynb", NOTEBOOK.replace(b"1", b"2"))
    data = bytearray(path.read_bytes())
    data[data.index(b'"cells"') + 3] ^= 0xFF
    path.write_bytes(data)
    assert seen(path) == (["b.ipynb"], {"a.ipynb": "file cannot be read"})


@pytest.mark.parametrize("way", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_member_of_broken_bytes_is_refused_however_it_was_packed(tmp_path: Path, way: int) -> None:
    """Each way to pack has errors of its own."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", way) as archive:
        archive.writestr("a.ipynb", NOTEBOOK)
        archive.writestr("LICENSE", "MIT License")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    data = bytearray(path.read_bytes())
    for member in members:
        start = member.header_offset + 30 + len(member.filename)
        data[start : start + member.compress_size] = b"\xff" * member.compress_size
    path.write_bytes(data)
    assert seen(path) == ([], {"a.ipynb": "file cannot be read"})
    with Sources([path]) as sources:
        (source,) = sources.by_name.values()
        assert source.licence("a.ipynb").spdx is None


def test_single_notebook_sees_the_files_beside_it(tmp_path: Path) -> None:
    """One notebook as source gives itself only, and finds tables in its folder."""
    write_notebook(tmp_path / "a.ipynb", "1")
    write_notebook(tmp_path / "b.ipynb", "1")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "T.csv").write_text("a\n1\n")
    assert seen(tmp_path / "a.ipynb")[0] == ["a.ipynb"]
    with Sources([tmp_path / "a.ipynb"]) as sources:
        (source,) = sources.by_name.values()
        assert source.named("t.CSV") == ["data/T.csv"]
        assert source.size("data/T.csv") == 4


def test_sources_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    """Two folders that are both called `notebooks` do not share ids."""
    for parent in ("a", "b"):
        write_notebook(tmp_path / parent / "notebooks" / "x.ipynb", "1")
    with Sources([tmp_path / "a" / "notebooks", tmp_path / "b" / "notebooks"]) as sources:
        assert sorted(sources.by_name) == ["notebooks", "notebooks-2"]


def test_what_is_no_source_says_so(tmp_path: Path) -> None:
    """A missing path, another kind of file and a broken zip each get a line that names them."""
    (tmp_path / "x.txt").write_text("no zip")
    (tmp_path / "bad.zip").write_bytes(b"PK\x05\x06" + b"\xff" * 18)
    for name, words in (("none", "does not exist"), ("x.txt", "neither a folder"), ("bad.zip", "zip")):
        with pytest.raises(SourceError, match=words) as caught:
            Sources([tmp_path / name])
        assert name in str(caught.value)


def test_unreadable_folder_says_so(tmp_path: Path) -> None:
    """A folder that may not be listed is an error, not an empty source."""
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with pytest.raises(SourceError, match="cannot be read"):
        Sources([closed])


MIT = """MIT License

Copyright (c) 2019-2024 Ada Lovelace

Permission is hereby granted, free of charge, to any person
obtaining a copy"""


def test_nearest_licence_counts(tmp_path: Path) -> None:
    """The licence file in the nearest folder above decides; without one, nothing is claimed."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "LICENSE").write_text(MIT)
    (tmp_path / "a" / "LICENSE.md").write_text("Apache License\nVersion 2.0, January 2004")
    with Sources([tmp_path]) as sources:
        (source,) = sources.by_name.values()
        assert source.licence("x.csv") == ("MIT", "Ada Lovelace")
        assert source.licence("a/b/x.csv") == ("Apache-2.0", None)
    with Sources([tmp_path / "a" / "b"]) as sources:
        assert next(iter(sources.by_name.values())).licence("x.csv") == (None, None)
