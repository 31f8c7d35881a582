"""Synthetic runs for the tests of reports; the command is run once a file, as figures are slow."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from resx import cli
from resx.config.composing import compose
from resx.config.settings import to_dict
from tests.report.synthetic import DEGRADED, Errors, Runs


@pytest.fixture(scope="session")
def base() -> dict[str, Any]:
    """The settings of a run on the digits."""
    return to_dict(compose())


@pytest.fixture
def runs(tmp_path: Path, base: dict[str, Any]) -> Runs:
    return Runs(tmp_path / "outputs", base)


@pytest.fixture
def faithful(runs: Runs) -> Callable[..., None]:
    """Writes runs that keep to He 2015's protocol on CIFAR-10, but for what is changed."""

    on_cifar = Runs(runs.outputs, to_dict(compose("data=cifar10")))

    def write(
        errors: Errors,
        images: int = 50_000,
        status: str = "finished",
        first_seed: int = 0,
        **changes: Any,
    ) -> None:
        for network, values in errors.items():
            for seed, error in enumerate(values, start=first_seed):
                directory = on_cifar.write_one(*network, seed, error, status=status, **changes)
                summary = json.loads((directory / "summary.json").read_text())
                summary["images"] = {"train": images, "test": 10_000}
                (directory / "summary.json").write_text(json.dumps(summary))

    return write


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
