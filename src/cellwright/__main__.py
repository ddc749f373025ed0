"""`python -m cellwright` is the command `cellwright`."""

from cellwright.apps.cli import main

if __name__ == "__main__":
    main()
