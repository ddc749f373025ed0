"""What is asked of a task before it is proved: can it be answered without the data, does it tell its answer, is it in a
benchmark? No code of notebooks runs here; what a table shows was read in a kernel before (`proof.heads`).
"""
