"""The two tools of the scaffold: as models are told of them, and what a model's turn asks for.

`comment` makes a model that does not think aloud say what it does and why: the original found that such models say
nothing between calls, and made it a required argument. For models that think aloud it is left out.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cellwright.core.types import Message, ToolCall
from cellwright.models.chat import storable_json

EXECUTE_CODE = "execute_code"
FINAL_ANSWER = "final_answer"

# What other scaffolds call the same tool, and what models trained on them go on to say.
_EXECUTE_NAMES = frozenset(
    {EXECUTE_CODE, "add_and_execute_jupyter_code_cell", "add_and_execute_code_cell", "python", "ipython"}
)
_CODE_ARGUMENTS = ("code", "source", "cell")
_FENCED_CODE = re.compile(r"```(?:python|py)?[ \t]*\n", re.IGNORECASE)


@dataclass(frozen=True)
class RunCode:
    """A turn that runs a cell."""

    call_id: str
    code: str
    comment: str


@dataclass(frozen=True)
class GiveAnswer:
    """A turn that ends the run."""

    call_id: str
    answer: str
    comment: str


@dataclass(frozen=True)
class Problem:
    """A turn of no use, and what the model is told of it."""

    name: str
    """Countable: "empty reply", "no call", "code in the text", "two calls at once", "unknown tool", "bad JSON", …"""
    correction: str


_ONE_CALL = f"Call exactly one tool: {EXECUTE_CODE} to run code, or {FINAL_ANSWER} to give the answer."


def read_turn(message: Message, *, was_cut: bool = False) -> RunCode | GiveAnswer | Problem:
    """What a turn asks for. `was_cut`: the reply came to its limit of tokens before its end."""
    if len(message.tool_calls) > 1:
        count = len(message.tool_calls)
        return Problem(
            "two calls at once", f"Your turn had {count} calls, and none of them was carried out. {_ONE_CALL}"
        )
    if not message.tool_calls:
        return _without_call(message, was_cut)
    call = message.tool_calls[0]
    if call.name not in _EXECUTE_NAMES and call.name != FINAL_ANSWER:
        return Problem("unknown tool", f"There is no tool {call.name[:80]!r}. {_ONE_CALL}")
    arguments = _arguments(call)
    if isinstance(arguments, str):
        if was_cut:
            return Problem("cut off", f"Your call was cut off before its end. Write less in one turn. {_ONE_CALL}")
        return Problem("bad JSON", f"The arguments of {call.name} are not a JSON object: {arguments}. Call it again.")
    comment = _text(arguments.get("comment", "")) or message.content.strip()
    if call.name == FINAL_ANSWER:
        if "answer" not in arguments:
            return Problem("missing argument", f"{FINAL_ANSWER} needs `answer`, the answer as text. Call it again.")
        return GiveAnswer(call.id, _text(arguments["answer"]), comment)
    code = next((arguments[name] for name in _CODE_ARGUMENTS if name in arguments), None)
    if isinstance(code, list):
        code = "\n".join(str(line) for line in code)
    if not isinstance(code, str) or not code.strip():
        return Problem(
            "missing argument", f"{EXECUTE_CODE} needs `code`, the Python source of the cell. Call it again."
        )
    return RunCode(call.id, code, comment)


def _without_call(message: Message, was_cut: bool) -> Problem:
    text = message.content.strip()
    if was_cut:
        return Problem("cut off", f"Your turn was cut off before it called a tool. Write less in one turn. {_ONE_CALL}")
    if not text:
        return Problem("empty reply", f"Your turn was empty. {_ONE_CALL}")
    if _FENCED_CODE.search(text):
        return Problem("code in the text", f"Code in the text is not run: pass it to {EXECUTE_CODE}. {_ONE_CALL}")
    return Problem("no call", f"Your turn called no tool. {_ONE_CALL}")


def _arguments(call: ToolCall) -> Mapping[str, Any] | str:
    """The arguments, or why they are none."""
    try:
        arguments = json.loads(storable_json(call.arguments_json), strict=False)
    except ValueError as error:
        # A tool called python is given its code as it is by models that learned it so.
        if call.name in ("python", "ipython") and call.arguments_json.strip()[:1] not in ("{", "["):
            return {"code": call.arguments_json}
        return str(error)
    except RecursionError:
        return "it is nested too deeply"
    if isinstance(arguments, str) and call.name in _EXECUTE_NAMES:
        return {"code": arguments}
    return arguments if isinstance(arguments, dict) else f"it is {type(arguments).__name__}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@cache
def tools_json(thinking: bool) -> str:
    """JSON list of the tool definitions, in the form that chat templates take."""
    return json.dumps(
        [
            _tool(
                EXECUTE_CODE,
                "Run Python code as the next cell of the notebook and see its output.",
                {"code": "Python source of the cell."},
                thinking,
            ),
            _tool(
                FINAL_ANSWER,
                "Give the final answer to the question. Ends the work.",
                {"answer": "The answer alone, in the form that the question asks for."},
                thinking,
            ),
        ]
    )


def _tool(name: str, description: str, arguments: dict[str, str], thinking: bool) -> dict[str, Any]:
    if not thinking:
        arguments = {**arguments, "comment": "What you do here and why, in a sentence or more."}
    properties = {key: {"type": "string", "description": text} for key, text in arguments.items()}
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}
