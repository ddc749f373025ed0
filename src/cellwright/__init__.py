"""Cellwright turns Jupyter notebooks into data-analysis agents.

Importing the package does nothing else: heavy parts are imported where they are used.
"""

__version__ = "0.1.0"
