"""What a model sees of a cell: what a person would read, cut where a person would cut."""

from cellwright.agent.observation import observe
from cellwright.core.types import CellResult, Output


def result(*outputs: Output, status: str = "ok") -> CellResult:
    return CellResult(status, outputs, 0.1)  # type: ignore[arg-type]


def test_long_output_keeps_head_and_tail() -> None:
    """The first and the last lines stay whole, and the observation says how much is left out."""
    text = "\n".join(f"line {number}" for number in range(10_000))
    seen = observe(result(Output("stream", name="stdout", text=text)), max_chars=1000)
    assert seen.startswith("line 0\nline 1\n")
    assert seen.endswith("line 9998\nline 9999")
    assert "characters left out" in seen
    assert len(seen) < 1100


def test_end_of_an_error_is_always_there() -> None:
    """However much was printed before, the last lines of the traceback stay."""
    error = Output(
        "error", name="E", text="v", traceback=("\x1b[31mTraceback\x1b[0m", *("frame\n" * 50).split(), "E: v")
    )
    seen = observe(result(Output("stream", name="stdout", text="x" * 100_000), error, status="error"), max_chars=1000)
    assert seen.endswith("E: v")
    assert "\x1b" not in seen
    assert seen.count("frame") < 15


def test_noise_is_left_out() -> None:
    """Progress bars show their last state, warnings nothing, figures one word, and silence says so."""
    assert observe(result(Output("stream", name="stdout", text="10%\r50%\r100%\ndone\n"))) == "100%\ndone"
    assert observe(result(Output("stream", name="stderr", text="x.py:1: FutureWarning: old\n"))) == "(no output)"
    assert observe(result(Output("display", data={"image/png": "AA", "text/plain": "<Figure>"}))) == "[figure]"
    assert observe(result()) == "(no output)"


def test_ends_of_kernels_and_cells_are_said() -> None:
    """A model learns that its cell was stopped, or that its variables are gone."""
    assert "time limit" in observe(result(status="timeout"))
    assert "variables are lost" in observe(result(status="dead"))
