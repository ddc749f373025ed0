"""System prompts: files with a header that says where each comes from and why."""

from functools import cache
from importlib.resources import files

from cellwright.core.errors import UsageError

DEFAULT_PROMPT = "analyst"
_HEADER_END = "-->\n"


def prompt_names() -> tuple[str, ...]:
    """The prompts that there are."""
    found = (entry.name for entry in files(__package__).joinpath("prompts").iterdir())
    return tuple(sorted(name.removesuffix(".md") for name in found if name.endswith(".md")))


@cache
def load_prompt(name: str) -> str:
    """The text of a prompt, without its header. Raises UsageError for an unknown name."""
    if name not in prompt_names():
        raise UsageError(f"there is no prompt {name!r}; there are {', '.join(prompt_names())}")
    text = files(__package__).joinpath("prompts", f"{name}.md").read_text()
    return text.partition(_HEADER_END)[2].strip()
