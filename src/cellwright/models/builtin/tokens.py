"""Byte-pair encoding as the built-in model's tokenizer.json has it, without the library that made the file.

Reads one form only: ByteLevel BPE after a split into runs of ASCII letters, single ASCII digits and what stands between
them, with added tokens taken out first, the longest that begins at a place. Tests compare it with `tokenizers`.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from cellwright.core.errors import ModelMisused

SPLIT = "[A-Za-z]+|[0-9]|[^A-Za-z0-9]+"
"""The same to Python's `re` and to the regular expressions of `tokenizers`."""
_PIECE = re.compile(SPLIT)
_MOST_CACHED = 50_000


class Tokenizer:
    """Text to numbers and back."""

    def __init__(
        self, vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]], added: Mapping[str, int]
    ) -> None:
        self._vocabulary, self._added = vocabulary, added
        self._rank = {pair: number for number, pair in enumerate(merges)}
        self._text = {number: _bytes_of(piece) for piece, number in vocabulary.items()}
        self._text |= {number: text.encode() for text, number in added.items()}
        longest = sorted(added, key=len, reverse=True)
        self._is_added = re.compile("|".join(map(re.escape, longest))) if longest else None
        self._cache: dict[str, tuple[int, ...]] = {}

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        """From a tokenizer.json. Raises ModelMisused for one of another form."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            split = content["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"]
            merges = [(first, second) for first, second in content["model"]["merges"]]
            added = {entry["content"]: int(entry["id"]) for entry in content["added_tokens"]}
            vocabulary = {piece: number for piece, number in content["model"]["vocab"].items() if piece not in added}
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise ModelMisused(f"{path} is no tokenizer that can be read here: {error!r}") from error
        if split != SPLIT:
            raise ModelMisused(f"{path} splits text in another way than the built-in model's tokenizer")
        return cls(vocabulary, merges, added)

    def __len__(self) -> int:
        return len(self._vocabulary) + len(self._added)

    def id_of(self, token: str) -> int:
        """The number of an added token."""
        return self._added[token]

    def encode(self, text: str) -> list[int]:
        """The numbers of a text."""
        numbers: list[int] = []
        start = 0
        for found in self._is_added.finditer(text) if self._is_added else ():
            numbers += self._plain(text[start : found.start()])
            numbers.append(self._added[found[0]])
            start = found.end()
        return numbers + self._plain(text[start:])

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of some numbers, added tokens among them; half a character is shown as one that is not known."""
        return b"".join(self._text[number] for number in numbers).decode(errors="replace")

    def _plain(self, text: str) -> list[int]:
        return [number for piece in _PIECE.findall(text) for number in self._piece(piece)]

    def _piece(self, piece: str) -> tuple[int, ...]:
        known = self._cache.get(piece)
        if known is None:
            parts = self._merged([_CHARACTER[byte] for byte in piece.encode()])
            known = tuple(self._vocabulary[part] for part in parts)
            if len(self._cache) < _MOST_CACHED:
                self._cache[piece] = known
        return known

    def _merged(self, parts: list[str]) -> list[str]:
        """Neighbours put together, always those that were put together first when the tokenizer was made."""
        none = len(self._rank)
        while len(parts) > 1:
            ranks = [self._rank.get(pair, none) for pair in pairwise(parts)]
            best = min(ranks)
            if best == none:
                break
            at = ranks.index(best)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return parts


def _characters() -> dict[int, str]:
    """GPT-2's printable stand-in for each byte."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}


_CHARACTER = _characters()
_BYTE = {character: byte for byte, character in _CHARACTER.items()}


def _bytes_of(piece: str) -> bytes:
    return bytes(_BYTE[character] for character in piece)
