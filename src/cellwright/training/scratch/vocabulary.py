"""The tokenizer of a model from random weights: trained on its lessons, saved as transformers reads it.

Letters go in runs and figures one by one, so that a name is cut the same way wherever it stands; the fixed text of
calls and turns is one token each, which halves a lesson. Byte-pair encoding: every text can be written.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from cellwright.core.errors import MissingExtra
from cellwright.models.builtin import chat
from cellwright.models.builtin.tokens import SPLIT, Tokenizer

PADDING = "<|endoftext|>"
_SPECIAL = (PADDING, "<|im_start|>", chat.END)
_PHRASES = (
    "\n<|im_start|>user\n",
    "\n<|im_start|>assistant\n",
    "\n<|im_start|>tool\n",
    '<tool_call>\n{"name": "execute_code", "arguments": {"code": "',
    '<tool_call>\n{"name": "final_answer", "arguments": {"answer": "',
    '"}}\n</tool_call>',
    "import pandas as pd\\ndf = pd.read_csv('",
    "')\\nprint(",
    "print(list(df.columns))",
    "\n\nFiles:\n- ",
    " kB)",
    " Leave missing values out of statistics.",
    " Answer with a number rounded to 2 decimals.",
    " Answer with an integer.",
    " Answer with the exact text.",
    " over the rows where `",
    "`, what is the ",
    "What is the ",
)
FILE, _SETTINGS = "tokenizer.json", "tokenizer_config.json"


def train_tokenizer(texts: Iterable[str], size: int, folder: Path) -> Tokenizer:
    """A tokenizer of `size` tokens, its files in `folder`. Raises MissingExtra."""
    try:
        from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers, trainers  # noqa: PLC0415
        from tokenizers import Tokenizer as Trained  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("train", "training a tokenizer") from error
    made = Trained(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(_PHRASES),
        special_tokens=list(_SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator(map(_without_phrases, texts), trainer)
    made.add_tokens([AddedToken(phrase, normalized=False) for phrase in _PHRASES])
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / FILE))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": chat.END,
        "pad_token": PADDING,
        "clean_up_tokenization_spaces": False,
        "chat_template": chat.template_text(),
    }
    (folder / _SETTINGS).write_text(json.dumps(settings, indent=1))
    return Tokenizer.load(folder / FILE)


def copy_tokenizer(trained: Path, folder: Path) -> Tokenizer:
    """The tokenizer of another model, so that the two can weigh each other's tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (FILE, _SETTINGS):
        shutil.copyfile(trained / name, folder / name)
    return Tokenizer.load(folder / FILE)


def _without_phrases(text: str) -> str:
    for token in (*_PHRASES, *_SPECIAL):
        text = text.replace(token, "\n")
    return text
