"""What is kept of a cell's messages, whoever wrote them."""

import tracemalloc

from cellwright.kernels.outputs import OutputCollector


def test_endless_empty_outputs_are_bounded() -> None:
    """Outputs that take no room of their own are not kept without end, and the loss is counted."""
    collector = OutputCollector(1000)
    for _ in range(30_000):
        collector.take("display_data", {"data": {"text/plain": ""}, "transient": {"display_id": "d"}})
    assert len(collector.outputs) == 20_000
    assert collector.truncated_bytes == 10_000
    collector.take("update_display_data", {"data": {"text/plain": "new"}, "transient": {"display_id": "d"}})
    assert collector.outputs[-1].data == {"text/plain": "new"}


def test_text_in_tiny_pieces_takes_little_more_than_its_size() -> None:
    """Many single characters are one text, not many objects."""
    collector = OutputCollector(1 << 20)
    tracemalloc.start()
    for _ in range(50_000):
        collector.take("stream", {"name": "stdout", "text": "東"})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert collector.outputs[0].text == "東" * 50_000
    assert peak < 1 << 20


def test_parts_that_should_be_short_are_cut() -> None:
    """Names of errors, media and displays and the number of lines are bounded like the text is."""
    collector = OutputCollector(1000)
    collector.take("error", {"ename": "E" * 9999, "evalue": "v" * 9999, "traceback": [""] * 99_999})
    collector.take("display_data", {"data": {"m" * 9999: "x"}, "transient": {"display_id": "d" * 9999}})
    error, *_ = collector.outputs
    assert (len(error.name), len(error.text), len(error.traceback)) == (1000, 1000, 10_000)
    assert all(not output.data for output in collector.outputs)
