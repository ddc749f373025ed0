"""Changed tables: written as they were but for what was to change, and made in the kernel only."""

import ast
import asyncio
import gzip
import json
import pickle
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cellwright.kernels import KernelSettings, LocalPool
from cellwright.proof.inside import PARTS
from cellwright.proof.inside import __file__ as inside
from cellwright.proof.inside.formats import open_table
from cellwright.proof.inside.variants import make
from cellwright.proof.judge import Judge, Program
from cellwright.proof.tables import Change, ReadHint, Variant

TEXT = (
    '# of 2020\r\nname;"the city";price\r\n"Ada; B.";Rome;1,50\r\nBob;"Oslo";2,00\r\n\r\n'
    "Cy;Rome;10,25\r\nDee;Bern;7,00\r\n"
)
pandas: Any = pd


def changed(path: Path, *changes: Change, hint: ReadHint | None = None) -> Path:
    """The file after the changes, in another folder."""
    target = path.parent.parent / "out"
    target.mkdir(exist_ok=True)
    hints = {path.name: (hint or ReadHint()).data()}
    notes = make({"v": [change.data() for change in changes]}, hints, {"v": str(target)})
    assert notes == {"v": {"problems": {}}}
    return target / path.name


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_parts_do_not_share_names() -> None:
    """In the kernel all parts are one module: no name stands for two things."""
    names: Counter[str] = Counter()
    for part in PARTS:
        for node in ast.parse(Path(inside).with_name(part).read_text()).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names[node.name] += 1
    assert [name for name, times in names.items() if times > 1] == []


def test_text_is_kept_as_it_is_written(data: Path) -> None:
    """Comments, header, quotes, line ends and encoding of a text table stay when its rows change places."""
    path = data / "a.csv"
    path.write_bytes(TEXT.encode("latin-1"))
    out = changed(path, Change("a.csv", "reorder", reverse=True)).read_bytes().decode("latin-1")
    lines = TEXT.split("\r\n")
    assert out.split("\r\n") == [*lines[:2], lines[6], lines[5], lines[4], lines[3], lines[2], ""]


def test_values_stay_within_their_kind(data: Path) -> None:
    """Numbers keep their decimals and range, labels are those that there were, other columns stay."""
    rows = [f"{n},{n * 1.5:.2f},{'xyz'[n % 3]},2020-01-{n % 28 + 1:02d}" for n in range(60)]
    (data / "a.csv").write_text("id,x,label,day\n" + "\n".join(rows) + "\n")
    new = pandas.read_csv(changed(data / "a.csv", Change("a.csv", "values", columns=("x", "label"))), dtype=str)
    old = pandas.read_csv(data / "a.csv", dtype=str)
    assert list(new.id) == list(old.id)
    assert list(new.day) == list(old.day)
    assert list(new.x) != list(old.x)
    assert all(len(text.partition(".")[2]) == 2 and 0 <= float(text) <= 88.5 for text in new.x)
    assert set(new.label) <= {"x", "y", "z"}


@pytest.mark.parametrize("kind", ["reorder", "resample", "drop", "add", "missing", "widen", "values", "rename"])
@pytest.mark.parametrize(
    "name", ["a.xlsx", "a.json", "a.parquet", "a.pkl", "a.csv.gz", "a.zip", "a.tsv", "lines.jsonl"]
)
def test_every_form_is_written_again(name: str, kind: Any, data: Path) -> None:
    """A changed table of any form is read by pandas as the one before it was, with the columns that it had."""
    frame = pandas.DataFrame({"n": range(1, 31), "x": [k / 4 for k in range(30)], "s": list("abcde") * 6})
    path = data / name
    text = frame.to_csv(index=False, sep="\t" if name.endswith(".tsv") else ",")
    match name:
        case "a.xlsx":
            frame.to_excel(path, index=False)
        case "a.json":
            frame.to_json(path, orient="records")
        case "lines.jsonl":
            frame.to_json(path, orient="records", lines=True)
        case "a.parquet":
            frame.to_parquet(path)
        case "a.pkl":
            path.write_bytes(pickle.dumps(frame))
        case "a.csv.gz":
            path.write_bytes(gzip.compress(text.encode()))
        case "a.zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("inner.csv", text)
        case _:
            path.write_text(text)
    reads: dict[str, Callable[[Path], Any]] = {
        "a.xlsx": lambda p: pandas.read_excel(p, engine="openpyxl"),
        "a.json": pandas.read_json,
        "lines.jsonl": lambda p: pandas.read_json(p, lines=True),
        "a.parquet": pandas.read_parquet,
        "a.pkl": pandas.read_pickle,
        "a.tsv": lambda p: pandas.read_csv(p, sep="\t"),
    }
    read = reads.get(name, pandas.read_csv)
    new = read(changed(path, Change(name, kind, columns=("s",) if kind == "rename" else None, suffix=" Q")))
    assert list(new.columns)[:3] == ["n", "x", "s"]
    assert not new.equals(frame)
    rows = {"drop": 21, "add": 39}.get(kind, 30)
    assert len(new) == rows


MIRRORED = Change("a.csv", "values", columns=("a",), how="mirror")


@pytest.mark.parametrize(
    ("text", "hint", "read"),
    [
        ("#,a\n1,10\n2,20\n3,31\n", {}, {}),
        ("a,b\nkg,m\n10,1\n20,2\n31,3\n", {"skipped": (1,)}, {"skiprows": [1]}),
        ("a,b\n10,wait\x85 what\n20,y\n31,z\n", {"encoding": "latin-1"}, {"encoding": "latin-1"}),
        ('10 "chevrolet chevelle malibu"\n20 "fiat"\n31 "vw rabbit"\n', {"sep": r"\s+", "names": ("a", "b")}, {}),
    ],
    ids=["a header that begins with a hash", "a row of units", "a sign that is no line end", "quoted blanks"],
)
def test_rows_are_found_as_pandas_finds_them(data: Path, text: str, hint: dict[str, Any], read: dict[str, Any]) -> None:
    """A column that is changed is that column, in all of its rows, and nothing else of the file changes."""
    (data / "a.csv").write_bytes(text.encode("latin-1"))
    told = ReadHint("read_csv", **hint)
    given: dict[str, Any] = read | {name: hint[name] for name in ("sep", "names") if name in hint}
    old = pandas.read_csv(data / "a.csv", **given)
    new = pandas.read_csv(changed(data / "a.csv", MIRRORED, hint=told), **given)
    assert new.a.tolist() == [31, 21, 10]
    assert new.drop(columns="a").equals(old.drop(columns="a"))


def test_a_missing_field_between_blanks_does_not_move_the_others(data: Path) -> None:
    """It needs a sign of its own there."""
    (data / "a.csv").write_text("a b c\n" + "".join(f"{n} {n}.5 x{n}\n" for n in range(8)))
    hint = ReadHint("read_csv", sep=r"\s+")
    new = pandas.read_csv(changed(data / "a.csv", Change("a.csv", "missing", columns=("b",)), hint=hint), sep=r"\s+")
    assert new.b.isna().any()
    assert new.c.tolist() == [f"x{n}" for n in range(8)]


def test_typed_tables_keep_small_numbers_new_labels_and_places(data: Path) -> None:
    """A number below 1e-4 is not rounded away, a renamed category is a category, rows are numbered by their places."""
    frame = pandas.DataFrame({"p": [2.5e-06 * n for n in range(1, 31)], "g": pandas.Categorical(["u", "v"] * 15)})
    frame.to_parquet(data / "a.parquet")
    changes = (
        Change("a.parquet", "values", columns=("p",), how="shift"),
        Change("a.parquet", "rename", columns=("g",), suffix="!"),
        Change("a.parquet", "reorder", reverse=True),
    )
    new = pandas.read_parquet(changed(data / "a.parquet", *changes))
    assert new.p.nunique() == 30
    assert new.g.value_counts().to_dict() == {"u!": 15, "v!": 15, "u": 0, "v": 0}
    assert new.index.tolist() == list(range(30))


def test_what_cannot_be_written_says_so(data: Path) -> None:
    """Files of unknown form are refused in words, not guessed at."""
    (data / "a.json").write_text(json.dumps({"deep": [1, {"er": 2}]}))
    (data / "b.csv").write_bytes(b"\x00\x01\x02")
    with pytest.raises(ValueError, match="no list of records"):
        open_table(data / "a.json", {})
    with pytest.raises(ValueError, match="no text"):
        open_table(data / "b.csv", {})


def test_programs_read_a_variant_and_the_table_stays(tmp_path: Path) -> None:
    """A program that names a variant reads it; one that does not reads the table as it is; its bytes come out."""
    path = tmp_path / "a.csv"
    path.write_text("x\n" + "\n".join(map(str, range(100))) + "\n")

    async def job() -> tuple[list[object], bytes | None, bytes | None]:
        async with (
            LocalPool(1, rung="trusted", preload=("pandas",)) as pool,
            pool.kernel(KernelSettings({"a.csv": path})) as kernel,
        ):
            judge = Judge(kernel, timeout_s=20, seed=1)
            variant = Variant((Change("a.csv", "drop", share=0.25),))
            assert await judge.make([variant], {"a.csv": ReadHint("read_csv")}) == {}
            program = Program(("import pandas as pd",), "len(pd.read_csv('data/a.csv'))")
            other = Program(program.units, program.expression, variant.name)
            lost = Program(program.units, program.expression, "no such variant")
            runs = await judge.run([program, other, lost])
            whole = await judge.content(variant, "a.csv", 1000)
            return [run.value or run.error for run in runs], whole, await judge.content(variant, "a.csv", 10)

    values, content, too_large = asyncio.run(job())
    assert values == [{"t": "int", "v": 100}, {"t": "int", "v": 75}, "NoVariant"]
    assert content is not None
    assert content.count(b"\n") == 76
    assert too_large is None
