"""The report page: everything is there, and nothing on it is alive."""

import json
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cellwright.core.types import CellResult, Contract, GateResult, Output, Proof, Step
from cellwright.dataset.accounts import CodeChange, NotebookAccount
from cellwright.dataset.report import GuesserCount, Report, StageCount, write_report
from tests.dataset.reports import NASTY, PICTURE, hostile, nothing, task, trace

_VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """Reads a page as a browser would: its tags with their attributes, its text, and whether tags are balanced."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words += data


def page_of(report: Report, folder: Path) -> Page:
    write_report(report, folder / "report.html")
    return Page(folder / "report.html")


def shown(step: Step, folder: Path) -> Page:
    """The page of a report with one task, of whose trace this is the only step."""
    return page_of(replace(nothing(), tasks=1, samples=((task(), replace(trace(), steps=(step,))),)), folder)


def cell(*outputs: Output, code: str = "1") -> Step:
    return Step("look", code, CellResult("ok", outputs, 0.1), 0.1)


def answered(contract: Contract, answer: object, folder: Path) -> Page:
    asked = replace(task(), contract=contract, answer_json=json.dumps(answer))
    return page_of(replace(nothing(), tasks=1, samples=((asked, trace()),)), folder)


# --- nothing is alive --------------------------------------------------------------------------


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    """No text of a notebook becomes a tag, a script or an attribute, and all of it can be read."""
    page = page_of(hostile(), tmp_path)
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "link", "svg", "base", "form", "object"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "raw" not in [attributes.get("id") for _, attributes in page.tags]
    assert NASTY in page.words
    assert "{{ 7 * 7 }}" in page.words
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_page_has_the_same_tags_whatever_the_texts_say(tmp_path: Path) -> None:
    """Hostile texts add no tag to those that the same report has with harmless ones."""
    nasty = cell(Output("stream", "stdout", NASTY), Output("error", NASTY, NASTY), code=f"x = {NASTY!r}")
    tame = cell(Output("stream", "stdout", "tame"), Output("error", "tame", "tame"), code="x = 'tame'")
    tags = [Counter(tag for tag, _ in shown(step, tmp_path).tags) for step in (nasty, tame)]
    without_highlighting = [{tag: count for tag, count in found.items() if tag != "span"} for found in tags]
    assert without_highlighting[0] == without_highlighting[1]


def test_stored_html_is_not_shown(tmp_path: Path) -> None:
    """A table in HTML is shown as the text beside it, or named where there is none."""
    html = "<table id='raw'><tr><td>1</td></tr></table>"
    page = shown(cell(Output("result", data={"text/html": html, "text/plain": "as text"})), tmp_path)
    assert "as text" in page.words
    assert "raw" not in [attributes.get("id") for _, attributes in page.tags]
    assert "[text/html: not shown here]" in shown(cell(Output("result", data={"text/html": html})), tmp_path).words


def test_only_real_pictures_are_shown(tmp_path: Path) -> None:
    """A PNG is shown; what only claims to be one is not, and neither is SVG."""
    sources = [a["src"] for tag, a in page_of(hostile(), tmp_path).tags if tag == "img"]
    assert sources == [f"data:image/png;base64,{PICTURE}"]
    svg = Output("display", data={"image/svg+xml": "<svg onload='alert(1)'/>", "text/plain": "drawn"})
    jpeg = Output("display", data={"image/png": "/9j/4AAQSkZJRg==", "text/plain": "other bytes"})
    page = shown(cell(svg, jpeg), tmp_path)
    assert "img" not in [tag for tag, _ in page.tags]
    assert "drawn" in page.words
    assert "other bytes" in page.words


def test_page_needs_nothing_beside_it(tmp_path: Path) -> None:
    """No address leads out of the page, and its links lead to places that it has."""
    page = page_of(hostile(), tmp_path)
    places = {attributes.get("id") for _, attributes in page.tags}
    for _, attributes in page.tags:
        assert (attributes.get("src") or "data:image/png").startswith("data:image/png")
        assert (attributes.get("href") or "#funnel")[1:] in places
    text = (tmp_path / "report.html").read_text()
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize(
    ("text", "seen"),
    [("a\x00b", "a\u2400b"), ("a\u202eb", "a⟨U+202E⟩b"), ("a\x1b]0;b", "a\u241b]0;b"), ("\x1b[31mred\x1b[0m", "red")],
)
def test_invisible_characters_are_seen(text: str, seen: str, tmp_path: Path) -> None:
    """What would hide text, or turn it round, stands there as a sign; terminal colours just go."""
    assert seen in shown(cell(Output("stream", "stdout", text)), tmp_path).words


def test_half_a_surrogate_pair_does_not_break_the_page(tmp_path: Path) -> None:
    """A text that UTF-8 cannot hold is shown without what it cannot hold."""
    assert "a?b" in shown(cell(Output("stream", "stdout", "a\ud800b")), tmp_path).words


# --- everything is there -----------------------------------------------------------------------


def test_counts_and_reasons_are_on_the_page(tmp_path: Path) -> None:
    """Each stage with what it kept and rejected, and each reason with its count, however many there are."""
    reasons = tuple((f"reason {n} of many", 1000 + n) for n in range(30))
    stages = (
        StageCount("read", 9000, 30435, reasons, "notebooks"),
        StageCount("slice", 7001, 12, (("truncated JSON", 12),), "outputs"),
    )
    page = page_of(replace(hostile(), stages=stages), tmp_path)
    labels = [a.get("aria-label") for _, a in page.tags]
    assert "9,000 kept, 30,435 rejected" in labels
    assert "7,001 kept, 12 rejected" in labels
    for reason, count in (*reasons, ("truncated JSON", 12)):
        assert reason in page.words
        assert f"{count:,}" in page.words
    assert page.words.index("Notebooks\n") < page.words.index("Outputs found in the notebooks above")


def test_a_long_list_of_reasons_is_folded(tmp_path: Path) -> None:
    """A stage with few reasons shows them at once, one with many at a click."""
    few = StageCount("few", 1, 1, (("a", 1),), "tasks")
    many = StageCount("many", 1, 9, tuple((str(n), 1) for n in range(9)), "tasks")
    page = page_of(replace(nothing(), stages=(few, many)), tmp_path)
    assert ["open" in attributes for tag, attributes in page.tags if tag == "details"][:2] == [True, False]


def test_a_task_stands_there_with_all_that_proves_it(tmp_path: Path) -> None:
    """Hash, author, seeds, versions, comment, code and the final answer can be read."""
    page = page_of(hostile(), tmp_path)
    for text in ("ab" * 6, f"by {NASTY}", "2 of 2 runs in fresh kernels gave this answer (seeds 1, 2)", "plain text"):
        assert text in page.words
    assert f"print('''{NASTY}''')" in page.words
    assert "ab" * 32 in [attributes.get("title") for _, attributes in page.tags]
    assert "The cell failed." in page.words


@pytest.mark.parametrize(
    ("contract", "answer", "texts"),
    [
        (Contract("number", decimals=2), 3.1, ["3.10", "number; 2 decimals"]),
        (Contract("boolean"), False, ["no"]),
        (
            Contract("mapping", item="integer"),
            [["north", 3], ["south|", 4]],
            ["north", "south|", "from text to integer"],
        ),
        (Contract("list", item="text"), [f"item {n}" for n in range(25)], ["item 0", "item 19", "5 more, not shown"]),
        (Contract("date"), "2019-11-29", ["2019-11-29"]),
        (Contract("integer"), "not an integer", ['"not an integer"']),
    ],
)
def test_answers_are_readable(contract: Contract, answer: object, texts: list[str], tmp_path: Path) -> None:
    """An answer is shown as a person writes it; one that does not fit its contract, as it is stored."""
    words = answered(contract, answer, tmp_path).words
    for text in texts:
        assert text in words


@pytest.mark.parametrize("evidence", ["{not json", '{"agreed": {"runs": 3}}', "[]", "[1, 2]"])
def test_evidence_of_other_gates_is_shown_as_stored(evidence: str, tmp_path: Path) -> None:
    """A gate that is no list of runs still shows what it saw, and whether it passed."""
    gated = replace(task(), proof=Proof((GateResult("independent", False, evidence),)))
    words = page_of(replace(nothing(), tasks=1, samples=((gated, trace()),)), tmp_path).words
    assert f"independent failed: {evidence}" in words


def test_repairs_and_losses_stand_with_their_notebook(tmp_path: Path) -> None:
    """Each says its cell as a person counts, its rule, its reason, and the code before and after."""
    repaired = CodeChange(0, "guessed", "ix", "df.ix[0]", "df.loc[0]", "pandas 1.0: .ix is gone")
    lost = CodeChange(4, "lost", "package", "import nowhere", "", "ModuleNotFoundError: nowhere")
    account = NotebookAccount("a.ipynb", "zip", "tasks", "", 1, 1, 5, 4, 0, 0, 1, 1, changes=(repaired, lost))
    plain = NotebookAccount("b.ipynb", "zip", "tasks", "", 1, 1, 5, 5, 0, 0)
    words = " ".join(page_of(replace(nothing(), accounts=(account, plain)), tmp_path).words.split())
    assert "a.ipynb1 repaired, 1 of them by a guess, 1 lost" in words
    assert "lost cell 5, package: ModuleNotFoundError: nowhere import nowhere" in words
    assert "guessed cell 1, ix: pandas 1.0: .ix is gone df.ix[0] becomes df.loc[0]" in words


# --- but not too much of it --------------------------------------------------------------------


def test_long_outputs_are_cut_with_a_note(tmp_path: Path) -> None:
    """Forty lines are shown, and how many there are beyond; long lines and long code are cut too."""
    output = Output("stream", "stdout", "".join(f"line {n}\n" for n in range(100)) + "x" * 1000)
    words = shown(cell(output, code="\n".join(f"a{n} = {n}" for n in range(200))), tmp_path).words
    assert "line 39" in words
    assert "line 40" not in words
    assert "61 more lines, not shown here" in words
    assert "80 more lines, not shown here" in words
    assert "600 more characters" in shown(cell(Output("stream", "stdout", "x" * 1000)), tmp_path).words


def test_a_flood_of_outputs_and_pictures_is_bounded(tmp_path: Path) -> None:
    """A cell that displays thousands of things does not make a page that no browser opens."""
    texts = [Output("display", data={"text/plain": f"thing {n}"}) for n in range(5000)]
    words = shown(cell(*texts), tmp_path).words
    assert "thing 29" in words
    assert "4,970 more outputs are not shown here." in words
    pictures = [Output("display", data={"image/png": PICTURE, "text/plain": "<Figure>"})] * 9
    page = shown(cell(*pictures), tmp_path)
    assert [tag for tag, _ in page.tags].count("img") == 4


def test_a_flood_of_repairs_is_bounded(tmp_path: Path) -> None:
    """Of a notebook with hundreds of repairs the page shows some, losses first, and says how many are left out."""
    many = tuple(CodeChange(n, "repaired", "ix", "x\n" * 99, "y", "why") for n in range(300))
    lost = CodeChange(300, "lost", "file", "gone()", "", "FileNotFoundError")
    account = NotebookAccount("a.ipynb", "zip", "tasks", "", 1, 1, 301, 4, 0, 0, 300, 1, changes=(*many, lost))
    words = page_of(replace(nothing(), accounts=(account,)), tmp_path).words
    assert "gone()" in words
    assert "261 more, not shown here" in words
    assert words.count("x\n") < 1_000


def test_a_line_written_over_is_shown_as_it_was_last(tmp_path: Path) -> None:
    """Of a progress bar the end is shown; line ends of Windows hide nothing."""
    words = shown(cell(Output("stream", "stdout", "10%\r50%\rdone\r\nnext\r\n")), tmp_path).words
    assert "done\nnext" in words
    assert "50%" not in words


# --- little to show ----------------------------------------------------------------------------


def test_build_without_notebooks_says_what_to_do(tmp_path: Path) -> None:
    """An empty build gives a page that says what to give it."""
    page = page_of(nothing(), tmp_path)
    assert "No task was proved" in page.words
    assert "holds .ipynb files" in page.words
    assert "Nothing was rejected." in page.words


def test_build_without_tasks_says_where_they_were_lost(tmp_path: Path) -> None:
    """The stage that rejected most is named with its most frequent reason."""
    lost = StageCount("link", 0, 12, (("its tables are not in the source", 10), ("reads no file", 2)), "notebooks")
    page = page_of(replace(nothing(), stages=(StageCount("read", 12, 0, (), "notebooks"), lost)), tmp_path)
    assert "12 rejected, 10 of them because of “its tables are not in the source”" in page.words


def test_report_without_stages_is_a_page(tmp_path: Path) -> None:
    """Nothing at all is still a page."""
    assert "No task was proved" in page_of(replace(nothing(), stages=()), tmp_path).words


@pytest.mark.parametrize(
    ("seconds", "texts"), [(7.2, ("7", "seconds")), (2291.0, ("38", "minutes")), (9000.0, ("2:30", "hours"))]
)
def test_time_has_its_unit(seconds: float, texts: tuple[str, str], tmp_path: Path) -> None:
    """Short builds are told in seconds, long ones in hours."""
    words = page_of(replace(nothing(), seconds=seconds), tmp_path).words
    assert f"{texts[1]} for the last run{texts[0]}" in words


def test_gates_and_guessers_are_counted(tmp_path: Path) -> None:
    """What each gate stopped, of all it saw; how often guessers are right before and after, and the most allowed."""
    words = " ".join(page_of(hostile(), tmp_path).words.split())
    assert "301025 %" in words
    assert "8.0 %1.6 %" in words
    assert "right about 2 % of the dataset at the most." in words
    assert "1 of the guessers was never right" in words


def test_guesser_over_its_share_is_admitted(tmp_path: Path) -> None:
    """In a small dataset, where two hits are more than the share, the page says so."""
    over = replace(hostile(), guessers=(GuesserCount("always 2", 0.1, 0.09),))
    assert "two tasks may always stay" in page_of(over, tmp_path).words


def test_all_levels_are_shown(tmp_path: Path) -> None:
    """Levels without a task stand among the others, so that a gap is seen."""
    words = " ".join(page_of(replace(hostile(), levels=(("L2", 7),)), tmp_path).words.split())
    assert "L1 easiest0 L27 L30 L40 L5 hardest0" in words


def test_evidence_is_put_into_words(tmp_path: Path) -> None:
    """Named facts of a gate are a sentence; what has another form is shown as it is stored."""
    gates = (
        GateResult("leakage", True, '{"found in": [], "told": false, "heads": 2}'),
        GateResult("odd", True, '{"deep": {"a": 1}}'),
    )
    asked = replace(task(), proof=Proof(gates))
    words = page_of(replace(nothing(), tasks=1, samples=((asked, trace()),)), tmp_path).words
    assert "found in: none; told: no; heads: 2" in words
    assert '{"deep": {"a": 1}}' in words
