"""Stage 1: every notebook of the sources, with its provenance; what cannot be read is rejected with a reason."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from cellwright.core.errors import BadNotebook, SourceError
from cellwright.core.hashing import sha256_bytes
from cellwright.core.types import Notebook, Reject
from cellwright.corpus.sources import open_source
from cellwright.notebooks.read import read_notebook

NAME = "read"
