"""What is measured: which model, which documents, by which of two ways to train."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from cellwright.training.recipe import FreshConfig, Recipe, load_recipe

if TYPE_CHECKING:
    from transformers import Qwen3Config

Way = Literal["cellwright train sft", "TRL's defaults", "TRL's defaults, in 32 bits"]
# One pass is measured, and nothing but training in it.
_CHANGES = ("sft.num_train_epochs=1", "sft.logging_steps=1", "sft.save_strategy=no", "sft.eval_strategy=no")


@dataclass(frozen=True)
class Case:
    """One model on some documents."""

    name: str
    recipe: str
    """One that ships."""
    documents: tuple[int, ...]
    """Tokens of each."""
    ways: tuple[Way, ...] = ("cellwright train sft", "TRL's defaults")
    changes: tuple[str, ...] = ()
    """Of the recipe, said in the report."""
    batch: int | None = None
    """Documents in a forward pass of TRL's defaults; None leaves TRL's own number."""
    accumulation: int = 1
    """Passes in a step of TRL's defaults, so that a step has as many documents either way."""


def cases(*, has_gpu: bool) -> list[Case]:
    """Qwen3-4B's architecture where there is a GPU, else the recipe that is for machines without one."""
    if not has_gpu:
        # TRL takes 16 bits where nothing else is said, which a CPU is slow with: without, the rest is compared.
        ways: tuple[Way, ...] = ("cellwright train sft", "TRL's defaults", "TRL's defaults, in 32 bits")
        return [Case("tiny-from-scratch", "tiny-from-scratch", (350, 900, 500, 650) * 6, ways)]
    # The recipe has eight passes in a step: with two, the optimizer's part weighs four times as much as in use.
    fewer = ("sft.gradient_accumulation_steps=2",)
    return [
        Case("Qwen3-4B, documents of 8,192 tokens", "qwen3-4b-instruct", (8192,) * 32, changes=fewer),
        Case(
            "Qwen3-4B, documents of 32,768 tokens",
            "qwen3-4b-instruct",
            (32768,) * 8,
            changes=fewer,
            batch=1,
            accumulation=2,
        ),
    ]


def recipe_of(case: Case) -> Recipe:
    """The case's recipe; where it names a model to load, a new one stands in its place: nothing is downloaded."""
    recipe = load_recipe(case.recipe, [*_CHANGES, *case.changes])
    return recipe if recipe.fresh is not None else replace(recipe, model="", fresh=FreshConfig())


def config_of(case: Case, recipe: Recipe) -> "Qwen3Config":
    """The architecture: the recipe's own, or Qwen3-4B's with the numbers that its makers published
    (https://huggingface.co/Qwen/Qwen3-4B-Instruct-2507/blob/main/config.json)."""
    import transformers  # noqa: PLC0415

    if case.recipe.startswith("qwen3-4b"):
        return transformers.Qwen3Config(
            vocab_size=151936,
            hidden_size=2560,
            intermediate_size=9728,
            num_hidden_layers=36,
            num_attention_heads=32,
            num_key_value_heads=8,
            head_dim=128,
            max_position_embeddings=262144,
            rope_parameters={"rope_type": "default", "rope_theta": 5_000_000.0},
            tie_word_embeddings=True,
        )
    fresh = recipe.fresh or FreshConfig()
    return transformers.Qwen3Config(
        vocab_size=fresh.vocabulary,
        hidden_size=fresh.hidden,
        intermediate_size=fresh.feedforward,
        num_hidden_layers=fresh.layers,
        num_attention_heads=fresh.heads,
        num_key_value_heads=fresh.key_value_heads,
        head_dim=fresh.hidden // fresh.heads,
        max_position_embeddings=recipe.data.window,
        tie_word_embeddings=True,
    )
