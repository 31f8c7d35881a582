"""The page of all studies: which are complete, and what makes it again."""

import importlib.util
from argparse import Namespace
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "scripts" / "studies.py"


@pytest.fixture(scope="module")
def studies():
    spec = importlib.util.spec_from_file_location("studies", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("line", "is_open"),
    [
        ("Runs: 20 finished, 4 missing.", True),
        ("Runs: 20 finished, 4 interrupted.", True),
        ("Runs: 1 failed, 20 finished.", True),
        ("Runs: 20 finished, 2 unreadable and skipped.", True),
        ("Runs: 2 diverged, 20 finished.", False),
        ("Runs keep to he2015_cifar, but for what cannot be matched (below).", False),
    ],
)
def test_a_study_is_complete_if_all_its_runs_are_finished_or_diverged(studies, line, is_open):
    assert bool(studies.unfinished(["With norm batch: 3 missing", line])) is is_open


def test_the_command_names_the_studies_and_that_there_is_another_store(studies):
    asked = Namespace(studies=["degradation"], seeds=3, outputs=Path("/elsewhere"))
    expected = "python scripts/studies.py --seeds 3 --outputs OUTPUTS degradation"
    assert studies.command(asked) == expected
    asked = Namespace(studies=studies.STUDIES, seeds=5, outputs=Path("outputs"))
    assert studies.command(asked) == "python scripts/studies.py --seeds 5"


def test_the_page_is_read_again_as_it_was_written(studies):
    """So that a study that is not complete in another store keeps its row and sentences."""
    page = (PATH.parents[1] / "docs" / "studies.md").read_text()
    known = studies.earlier(page)
    assert "degradation" in known
    for told in known.values():
        assert told.row in page.splitlines()
        assert told.section + "\n" in page
    rows = "\n".join(told.row for told in known.values())
    sections = "\n".join(told.section for told in known.values())
    assert studies.earlier(f"{rows}\n{sections}\n") == known
