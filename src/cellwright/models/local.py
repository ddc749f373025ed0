"""Models of this machine: in this process through transformers, or behind a server that is started for the time being.

Both need the extra [local]; vLLM is used where it is installed. What this does not promise: speed in this process,
which takes one request at a time.
"""

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from cellwright.core.errors import ContextOverflow, MissingExtra, ModelMisused, ModelUnavailable
from cellwright.core.types import Message, ToolCall, Usage
from cellwright.models.chat import storable, to_json
from cellwright.models.dialects import find_calls, split_thinking
from cellwright.models.openai import Endpoint, OpenAIModel
from cellwright.models.protocol import Delta, Hear, Reply, Request, Traits

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_DEFAULT_REPLY_TOKENS = 4096
_READY_TIMEOUT_S = 1800.0
_POLL_S = 0.25
_LOG_CHARS = 1500
Server = Literal["vllm", "transformers"]


class TransformersModel:
    """A model in this process. Load it with `TransformersModel.load`."""

    def __init__(
        self, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", traits: Traits, *, seed: int = 0
    ) -> None:
        self._model, self._tokenizer, self._traits, self._seed = model, tokenizer, traits, seed
        self._turn = asyncio.Lock()

    @classmethod
    def load(cls, name: str, *, thinks: bool = False, device: str = "auto", dtype: str = "auto") -> "TransformersModel":
        """A folder with a model, or its name on the Hub. Raises MissingExtra, and ModelMisused for what is no model."""
        try:
            import transformers  # noqa: PLC0415  # seconds to import, and not in the base install
        except ImportError as error:
            raise MissingExtra("local", "a model in this process") from error
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(name)
            model = transformers.AutoModelForCausalLM.from_pretrained(name, dtype=dtype)
        except (OSError, ValueError, KeyError) as error:
            raise ModelMisused(f"{name} cannot be loaded as a model: {str(error).splitlines()[0]}") from error
        if tokenizer.chat_template is None:
            raise ModelMisused(f"{name} has no chat template, so it cannot be talked with; take an instruct model")
        where = device if device != "auto" else _best_device()
        window = getattr(model.config, "max_position_embeddings", None)
        return cls(model.to(where).eval(), tokenizer, Traits(name, thinks=thinks, window_tokens=window))

    @property
    def traits(self) -> Traits:
        return self._traits

    async def reply(self, request: Request, hear: Hear | None = None) -> Reply:
        """The model's turn. Raises ContextOverflow for a chat that leaves no room for a token."""
        async with self._turn:
            stop = threading.Event()
            loop = asyncio.get_running_loop()

            def told(text: str) -> None:
                if hear is not None and text:
                    loop.call_soon_threadsafe(hear, Delta("text", text))

            work = asyncio.ensure_future(asyncio.to_thread(self._generate, request, told, stop))
            try:
                return await asyncio.shield(work)
            finally:
                stop.set()
                if not work.done():  # Cancelled: the model stops at its next token.
                    await asyncio.wait({work})

    async def close(self) -> None:
        """The memory goes with the last reference."""

    def _generate(self, request: Request, told: Callable[[str], None], stop: threading.Event) -> Reply:
        import torch  # noqa: PLC0415
        import transformers  # noqa: PLC0415

        inputs = self._tokens(request)
        taken = inputs["input_ids"].shape[1]
        room = (self._traits.window_tokens or sys.maxsize) - taken
        if room <= 0:
            raise ContextOverflow(f"the chat has {taken} tokens, the model's window {self._traits.window_tokens}")
        most = min(room, request.sampling.max_tokens or _DEFAULT_REPLY_TOKENS)
        torch.manual_seed((request.sampling.seed or self._seed) + request.sampling.index)
        with torch.inference_mode():
            output = self._model.generate(
                **inputs,
                max_new_tokens=most,
                streamer=_Told(self._tokenizer, told),
                stopping_criteria=transformers.StoppingCriteriaList([_Stop(stop)]),
                **_sampling(request),
            )
        new = output[0, taken:]
        text = str(self._tokenizer.decode(new, skip_special_tokens=True)).strip()
        cut = len(new) >= most and int(new[-1]) not in self._ends()
        return Reply(_message(text), Usage(taken, 0, len(new)), "length" if cut else "stop")

    def _tokens(self, request: Request) -> Any:
        return self._tokenizer.apply_chat_template(
            [_for_template(message) for message in to_json(request.messages, thinking=True)],
            tools=json.loads(request.tools_json),
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
        ).to(self._model.device)

    def _ends(self) -> set[int]:
        ends = self._model.generation_config.eos_token_id if self._model.generation_config is not None else None
        found = ends if isinstance(ends, list) else [ends]
        return {int(end) for end in found if isinstance(end, int)}


def _for_template(message: dict[str, Any]) -> dict[str, Any]:
    """Templates take arguments as objects and words where an API has null."""
    calls = [
        {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
        for call in message.get("tool_calls", [])
    ]
    found = {**message, "content": message.get("content") or ""}
    return {**found, "tool_calls": calls} if calls else found


def _message(text: str) -> Message:
    reasoning, rest = split_thinking(text)
    found = find_calls(rest, "native")
    calls = tuple(ToolCall(f"call_{n}", name, arguments) for n, (name, arguments) in enumerate(found.calls))
    return storable(Message("assistant", found.text, reasoning, calls))


def _sampling(request: Request) -> dict[str, Any]:
    sampling = request.sampling
    if sampling.temperature == 0:
        return {"do_sample": False}
    values = {"temperature": sampling.temperature, "top_p": sampling.top_p}
    said = {name: value for name, value in values.items() if value is not None}
    return {"do_sample": True, **said} if said else {}


def _best_device() -> str:
    import torch  # noqa: PLC0415

    return "cuda" if torch.cuda.is_available() else "cpu"


class _Told:
    """A streamer of transformers: tokens in, pieces of text out, the prompt left out."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", told: Callable[[str], None]) -> None:
        self._tokenizer, self._told = tokenizer, told
        self._tokens: list[int] = []
        self._shown = 0
        self._is_prompt = True

    def put(self, value: Any) -> None:
        if self._is_prompt:
            self._is_prompt = False
            return
        self._tokens += value.flatten().tolist()
        text = str(self._tokenizer.decode(self._tokens, skip_special_tokens=True))
        if not text.endswith("\ufffd"):  # Half of a character: its other half is the next token.
            self._told(text[self._shown :])
            self._shown = len(text)

    def end(self) -> None:
        text = str(self._tokenizer.decode(self._tokens, skip_special_tokens=True))
        self._told(text[self._shown :])


class _Stop:
    """A criterion of transformers: whether nobody waits any more."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        import torch  # noqa: PLC0415

        return torch.full((input_ids.shape[0],), self._stop.is_set(), device=input_ids.device, dtype=torch.bool)


# --- servers ------------------------------------------------------------------------------------------------------


def server_command(name: str, port: int, server: Server | None = None) -> list[str]:
    """What serves a model on loopback: vLLM where it is installed, else `transformers serve`. Raises MissingExtra."""
    vllm, transformers = shutil.which("vllm"), _beside_python("transformers")
    if vllm and server != "transformers":
        parser = ["--enable-auto-tool-choice", "--tool-call-parser", _vllm_parser(name)]
        return [vllm, "serve", name, "--host", "127.0.0.1", "--port", str(port), *parser]
    if transformers and server != "vllm":
        return [transformers, "serve", name, "--host", "127.0.0.1", "--port", str(port)]
    raise MissingExtra("local", "serving a model on this machine")


def _vllm_parser(name: str) -> str:
    """https://docs.vllm.ai/en/latest/features/tool_calling.html"""
    lowered = name.lower()
    families = (("qwen3-coder", "qwen3_coder"), ("llama-3", "llama3_json"), ("mistral", "mistral"))
    return next((parser for family, parser in families if family in lowered), "hermes")


def _beside_python(program: str) -> str | None:
    path = Path(sys.executable).with_name(program)
    return str(path) if path.exists() else shutil.which(program)


@contextlib.asynccontextmanager
async def served_locally(
    name: str, *, thinks: bool = False, server: Server | None = None, timeout_s: float = _READY_TIMEOUT_S
) -> AsyncIterator[OpenAIModel]:
    """A server for this model on a free port, from its readiness to the end of the context, which ends it too.

    Raises ModelUnavailable with the server's last words when it does not get ready.
    """
    port = _free_port()
    command = server_command(name, port, server)
    with tempfile.TemporaryFile("w+") as log:
        process = await asyncio.to_thread(_start, command, log)
        try:
            url = f"http://127.0.0.1:{port}"
            await _until_ready(process, url, timeout_s, log, command)
            endpoint = Endpoint(f"{url}/v1", Traits(name, thinks=thinks), sends_thinking=thinks)
            async with OpenAIModel(endpoint) as model:
                yield model
        finally:
            await asyncio.to_thread(_end, process)


def _start(command: Sequence[str], log: IO[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


async def _until_ready(
    process: "subprocess.Popen[bytes]", url: str, timeout_s: float, log: IO[str], command: Sequence[str]
) -> None:
    began = time.monotonic()
    while not await asyncio.to_thread(_answers, f"{url}/health"):
        if process.poll() is not None or time.monotonic() - began > timeout_s:
            log.seek(0)
            words = log.read()[-_LOG_CHARS:]
            what = "ended" if process.poll() is not None else f"was not ready in {timeout_s:g} s"
            raise ModelUnavailable(f"`{' '.join(command)}` {what}. Its last words:\n{words}")
        await asyncio.sleep(_POLL_S)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the server with all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
            return


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
