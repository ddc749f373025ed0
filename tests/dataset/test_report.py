"""The report page: everything is there, and nothing on it is alive."""

from html.parser import HTMLParser
from pathlib import Path

from cellwright.dataset.report import write_report
from tests.dataset.reports import NASTY, PICTURE, hostile, nothing

_VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """Reads a page as a browser would: its tags with their attributes, its text, and whether tags are balanced."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(path.read_text())
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    """No text of a notebook becomes a tag, a script or an attribute, and all of it can be read."""
    write_report(hostile(), tmp_path / "report.html")
    page = Page(tmp_path / "report.html")
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "b", "link"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert NASTY in page.words
    assert "{{ 7 * 7 }}" in page.words
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_only_real_pictures_are_shown(tmp_path: Path) -> None:
    """A PNG is shown; what only claims to be one is not."""
    write_report(hostile(), tmp_path / "report.html")
    pictures = [a["src"] for tag, a in Page(tmp_path / "report.html").tags if tag == "img"]
    assert pictures == [f"data:image/png;base64,{PICTURE}"]


def test_counts_and_reasons_are_on_the_page(tmp_path: Path) -> None:
    """Each stage with what it kept and rejected, each reason with its count, and long outputs cut with a note."""
    write_report(hostile(), tmp_path / "report.html")
    page = Page(tmp_path / "report.html")
    labels = [a.get("aria-label") for _, a in page.tags]
    assert "9 kept, 3 rejected" in labels
    assert "truncated JSON" in page.words
    assert "re-execution: 2 of 2 fresh runs gave this answer" in page.words
    assert "… 61 more lines" in page.words


def test_page_needs_nothing_beside_it(tmp_path: Path) -> None:
    """No address leads out of the page."""
    write_report(hostile(), tmp_path / "report.html")
    for _, attributes in Page(tmp_path / "report.html").tags:
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")


def test_build_without_tasks_says_what_to_do(tmp_path: Path) -> None:
    """An empty build gives a page that says why that may be."""
    write_report(nothing(), tmp_path / "report.html")
    page = Page(tmp_path / "report.html")
    assert "No task was proved." in page.words
    assert "Nothing was rejected." in page.words
