"""The loop, with a scripted model and a real kernel."""

import asyncio

import msgspec
import pytest

from cellwright.agent import Approval, Assignment, RunLimits
from cellwright.core.errors import ContextOverflow, ModelError, ModelUnavailable
from cellwright.core.types import Ending, Message, Output, Step, ToolCall, Trace, Usage
from cellwright.models import Delta, Endpoint, Hear, OpenAIModel, Reply, Request, Traits
from cellwright.models.server import ScriptedServer, in_order

from .runs import ANSWER, call, code, raw_call, run


def test_code_runs_and_its_output_is_seen() -> None:
    """State stays from cell to cell, each output goes back to the model, and the answer ends the run."""
    trace = run([code("x = 2"), code("x + 2"), ANSWER])
    assert (trace.answer, trace.ending, trace.detail) == ("4", "answered", "")
    assert [message.content for message in trace.messages if message.role == "tool"] == ["(no output)", "4"]
    assert [step.comment for step in trace.steps] == ["A cell.", "A cell.", "Done."]
    assert (trace.messages[0].role, trace.prompt) == ("system", "analyst")


def test_failing_code_is_shown_and_the_run_goes_on() -> None:
    """An error is an observation, not the end."""
    trace = run([code("1 / 0"), ANSWER])
    assert trace.ending == "answered"
    assert trace.steps[0].result is not None
    assert trace.steps[0].result.status == "error"
    assert "ZeroDivisionError" in trace.messages[3].content


ACCEPTED = {
    "the original's name": call("add_and_execute_jupyter_code_cell", code="2 + 2"),
    "another name": call("add_and_execute_code_cell", source="2 + 2"),
    "python": call("python", code="2 + 2"),
    "python, code as it is": raw_call("python", "2 + 2"),
    "lines in a list": call("execute_code", code=["x = 2", "x + 2"]),
    "line ends within JSON": raw_call("execute_code", '{"code": "x = 2\nx + 2"}'),
}


@pytest.mark.parametrize("kind", ACCEPTED)
def test_calls_are_accepted_as_other_scaffolds_have_them(kind: str) -> None:
    """Names and forms that models learned elsewhere run the cell."""
    trace = run([ACCEPTED[kind], ANSWER])
    assert [step.problem for step in trace.steps] == ["", ""]
    assert trace.messages[3].content == "4"


def test_half_of_a_character_is_no_end_of_a_run() -> None:
    """What a model says that no encoding knows is replaced before a kernel or a file is given it."""
    trace = run([raw_call("execute_code", r'{"code": "print(\"\ud83d\")"}'), ANSWER])
    assert trace.messages[3].content == "\ufffd"
    assert msgspec.json.encode(trace)


def test_an_answer_need_not_be_text() -> None:
    """Numbers and lists are kept as JSON."""
    assert run([call("final_answer", answer=4)]).answer == "4"
    assert run([call("final_answer", answer=["a", "b"])]).answer == '["a", "b"]'


TWO = Message(
    "assistant", "", tool_calls=tuple(ToolCall(name, "execute_code", '{"code": "print(1)"}') for name in ("a", "b"))
)
PROBLEMS: dict[str, Message | Reply] = {
    "empty reply": Message("assistant", " "),
    "no call": Message("assistant", "I think it is four."),
    "code in the text": Message("assistant", "Let me see.\n```python\n2 + 2\n```"),
    "two calls at once": TWO,
    "unknown tool": call("look_around"),
    "bad JSON": raw_call("execute_code", "{not json"),
    "missing argument": call("execute_code", comment="No code."),
    "cut off": Reply(raw_call("execute_code", '{"code": "x ='), finish="length"),
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_turn_of_no_use_is_corrected(kind: str) -> None:
    """The model is told what to do instead, in an answer to each of its calls, and the turn is counted."""
    trace = run([PROBLEMS[kind], ANSWER])
    assert [step.problem for step in trace.steps] == [kind, ""]
    assert trace.ending == "answered"
    bad = trace.messages[2]
    told = trace.messages[3 : 3 + max(1, len(bad.tool_calls))]
    answered: list[str | None] = [call.id for call in bad.tool_calls]
    assert [message.tool_call_id for message in told] == (answered or [None])
    assert all(20 < len(message.content) < 200 for message in told)


def test_turns_of_no_use_are_corrected_over_http() -> None:
    """All of them in one run against a real server that streams, and the run is answered in the end."""
    with ScriptedServer(in_order([*PROBLEMS.values(), ANSWER])) as server:
        model = OpenAIModel(Endpoint(server.url, Traits("scripted")))
        trace = run(model, limits=RunLimits(corrections=len(PROBLEMS)))
    assert [step.problem for step in trace.steps] == [*PROBLEMS, ""]
    assert (trace.ending, trace.answer) == ("answered", "4")


@pytest.mark.parametrize("kind", PROBLEMS)
def test_too_many_of_them_end_the_run(kind: str) -> None:
    """After the limit of corrections the run is given up, and its Trace says over what."""
    trace = run([PROBLEMS[kind]] * 3, limits=RunLimits(corrections=2))
    assert (trace.ending, trace.answer, len(trace.steps)) == ("gave up", None, 3)
    assert kind in trace.detail


SPENT = Reply(code("1"), Usage(100, 0, 50, 0, 0.01))
ENDINGS: dict[str, tuple[list[Message | Reply], RunLimits, Ending, str]] = {
    "steps": ([code("1")] * 5, RunLimits(steps=3), "step limit", "3 steps"),
    "tokens": ([SPENT] * 5, RunLimits(tokens=300), "token limit", "300 tokens"),
    "cost": ([SPENT] * 5, RunLimits(cost_usd=0.02), "cost limit", "0.02 USD"),
    "time": ([code("import time; time.sleep(9)")] * 5, RunLimits(wall_s=0.5), "time limit", "0.5 s"),
    "kernel": ([code("import os; os._exit(3)"), ANSWER], RunLimits(), "kernel died", "3"),
    "refusal": (
        [Reply(Message("assistant", "I will not."), finish="refused")],
        RunLimits(),
        "model refused",
        "will not",
    ),
}


@pytest.mark.parametrize("kind", ENDINGS)
def test_endings_are_typed(kind: str) -> None:
    """Each way to end has its name, and says the limit's value or what was seen."""
    turns, limits, ending, detail = ENDINGS[kind]
    trace = run(turns, limits=limits)
    assert (trace.ending, trace.answer) == (ending, None)
    assert detail in trace.detail


class Notes:
    """A watcher that writes down what it is told."""

    def __init__(self, *approvals: Approval) -> None:
        self.heard: list[Delta | Output] = []
        self.kept: list[tuple[int, str]] = []
        self.last: Trace | None = None
        self._approvals = list(approvals)

    def hear(self, delta: Delta | Output) -> None:
        self.heard.append(delta)

    async def approve(self, code: str, comment: str) -> Approval:
        return self._approvals.pop(0) if self._approvals else Approval()

    def keep(self, trace: Trace, step: Step | None) -> None:
        self.kept.append((len(trace.steps), trace.ending if step is None else ""))
        self.last = trace


def test_trace_is_kept_after_every_step_and_always() -> None:
    """Also when the endpoint fails: its error goes on to the caller, and the Trace says that the model failed."""
    notes = Notes()
    with pytest.raises(ModelUnavailable):
        run([code("1"), code("2")], watcher=notes)
    assert notes.kept == [(1, ""), (2, ""), (2, "model failed")]
    assert notes.last is not None
    assert "script" in notes.last.detail


def test_output_is_heard_as_it_comes() -> None:
    """The model's words and the cell's output reach the watcher in order, output before the cell has ended."""
    notes = Notes()
    run([code("import time\nfor i in range(3): print(i, flush=True); time.sleep(0.15)"), ANSWER], watcher=notes)
    texts = [piece.text for piece in notes.heard if isinstance(piece, Output)]
    assert len(texts) > 1
    assert "".join(texts).split() == ["0", "1", "2"]
    assert isinstance(notes.heard[0], Delta)


def test_a_person_may_forbid_or_change_a_cell() -> None:
    """A forbidden cell does not run, and the model learns why; of a changed one it learns what ran."""
    notes = Notes(Approval(allowed=False, reason="too dear"), Approval(code="6 * 7"))
    trace = run([code("x = 1 / 0"), code("1 + 1"), ANSWER], watcher=notes)
    assert [step.problem for step in trace.steps] == ["not allowed", "", ""]
    assert "too dear" in trace.messages[3].content
    assert trace.steps[1].code == "6 * 7"
    assert "6 * 7" in trace.messages[5].content
    assert trace.messages[5].content.endswith("42")


def test_stopping_in_a_cell_keeps_its_output() -> None:
    """The cell is interrupted, and what it had put out is in the Trace."""
    notes = Notes()
    trace = run(
        [code("import time; print('begun', flush=True); time.sleep(30)"), ANSWER], watcher=notes, stop_after_s=1.0
    )
    assert (trace.ending, len(trace.steps)) == ("stopped", 1)
    assert trace.steps[0].result is not None
    assert trace.steps[0].result.stdout == "begun\n"
    assert trace.seconds < 8


class SlowTalker:
    """A model that says a word and then nothing."""

    traits = Traits("slow")

    async def reply(self, request: Request, hear: Hear | None = None) -> Reply:
        assert hear is not None
        hear(Delta("text", "First, "))
        await asyncio.sleep(60)
        raise AssertionError

    async def close(self) -> None:
        """Nothing to close."""


def test_stopping_between_two_tokens_keeps_what_was_said() -> None:
    """What the model had said of its turn is the last message of the Trace."""
    trace = run(SlowTalker(), watcher=Notes(), stop_after_s=0.5)
    assert (trace.ending, trace.messages[-1]) == ("stopped", Message("assistant", "First, "))


def test_time_limit_holds_while_the_model_speaks() -> None:
    """A reply that does not come ends the run in time."""
    trace = run(SlowTalker(), watcher=Notes(), limits=RunLimits(wall_s=0.5))
    assert (trace.ending, trace.detail) == ("time limit", "0.5 s")


def test_oldest_observations_are_folded_first() -> None:
    """A chat that outgrows the window loses old outputs, never the question or code, and the steps record it."""
    sent: list[Request] = []

    def script(request: Request) -> Message:
        sent.append(request)
        return ANSWER if len(sent) == 8 else code(f"x{len(sent)} = 1; print('word ' * 400)")

    trace = run(script, traits=Traits("small", window_tokens=2000))
    assert trace.ending == "answered"
    last = sent[-1].messages
    assert [m.content for m in last if m.role in ("system", "user")] == [m.content for m in trace.messages[:2]]
    assert [m.tool_calls for m in last] == [m.tool_calls for m in trace.messages[:-1]]
    outputs = [m.content for m in last if m.role == "tool"]
    assert "left out to save room" in outputs[0]
    assert outputs[-1].startswith("word word")
    assert sum(step.folded for step in trace.steps) == sum("left out to save" in text for text in outputs)
    assert all("left out" not in message.content for message in trace.messages)


def test_endpoint_that_says_the_chat_is_too_long_is_believed() -> None:
    """Without a known window, observations are folded when the endpoint refuses; with nothing to fold, the run ends."""
    sizes: list[int] = []

    def script(request: Request) -> Message:
        sizes.append(sum(len(message.content) for message in request.messages))
        if sizes[-1] > 4000:
            raise ContextOverflow("too long")
        return ANSWER if len(sizes) > 6 else code("print('word ' * 300)")

    trace = run(script)
    assert trace.ending == "answered"
    assert max(sizes) > 4000

    def never(request: Request) -> Message:
        raise ContextOverflow("too long for me")

    assert (run(never).ending, run(never).detail) == ("token limit", "too long for me")


def test_a_run_goes_on_from_an_earlier_one() -> None:
    """The chat of the first question stays in front of the second one."""
    first = run([ANSWER])
    earlier = (*first.messages, Message("tool", "The answer was given.", tool_call_id="c"))
    trace = run([ANSWER], assignment=Assignment("t2", "And of 3 + 3?", earlier=earlier))
    assert [message.role for message in trace.messages[:5]] == ["system", "user", "assistant", "tool", "user"]


def test_models_that_think_are_not_asked_for_a_comment() -> None:
    """The tools that a model is told of have `comment` only where it does not think aloud."""
    tools: list[str] = []

    def script(request: Request) -> Message:
        tools.append(request.tools_json)
        return ANSWER

    run(script, traits=Traits("thinker", thinks=True))
    run(script, traits=Traits("doer"))
    assert ["comment" in text for text in tools] == [False, True]


def test_any_failure_of_the_endpoint_is_one_kind_of_error() -> None:
    """Callers catch ModelError."""
    assert issubclass(ModelUnavailable, ModelError)
    assert issubclass(ContextOverflow, ModelError)
