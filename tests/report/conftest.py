"""Synthetic runs for the tests of reports; the command is run once a file, as figures are slow."""

import io
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from resx import cli
from resx.config.composing import compose
from resx.config.settings import to_dict
from tests.report.synthetic import DEGRADED, Runs


@pytest.fixture(scope="session")
def base() -> dict[str, Any]:
    """The settings of a run on the digits."""
    return to_dict(compose())


@pytest.fixture
def runs(tmp_path: Path, base: dict[str, Any]) -> Runs:
    return Runs(tmp_path / "outputs", base)


class Written(NamedTuple):
    """What `resx report` did: its exit code, what it printed, and the folder of the report."""

    code: int
    out: str
    directory: Path
    runs: Runs


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, base: dict[str, Any]) -> Iterator[Written]:
    """`resx report` of runs that degrade."""
    folder = tmp_path_factory.mktemp("written")
    runs = Runs(folder / "outputs", base)
    runs.write(DEGRADED)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as out:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["resx", "report", "runs=outputs/runs/**"])
        code = cli.main()
    (directory,) = folder.glob("outputs/reports/*/")
    yield Written(code, out.getvalue(), directory, runs)
