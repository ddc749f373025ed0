"""Notebook files: read into the nouns, written from a trace, and what two of them have in common."""
