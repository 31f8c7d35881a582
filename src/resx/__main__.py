"""`python -m resx`."""

import sys

from resx.cli import main

if __name__ == "__main__":
    sys.exit(main())
