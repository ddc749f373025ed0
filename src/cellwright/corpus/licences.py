"""Which licence a text is, and who holds the copyright. A guess for provenance, not legal advice."""

import re
from typing import NamedTuple

FILES = ("license", "licence", "copying", "unlicense", "license.txt", "license.md", "licence.txt", "licence.md",
         "copying.txt", "license.rst", "unlicense.txt", "license-code", "mit-license.txt")  # fmt: skip
"""Names of licence files, in lower case."""
MAX_BYTES = 200_000

# Phrases of the licences' own texts (https://spdx.org/licenses/), the more special first.
_PHRASES = (
    ("CC-BY-NC-ND-4.0", r"attribution-noncommercial-noderivatives 4\.0"),
    ("CC-BY-NC-SA-4.0", r"attribution-noncommercial-sharealike 4\.0"),
    ("CC-BY-NC-4.0", r"attribution-noncommercial 4\.0"),
    ("CC-BY-SA-4.0", r"attribution-sharealike 4\.0"),
    ("CC-BY-4.0", r"attribution 4\.0"),
    ("CC-BY-3.0", r"attribution 3\.0"),
    ("CC0-1.0", r"cc0 1\.0 universal"),
    ("AGPL-3.0", r"gnu affero general public license\s+version 3"),
    ("LGPL-3.0", r"gnu lesser general public license\s+version 3"),
    ("GPL-3.0", r"gnu general public license\s+version 3"),
    ("GPL-2.0", r"gnu general public license\s+version 2"),
    ("MPL-2.0", r"mozilla public license,? version 2\.0"),
    ("Apache-2.0", r"apache license,?\s+version 2\.0"),
    ("Unlicense", r"free and unencumbered software released into the public domain"),
    ("ODbL-1.0", r"open database license"),
    ("ISC", r"permission to use, copy, modify, and/or distribute this software for any purpose"),
    ("MIT", r"permission is hereby granted, free of charge, to any person obtaining a copy"),
    ("BSD-3-Clause", r"redistribution and use in source and binary forms.*neither the name"),
    ("BSD-2-Clause", r"redistribution and use in source and binary forms"),
)
_HOLDER = re.compile(
    r"^\W*copyright\s+(?:\(c\)|©|&copy;)?\s*(?:[\d,\s–-]+(?:present)?)?,?\s*(?:by\s+)?(?P<holder>[^\n]{2,80})",
    re.IGNORECASE | re.MULTILINE,
)
_NO_HOLDER = re.compile(r"\[|<|\{|notice|owner|holder|license|law", re.IGNORECASE)


class Licence(NamedTuple):
    """What a licence file says; None where it could not be told."""

    spdx: str | None
    holder: str | None


def recognise(text: str) -> Licence:
    """The licence of a licence file's text."""
    folded = " ".join(text.casefold().split())
    spdx = next((name for name, phrase in _PHRASES if re.search(phrase, folded)), None)
    return Licence(spdx, _holder(text))


def _holder(text: str) -> str | None:
    for match in _HOLDER.finditer(text[:20_000]):
        name = re.sub(r"\s*(?:,?\s*all rights reserved)?\W*$", "", match["holder"].strip(), flags=re.IGNORECASE)
        if len(name) > 1 and not _NO_HOLDER.search(name):
            return name
    return None
