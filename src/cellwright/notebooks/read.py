"""A notebook file's bytes as a `Notebook`, or a `BadNotebook` with a reason that a person can act on.

Reads nbformat 4 itself, with only the fields that are wanted; nbformat 3 goes through the `nbformat` library. What this
does not promise: stored pictures and widget states are not kept, since nothing reads them.
"""

import json
import re
import warnings
from typing import Any

import msgspec
import nbformat

from cellwright.core.errors import BadNotebook
from cellwright.core.hashing import sha256_bytes, short_id
from cellwright.core.types import Cell, Notebook, Output, Provenance

MAX_BYTES = 200_000_000
"""Larger files are refused unread: they hold pictures and films, and parsing takes several times their size."""
_MAX_MEDIA_CHARS = 200_000
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_OF_PYTHON = re.compile(rb"\\[uU][dD]|NaN|Infinity")
"""What JSON may have in it that only Python's own parser takes."""
_PYTHON = re.compile(r"i?python\d*", re.IGNORECASE)


class _RawOutput(msgspec.Struct):
    output_type: str = ""
    name: str | None = None
    text: str | list[str] = ""
    data: dict[str, Any] | None = None
    ename: str | None = None
    evalue: str | None = None
    traceback: list[str] | None = None


class _RawCell(msgspec.Struct):
    cell_type: str = "raw"
    source: str | list[str] = ""
    outputs: list[_RawOutput] | None = None
    execution_count: int | None = None


class _RawNotebook(msgspec.Struct):
    cells: list[_RawCell]
    metadata: dict[str, Any] | None = None
    nbformat_minor: int = 0


class _Header(msgspec.Struct):
    nbformat: int | None = None
    nbformat_minor: int | None = None


def read_notebook(data: bytes, source: str, path: str) -> Notebook:
    """The notebook in `data`, found at `path` of the source named `source`. Raises BadNotebook."""
    major, minor, text = _header(data)
    raw = _decode(text, major)
    metadata = raw.metadata or {}
    language = _language(metadata)
    if not _PYTHON.fullmatch(language):
        raise BadNotebook("not a Python notebook", f"its language is {language[:40]}")
    cells = tuple(_cell(cell) for cell in raw.cells)
    if not any(cell.kind == "code" and cell.source.strip() for cell in cells):
        raise BadNotebook("no code", f"{len(cells)} cells, none of them with code")
    provenance = Provenance(
        source=source,
        path=path,
        sha256=sha256_bytes(data),
        author=_author(metadata),
        nbformat=f"{major}.{minor}",
        language="python",
    )
    return Notebook(short_id(source, path), provenance, cells)


def _header(data: bytes) -> tuple[int, int, bytes]:
    """The format's version and the JSON without its byte order mark."""
    if not data.strip():
        raise BadNotebook("empty file")
    if len(data) > MAX_BYTES:
        raise BadNotebook("file too large", f"{len(data) / 1e6:.0f} MB; the most is {MAX_BYTES / 1e6:.0f} MB")
    text = data.removeprefix(b"\xef\xbb\xbf")
    try:
        header = msgspec.json.decode(text, type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if isinstance(error, msgspec.ValidationError) or not _OF_PYTHON.search(text):
            raise _bad_json(text, error) from None
        text = _mended(text, error)
        header = _mended_header(text)
    if header.nbformat is None:
        raise BadNotebook("not a notebook", "JSON without the field nbformat")
    if header.nbformat not in (3, 4):
        raise BadNotebook(
            f"nbformat {header.nbformat} is not supported", "open it in Jupyter and save it as nbformat 4"
        )
    return header.nbformat, header.nbformat_minor or 0, text


def _mended(text: bytes, error: Exception) -> bytes:
    """The JSON without what Python writes and reads and nothing else does: halves of surrogate pairs, and NaN."""
    try:
        content = json.loads(text, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        raise _bad_json(text, error) from None
    return _SURROGATES.sub("\ufffd", json.dumps(content, ensure_ascii=False)).encode()


def _mended_header(text: bytes) -> _Header:
    try:
        return msgspec.json.decode(text, type=_Header)
    except (msgspec.DecodeError, RecursionError) as error:  # Such as a number that is too large for a float.
        raise _bad_json(text, error) from None


def _bad_json(text: bytes, error: Exception) -> BadNotebook:
    try:
        text.decode()
    except UnicodeDecodeError as unreadable:
        return BadNotebook("not UTF-8", str(unreadable))
    if isinstance(error, msgspec.ValidationError):
        return BadNotebook("not a notebook", str(error))
    if isinstance(error, RecursionError):
        return BadNotebook("not a notebook", "JSON that is nested too deeply")
    if "truncated" in str(error):
        return BadNotebook("truncated JSON", f"it ends after {len(text)} bytes, in the middle")
    return BadNotebook("not valid JSON", str(error))


def _decode(text: bytes, major: int) -> _RawNotebook:
    try:
        if major == 4:
            return msgspec.json.decode(text, type=_RawNotebook)
        return msgspec.convert(_upgraded(text), _RawNotebook)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad_json(text, error) from None


def _upgraded(text: bytes) -> Any:
    """An nbformat 3 notebook as nbformat 4, by the library that defines both."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            old: Any = nbformat.reads(text.decode(), as_version=3)  # type: ignore[no-untyped-call]
            language = next((c.language for sheet in old.worksheets for c in sheet.cells if c.cell_type == "code"), "")
            new: Any = nbformat.convert(old, 4)  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - the library's upgrade meets malformed files with any exception
        raise BadNotebook(
            "not a notebook", f"nbformat 3 that cannot be upgraded: {type(error).__name__}: {error}"
        ) from None
    if language:
        new.metadata.setdefault("language_info", {"name": str(language)})
    return new


def _language(metadata: dict[str, Any]) -> str:
    for part, key in (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name")):
        value = metadata.get(part)
        found = value.get(key) if isinstance(value, dict) else None
        if isinstance(found, str) and found:
            return "python" if key == "name" and found.startswith("conda-env") else found
        if key == "language" and isinstance(value, dict):
            break  # a kernel's name alone, such as "base", says nothing
    return "python"


def _author(metadata: dict[str, Any]) -> str | None:
    authors = metadata.get("authors")
    named = [a.get("name") for a in authors if isinstance(a, dict)] if isinstance(authors, list) else []
    return _clean(", ".join(name for name in named if isinstance(name, str))) or None


def _clean(text: str) -> str:
    """Text that can be stored: half of a surrogate pair, which no encoding knows, becomes a replacement character."""
    return _SURROGATES.sub("\ufffd", text) if not text.isascii() else text


def _joined(text: object) -> str:
    return _clean("".join(map(str, text)) if isinstance(text, list) else str(text))


def _cell(raw: _RawCell) -> Cell:
    source = _joined(raw.source)
    if raw.cell_type == "code":
        return Cell("code", source, tuple(_output(output) for output in raw.outputs or ()), raw.execution_count)
    return Cell("markdown" if raw.cell_type in ("markdown", "heading") else "raw", source)


def _output(raw: _RawOutput) -> Output:
    if raw.output_type == "stream":
        return Output("stream", name=_clean(raw.name or "stdout"), text=_joined(raw.text))
    if raw.output_type == "error":
        traceback = tuple(_COLOURS.sub("", _clean(line)) for line in raw.traceback or ())
        return Output("error", name=_clean(raw.ename or ""), text=_clean(raw.evalue or ""), traceback=traceback)
    kind = "result" if raw.output_type in ("execute_result", "pyout") else "display"
    data = {_clean(media): text for media, value in (raw.data or {}).items() if (text := _media(value)) is not None}
    return Output("result" if kind == "result" else "display", data=data)


def _media(value: object) -> str | None:
    """One rendering of an output; None when it is too large to keep."""
    text = _joined(value) if isinstance(value, (str, list)) else msgspec.json.encode(value).decode(errors="replace")
    return text if len(text) <= _MAX_MEDIA_CHARS else None
