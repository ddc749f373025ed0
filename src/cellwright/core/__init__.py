"""The nouns of Cellwright, its errors and its configuration. Imports nothing else of ours."""
