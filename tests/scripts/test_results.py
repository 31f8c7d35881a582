"""The results that are kept here are whole, small, and what their reports say follows from them."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from resx.store.files import CHECKPOINTS
from resx.store.store import Store

RESULTS = Path(__file__).parents[2] / "docs" / "results"
SIDES = ("plain", "residual")
KEPT = json.loads((RESULTS / "kept.json").read_text())


def test_every_run_that_is_kept_is_as_it_was_written_and_has_ended():
    runs = Store(RESULTS).runs()
    assert len(runs) > 100
    for run in runs:
        assert run.read_contents().summary.status.is_final
        assert not any((run.directory / name).exists() for name in CHECKPOINTS)


def test_they_take_less_than_20_megabytes_and_name_no_place_on_anybodys_disk():
    files = [path for path in RESULTS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 20e6
    texts = [path.read_text() for path in files if path.suffix != ".png"]
    assert not [text[:80] for text in texts if "/root/" in text or "/home/" in text]


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_effects_in_the_readme_are_those_of_the_reports(readme):
    """Those with an interval: a verdict of the row's studies, as far as it is written out."""
    number = r"([-+]?[\d.]+)"
    found = 0
    for studies, answer in rows_of_findings(readme):
        computed = [each for study in re.findall("`(.*?)`", studies) for each in effects(study)]
        for told in re.findall(rf"{number}[^|\d]*? \[{number}, {number}\]", answer):
            decimals = len(told[0].partition(".")[2])
            shown = tuple(map(float, told))
            assert any(shown == tuple(round(x, decimals) for x in each) for each in computed), told
            found += 1
    assert found == 13


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_families_of_the_readme_are_those_of_the_report(readme):
    table = pd.read_csv(folder_of("families") / "train_clean_error.csv").set_index("model")
    for name, row in (100 * table).iterrows():
        sides = (f"{row[f'{side}_mean']:.2f} ± {row[f'{side}_std']:.2f}" for side in SIDES)
        gap = f"{row['gap']:+.2f} [{row['gap_low']:+.2f}, {row['gap_high']:+.2f}]"
        (line,) = [each for each in lines(readme) if re.match(rf"\| `{name}` \|.*±", each)]
        assert line.split(" | ")[2:] == [*sides, f"{gap} |"]


def lines(readme):
    return (RESULTS.parents[1] / readme).read_text().splitlines()


def rows_of_findings(readme):
    """Studies and answer of the rows that have three cells and name studies in the second."""
    form = re.compile(r"\| [^|]* \| (`[a-z][^|]*) \| ([^|]*) \|")
    return [row.groups() for line in lines(readme) if (row := form.fullmatch(line))]


def folder_of(study):
    (folder,) = (RESULTS / "reports").glob(f"{study}+*")
    return folder


def effects(study):
    """Effect and interval of every verdict of a study; points, or ratios."""
    for verdict in json.loads((folder_of(study) / "verdicts.json").read_text()):
        if verdict["interval"] is not None:
            factor = 100 if verdict["measure"] == "error" else 1
            yield tuple(factor * x for x in (verdict["effect"], *verdict["interval"]))


@pytest.mark.slow
@pytest.mark.parametrize("study", KEPT)
def test_a_report_is_made_again_from_its_runs_digit_for_digit(resx, tmp_path, study):
    shutil.copytree(RESULTS / "runs", tmp_path / "results" / "runs")
    answer = resx("report", f"study={study}", *KEPT[study], "outputs=results")
    assert answer.code == 0, answer.err
    folder = Path(answer.out.strip().splitlines()[-1].removeprefix("page: ")).parent
    kept = RESULTS.parent / folder
    tables = sorted(path.name for path in kept.glob("*.csv"))
    assert "train_clean_error.csv" in tables
    tables.remove("runs.csv")
    for name in [*tables, "verdicts.json", "reproductions.json"]:
        assert (tmp_path / folder / name).read_text() == (kept / name).read_text(), name
    # Settings of later versions are columns of the table of runs, too.
    runs, before = (pd.read_csv(place / "runs.csv") for place in (tmp_path / folder, kept))
    pd.testing.assert_frame_equal(runs[before.columns], before, check_exact=True)
