"""`cellwright ask`: a question about files, answered in a notebook, before the eyes of the person who asks."""

from cellwright.apps.asking.session import AskOrder, Outcome, ask

__all__ = ["AskOrder", "Outcome", "ask"]
