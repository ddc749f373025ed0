"""Reading notebook files: what is kept, and a reason for each kind of file that is none."""

import json
from typing import Any

import pytest

from cellwright.core.errors import BadNotebook
from cellwright.notebooks.content import content_key
from cellwright.notebooks.read import read_notebook
from tests.writing import notebook


def read(content: object) -> Any:
    return read_notebook(json.dumps(content).encode(), "corpus", "a/b.ipynb")


def test_cells_outputs_and_provenance_are_kept() -> None:
    """Sources as text or as lists of lines, outputs by kind, and where it all came from."""
    content = notebook("x = 1", language_info={"name": "python"}, authors=[{"name": "Ada"}, {"name": "Grace"}])
    content["cells"][0]["source"] = ["x = 1\n", "x"]
    content["cells"][0]["outputs"] = [
        {"output_type": "stream", "name": "stderr", "text": ["a\n", "b"]},
        {"output_type": "execute_result", "data": {"text/plain": ["1"]}, "metadata": {}, "execution_count": 3},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mred\x1b[0m"]},
        {"output_type": "display_data", "data": {"application/json": {"k": 1}}, "metadata": {}},
    ]
    found = read(content)
    (cell,) = found.cells
    assert cell.source == "x = 1\nx"
    assert [output.kind for output in cell.outputs] == ["stream", "result", "error", "display"]
    assert cell.outputs[0].text == "a\nb"
    assert cell.outputs[1].data == {"text/plain": "1"}
    assert cell.outputs[2].traceback == ("red",)
    assert json.loads(cell.outputs[3].data["application/json"]) == {"k": 1}
    assert found.provenance.author == "Ada, Grace"
    assert (found.provenance.source, found.provenance.path, found.provenance.nbformat) == ("corpus", "a/b.ipynb", "4.5")


def test_nbformat_3_is_upgraded() -> None:
    """Worksheets, `input` and `pyout` of old notebooks become cells, sources and results."""
    old = {
        "metadata": {"name": ""},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 2, "metadata": {}, "source": ["Title"]},
                    {
                        "cell_type": "code",
                        "collapsed": False,
                        "input": ["1 +\n", "1"],
                        "language": "python",
                        "metadata": {},
                        "outputs": [{"output_type": "pyout", "prompt_number": 1, "text": ["2"], "metadata": {}}],
                        "prompt_number": 1,
                    },
                ],
                "metadata": {},
            }
        ],
    }
    found = read(old)
    assert [cell.kind for cell in found.cells] == ["markdown", "code"]
    assert found.code_cells[0].source == "1 +\n1"
    assert found.code_cells[0].outputs[0].data == {"text/plain": "2"}


def test_large_media_and_half_surrogates_do_not_reach_the_data() -> None:
    """A picture is dropped, and half of a surrogate pair, which no file can hold, is replaced."""
    content = notebook("x = '\ud800'")
    big = {"image/png": "A" * 300_000, "text/plain": "small"}
    content["cells"][0]["outputs"] = [{"output_type": "display_data", "data": big, "metadata": {}}]
    (cell,) = read(content).cells
    assert cell.source == "x = '\ufffd'"
    assert cell.outputs[0].data == {"text/plain": "small"}


@pytest.mark.parametrize("text", ["", "\U0001f600", "\ud83d"])
def test_numbers_that_json_does_not_know_are_null(text: str) -> None:
    """Python writes NaN into outputs; that is no reason to refuse a notebook, whatever else stands in it."""
    content = notebook(f"x = '{text}'")
    data = {"application/json": {"x": [float("nan"), float("-inf"), 1]}}
    content["cells"][0]["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]
    assert read(content).cells[0].outputs[0].data == {"application/json": '{"x":[null,null,1]}'}


NONE = {
    b"": "empty file",
    b"  \n": "empty file",
    b'{"cells": [{"cell_type": "code", "sour': "truncated JSON",
    b'{"nbformat": 4, "cells": }': "not valid JSON",
    b"print('hello')": "not valid JSON",
    b"[1, 2]": "not a notebook",
    b'{"a": 1}': "not a notebook",
    b'{"nbformat": 4}': "not a notebook",
    b'{"nbformat": 3}': "not a notebook",
    b'{"nbformat": "four", "cells": []}': "not a notebook",
    b'{"nbformat": 4, "cells": 5}': "not a notebook",
    b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 5}]}': "not a notebook",
    b'{"nbformat": 2, "worksheets": []}': "nbformat 2 is not supported",
    b'{"nbformat": 5, "cells": []}': "nbformat 5 is not supported",
    '{"nbformat": 4, "cells": [{"source": "é"}]}'.encode("latin-1"): "not UTF-8",
    '{"nbformat": 4}'.encode("utf-16"): "not UTF-8",
    b'{"x":' * 100_000: "truncated JSON",
    rb'["\ud83d\ude00"]': "not a notebook",
    rb'["\ud83d"]': "not a notebook",
    rb'{"nbformat": 4, "cells": [], "x": ["\ud83d", 1e999]}': "not valid JSON",
    b"[" * 1_000_000: "not a notebook",
    json.dumps(notebook("1", kernelspec={"name": "ir", "language": "R"})).encode(): "not a Python notebook",
    json.dumps(notebook("1", language_info={"name": "julia"})).encode(): "not a Python notebook",
    json.dumps(notebook()).encode(): "no code",
    json.dumps(notebook("", "  \n", markdown=["text"])).encode(): "no code",
}


@pytest.mark.parametrize("data", NONE, ids=lambda data: repr(data[:30]))
def test_what_is_no_notebook_has_a_reason(data: bytes) -> None:
    """Every kind of broken file is refused with its own reason, and never with another exception."""
    with pytest.raises(BadNotebook) as caught:
        read_notebook(data, "corpus", "x.ipynb")
    if not data.startswith((b"[[", b'{"x":{')):  # how deep a parser goes before it notices the end is its own affair
        assert caught.value.reason == NONE[data]


def test_byte_order_mark_is_no_error() -> None:
    """Windows editors put three bytes before the JSON."""
    data = b"\xef\xbb\xbf" + json.dumps(notebook("1")).encode()
    assert read_notebook(data, "corpus", "x.ipynb").cells[0].source == "1"


@pytest.mark.parametrize(
    "kernel", [{"name": "conda-env-x-py"}, {"name": "base", "language": "python"}, {"name": "python3"}]
)
def test_python_kernels_of_any_name_are_python(kernel: dict[str, str]) -> None:
    """A kernel's name does not decide the language."""
    assert read(notebook("1", kernelspec=kernel)).provenance.language == "python"


def test_content_key_sees_code_and_text_only() -> None:
    """Outputs, counts, white space at line ends and empty cells make no other notebook; one more character does."""
    first = read(notebook("x = 1  \n\ny = 2", "", markdown=["# A"]))
    second = notebook("x = 1\ny = 2", markdown=["# A\n"])
    second["cells"][1]["execution_count"] = 7
    assert content_key(first) == content_key(read(second))
    assert content_key(first) != content_key(read(notebook("x = 1\ny = 3", markdown=["# A"])))
    assert content_key(read(notebook("a", "b"))) != content_key(read(notebook("a\nb")))
