"""An adapter and the model that it was trained on as one model."""

import shutil
from pathlib import Path

from cellwright.core.errors import UsageError
from cellwright.training.record import RESULT, RUN
from cellwright.training.sft import quiet_libraries

_ADAPTER = "adapter_config.json"
_KEPT = (RUN, RESULT, "README.md")


def merge_adapter(folder: Path, out: Path) -> int:
    """Write the merged model, with tokenizer, template, card and record. Returns its number of parameters.

    Raises UsageError for a folder without an adapter, and one that is not empty to write to.
    """
    if not (folder / _ADAPTER).exists():
        raise UsageError(f"{folder} holds no adapter ({_ADAPTER}): merging is for what a recipe with `lora` trained")
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty: give another --out")
    with quiet_libraries():
        import peft  # noqa: PLC0415
        import transformers  # noqa: PLC0415

        try:
            adapted = peft.AutoPeftModelForCausalLM.from_pretrained(folder)
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        except (OSError, ValueError) as error:
            raise UsageError(f"{folder} cannot be loaded with its base model: {str(error).splitlines()[0]}") from error
        merged = adapted.merge_and_unload()
        merged.save_pretrained(out)
        tokenizer.save_pretrained(out)
        for name in _KEPT:
            if (folder / name).exists():
                shutil.copyfile(folder / name, out / name)
        _name_library(out / "README.md")
        return sum(parameter.numel() for parameter in merged.parameters())


def _name_library(card: Path) -> None:
    """The card of an adapter says so to the Hub; the merged model is none any more."""
    if card.exists():
        text = card.read_text(encoding="utf-8")
        card.write_text(text.replace("library_name: peft", "library_name: transformers", 1), encoding="utf-8")
