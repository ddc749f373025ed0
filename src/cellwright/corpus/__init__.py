"""Where notebooks and tables come from: sources, licences, and which table a piece of code reads."""
