"""`resx`, which is `python -m resx`."""

from typing import NoReturn

from resx.cli import main
from resx.process import leave


def run() -> NoReturn:
    leave(main())


if __name__ == "__main__":
    run()
