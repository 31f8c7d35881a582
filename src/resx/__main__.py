"""`resx`, which is `python -m resx`."""

from typing import NoReturn

from resx.cli import main
from resx.process import exit_process


def run() -> NoReturn:
    exit_process(main())


if __name__ == "__main__":
    run()
