"""Which model is found, and what is said where there is none or too many."""

import socket
import threading

import pytest

from cellwright.core.errors import ModelMisused
from cellwright.models.discovery import Wish, choose_endpoint
from cellwright.models.openai import Price

from .endpoints import served

NONE: dict[str, str] = {}


def test_a_named_url_comes_first() -> None:
    """Its only model needs no name, and is told apart from what the environment says."""
    with served([], names=["qwen-1"]) as server:
        choice = choose_endpoint(Wish(server.url), {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, NONE)
    assert choice is not None
    assert (choice.endpoint.url, choice.endpoint.traits.name) == (server.url, "qwen-1")


def test_environment_names_an_endpoint() -> None:
    """OPENAI_BASE_URL with its key, and the model by name."""
    with served([], names=["a", "b"], key="k") as server:
        choice = choose_endpoint(Wish("b"), {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k"}, NONE)
        assert choice is not None
        assert (choice.endpoint.key, choice.endpoint.traits.name, choice.found_by) == ("k", "b", "OPENAI_BASE_URL")
        with pytest.raises(ModelMisused, match="--model; it has a, b"):
            choose_endpoint(Wish(), {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k"}, NONE)


def test_keys_name_their_vendors() -> None:
    """HF_TOKEN serves the names that have a slash, as the Hub's do."""
    both = {"OPENAI_API_KEY": "o", "HF_TOKEN": "h"}
    for model, url in (("gpt-x", "api.openai.com"), ("Qwen/Qwen3-4B", "router.huggingface.co")):
        choice = choose_endpoint(Wish(model), both, NONE)
        assert choice is not None
        assert url in choice.endpoint.url


def test_a_local_server_is_found() -> None:
    """One that listens on a usual port is taken when nothing else is said; without any there is no choice."""
    with served([], names=["m"]) as server:
        servers = {"Ollama": "http://127.0.0.1:9/v1", "vLLM": server.url}
        choice = choose_endpoint(Wish(), NONE, servers)
        assert choice is not None
        assert choice.found_by.startswith("vLLM's usual port")
        assert choose_endpoint(Wish("other"), NONE, servers) is None
    assert choose_endpoint(Wish(), NONE, servers) is None


TRAITS = {
    "Qwen/Qwen3-4B-Thinking-2507": (True, False),
    "Qwen/Qwen3-4B-Instruct-2507": (False, False),
    "Qwen/Qwen3-8B": (True, False),
    "Qwen/Qwen3-Coder-30B-A3B-Instruct": (False, False),
    "deepseek-ai/DeepSeek-R1": (True, False),
    "openai/gpt-oss-20b": (True, False),
    "o3-mini": (True, False),
    "gpt-4o": (False, True),
    "meta-llama/Llama-3.1-8B-Instruct": (False, False),
    "Qwen/Qwen2.5-VL-7B-Instruct": (False, True),
    "mistral-small": (False, False),
}


@pytest.mark.parametrize("name", TRAITS)
def test_traits_are_guessed_from_names(name: str) -> None:
    """Whether a model thinks aloud and sees; what a person says counts more."""
    environment = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    choice = choose_endpoint(Wish(name), environment, NONE)
    assert choice is not None
    assert (choice.endpoint.traits.thinks, choice.endpoint.traits.sees) == TRAITS[name]
    said = choose_endpoint(Wish(name, thinks=False, sees=True, price=Price(1, 2)), environment, NONE)
    assert said is not None
    assert (said.endpoint.traits.thinks, said.endpoint.traits.sees, said.endpoint.price) == (False, True, Price(1, 2))


def test_something_else_on_a_usual_port_is_no_server() -> None:
    """It speaks no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            with listening.accept()[0] as caller:
                caller.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        servers = {"vLLM": f"http://127.0.0.1:{listening.getsockname()[1]}/v1"}
        assert choose_endpoint(Wish(), NONE, servers) is None
        thread.join()
