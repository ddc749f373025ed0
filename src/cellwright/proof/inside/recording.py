"""Records the values that the cells of a notebook show, and hands them out as displays."""

import ast
import importlib
import re
from typing import Any

# The parts are one module inside a kernel.
if "snapshot" not in globals():
    from cellwright.proof.inside.snapshots import snapshot, to_text
    from cellwright.proof.inside.targets import Marker

_VALUES_MIME = "application/vnd.cellwright.values+json"
_recorded: list[dict[str, Any]] = []
_position = [-1]


def ipython() -> Any:
    """The kernel's own shell."""
    return importlib.import_module("IPython").get_ipython()


def at(statement: int) -> None:
    """Called by a marked cell before each of its statements."""
    _position[0] = statement


def note(statement: int, number: int, value: Any) -> Any:
    """Called by a marked cell with each value that it shows; gives the value back unchanged."""
    _recorded.append({"statement": statement, "number": number, "value": snapshot(value)})
    return value


def watch() -> None:
    """From the next cell on, record what cells show."""
    shell = ipython()

    class Watch(ast.NodeTransformer):
        def visit_Module(self, module: ast.Module) -> ast.Module:
            names = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
            # Inside a statement that is under way it is a part of that one. What %%time and %%capture hold is the cell.
            if "__cellwright__" in names or _position[0] >= 0 or _is_timed(module):
                return module
            return Marker("__cellwright__", False).visit_Module(module)

    shell.ast_transformers.append(Watch())
    _uncounted()


def _is_timed(module: ast.Module) -> bool:
    text = ast.unparse(module)
    is_timed = re.match(r"get_ipython\(\)\.run_cell_magic\('(time', ''|capture', )", text) is not None
    return is_timed and len(module.body) == 1


def _uncounted() -> None:
    """Our own cells have no number, so that Out[3] is what the notebook's third cell showed."""
    ipython().execution_count -= 1


def flush() -> None:
    """Hand out, as a display, what was recorded since the last time, and the statement that ran last."""
    _uncounted()
    content = {"position": _position[0], "values": list(_recorded)}
    _recorded.clear()
    _position[0] = -1
    ipython().display_pub.publish(data={_VALUES_MIME: to_text(content)})
