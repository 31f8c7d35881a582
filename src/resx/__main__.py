"""`python -m resx`."""

import sys

from resx.cli import main

sys.exit(main())
