"""A trace as its tokens, each trained, context, or beyond the window: what training will see of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cellwright.core.errors import DatasetError
from cellwright.training.recipe import Recipe
from cellwright.training.rows import Talk, fit, read_talks
from cellwright.training.sft import load_tokenizer, quiet_libraries
from cellwright.training.templates import check, encode, find_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Kind = Literal["trained", "context", "truncated"]


@dataclass(frozen=True)
class Piece:
    """Neighbouring tokens of one kind."""

    kind: Kind
    tokens: tuple[str, ...]
    """The text of each, whole characters where a character is more than one token."""


@dataclass(frozen=True)
class Inspected:
    """One trace."""

    id: str
    template: str
    window: int
    pieces: tuple[Piece, ...]

    def count(self, kind: Kind) -> int:
        """Tokens of one kind."""
        return sum(len(piece.tokens) for piece in self.pieces if piece.kind == kind)


def inspect_trace(dataset: Path, recipe: Recipe, start: str) -> Inspected:
    """The first trace whose id begins so, of any split. Raises DatasetError for none, UsageError as `sft`."""
    # A mistake in the folder is said first: who made it should not install gigabytes to learn of it.
    talks = read_talks(dataset, recipe.data.rendering)
    with quiet_libraries():
        every = [talk for side in talks.values() for talk in side]
        found = next((talk for talk in every if talk.id.startswith(start)), None)
        if found is None:
            raise DatasetError(f"no {recipe.data.rendering} trace in {dataset} with an id that begins with {start!r}")
        return inspect_talk(found, load_tokenizer(recipe, talks["train"]), recipe)


def inspect_talk(talk: Talk, tokenizer: "PreTrainedTokenizerBase", recipe: Recipe) -> Inspected:
    """One trace, encoded and cut as training does."""
    template = find_template(recipe.template, tokenizer)
    check(tokenizer, template, talk.messages, talk.tools)
    encoded = encode(tokenizer, template, talk.messages, talk.tools)
    kept = fit(encoded, recipe.data.window)
    if kept < len(encoded.ids) and recipe.data.too_long != "cut":
        kept = 0
    kinds: list[Kind] = [
        "truncated" if place >= kept else "trained" if trained else "context"
        for place, trained in enumerate(encoded.trained)
    ]
    pieces: list[Piece] = []
    begin = 0
    for place in range(1, len(kinds) + 1):
        if place == len(kinds) or kinds[place] != kinds[begin]:
            pieces.append(Piece(kinds[begin], _texts(tokenizer, encoded.ids[begin:place])))
            begin = place
    return Inspected(talk.id, template.name, recipe.data.window, tuple(pieces))


def _texts(tokenizer: "PreTrainedTokenizerBase", ids: tuple[int, ...]) -> tuple[str, ...]:
    """The text that each token adds; a token that ends within a character adds nothing, the one that ends it all."""
    texts: list[str] = []
    waiting: list[int] = []
    for token in ids:
        waiting.append(token)
        text = str(tokenizer.decode(waiting, clean_up_tokenization_spaces=False))
        if text.endswith("\ufffd"):
            texts.append("")
            continue
        texts.append(text)
        waiting.clear()
    return tuple(texts)
