"""Makes the fingerprint of a benchmark from a folder of its files: tables and questions, in zips too.

A file with a column or key named as a question is (`QUESTION_FIELDS`) gives its questions; every other one is a table.
Column names are read of CSV, TSV, JSON, JSON lines and Parquet files; of others, the content alone. The files are the
person's own: they are read in this process.
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from cellwright.core.errors import UsageError
from cellwright.proof.screening.contamination import Fingerprint, column_set, content_hashes, ngrams

QUESTION_FIELDS = ("question", "prompt", "query", "instruction", "problem")
_PROSE = (".md", ".txt", ".pdf", ".py", ".html", ".license")
"""Not tables: manuals, licences and scripts."""
_MOST_BYTES = 1 << 30
_READERS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")


def make_fingerprint(name: str, places: Sequence[Path]) -> Fingerprint:
    """The fingerprint of the files in these folders, zips and files. UsageError where they hold nothing to look at."""
    tables: dict[str, None] = {}
    columns: dict[str, None] = {}
    questions: dict[tuple[str, ...], None] = {}
    for path, data in _members(places):
        rows, names = _read(path, data)
        field = next((field for field in QUESTION_FIELDS if field in names), "")
        if field:
            questions |= {tuple(ngrams(row[field])): None for row in rows if isinstance(row.get(field), str)}
        elif path.suffix.lower() not in _PROSE:
            tables |= dict.fromkeys(content_hashes([data]))
            columns |= dict.fromkeys(filter(None, [column_set(names)]))
    if not tables and not questions:
        raise UsageError(f"{', '.join(map(str, places))}: neither a table nor a question was found")
    return Fingerprint(name, tuple(sorted(tables)), tuple(sorted(columns)), tuple(sorted(filter(None, questions))))


def write_fingerprint(fingerprint: Fingerprint, path: Path) -> None:
    """One JSON text, its long lists on lines of their own so that changes can be seen."""
    text = msgspec.json.encode(fingerprint).decode()
    path.write_text(text.replace('],["', '],\n["') + "\n")


def _members(places: Sequence[Path]) -> Iterator[tuple[PurePosixPath, bytes]]:
    for place in places:
        if not place.exists():
            raise UsageError(f"{place} does not exist")
        found = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
        for path in found:
            if path.suffix.lower() == ".zip":
                yield from _zipped(path)
            elif not any(part.startswith(".") for part in path.relative_to(place).parts):
                yield PurePosixPath(path.name), path.read_bytes()


def _zipped(path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.infolist(), key=lambda member: member.filename):
                if not member.is_dir() and member.file_size <= _MOST_BYTES:
                    yield PurePosixPath(member.filename), archive.read(member)
    except zipfile.BadZipFile as error:
        raise UsageError(f"{path} is not a zip file that can be read: {error}") from None


def _read(path: PurePosixPath, data: bytes) -> tuple[Sequence[Mapping[str, Any]], Sequence[str]]:
    """The rows of a file, where it may hold questions, and the names of its columns."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            table = pq.read_table(io.BytesIO(data))
            wanted = [name for name in table.column_names if name in QUESTION_FIELDS]
            return table.select(wanted).to_pylist(), table.column_names
        if suffix in {".csv", ".tsv"}:
            lines = csv.DictReader(
                io.StringIO(data.decode("utf-8-sig", "replace")), delimiter="\t" if suffix == ".tsv" else ","
            )
            names = list(lines.fieldnames or ())
            return (list(lines) if set(names) & set(QUESTION_FIELDS) else []), names
        if suffix in _READERS:
            rows = _objects(data.decode("utf-8-sig", "replace"), lines=suffix != ".json")
            return rows, list(rows[0]) if rows else []
    except (ValueError, csv.Error, pa.ArrowException):
        pass  # not what its name says: its content counts all the same
    return [], []


def _objects(text: str, *, lines: bool) -> list[dict[str, Any]]:
    """The objects of a JSON text: a list of them, one that holds such a list, or one on each line."""
    if lines or text.lstrip()[:1] not in ("[", "{"):
        loaded: Any = [json.loads(line) for line in text.splitlines() if line.strip()]
    else:
        try:
            loaded = json.loads(text)
        except ValueError:  # JSON lines under another name
            loaded = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(loaded, dict):
        loaded = next((value for value in loaded.values() if isinstance(value, list)), [loaded])
    return [row for row in loaded if isinstance(row, dict)]
