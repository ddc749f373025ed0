"""Tool calls that servers leave in the text, in the form of each family of models."""

import json

import pytest

from cellwright.core.types import Message, ToolCall
from cellwright.models.dialects import DIALECTS, Dialect, Speech, as_text, find_calls, split_thinking

CODE = 'print("a")\nx = {"b": 1}'
ARGUMENTS = {"code": CODE, "comment": "See."}
CALL = json.dumps({"name": "execute_code", "arguments": ARGUMENTS})

FORMS = {
    "hermes": f"Let me see.\n<tool_call>\n{CALL}\n</tool_call>",
    "hermes, end cut off by the stop word": f"Let me see.<tool_call>{CALL}",
    "hermes, line ends within strings": "Let me see.<tool_call>" + CALL.replace("\\n", "\n") + "</tool_call>",
    "xml": "Let me see.\n<tool_call>\n<function=execute_code>\n<parameter=code>\n"
    + CODE
    + "\n</parameter>\n<parameter=comment>\nSee.\n</parameter>\n</function>\n</tool_call>",
    "xml without the outer tag": "Let me see.\n<function=execute_code>\n<parameter=code>\n"
    + CODE
    + "\n</parameter>\n<parameter=comment>See.</parameter>\n</function>\n</tool_call>",
    "xml, tags forgotten": "Let me see.<function=execute_code><parameter=code>\n"
    + CODE
    + "\n<parameter=comment>\nSee.\n</function>",
    "llama": "Let me see.<|python_tag|>" + CALL.replace("arguments", "parameters") + "<|eom_id|>",
    "llama 3.1": f"Let me see.<function=execute_code>{json.dumps(ARGUMENTS)}</function>",
    "mistral": f"Let me see.[TOOL_CALLS][{CALL}]",
    "mistral, new": f"Let me see.[TOOL_CALLS]execute_code[ARGS]{json.dumps(ARGUMENTS)}",
    "mistral, with an id": f"Let me see.[TOOL_CALLS]execute_code[CALL_ID]abc123def[ARGS]{json.dumps(ARGUMENTS)}",
}


@pytest.mark.parametrize("form", FORMS)
def test_call_is_found_in_every_form(form: str) -> None:
    """Name, arguments and the words in front."""
    found = find_calls(FORMS[form], "native")
    assert [call.name for call in found.calls] == ["execute_code"]
    assert json.loads(found.calls[0].arguments_json, strict=False) == ARGUMENTS
    assert found.text == "Let me see."


def test_bare_json_and_bare_code_of_llama_are_calls() -> None:
    """JSON as the whole text, and code after the tag."""
    assert (
        find_calls('{"name": "final_answer", "parameters": {"answer": "4"}}', "native").calls[0].name == "final_answer"
    )
    assert find_calls("<|python_tag|>2 + 2<|eom_id|>", "native").calls == (("python", '{"code": "2 + 2"}'),)


def test_several_calls_are_several() -> None:
    """The loop decides what becomes of them."""
    assert len(find_calls(f"<tool_call>{CALL}</tool_call>\n<tool_call>{CALL}</tool_call>", "native").calls) == 2
    assert len(find_calls(f"[TOOL_CALLS][{CALL}, {CALL}]", "native").calls) == 2


def test_fenced_code_is_a_call_only_where_it_is_asked_for() -> None:
    """The first block counts: what comes after it, the model imagines."""
    text = "I add.\n```python\n2 + 2\n```\nOutput: 5\n```answer\n5\n```"
    assert find_calls(text, "native").calls == ()
    only_code = "I add.\n```python\n2 + 2\n```\nOutput: 5\n```python\n3\n```"
    assert find_calls(only_code, "fenced").calls == (("execute_code", '{"code": "2 + 2"}'),)
    assert find_calls("```answer\n4\n```", "fenced").calls == (("final_answer", '{"answer": "4"}'),)


NO_CALLS = [
    "",
    "<tool_call>",
    "<tool_call>{</tool_call>",
    "[TOOL_CALLS]",
    "<function=",
    "{" * 5000,
    "[" * 5000,
    '{"a": 1}',
]


@pytest.mark.parametrize("text", NO_CALLS, ids=range(len(NO_CALLS)))
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_no_call_is_none(text: str, dialect: Dialect) -> None:
    """Fragments and nonsense give no call and no exception."""
    assert find_calls(text, dialect).calls == ()


@pytest.mark.parametrize("dialect", ["hermes", "fenced"])
def test_what_is_written_is_read_back(dialect: Dialect) -> None:
    """A call that was written into a text is found in it."""
    call = ToolCall("c", "execute_code", json.dumps({"code": CODE}))
    chat = [Message("system", "S"), Message("user", "Q"), Message("assistant", "Hm.", tool_calls=(call,))]
    chat += [Message("tool", "a", tool_call_id="c"), Message("user", "Go on.")]
    written = as_text(chat, "[]", dialect)
    assert [message.role for message in written] == ["system", "user", "assistant", "user"]
    found = find_calls(written[2].content, dialect)
    assert (found.text, json.loads(found.calls[0].arguments_json)) == ("Hm.", {"code": CODE})


def test_thinking_is_split_off() -> None:
    """Closed, unclosed, and without its first tag."""
    assert split_thinking("<think>a</think>b") == ("a", "b")
    assert split_thinking("a</think>b") == ("a", "b")
    assert split_thinking("<think>a") == ("a", "")
    assert split_thinking("<think>\n\n</think>\n\nb") == (None, "b")
    assert split_thinking("b") == (None, "b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('Let me look.\n<tool_call>\n{"name": "execute_code"}\n</tool_call>', "Let me look.\n"),
        ("[TOOL_CALLS]execute_code[ARGS]{}", ""),
        ("a < b, and [1] of <function f>", "a < b, and [1] of <function f>"),
        ("it ends in <tool", "it ends in <tool"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_of_a_turn_in_pieces_the_words_are_said(text: str, said: str, size: int) -> None:
    """Up to a call that is written into them, however the pieces are cut."""
    speech = Speech()
    heard = [speech.feed(text[start : start + size]) for start in range(0, len(text), size)]
    assert "".join(heard) + speech.rest() == said
