"""What a built dataset is: its files, its rows, how a trace is rendered as a chat and as a notebook, its splits."""
