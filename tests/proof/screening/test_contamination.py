"""Fingerprints of benchmarks: what they find, what they hold, and what they do not."""

import hashlib
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cellwright.core.errors import UsageError
from cellwright.proof.screening.contamination import (
    Benchmarks,
    contamination_gate,
    file_hashes,
    known_benchmarks,
    load_fingerprint,
)
from cellwright.proof.screening.fingerprint import make_fingerprint, write_fingerprint

from .making import INTEGER, task

SHARED = Path(__file__).parents[4] / "shared" / "benchmarks"
QUESTION = "How many of the red boats that left the harbour on a Monday came back before noon?"
OTHERS = ("Which captain has the longest beard of all captains in the fleet?", "What is the mean length of a boat?")
CSV = "boat,colour,Left At,length\n1,red,Mon,12\n2,blue,Tue,9\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A benchmark in every form that is read."""
    place = tmp_path / "boats"
    place.mkdir()
    (place / "dev.jsonl").write_text(json.dumps({"question": QUESTION, "answer": "SECRET-ANSWER"}) + "\n")
    (place / "more.json").write_text(json.dumps({"data": [{"prompt": OTHERS[0], "answer": "SECRET-ANSWER"}]}))
    pq.write_table(pa.table({"question": [OTHERS[1]], "answer": ["SECRET-ANSWER"]}), place / "test.parquet")
    (place / "boats.csv").write_text(CSV)
    with zipfile.ZipFile(place / "tables.zip", "w") as archive:
        archive.writestr("inner/ports.tsv", "port\tsea\tdepth\ttide\nA\tB\t1\t2\n")
    (place / "README.md").write_text("# Boats")
    return place


def benchmarks(folder: Path, share: float = 0.5) -> Benchmarks:
    return Benchmarks([make_fingerprint("Boats", [folder])], share)


def test_fingerprint_counts_and_comes_back(folder: Path, tmp_path: Path) -> None:
    """Questions of three files and tables of two are in it; what is written is what is read."""
    found = make_fingerprint("Boats", [folder])
    assert (len(found.questions), len(found.columns), len(found.tables)) == (3, 2, 4)
    write_fingerprint(found, tmp_path / "boats.json")
    assert load_fingerprint(tmp_path / "boats.json") == found


def test_fingerprint_holds_no_text(folder: Path, tmp_path: Path) -> None:
    """No word of a question, a table or an answer stands in the file, and the answers change nothing of it."""
    write_fingerprint(make_fingerprint("Boats", [folder]), tmp_path / "one.json")
    text = (tmp_path / "one.json").read_text()
    assert not any(word in text.casefold() for word in ("harbour", "captain", "colour", "secret"))
    (folder / "dev.jsonl").write_text(json.dumps({"question": QUESTION, "answer": "another"}) + "\n")
    write_fingerprint(make_fingerprint("Boats", [folder]), tmp_path / "two.json")
    assert (tmp_path / "two.json").read_text() == text


WORDINGS = {
    QUESTION: True,
    f"In `boats.csv`, {QUESTION.upper()}": True,
    "How many of the red boats that left the harbour on a Monday came back after lunch?": True,
    "In `boats.csv`, how many rows are there where `colour` is red?": False,
    "What is the mean of `length`?": False,
    "How many boats left on a Monday?": False,
}


@pytest.mark.parametrize("wording", WORDINGS)
def test_question_of_a_benchmark(folder: Path, wording: str) -> None:
    """The same question is found in other letters, with words around it or a few changed; a similar one is not."""
    gate = contamination_gate(task(wording, 3, INTEGER), [], benchmarks(folder))
    assert gate.passed is not WORDINGS[wording]


@pytest.mark.parametrize("written", [CSV, CSV.replace("\n", "\r\n"), "\ufeff" + CSV, CSV + "\n\n"])
def test_table_of_a_benchmark_under_another_name(folder: Path, tmp_path: Path, written: str) -> None:
    """A table is known by its content, whatever its name, line ends, byte order mark and empty lines at the end."""
    (tmp_path / "mirror.csv").write_bytes(written.encode())
    known = benchmarks(folder)
    assert known.of_table(file_hashes(tmp_path / "mirror.csv"), []) == ["a table of Boats"]
    (tmp_path / "other.csv").write_text(CSV.replace("12", "13"))
    assert known.of_table(file_hashes(tmp_path / "other.csv"), []) == []


COLUMNS = {
    ("boat", "colour", "left at", "length"): True,
    ("Length ", "Unnamed: 0", "LEFT AT", "Colour", "Boat"): True,
    ("boat", "colour", "length"): False,
    ("boat", "colour", "left at", "length", "owner"): False,
}


@pytest.mark.parametrize("columns", COLUMNS)
def test_columns_of_a_benchmark(folder: Path, columns: tuple[str, ...]) -> None:
    """A set of four columns and more is known in any order and case, without those that only number rows."""
    assert bool(benchmarks(folder).of_table([], columns)) is COLUMNS[columns]


def test_pointer_stands_for_its_file(folder: Path, tmp_path: Path) -> None:
    """A Git LFS pointer in a benchmark's clone finds the file that it points to."""
    (tmp_path / "whole.csv").write_text("a,b\n5,6\n")
    oid = hashlib.sha256((tmp_path / "whole.csv").read_bytes()).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 8\n"
    (folder / "big.csv").write_text(pointer)
    assert benchmarks(folder).of_table(file_hashes(tmp_path / "whole.csv"), []) == ["a table of Boats"]


def test_mistakes_say_what_to_do(tmp_path: Path) -> None:
    """Folders without a benchmark and files that are no fingerprint are named."""
    with pytest.raises(UsageError, match="neither a table nor a question"):
        make_fingerprint("x", [tmp_path])
    with pytest.raises(UsageError, match="does not exist"):
        make_fingerprint("x", [tmp_path / "nowhere"])
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UsageError, match="cellwright fingerprint"):
        load_fingerprint(tmp_path / "x.json")


def test_shipped_fingerprints_are_small() -> None:
    """Two benchmarks are known without any setting, in less than 300 kB."""
    assert {known.name for known in known_benchmarks()} == {"DABStep", "DABench"}
    folder = Path(__file__).parents[3] / "src" / "cellwright" / "proof" / "screening" / "known"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 300_000


@pytest.mark.skipif(not SHARED.exists(), reason="needs the benchmarks beside the repository")
def test_shipped_fingerprints_know_the_benchmarks(tmp_path: Path) -> None:
    """Every question and table of DABStep and DABench is found by what ships, and neither is taken for the other."""
    known = {one.name: Benchmarks([one], 0.5) for one in known_benchmarks()}
    asked = {
        "DABench": (SHARED / "dabench" / "questions.jsonl").read_text().splitlines(),
        "DABStep": (SHARED / "dabstep" / "tasks" / "all.jsonl").read_text().splitlines(),
    }
    for name, lines in asked.items():
        questions = [json.loads(line)["question"] for line in lines]
        assert all(known[name].of_question(question) for question in questions)
        (other,) = set(known) - {name}
        assert not any(known[other].of_question(question) for question in questions)
    with zipfile.ZipFile(SHARED / "dabench" / "tables.zip") as archive:
        archive.extractall(tmp_path)
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert known["DABench"].of_table(file_hashes(path), []) == ["a table of DABench"]
