"""The card of a trained model: README.md as the Hugging Face Hub reads it (https://huggingface.co/docs/hub/model-cards)."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import yaml

from cellwright.training.recipe import Recipe
from cellwright.training.record import OnPolicyResult, Point, Result, Side


def write_card(out: Path, result: Result) -> None:
    """Write the card into the model's folder."""
    (out / "README.md").write_text(render_card(result), encoding="utf-8")


def render_card(result: Result) -> str:
    """Front matter for the Hub, then what a person wants to know before using the model."""
    recipe = result.run.recipe
    front: dict[str, object] = {
        "library_name": "peft" if recipe.lora is not None else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["cellwright", "jupyter", "data-analysis", "tool-use", "sft"],
    }
    if recipe.model and not Path(recipe.model).exists():
        front["base_model"] = recipe.model
    matter = yaml.safe_dump(front, sort_keys=False).strip()
    return f"---\n{matter}\n---\n\n{_body(result)}"


def _body(result: Result) -> str:
    run = result.run
    recipe = yaml.safe_dump(asdict(run.recipe), sort_keys=False, allow_unicode=True).strip()
    versions = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    return f"""# {_title(result)}

{_origin(result)} on traces of agents that answer
questions about tables in a notebook: they call `execute_code` to run Python, read its output, end by `final_answer`.
Made by `cellwright train sft`.

## Use

`cellwright ask QUESTION FILES --model FOLDER` runs it in a notebook, in a sandbox. By itself:

```python
{_use(result.run.recipe)}
```

## Data

Dataset `{_plain(run.dataset)}`; SHA-256 of its traces.parquet: `{run.data_sha256}`. Rendering:
{run.recipe.data.rendering}. Trained on its train split, measured on its validation split; the test split was not read
into training. Splits go by tables: no table is on two sides.

{_sides(result)}

Tokens are of whole rows; trained ones are what the assistant says, to the end of each turn. Rows longer than the window
of {run.recipe.data.window:,} tokens: {_POLICIES[run.recipe.data.too_long]}

## Metrics

{_metrics(result)}

{result.steps:,} steps in {result.seconds:.0f} s on {_plain(result.device)}; {result.trained_parameters:,} of
{result.parameters:,} parameters trained; at most {result.peak_bytes / 2**30:.1f} GiB in use.

## Limits

- The loss says how well the model foretells the traces, not how often its answers are right: run it to know that.
- The traces are those of programs that were proved to be right. They show no errors and no way out of one.
- Questions are in English, worded by templates.
{_LIMIT_OF_FRESH if run.recipe.fresh is not None else ""}
## Recipe

```yaml
{recipe}
```

{versions}.
"""


_LIMIT_OF_FRESH = """\
- It began as random numbers and has seen nothing but this dataset: it imitates the form of its traces and knows no data
  analysis. It shows that the way works.
"""
_POLICIES = {
    "cut": "cut after the last turn that fits, dropped where not one fits.",
    "drop": "dropped.",
    "refuse": "none; the run would not have begun.",
}
_USE = """import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("FOLDER")
model = AutoModelForCausalLM.from_pretrained("FOLDER")
messages = [{"role": "user", "content": "How many rows are there? Use `sales.csv`."}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors="pt")
with torch.inference_mode():
    output = model.generate(**inputs, max_new_tokens=512)
text = tokenizer.decode(output[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True)"""
_USE_THINKING = """
thinking, _, said = text.rpartition("</think>")"""


def _use(recipe: Recipe) -> str:
    return _USE + (_USE_THINKING if recipe.data.rendering == "thinking" else "")


def on_policy_card(result: OnPolicyResult) -> str:
    """The card of a student that was taught on policy."""
    recipe = yaml.safe_dump(asdict(result.run.recipe), sort_keys=False, allow_unicode=True).strip()
    rows = [(f"step {point.step}", f"{point.loss:.4f}") for point in _ends(result.curve)]
    return f"""---
library_name: transformers
pipeline_tag: text-generation
tags: [cellwright, jupyter, data-analysis, tool-use, distillation]
---

# {_plain(Path(result.run.recipe.model).name)}, taught on policy by Cellwright

From {result.turns:,} places of its own failed runs it said its next turn, and was drawn to what
{_plain(Path(result.run.teacher).name)} would have said there, token by token.
Made by `cellwright train distil --on-policy`.
{result.too_long:,} more places had no room in the window of {result.run.recipe.data.window:,} tokens.

## Use

`cellwright ask QUESTION FILES --model FOLDER` runs it in a notebook, in a sandbox. By itself:

```python
{_use(result.run.recipe)}
```

## Metrics

{_table(("measured", "divergence a token"), rows)}

{result.steps:,} steps in {result.seconds:.0f} s.

## Limits

- The divergence says how near it is to its teacher, not how often either is right: run it to know that.
- Nobody asked whether the teacher is right.

## Recipe

```yaml
{recipe}
```

{", ".join(f"{name} {number}" for name, number in result.run.versions.items())}.
"""


def _title(result: Result) -> str:
    recipe = result.run.recipe
    return (
        f"{_plain(Path(recipe.model).name)}, fine-tuned by Cellwright" if recipe.model else "A small model from scratch"
    )


def _origin(result: Result) -> str:
    recipe = result.run.recipe
    if not recipe.model:
        return "A model of Qwen3's architecture, trained from random weights"
    kind = "a LoRA adapter of it was trained" if recipe.lora is not None else "all its parameters were trained"
    return f"{_plain(recipe.model)}: {kind}"


def _sides(result: Result) -> str:
    head = ("split", "rows", "tokens", "trained", "shortest", "median", "90%", "99%", "longest", *_COUNTS)
    rows = [_side("train", result.train)]
    if result.validation is not None:
        rows.append(_side("validation", result.validation))
    return _table(head, rows)


_COUNTS = ("whole", "cut", "dropped", "no thinking", "tokens lost")


def _side(name: str, side: Side) -> Sequence[object]:
    n, c = side.lengths, side.counts
    lengths = (n.rows, n.tokens, n.trained, n.shortest, n.median, n.p90, n.p99, n.longest)
    return (name, *lengths, c.whole, c.cut, c.dropped, c.without_thinking, c.tokens_lost)


def _metrics(result: Result) -> str:
    rows = [_point(f"train, step {point.step}", point) for point in _ends(result.training)]
    rows += [_point(f"validation, step {point.step}", point) for point in _ends(result.validating)]
    return _table(("measured", "loss", "tokens foretold"), rows)


def _ends(curve: Sequence[Point]) -> Sequence[Point]:
    return curve if len(curve) < 2 else (curve[0], curve[-1])


def _point(name: str, point: Point) -> Sequence[object]:
    return name, f"{point.loss:.4f}", f"{point.accuracy:.1%}" if point.accuracy is not None else "not measured"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, [":--"] * len(head), *([f"{c:,}" if isinstance(c, int) else str(c) for c in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """A name as one line of text in Markdown."""
    return " ".join(text.split()).replace("`", "'").replace("|", "/").replace("<", "&lt;")
