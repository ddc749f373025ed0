"""The two tools of the scaffold, as models are told of them.

`comment` makes a model that does not think aloud say what it does and why: the original found that such models say
nothing between calls, and made it a required argument. For models that think aloud it is left out.
"""

import json
from functools import cache
from typing import Any

EXECUTE_CODE = "execute_code"
FINAL_ANSWER = "final_answer"


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
