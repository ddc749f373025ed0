"""What a model sees of a cell: what a person would read, cut where a person would cut."""

import pytest

from cellwright.agent import observe
from cellwright.agent.htmltext import html_to_text
from cellwright.core.types import CellResult, Output
from cellwright.models.tokens import estimate_tokens


def result(*outputs: Output, status: str = "ok") -> CellResult:
    return CellResult(status, outputs, 0.1)  # type: ignore[arg-type]


def printed(text: str, name: str = "stdout") -> Output:
    return Output("stream", name=name, text=text)


def seen(*outputs: Output, max_tokens: int = 1500) -> str:
    return observe(result(*outputs), max_tokens).text


def test_long_output_keeps_head_and_tail() -> None:
    """The first and the last lines stay whole, and the observation says how much is left out."""
    text = seen(printed("\n".join(f"line {number}" for number in range(10_000))), max_tokens=300)
    assert text.startswith("line 0\nline 1\n")
    assert text.endswith("line 9998\nline 9999")
    assert "characters left out" in text
    assert estimate_tokens(text) < 330


def test_end_of_an_error_is_always_there() -> None:
    """However much was printed before, the last lines of the traceback stay."""
    lines = ("\x1b[31mTraceback\x1b[0m", *("frame\n" * 50).split(), "E: v")
    error = Output("error", name="E", text="v", traceback=lines)
    text = observe(result(printed("x" * 100_000), error, status="error"), 300).text
    assert text.endswith("E: v")
    assert "\x1b" not in text
    assert text.count("frame") < 15


CLEANED = {
    "progress bar": ("10%\r50%\r100%\ndone\n", "100%\ndone"),
    "colours and a title": ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07on", "red on"),
    "written over by backspaces": ("1%\x08\x082%\x08\x083%\n", "3%"),
    "more backspaces than there are letters": ("x\nab\x08\x08\x08\x08c\n", "x\nc"),
    "a million of them": ("a" * 500_000 + "\x08" * 500_000 + "b", "b"),
    "control characters": ("a\x00b\x07c", "abc"),
}


@pytest.mark.parametrize("kind", CLEANED)
def test_what_a_terminal_would_not_show_is_left_out(kind: str) -> None:
    """Escapes are gone, and what was written over shows its last state."""
    written, expected = CLEANED[kind]
    assert seen(printed(written)) == expected


def test_noise_is_left_out() -> None:
    """Warnings say nothing, and silence says so."""
    assert seen(printed("x.py:1: FutureWarning: old\n", "stderr")) == "(no output)"
    assert seen() == "(no output)"


def test_figures_are_pictures_for_models_that_see_and_a_line_for_others() -> None:
    """The line says how many plots there are, and how large."""
    figure = Output("display", data={"image/png": "QUFB\nQUFB", "text/plain": "<Figure size 640x480 with 2 Axes>"})
    blind, seeing = observe(result(figure)), observe(result(figure), sees=True)
    assert (blind.text, blind.images) == ("[figure: 2 plots, 640x480 pixels]", ())
    assert seeing.images == ("data:image/png;base64,QUFBQUFB",)


def test_html_without_a_plain_text_is_read() -> None:
    """A styled frame says nothing as text; its table does. Where there is text, it counts."""
    table = "<style>td {}</style><table><tr><th>city</th><th>n</th></tr><tr><td>Bonn</td><td>7</td></tr></table>"
    styled = "<pandas.io.formats.style.Styler at 0x7f00>"
    assert seen(Output("result", data={"text/html": table, "text/plain": styled})) == "city  n\nBonn  7"
    assert seen(Output("result", data={"text/html": table, "text/plain": "city n"})) == "city n"


def test_html_is_read_as_a_person_reads_it() -> None:
    """Spans, entities, blocks and broken tables."""
    assert html_to_text("<p>a &lt; b</p><p>c<br>d</p>") == "a < b\n\nc\nd"
    spans = "<table><tr><th colspan=2>both</th></tr><tr><td>1</td><td>2</td></tr></table>"
    assert html_to_text(spans).split() == ["both", "1", "2"]
    assert html_to_text("<table><tr><td>open") == "open"
    assert html_to_text("<td>stray</td></table></table>") == "stray"


BROKEN_HTML = {
    "span that is no number": ("<table><td colspan=\u00b2>a</td><td>b</table>c", "a  b\nc"),
    "span of 5,000 digits": (f"<table><td colspan={'9' * 5000}>a</td><td>b</table>c", "a  b\nc"),
    "section of an unknown kind": ("a<![foo[x]]>b<![", "ab"),
    "character of 5,000 digits": (f"<p>a&#{'9' * 5000};", f"a&#{'9' * 5000};"),
    "comments and styles without an end": ("a<!-- b --><style>p {}</style>c<!-- d", "ac"),
    "a sign that opens no tag": ("<p title='>'>a < b <3</p", "a < b <3"),
    "cell that is not closed": ("<table><tr><td>a<tr>b<td>c</table>d", "a\nc\nd"),
}


@pytest.mark.parametrize("kind", BROKEN_HTML)
def test_broken_html_is_read_as_far_as_it_goes(kind: str) -> None:
    """Nothing in it is an error of ours."""
    source, expected = BROKEN_HTML[kind]
    assert html_to_text(source) == expected


def test_long_html_is_cut_off() -> None:
    """In a time that its length bounds, and the reader is told."""
    assert html_to_text("<b>a" * 1_000_000).endswith("a\n... (3475712 characters of HTML left out)")
    assert html_to_text(f"a{'<a ' * 100_000}") == "a"
    wide = f"<table><tr>{'<td colspan=100></td>' * 5000}{'<tr><td>x' * 15_000}"
    assert html_to_text(wide).endswith("x\nx")


def test_ends_of_kernels_and_cells_are_said() -> None:
    """A model learns that its cell was stopped, or that its variables are gone."""
    assert "time limit" in observe(result(status="timeout")).text
    assert "variables are lost" in observe(result(status="dead")).text
