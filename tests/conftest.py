"""Shared by all tests: a `resx` that runs in this process, configurations, tiny image trees."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image

from resx import cli
from resx.config.composing import compose_raw
from resx.config.location import conf_dir
from resx.config.requests import COMMANDS
from resx.config.settings import validated

torch.set_num_threads(1)  # small nets are faster so, and two test runs do not disturb each other


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that needs a GPU is skipped without one, whatever other markers choose it."""
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="there is no CUDA device"))


class Answer(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def resx(tmp_path, monkeypatch, capsys) -> Iterator[Callable[..., Answer]]:
    """Run a command in an empty folder, as if typed there."""
    monkeypatch.chdir(tmp_path)
    loggers = [logging.getLogger(name) for name in (None, "hydra")]
    before = [(logger.level, list(logger.handlers)) for logger in loggers]

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["resx", *arguments])
        capsys.readouterr()
        code = cli.main()
        return Answer(code, *capsys.readouterr())

    yield run
    for logger, (level, handlers) in zip(loggers, before):  # Hydra's --info speaks to this stdout
        logger.setLevel(level)
        logger.handlers = handlers


@pytest.fixture
def configure() -> Callable[..., object]:
    """The typed configuration of a command with some overrides."""

    def compose(command: str, *overrides: str) -> object:
        return validated(compose_raw(overrides, command), COMMANDS[command])

    return compose


TINY = ("depth=8", "model.width=2", "recipe.steps=12", "recipe.batch_size=16")
TINY += ("recipe.record_every=2", "recipe.eval_every=4", "recipe.save_every=4")


@pytest.fixture
def tiny() -> tuple[str, ...]:
    """A real run on the digits that takes a fraction of a second."""
    return TINY


@pytest.fixture
def only_run(tmp_path) -> Callable[[], Path]:
    """The directory of the one run under outputs/."""

    def find() -> Path:
        (summary,) = tmp_path.glob("outputs/runs/*/*/*/summary.json")
        return summary.parent

    return find


@pytest.fixture
def image_tree(tmp_path) -> Callable[..., Path]:
    """Class folders of random images: the first class dark, the second bright, and so on."""

    def make(
        name: str = "images",
        size: tuple[int, int] = (32, 32),
        splits: tuple[str, ...] = ("train", "test"),
        suffix: str = "png",
        each: int = 6,
    ) -> Path:
        random = np.random.default_rng(0)
        for split in splits:
            for brightness, label in ((0, "cat"), (128, "dog")):
                folder = tmp_path / name / split / label
                folder.mkdir(parents=True)
                for i in range(each):
                    pixels = random.integers(brightness, brightness + 128, (*size[::-1], 3))
                    Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i}.{suffix}")
        return tmp_path / name

    return make


@pytest.fixture
def real_data() -> Path:
    """Where RESX_TEST_DATA points: cifar10/ and imagenette128/."""
    where = os.environ.get("RESX_TEST_DATA")
    if not where:
        pytest.skip("RESX_TEST_DATA is not set")
    return Path(where)


def yamls(group: str) -> list[str]:
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))
