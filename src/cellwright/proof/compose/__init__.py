"""Programs composed over tables: what a careful analyst could ask of them, from their profiles alone.

A profile is taken inside a kernel (`inside`, `profiles`), joins, stacks and pairs of tables are found between profiles
(`keys`) and become rows to work on (`sources`), and a seeded grammar (`composer`, `families`, `pairing`) writes short
pandas programs over them. It only proposes: a program counts when `proof.questions` can word it, and when running it
gives an answer worth asking for.
"""

from cellwright.proof.compose.composer import Sources, compose, differing, sources
from cellwright.proof.compose.draft import Composed
from cellwright.proof.compose.lesser import lesser_programs
from cellwright.proof.compose.loading import loads
from cellwright.proof.compose.profiles import TableProfile, Unprofiled, take_profiles
from cellwright.proof.compose.sources import Source

__all__ = [
    "Composed",
    "Source",
    "Sources",
    "TableProfile",
    "Unprofiled",
    "compose",
    "differing",
    "lesser_programs",
    "loads",
    "sources",
    "take_profiles",
]
