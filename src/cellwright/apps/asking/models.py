"""Which model a command uses, how it is opened, and the screen for when there is none."""

import asyncio
import contextlib
import csv
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from cellwright.core.errors import ConfigError, ModelMisused, UsageError
from cellwright.kernels.placement import Placement
from cellwright.models import Model, OpenAIModel
from cellwright.models.builtin import NAME, BuiltInModel, why_not
from cellwright.models.discovery import LOCAL_SERVERS, Choice, Wish, choose_endpoint
from cellwright.models.local import TransformersModel
from cellwright.models.openai import Endpoint, Price
from cellwright.models.protocol import Traits

MODELS = """Any model that speaks OpenAI's API will do; the first of these that is there is used:

  on this machine
    Ollama        ollama serve, and ollama pull qwen3:8b
    vLLM          vllm serve Qwen/Qwen3-4B-Instruct-2507 --enable-auto-tool-choice --tool-call-parser hermes
    llama.cpp     llama-server -hf Qwen/Qwen3-4B-GGUF --jinja
  elsewhere
    any endpoint  --model http://HOST:PORT/v1, or export OPENAI_BASE_URL=…
    OpenAI        export OPENAI_API_KEY=…, and --model with one of its names
    Hugging Face  export HF_TOKEN=…, and --model Qwen/Qwen3-235B-A22B-Instruct-2507

With none of these, `ask` has a very small network that comes with Cellwright (--model built-in), for plain questions
about one CSV file. A server of the first three is found by itself on its usual port. To have one used always,
write `model:` and `url:` into {config}."""
NO_MODEL = f"There is no model to ask. {MODELS}"
IN_THIS_PROCESS = "in this process"
"""Stands for the URL of a model that is loaded from a folder."""
BUILT_IN = "comes with Cellwright"
"""Stands for the URL of the built-in model."""
_MOST_HEADER = 1_000_000
"""Characters of a table's first line."""
_BUILT_IN = Endpoint(BUILT_IN, Traits(NAME))
_KEYS = ("model", "url", "thinks", "sees", "window_tokens", "price", "sends_thinking")


@dataclass(frozen=True)
class ModelOptions:
    """What the command line says of the model."""

    model: str = ""
    thinks: bool | None = None
    sees: bool | None = None
    window_tokens: int | None = None
    price: str = ""
    """Dollars for a million tokens: "IN,OUT" or "IN,OUT,CACHED"."""
    sends_thinking: bool = False
    url: str = ""
    """Of the endpoint that serves `model`, where it is not named by its URL alone."""


def config_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where a person's settings of the model are kept."""
    home = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "cellwright" / "config.yaml"


def find_model(
    options: ModelOptions,
    environment: Mapping[str, str] = os.environ,
    servers: Mapping[str, str] = LOCAL_SERVERS,
    *,
    or_built_in: bool = False,
) -> Choice:
    """The endpoint for these options; with `or_built_in`, the built-in model where there is none and none was named.

    Raises UsageError with a screen of help where there is none.
    """
    if options.model == NAME and not options.url:
        return Choice(_BUILT_IN, "--model")
    if options.model and not options.url and (Path(options.model) / "config.json").is_file():
        traits = Traits(options.model, thinks=bool(options.thinks), window_tokens=options.window_tokens)
        return Choice(Endpoint(IN_THIS_PROCESS, traits), "the folder that was given")
    _refuse_folder(options)
    path = config_path(environment)
    kept = _kept(path)
    if kept.model == NAME and kept.url:
        raise ConfigError(f"{path}: the built-in model has no url; leave one of the two out")
    if kept.model == NAME:
        if not (options.model or options.url):
            return Choice(_BUILT_IN, str(path))
        kept = replace(kept, model="")
    wish = Wish(
        model=options.model or kept.model,
        url=options.url or ("" if options.model.startswith(("http://", "https://")) else kept.url),
        thinks=kept.thinks if options.thinks is None else options.thinks,
        sees=kept.sees if options.sees is None else options.sees,
        window_tokens=options.window_tokens or kept.window_tokens,
        price=_price(options.price) or kept.price,
        sends_thinking=options.sends_thinking or kept.sends_thinking,
    )
    choice = choose_endpoint(wish, environment, servers)
    if choice is not None:
        return choice
    if options.model:
        raise ModelMisused(
            f"no server that listens here has a model {options.model!r}, and there is no such folder.\n"
            f"{NO_MODEL.format(config=path)}"
        )
    if or_built_in:
        return Choice(_BUILT_IN, "default, as there is no other")
    raise UsageError(NO_MODEL.format(config=path))


def _refuse_folder(options: ModelOptions) -> None:
    """Raises ModelMisused for a folder that holds no model, and a path at which there is none."""
    folder = Path(options.model).expanduser()
    if options.url or not options.model:
        return
    if (folder / "adapter_config.json").is_file():
        raise ModelMisused(
            f"{folder} holds an adapter, not a whole model: merge it first, with cellwright train merge {folder} "
            "--out MODEL"
        )
    if folder.is_dir() and "/" in options.model:
        raise ModelMisused(f"the folder {folder} holds no model: it has no config.json")
    if options.model.startswith(("/", "./", "../", "~")):
        raise ModelMisused(f"there is no folder {folder}")


@contextlib.asynccontextmanager
async def open_model(endpoint: Endpoint, columns: Sequence[str] | None = None) -> AsyncIterator[Model]:
    """The model of an endpoint that was found, for as long as the context lasts. The built-in one holds back answers
    that do not fit `columns`."""
    if endpoint.url == BUILT_IN:
        yield await asyncio.to_thread(BuiltInModel.load, columns=columns)
        return
    if endpoint.url == IN_THIS_PROCESS:
        yield await asyncio.to_thread(TransformersModel.load, endpoint.traits.name, thinks=endpoint.traits.thinks)
        return
    async with OpenAIModel(endpoint) as model:
        yield model


def check_built_in(question: str, placement: Placement, environment: Mapping[str, str] = os.environ) -> Sequence[str]:
    """The columns of the table that is asked about. Raises UsageError for what the built-in model cannot do, with how
    to get a model that can."""
    refusal = why_not(question, list(placement.paths))
    if not refusal:
        (file,) = placement.paths.values()
        try:
            with file.open(encoding="utf-8-sig", newline="") as lines:
                return next(csv.reader([lines.readline(_MOST_HEADER)]), [])
        except (OSError, ValueError, csv.Error) as error:
            refusal = f"{file} cannot be read as a CSV file in UTF-8: {error}"
    raise UsageError(f"{refusal}\n\n{MODELS.format(config=config_path(environment))}")


def _kept(path: Path) -> Wish:
    """The wish of the person's own settings."""
    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        return Wish()
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if content is None:
        return Wish()
    if not isinstance(content, dict) or not set(content) <= set(_KEYS):
        raise ConfigError(f"{path}: the keys are {', '.join(_KEYS)}")
    price = content.pop("price", None)
    return Wish(**content, price=_price(str(price)) if price is not None else None)


def _price(text: str) -> Price | None:
    if not text:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
        return Price(*numbers)
    except (ValueError, TypeError):
        raise UsageError(f"--price {text}: dollars for a million tokens, as IN,OUT or IN,OUT,CACHED") from None
