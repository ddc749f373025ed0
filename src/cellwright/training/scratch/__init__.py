"""A small model from random weights: made tables, proved tasks over them, its tokenizer, its training and its trial."""
