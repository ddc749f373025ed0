"""Nouns as parquet rows: they come back equal, and a file is whole or absent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cellwright.core.errors import DatasetError
from cellwright.core.records import Json, count_rows, read_shard, schema_of, write_shard
from cellwright.core.types import Reject
from tests.dataset.reports import task, trace


@dataclass(frozen=True)
class Part:
    """A noun inside another."""

    name: str
    weight: float | None


@dataclass(frozen=True)
class Whole:
    """Every kind of field."""

    number: int
    flag: bool
    parts: tuple[Part, ...]
    maybe: tuple[Part, ...] | None
    content: Json
    words: Mapping[str, str] = field(default_factory=dict)


WHOLE = Whole(3, True, (Part("ä", None), Part("b", 0.5)), None, Json('{"a": [1]}'), {"k": "v"})


def test_nouns_come_back_equal(tmp_path: Path) -> None:
    """Options, tuples, maps, nested nouns and JSON survive, over several row groups."""
    nouns = [WHOLE] * 200
    assert write_shard(tmp_path / "x.parquet", Whole, nouns) == 200
    assert list(read_shard(tmp_path / "x.parquet", Whole)) == nouns
    assert count_rows(tmp_path / "x.parquet") == 200


def test_the_projects_own_nouns_come_back_equal(tmp_path: Path) -> None:
    """A task and a trace with hostile texts are what they were."""
    for noun in (task(), trace()):
        write_shard(tmp_path / "x.parquet", type(noun), [noun])
        assert list(read_shard(tmp_path / "x.parquet", type(noun))) == [noun]


def test_json_is_marked_as_such(tmp_path: Path) -> None:
    """Readers that know Arrow's JSON type see it; others see the text."""
    write_shard(tmp_path / "x.parquet", Whole, [WHOLE])
    assert pq.read_schema(tmp_path / "x.parquet").field("content").type == pa.json_()
    assert pq.read_table(tmp_path / "x.parquet").to_pylist()[0]["content"] == '{"a": [1]}'


def test_another_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Whether it is no parquet at all or holds something else."""
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DatasetError, match=r"x.parquet cannot be read as a parquet file"):
        list(read_shard(tmp_path / "x.parquet", Reject))
    write_shard(tmp_path / "z.parquet", Reject, [Reject("s", "r", "x")])
    damaged = bytearray((tmp_path / "z.parquet").read_bytes())
    damaged[4:12] = b"\xff" * 8
    (tmp_path / "z.parquet").write_bytes(damaged)
    with pytest.raises(DatasetError, match=r"z.parquet cannot be read as a parquet file"):
        list(read_shard(tmp_path / "z.parquet", Reject))
    pq.write_table(pa.table({"a": [1]}), tmp_path / "y.parquet")
    with pytest.raises(DatasetError, match=r"y.parquet does not hold records of the kind Reject"):
        list(read_shard(tmp_path / "y.parquet", Reject))


def test_failure_leaves_no_file(tmp_path: Path) -> None:
    """What breaks half-way leaves neither a file nor a part of one."""

    def broken() -> Iterator[Reject]:
        yield Reject("s", "r", "x")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        write_shard(tmp_path / "x.parquet", Reject, broken())
    assert list(tmp_path.iterdir()) == []


def test_fields_without_a_parquet_type_are_named() -> None:
    """A noun with a field of any kind is a mistake of ours, found at once."""

    @dataclass(frozen=True)
    class Loose:
        content: object

    with pytest.raises(TypeError, match="no parquet type"):
        schema_of(Loose)
