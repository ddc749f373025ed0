"""Recipes: those that ship hold, and what is wrong in one is said with its key."""

from dataclasses import replace
from pathlib import Path

import pytest

from cellwright.core.errors import ConfigError
from cellwright.training.recipe import Recipe, load_recipe, shipped
from cellwright.training.settings import load_keys, lora_config, sft_config
from cellwright.training.templates import Template

pytest.importorskip("trl", reason="NOT TESTED HERE: training; run `make test-train`")

TEMPLATE = Template("none", "", "", "<|im_end|>")


@pytest.mark.parametrize("name", shipped())
def test_shipped_recipes_are_taken_by_the_libraries_that_own_their_sections(name: str, tmp_path: Path) -> None:
    """TRL and PEFT know every key, and what Cellwright sets stands in their configuration."""
    recipe = load_recipe(name, ["sft.use_cpu=true"])
    arguments = sft_config(recipe, TEMPLATE, tmp_path)
    assert arguments.max_length == recipe.data.window
    assert arguments.eos_token == "<|im_end|>"
    assert arguments.learning_rate == recipe.sft["learning_rate"]
    assert arguments.lr_scheduler_kwargs == {"min_lr_rate": 0.1}
    assert (lora_config(recipe) is None) == (recipe.lora is None)
    assert load_keys(recipe)["dtype"] == ("bfloat16" if recipe.lora else "float32")


def test_the_recipes_of_the_original_are_there() -> None:
    """Full-parameter, NEFTune 7, 5e-6 on a cosine with a minimum, 32k, several epochs; thinking and not."""
    for name, rendering in (("qwen3-4b-instruct", "non-thinking"), ("qwen3-4b-thinking", "thinking")):
        recipe = load_recipe(name, [])
        assert (recipe.data.rendering, recipe.data.window, recipe.lora) == (rendering, 32768, None)
        assert recipe.sft["neftune_noise_alpha"] == 7
        assert recipe.sft["learning_rate"] == 5e-6
        assert recipe.sft["lr_scheduler_type"] == "cosine_with_min_lr"
        assert recipe.sft["num_train_epochs"] > 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("sft.learning_rat=1", "did you mean sft.learning_rate?"),
        ("sft.max_length=5", "use data.window"),
        ("sft.assistant_only_loss=false", "generation tags"),
        ("sft.lr_scheduler_type=spiral", "section sft of the recipe"),
        ("lora.rank=8", "unknown setting lora.rank"),
        ("load.dtipe=float32", "did you mean load.dtype?"),
    ],
)
def test_sections_of_other_libraries_refuse_what_those_do_not_know(change: str, said: str, tmp_path: Path) -> None:
    """The key is named, with the nearest one, or with what to use instead."""
    recipe = load_recipe("tiny-from-scratch", [change])
    with pytest.raises(ConfigError) as caught:
        (sft_config(recipe, TEMPLATE, tmp_path), lora_config(recipe), load_keys(recipe))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "changes", "model", "said"),
    [
        ("qwen4", [], None, "there is no recipe 'qwen4'"),
        ("tiny-from-scratch", ["data.windw=1"], None, "did you mean data.window?"),
        ("tiny-from-scratch", ["fresh.layer=1"], None, "did you mean fresh.layers?"),
        ("tiny-from-scratch", [], "some/model", "names a model and makes a `fresh` one"),
        ("tiny-from-scratch", ["fresh=null"], None, "names no model"),
        ("tiny-from-scratch", ["data.too_long=squeeze"], None, "squeeze"),
    ],
)
def test_our_own_sections_refuse_what_we_do_not_know(
    name: str, changes: list[str], model: str | None, said: str
) -> None:
    """Unknown recipes, keys and values; and a recipe has one model."""
    with pytest.raises(ConfigError) as caught:
        load_recipe(name, changes, model)
    assert said in str(caught.value)


def test_a_recipe_of_ones_own_is_a_file(tmp_path: Path) -> None:
    """Its numbers may be written with an exponent."""
    (tmp_path / "mine.yaml").write_text("model: a/b\nsft:\n  learning_rate: 5e-6\n")
    recipe = load_recipe(str(tmp_path / "mine.yaml"), [])
    assert recipe == replace(Recipe(), model="a/b", sft={"learning_rate": 5e-6})
