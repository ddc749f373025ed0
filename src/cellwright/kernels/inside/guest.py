"""Makes a stock ipykernel, behind a service that passes on some of its messages only, give what our own kernels give.

Sent as source into a kernel of a remote sandbox and run there before the first cell; needs IPython and nothing else.
E2B's service passes on text, displays, results and one error, takes the quotes off a text, and forgets `clear_output`,
updates of a display and the ends of a traceback's lines. So each message travels whole, in a display of its own type.
Output is bounded here as well as by the reader, which a noisy but honest cell does not reach.
"""

import os
import random
import resource
import sys
from typing import Any

MESSAGE = "application/vnd.cellwright.message+json"
"""MIME type of a display that holds a Jupyter message: {"kind": its type, "content": its content}."""
DROPPED = "dropped"
"""Kind of the last message of a cell that went over its bounds: {"bytes": how many were thrown away}."""
_ERROR_CHARS = 1 << 20


def settle(shell: Any, order: dict[str, Any], budget: Any) -> dict[str, Any]:
    """Carry out an order before the first cell: work folder, limits, seeds, messages. What was found goes back."""
    os.makedirs(f"{order['work']}/data", exist_ok=True)  # noqa: PTH103
    os.chdir(order["work"])
    os.environ |= order["environment"]
    sizes = {}
    for name in order["tables"]:
        sizes[name] = os.stat(f"data/{name}").st_size  # noqa: PTH116
        os.chmod(f"data/{name}", 0o444)  # noqa: PTH101
    for name, bound in order["limits"].items():
        resource.setrlimit(getattr(resource, name), (bound, bound))
    budget.limit_bytes = order["output_bytes"]
    _wrap_messages(shell, budget)
    if order["seed"] is not None:
        reseed(order["seed"])
    _forget_this_cell(shell)
    return {"pid": os.getpid(), "sizes": sizes, "hash_seed": os.environ.get("PYTHONHASHSEED"), "python": sys.version}


def _forget_this_cell(shell: Any) -> None:
    """Make the next cell the notebook's first."""

    def forget(*_: Any) -> None:
        shell.events.unregister("post_run_cell", forget)
        shell.history_manager.reset(new_session=True)
        shell.execution_count = 1

    shell.events.register("post_run_cell", forget)


def reseed(seed: int) -> None:
    random.seed(seed)
    try:
        import numpy  # noqa: PLC0415
    except ImportError:
        return
    numpy.random.seed(seed % (1 << 32))


def _wrap_messages(shell: Any, budget: Any) -> None:
    session = shell.displayhook.session
    send = session.send

    def wrapped(stream: Any, message: Any, content: Any = None, *rest: Any, **named: Any) -> Any:
        """What every message goes through: `message` is its type, or all of it."""
        if isinstance(message, str):
            kind, content = _as_sent(message, content, budget)
            return send(stream, kind, content, *rest, **named)
        kind, inner = _as_sent(message["msg_type"], message["content"], budget)
        header = {**message["header"], "msg_type": kind}
        return send(stream, {**message, "header": header, "msg_type": kind, "content": inner}, content, *rest, **named)

    def count(*_: Any) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        if budget.dropped:
            shell.display_pub.publish({MESSAGE: {"kind": DROPPED, "content": {"bytes": budget.dropped}}})

    session.send = wrapped
    shell.events.register("pre_run_cell", lambda *_: budget.reset())
    shell.events.register("post_run_cell", count)


def _as_sent(kind: str, content: Any, budget: Any) -> tuple[str, Any]:
    """The type and the content under which a message gets through."""
    if kind == "stream":
        return kind, {**content, "text": budget.text(content["text"])}
    if kind == "error":
        text = content["evalue"]
        budget.dropped += max(0, len(text) - _ERROR_CHARS)
        lines = [budget.text(line) + "\n" for line in content["traceback"]]
        return kind, {**content, "evalue": budget.text(text[:_ERROR_CHARS]), "traceback": lines}
    if kind not in ("display_data", "update_display_data", "execute_result", "clear_output"):
        return kind, content
    if MESSAGE in content.get("data", ()):
        return kind, content
    if "data" in content:
        content = {**content, "data": budget.bundle(_shown(content["data"]))}
    outer = kind if kind == "execute_result" else "display_data"
    return outer, {**content, "data": {MESSAGE: {"kind": kind, "content": content}}, "metadata": {}}


def _shown(data: Any) -> dict[str, Any]:
    """A bundle without what the service adds to it for its own use: tables and charts as objects."""
    return {media: value for media, value in data.items() if not media.startswith("e2b/")}
