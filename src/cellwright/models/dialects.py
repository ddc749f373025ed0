"""Tool calls that a server left in the text: read them out, and write chats for servers that know no tools.

Servers parse the calls of the models that they know and were told of. Where they do not, the calls arrive as the model
wrote them. The forms, as the models' chat templates and vLLM's parsers have them
(https://docs.vllm.ai/en/latest/features/tool_calling.html):

    hermes   <tool_call>{"name": …, "arguments": {…}}</tool_call>              Hermes, Qwen2.5, Qwen3
    xml      <tool_call><function=…><parameter=…>…</parameter></function>…      Qwen3-Coder
    llama    <|python_tag|>{"name": …, "parameters": {…}}, <function=…>{…}</function>, or bare JSON
    mistral  [TOOL_CALLS][{"name": …, "arguments": {…}}] or [TOOL_CALLS]name[ARGS]{…}
    fenced   a block of Python code; a block marked `answer` for the final answer
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

from cellwright.core.types import Message, ToolCall
from cellwright.models.chat import arguments_object

Dialect = Literal["native", "hermes", "xml", "llama", "mistral", "fenced"]
"""`native`: the server's own tool calls; calls in the text are read all the same, but for fenced code."""
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)

_THINK = re.compile(r"\A\s*(?:<think>)?(.*?)</think>\s*", re.DOTALL)
_OPEN_THINK = re.compile(r"\A\s*<think>(.*)\Z", re.DOTALL)
_BLOCK = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)
_FUNCTION = re.compile(r"(?:<tool_call>\s*)?<function=([\w.-]+)>(.*?)(?:</function>(?:\s*</tool_call>)?|\Z)", re.DOTALL)
# A parameter ends at its tag, or, where the model forgot it, at the next one or the function's end.
_PARAMETER = re.compile(r"<parameter=([\w.-]+)>\n?(.*?)\n?(?:</parameter>|(?=<parameter=)|\Z)", re.DOTALL)
_PYTHON_TAG = re.compile(r"<\|python_tag\|>(.*?)(?:<\|eom_id\|>|<\|eot_id\|>|\Z)", re.DOTALL)
_MISTRAL = re.compile(r"\[TOOL_CALLS\]\s*(.*)\Z", re.DOTALL)
_MISTRAL_NAMED = re.compile(r"\s*([\w.-]+)\s*(?:\[CALL_ID\]\w+)?\[ARGS\]\s*")
_FENCE = re.compile(r"^```(?:python|py|ipython)?[ \t]*\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE | re.IGNORECASE)
_ANSWER = re.compile(
    r"^```(?:answer|final_answer)[ \t]*\n(.*?)\n?^```[ \t]*$", re.DOTALL | re.MULTILINE | re.IGNORECASE
)
_MARKS = ("<tool_call>", "<function=", "<|python_tag|>", "[TOOL_CALLS]")
_CALL = re.compile("|".join(map(re.escape, _MARKS)))
_decoder = json.JSONDecoder(strict=False)  # A model writes line ends into JSON strings as they are.


class Call(NamedTuple):
    """A call as it stood in the text."""

    name: str
    arguments_json: str


@dataclass(frozen=True)
class Found:
    """What a text comes apart into."""

    text: str
    calls: tuple[Call, ...]


class Speech:
    """Of a turn that comes in pieces, the words before a call that stands in the text: a call is for no reader."""

    def __init__(self) -> None:
        self._held = ""
        self._has_ended = False

    def feed(self, piece: str) -> str:
        """What can be said by now. The beginning of what may be a call waits for the next piece."""
        if self._has_ended:
            return ""
        text = self._held + piece
        if found := _CALL.search(text):
            self._has_ended, self._held = True, ""
            return text[: found.start()]
        self._held = max(
            (begun for mark in _MARKS for begun in _beginnings(mark) if text.endswith(begun)), key=len, default=""
        )
        return text.removesuffix(self._held)

    def rest(self) -> str:
        """What waited, where the turn ends so."""
        held, self._held = self._held, ""
        return held


def _beginnings(mark: str) -> Iterator[str]:
    return (mark[:length] for length in range(1, len(mark)))


def split_thinking(text: str) -> tuple[str | None, str]:
    """The thinking in front of a text, and the rest. Templates that begin the turn with <think> leave that tag out."""
    for pattern in (_THINK, _OPEN_THINK):
        if found := pattern.match(text):
            return found[1].strip() or None, text[found.end() :]
    return None, text


def find_calls(text: str, dialect: Dialect) -> Found:
    """The calls that stand in a text. Every form is looked for but fenced code, which must be asked for."""
    if dialect == "fenced":
        return _fenced(text)
    for form in (_xml, _hermes, _python_tag, _mistral, _bare):
        found = form(text)
        if found.calls:
            return found
    return Found(text, ())


def _hermes(text: str) -> Found:
    calls = [call for block in _BLOCK.findall(text) for call in _objects(block)]
    return Found(_BLOCK.sub("", text).strip(), tuple(calls))


def _xml(text: str) -> Found:
    return Found(
        _FUNCTION.sub("", text).strip(), tuple(_function(name, body) for name, body in _FUNCTION.findall(text))
    )


def _function(name: str, body: str) -> Call:
    if body.lstrip().startswith("{"):  # Llama 3.1's form has JSON inside.
        return Call(name, body.strip())
    return Call(name, json.dumps(dict(_PARAMETER.findall(body)), ensure_ascii=False))


def _python_tag(text: str) -> Found:
    calls: list[Call] = []
    for body in _PYTHON_TAG.findall(text):
        calls += list(_objects(body)) or [Call("python", json.dumps({"code": body.strip()}, ensure_ascii=False))]
    return Found(_PYTHON_TAG.sub("", text).strip(), tuple(calls))


def _mistral(text: str) -> Found:
    found = _MISTRAL.search(text)
    if found is None:
        return Found(text, ())
    rest, calls = found[1], list(_objects(found[1]))
    if not calls:
        for part in rest.split("[TOOL_CALLS]"):
            if named := _MISTRAL_NAMED.match(part):
                calls.append(Call(named[1], part[named.end() :].strip()))
    return Found(text[: found.start()].strip(), tuple(calls))


def _bare(text: str) -> Found:
    """JSON that is the whole of the text, as Llama 3.2 writes its calls."""
    stripped = text.strip()
    calls = list(_objects(stripped)) if stripped.startswith("{") and stripped.endswith("}") else []
    return Found("", tuple(calls)) if calls else Found(text, ())


def _fenced(text: str) -> Found:
    """The answer's block, or the first block of code: what a model writes after it, it imagines."""
    if answer := _ANSWER.search(text):
        call = Call("final_answer", json.dumps({"answer": answer[1].strip()}, ensure_ascii=False))
        return Found(text[: answer.start()].strip(), (call,))
    if code := _FENCE.search(text):
        call = Call("execute_code", json.dumps({"code": code[1].rstrip()}, ensure_ascii=False))
        return Found(text[: code.start()].strip(), (call,))
    return Found(text, ())


def _objects(text: str) -> Iterator[Call]:
    """Calls written as JSON objects, one after the other or in a list."""
    position = 0
    while (begin := min((p for p in (text.find(mark, position) for mark in "{[") if p >= 0), default=-1)) >= 0:
        try:
            value, position = _decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            return
        for item in value if isinstance(value, list) else [value]:
            if (call := _call(item)) is not None:
                yield call


def _call(item: object) -> Call | None:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        return None
    arguments = item.get("arguments", item.get("parameters"))
    if arguments is None:
        return None
    return Call(item["name"], arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False))


# --- writing ------------------------------------------------------------------------------------------------------

_HERMES_HEAD = """To call a tool, write one JSON object with its name and its arguments within <tool_call></tool_call>:
<tool_call>
{"name": "...", "arguments": {...}}
</tool_call>

The tools:
"""
_FENCED_HEAD = """There are no tool calls here. To run code, write one block of Python and end your turn after it:
```python
code
```
You then get its output. To give the final answer, write one block that is marked `answer`, with the answer alone:
```answer
the answer
```"""


class _Manner(NamedTuple):
    """How a chat is written for a server that knows no tools."""

    head: Callable[[str], str]
    call: Callable[[ToolCall], str]
    result: Callable[[str], str]


def _hermes_call(call: ToolCall) -> str:
    return f'<tool_call>\n{{"name": {json.dumps(call.name)}, "arguments": {arguments_object(call)}}}\n</tool_call>'


def _fenced_call(call: ToolCall) -> str:
    arguments: Mapping[str, Any] = json.loads(arguments_object(call))
    if "answer" in arguments:
        return f"```answer\n{arguments['answer']}\n```"
    return f"```python\n{arguments.get('code', '')}\n```"


_HERMES = _Manner(
    lambda tools_json: _HERMES_HEAD + "\n".join(json.dumps(tool["function"]) for tool in json.loads(tools_json)),
    _hermes_call,
    lambda text: f"<tool_response>\n{text}\n</tool_response>",
)
_FENCED = _Manner(lambda tools_json: _FENCED_HEAD, _fenced_call, lambda text: f"Output:\n{text}")


def _as_text(message: Message, manner: _Manner) -> Message:
    if message.role == "tool":
        return Message("user", manner.result(message.content), images=message.images)
    calls = "\n".join(manner.call(call) for call in message.tool_calls)
    return replace(message, content=f"{message.content}\n{calls}".strip(), tool_calls=()) if calls else message


def as_text(messages: Sequence[Message], tools_json: str, dialect: Dialect) -> list[Message]:
    """The chat without tool calls and tool messages: they stand in the texts, and the tools in the system prompt."""
    manner = _FENCED if dialect == "fenced" else _HERMES
    written: list[Message] = []
    for message in (_as_text(message, manner) for message in messages):
        if written and written[-1].role == message.role == "user":  # Many templates want the roles to take turns.
            both = f"{written[-1].content}\n\n{message.content}"
            written[-1] = replace(written[-1], content=both, images=written[-1].images + message.images)
        else:
            written.append(message)
    head = manner.head(tools_json)
    if written and written[0].role == "system":
        written[0] = replace(written[0], content=f"{written[0].content}\n\n{head}")
    else:
        written.insert(0, Message("system", head))
    return written
