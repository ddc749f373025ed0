"""Nouns as parquet rows: the schema from the dataclass, rows out and in, files that appear whole.

A file is written beside its place and renamed at the end, so that a reader never sees half of one.
"""

import dataclasses
import os
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from cellwright.core.errors import DatasetError

T = TypeVar("T")
Json = NewType("Json", str)
"""A JSON text that readers who know Arrow's JSON type, such as the `datasets` library, hand out as what it says."""

_SCALARS: Mapping[object, Callable[[], pa.DataType]] = {
    str: pa.string,
    int: pa.int64,
    float: pa.float64,
    bool: pa.bool_,
    bytes: pa.binary,
}
_ROWS_PER_GROUP = 64


@cache
def schema_of(noun: type, json_type: Callable[[], pa.DataType] = pa.json_) -> pa.Schema:
    """The arrow schema of a dataclass: literals are strings, tuples lists, string mappings maps, nouns structs.

    Json is Arrow's type for it (https://arrow.apache.org/docs/format/CanonicalExtensions.html#json), or `json_type`.
    """
    hints = get_type_hints(noun)
    return pa.schema([_arrow_field(f.name, hints[f.name], json_type) for f in dataclasses.fields(noun)])


def _arrow_field(name: str, hint: object, json_type: Callable[[], pa.DataType]) -> "pa.Field[pa.DataType]":
    arguments = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType) and type(None) in arguments:
        (inner,) = (a for a in arguments if a is not type(None))
        return pa.field(name, _arrow_type(inner, json_type), nullable=True)
    return pa.field(name, _arrow_type(hint, json_type), nullable=False)


def _arrow_type(hint: object, json_type: Callable[[], pa.DataType]) -> pa.DataType:
    if hint is Json:
        return json_type()
    if hint in _SCALARS:
        return _SCALARS[hint]()
    origin = get_origin(hint)
    if origin is Literal:
        return pa.string()
    if origin is tuple:
        return pa.list_(_arrow_type(get_args(hint)[0], json_type))
    if origin is Mapping:
        return pa.map_(pa.string(), pa.string())
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return pa.struct(list(schema_of(hint, json_type)))
    raise TypeError(f"{hint!r} has no parquet type; nouns hold scalars, tuples, string maps and nouns")


def to_row(noun: object) -> dict[str, Any]:
    """A noun as the plain dictionary that `schema_of` its class describes."""
    row: dict[str, Any] = msgspec.to_builtins(noun)
    return row


def from_row(kind: type[T], row: Mapping[str, Any]) -> T:
    """The noun that `to_row` made; checks every field's kind."""
    return msgspec.convert(row, kind)


def write_shard(path: Path, kind: type, nouns: Iterable[object]) -> int:
    """Write nouns of one kind as a parquet file that appears whole, or not at all. Returns the row count."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    schema, stored = schema_of(kind), schema_of(kind, pa.string)
    count = 0
    try:
        with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            batch: list[dict[str, Any]] = []
            for noun in nouns:
                batch.append(to_row(noun))
                count += 1
                if len(batch) == _ROWS_PER_GROUP:
                    writer.write_table(pa.Table.from_pylist(batch, stored).cast(schema))
                    batch.clear()
            if batch:
                writer.write_table(pa.Table.from_pylist(batch, stored).cast(schema))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count


def read_shard(path: Path, kind: type[T]) -> Iterator[T]:
    """The nouns of one parquet file, a batch of rows in memory at a time. Raises DatasetError for another file."""
    for row in _rows(path):
        try:
            noun = from_row(kind, row)
        except msgspec.ValidationError as error:
            raise DatasetError(f"{path} does not hold records of the kind {kind.__name__}: {error}") from None
        yield noun


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS_PER_GROUP):
                yield from batch.to_pylist(maps_as_pydicts="strict")
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> Exception:
    """A damaged page is an OSError to Arrow, as is a file that is not there, which has a name."""
    if isinstance(error, FileNotFoundError):
        return error
    return DatasetError(f"{path} cannot be read as a parquet file: {error}")


def count_rows(path: Path) -> int:
    """Number of rows of a parquet file, from its footer."""
    try:
        with pq.ParquetFile(path) as file:
            return int(file.metadata.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None
