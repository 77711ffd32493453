"""Lets `python -m stepconv` do what the `stepconv` command does."""

import sys

from stepconv.cli import main

if __name__ == "__main__":
    sys.exit(main())
