"""`python -m strangler`: the command where it is not installed."""

import sys

from strangler.cli import main

if __name__ == "__main__":
    sys.exit(main())
