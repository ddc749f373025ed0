"""The contamination gate: is a task's table, its columns or its question one of a benchmark's?

A fingerprint is all that is kept of a benchmark: hashes of its tables, of their sets of column names, and of its
questions' words, five at a time. No text of a benchmark can be read in it and no answer was ever looked at. The salt
keeps its hashes from being those of other lists; it is public, so it does not keep from anybody whether a given
question or table is in.

Normal form of words: Unicode NFKC, casefolded, runs of letters, digits and underscores. Of column names: the same fold
with white space stripped, sorted, without empty, numbered and unnamed ones; sets of fewer than four say nothing. Of a
table: its bytes, and its bytes without byte order mark, carriage returns and white space at the end.
"""

import base64
import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from cellwright.core.errors import UsageError
from cellwright.core.types import GateResult, Task

GATE = "contamination"
SALT = "cellwright fingerprint 1"
NGRAM_WORDS = 5
FEWEST_COLUMNS = 4
_FEWEST_NGRAMS = 3
_NGRAM_BYTES, _HASH_BYTES = 6, 12
_CHUNK_BYTES = 1 << 20
_POINTER = re.compile(rb"version https://git-lfs[^\n]*\noid sha256:([0-9a-f]{64})\n")
_UNNAMED = re.compile(r"unnamed: \d+(?:_level_\d+)?|[\d.]*")
_CONTRACT = re.compile(r"\s*Answer with (?:an?|the|one|yes) .*$", re.DOTALL)


@dataclass(frozen=True)
class Fingerprint:
    """What is known of one benchmark."""

    name: str
    tables: tuple[str, ...]
    """Hashes of its files' contents."""
    columns: tuple[str, ...]
    """Hashes of the sets of column names of its tables."""
    questions: tuple[tuple[str, ...], ...]
    """For each question, hashes of its words, five at a time."""
    salt: str = SALT


def hashed(kind: str, text: str, size: int = _HASH_BYTES) -> str:
    """A salted hash, in the letters of URLs."""
    digest = hashlib.sha256(f"{SALT}\0{kind}\0{text}".encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest[:size]).decode().rstrip("=")


def ngrams(question: str) -> list[str]:
    """Hashes of each five words in a row; of all words where there are fewer."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", question).casefold())
    runs = [words[n : n + NGRAM_WORDS] for n in range(max(1, len(words) - NGRAM_WORDS + 1))]
    return list(dict.fromkeys(hashed("words", " ".join(run), _NGRAM_BYTES) for run in runs if run))


def column_set(columns: Iterable[str]) -> str:
    """The hash of a set of column names; empty where the names are too few to tell a table from others."""
    folded = {unicodedata.normalize("NFKC", name).casefold().strip() for name in columns}
    named = sorted(name for name in folded if not _UNNAMED.fullmatch(name))
    return hashed("columns", "\n".join(named)) if len(named) >= FEWEST_COLUMNS else ""


def content_hashes(chunks: Iterable[bytes]) -> list[str]:
    """Hashes of a file: of its bytes, or those that a Git LFS pointer stands for, and of its bytes in normal form."""
    raw, normal = hashlib.sha256(), hashlib.sha256()
    first, held = b"", b""
    for chunk in chunks:
        raw.update(chunk)
        part = held + (chunk if first else chunk.removeprefix(b"\xef\xbb\xbf")).replace(b"\r", b"")
        first = first or chunk
        kept = part.rstrip()
        normal.update(kept)
        held = part[len(kept) :]
    pointer = _POINTER.match(first)
    if pointer:
        return [hashed("bytes", pointer[1].decode())]
    return [hashed("bytes", raw.hexdigest()), hashed("content", normal.hexdigest())]


def file_hashes(path: Path) -> list[str]:
    """`content_hashes` of a file, a chunk in memory at a time."""

    def chunks() -> Iterator[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk

    return content_hashes(chunks())


class Benchmarks:
    """Fingerprints, ready to be asked."""

    def __init__(self, fingerprints: Sequence[Fingerprint], share: float) -> None:
        self.names = tuple(fingerprint.name for fingerprint in fingerprints)
        self._share = share
        self._tables = {mark: f.name for f in fingerprints for mark in f.tables}
        self._columns = {mark: f.name for f in fingerprints for mark in f.columns}
        self._sizes: list[tuple[str, int]] = []
        self._places: dict[str, list[int]] = {}
        for fingerprint in fingerprints:
            for question in fingerprint.questions:
                for mark in question:
                    self._places.setdefault(mark, []).append(len(self._sizes))
                self._sizes.append((fingerprint.name, len(question)))

    def of_table(self, hashes: Iterable[str], columns: Iterable[str]) -> list[str]:
        """What of a table is a benchmark's, in words."""
        found = [f"a table of {self._tables[mark]}" for mark in hashes if mark in self._tables][:1]
        benchmark = self._columns.get(column_set(columns))
        return [*found, f"the columns of a table of {benchmark}"] if benchmark else found

    def of_question(self, question: str) -> list[str]:
        """The benchmark with a question that has most of its words, five at a time, in this one, or the reverse."""
        mine = ngrams(_CONTRACT.sub("", question))
        shared = Counter(place for mark in mine for place in self._places.get(mark, ()))
        for place, count in shared.most_common(3):
            benchmark, size = self._sizes[place]
            shorter = min(len(mine), size)
            if count >= min(_FEWEST_NGRAMS, shorter) and count >= self._share * shorter:
                return [f"{count} of {shorter} runs of five words of a question of {benchmark}"]
        return []


def contamination_gate(task: Task, tables: Iterable[str], benchmarks: Benchmarks) -> GateResult:
    """Whether a task is a benchmark's; `tables` are what was found of its tables, in words."""
    found = [*dict.fromkeys(tables)]
    for wording in (task.question, *task.phrasings):
        found += benchmarks.of_question(wording)
    return GateResult(GATE, not found, json.dumps({"looked at": benchmarks.names, "found": list(dict.fromkeys(found))}))


def load_fingerprint(path: Path) -> Fingerprint:
    """A fingerprint that was written; UsageError for a file that is none."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Fingerprint)
    except OSError as error:
        raise UsageError(f"cannot read the fingerprint {path}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise UsageError(f"{path} is no fingerprint: {error}. `cellwright fingerprint` makes them.") from None
    if found.salt != SALT:
        raise UsageError(f"{path} was made by another version ({found.salt!r}): make it anew")
    return found


@cache
def known_benchmarks() -> tuple[Fingerprint, ...]:
    """The fingerprints that ship with Cellwright."""
    folder = files(__package__).joinpath("known")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".json"))
    return tuple(msgspec.json.decode(folder.joinpath(name).read_bytes(), type=Fingerprint) for name in names)
