"""A new model: a tokenizer trained on the dataset, and Qwen3's architecture with random weights.

For trying the whole way without a download. It learns the dataset's forms, and little about data.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cellwright.training.recipe import FreshConfig

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, Qwen3Config

_PAD, _END = "<|endoftext|>", "<|im_end|>"
_TAGS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>")
# Runs of letters, single digits, runs of line ends, and runs of anything else but one space before letters: names and
# numbers come apart in the same way wherever they stand.
_PIECES = r" ?\p{L}+|\p{N}|[\r\n]+|[^\p{L}\p{N}\r\n]+?(?= ?\p{L}|\p{N}|[\r\n]|\z)"


def make_tokenizer(fresh: FreshConfig, texts: Iterable[str], window: int) -> "PreTrainedTokenizerBase":
    """A byte-level BPE of these texts, with the tokens that our templates need."""
    import tokenizers  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    raw = tokenizers.Tokenizer(tokenizers.models.BPE())
    raw.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [
            tokenizers.pre_tokenizers.Split(tokenizers.Regex(_PIECES), "isolated"),
            tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw.decoder = tokenizers.decoders.ByteLevel()
    special = [_PAD, "<|im_start|>", _END]
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=fresh.vocabulary - len(_TAGS),
        special_tokens=special,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    # As in Qwen3's tokenizer: one token each, and not left out when a reply is decoded without special tokens.
    raw.add_tokens([tokenizers.AddedToken(tag, normalized=False, special=False) for tag in _TAGS])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token=_END,
        pad_token=_PAD,
        model_max_length=window,
        clean_up_tokenization_spaces=False,
    )


def model_config(fresh: FreshConfig, tokenizer: "PreTrainedTokenizerBase", window: int) -> "Qwen3Config":
    """The new model's configuration."""
    import transformers  # noqa: PLC0415

    return transformers.Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=fresh.hidden,
        intermediate_size=fresh.feedforward,
        num_hidden_layers=fresh.layers,
        num_attention_heads=fresh.heads,
        num_key_value_heads=fresh.key_value_heads,
        head_dim=fresh.hidden // fresh.heads,
        max_position_embeddings=window,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
