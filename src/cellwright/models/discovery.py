"""Which model there is: the one that was named, the one of the environment, or a server that already listens."""

import http.client
import json
import re
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from cellwright.core.errors import ModelMisused
from cellwright.models.openai import Endpoint, Price
from cellwright.models.protocol import Traits

LOCAL_SERVERS: Mapping[str, str] = {
    "Ollama": "http://127.0.0.1:11434/v1",
    "vLLM": "http://127.0.0.1:8000/v1",
    "llama.cpp": "http://127.0.0.1:8080/v1",
    "LM Studio": "http://127.0.0.1:1234/v1",
    "SGLang": "http://127.0.0.1:30000/v1",
}
"""Where these servers listen when nobody tells them otherwise."""
_OPENAI = "https://api.openai.com/v1"
_HUGGING_FACE = "https://router.huggingface.co/v1"
_PROBE_S = 0.5
_ASK_S = 10.0
_MOST_BYTES = 8 << 20
_SHOWN_NAMES = 8
# Families that think before they speak, and that see, by how they are called.
_THINKS = re.compile(
    r"thinking|reason|\br1\b|-r1|qwq|^(?:.*/)?o[134](?:-|$)|gpt-5|gpt-oss|magistral|qwen3(?!.*(?:instruct|coder))",
    re.IGNORECASE,
)
_SEES = re.compile(
    r"vision|[-_/]vl|vl[-_]|\bvl\b|gpt-4o|gpt-4\.1|gpt-5|claude|gemini|gemma-?3|llava|pixtral|internvl|llama-?4",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Wish:
    """What a person said of the model to use. None and empty: nothing."""

    model: str = ""
    """A name, or the URL of an endpoint."""
    url: str = ""
    thinks: bool | None = None
    sees: bool | None = None
    window_tokens: int | None = None
    price: Price | None = None
    sends_thinking: bool = False


@dataclass(frozen=True)
class Choice:
    """The endpoint that was found, and how."""

    endpoint: Endpoint
    found_by: str
    """For a person: "--model", "OPENAI_BASE_URL", "vLLM, which listens on port 8000"."""


def choose_endpoint(
    wish: Wish, environment: Mapping[str, str], local_servers: Mapping[str, str] = LOCAL_SERVERS
) -> Choice | None:
    """The first of: the wish, OPENAI_BASE_URL, OPENAI_API_KEY, HF_TOKEN, a server that listens. None: there is none.

    Raises ModelMisused where an endpoint is named that has no such model, or several and none was named.
    """
    if re.match(r"https?://", wish.model):
        wish = replace(wish, model="", url=wish.model)
    key = environment.get("OPENAI_API_KEY", "")
    if wish.url:
        return Choice(_endpoint(wish, wish.url, key), "the URL that was given")
    if url := environment.get("OPENAI_BASE_URL"):
        return Choice(_endpoint(wish, url, key), "OPENAI_BASE_URL")
    token = environment.get("HF_TOKEN", "")
    # Names on the Hub have a slash; OpenAI's have none.
    if key and not (token and "/" in wish.model):
        return Choice(_endpoint(wish, _OPENAI, key), "OPENAI_API_KEY")
    if token:
        return Choice(_endpoint(wish, _HUGGING_FACE, token), "HF_TOKEN")
    for name, url, models in listening(local_servers):
        if not wish.model or wish.model in [str(model.get("id")) for model in models]:
            port = url.rpartition(":")[2].partition("/")[0]
            return Choice(_endpoint(wish, url, key, models), f"{name}'s usual port, {port}")
    return None


def listening(servers: Mapping[str, str]) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Of these servers, those that answer with at least one model: name, URL, models."""
    with ThreadPoolExecutor(max(1, len(servers))) as threads:
        found = threads.map(lambda item: (*item, models_at(item[1], "", _PROBE_S)), servers.items())
        return [(name, url, models) for name, url, models in found if models]


def models_at(url: str, key: str, timeout_s: float) -> list[dict[str, Any]] | None:
    """What an endpoint lists under /models; None where it does not answer with a list."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(f"{url.rstrip('/')}/models", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            body = json.loads(response.read(_MOST_BYTES))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    models = body.get("data") if isinstance(body, dict) else None
    return [model for model in models if isinstance(model, dict)] if isinstance(models, list) else None


def _endpoint(wish: Wish, url: str, key: str, models: Sequence[dict[str, Any]] | None = None) -> Endpoint:
    if models is None:
        models = models_at(url, key, _ASK_S)
    names = [str(model.get("id")) for model in models or ()]
    name = wish.model or (names[0] if len(names) == 1 else "")
    if not name:
        some = ", ".join(names[:_SHOWN_NAMES]) + (" …" if len(names) > _SHOWN_NAMES else "")
        has = f"it has {some}" if names else "it does not say which it has"
        raise ModelMisused(f"{url}: say which model with --model; {has}")
    listed = next((model for model in models or () if model.get("id") == name), {})
    traits = Traits(
        name,
        thinks=bool(_THINKS.search(name)) if wish.thinks is None else wish.thinks,
        sees=bool(_SEES.search(name)) if wish.sees is None else wish.sees,
        window_tokens=wish.window_tokens or _window(listed),
    )
    return Endpoint(url.rstrip("/"), traits, key, price=wish.price, sends_thinking=wish.sends_thinking)


def _window(listed: Mapping[str, Any]) -> int | None:
    """The window that a server tells: vLLM as max_model_len, OpenRouter as context_length, llama.cpp in meta."""
    meta = listed.get("meta")
    known = (
        listed.get("max_model_len"),
        listed.get("context_length"),
        meta.get("n_ctx") if isinstance(meta, dict) else None,
    )
    return next((int(value) for value in known if isinstance(value, int) and value > 0), None)
