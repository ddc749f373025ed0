"""The commands: parse, call, print. One file for each thing that they are about.

The work is done in the folders beside this one and below. Heavy modules are imported by the command that needs them, so
that `cellwright --help` is quick.
"""
