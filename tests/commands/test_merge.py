"""`resx merge` joins stores: equal runs are one, and whatever is not equal is named."""

import json
import shutil
from pathlib import Path

import pytest

from resx.config.settings import to_dict
from resx.store.run import Run
from tests.commands.answers import assert_refused
from tests.report.synthetic import DEGRADED, Runs


@pytest.fixture
def stores(configure, tmp_path):
    """Two equal stores of finished runs: this one, and another."""
    runs = Runs(tmp_path / "outputs", to_dict(configure("train")))
    runs.write(DEGRADED)
    for run in sorted(runs.outputs.glob("runs/*/*/*")):
        Run(run).write_summary(Run(run).read_summary())
        (run / "checkpoint.pt").write_text("weights")
    shutil.copytree(runs.outputs, tmp_path / "there")
    return runs.outputs, tmp_path / "there"


def first(store):
    return min(store.glob("runs/*/*/*"))


def change(run, error):
    """Its last record, as another machine would."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    lines[-1] = json.dumps(json.loads(lines[-1]) | {"error": error})
    (run / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    Run(run).write_summary(Run(run).read_summary())


def content(store):
    return {p.relative_to(store): p.read_bytes() for p in store.rglob("*") if p.is_file()}


def test_what_is_missing_is_copied_and_what_is_equal_is_one(resx, stores):
    here, there = stores
    shutil.rmtree(first(here))
    before = content(there)
    answer = resx("merge", "there", f"outputs={here}")
    assert answer.code == 0
    assert answer.out.strip() == "1 copied; 11 equal here and there"
    assert content(there) == before
    assert {p: b for p, b in content(here).items() if p.name != ".lock"} == before
    assert resx("merge", "there", f"outputs={here}").out.strip() == "12 equal here and there"


def test_without_weights_a_copy_is_small_and_whole(resx, stores, tmp_path):
    _, there = stores
    assert resx("merge", "there", "outputs=small", "weights=false").code == 0
    assert not list(tmp_path.glob("small/**/checkpoint.pt"))
    for run in tmp_path.glob("small/runs/*/*/*"):
        assert (
            Run(run).read_contents()
            == Run(there / run.relative_to(tmp_path / "small")).read_contents()
        )


def test_weights_that_were_left_out_come_later(resx, stores, tmp_path):
    _, there = stores
    assert resx("merge", "there", "outputs=small", "weights=false").code == 0
    assert resx("merge", "there", "outputs=small").out.strip() == "12 equal here and there"
    small = content(tmp_path / "small" / "runs")
    assert {p: b for p, b in small.items() if p.name != ".lock"} == content(there / "runs")


def test_runs_that_differ_are_named_with_their_machines(resx, stores):
    here, there = stores
    change(first(there), 0.25)
    mine = content(here)
    answer = resx("merge", "there", f"outputs={here}")
    assert answer.code == 0
    line = answer.out.splitlines()[0]
    assert str(first(here)) in line and "different here and there: the one here stays" in line
    assert {p: b for p, b in content(here).items() if p.name != ".lock"} == mine


def test_a_finished_run_takes_the_place_of_an_unfinished_one_which_is_kept_aside(resx, stores):
    here, there = stores
    summary = json.loads((first(here) / "summary.json").read_text())
    del summary["checksum"]
    (first(here) / "summary.json").write_text(json.dumps(summary | {"status": "interrupted"}))
    answer = resx("merge", "there", f"outputs={here}")
    assert "1 replaced an unfinished one" in answer.out
    assert Run(first(here)).read_contents() == Run(first(there)).read_contents()
    assert len(list(here.glob("aside/*/metrics.jsonl"))) == 1


def test_a_damaged_run_is_named_and_not_copied(resx, stores):
    here, there = stores
    shutil.rmtree(first(here))
    (first(there) / "metrics.jsonl").write_text("nonsense\n")
    answer = resx("merge", "there", f"outputs={here}")
    assert answer.code == 1
    assert "damaged there" in answer.out and "metrics.jsonl" in answer.out
    assert not (first(there).parent / "summary.json").exists()
    assert Run(here / first(there).relative_to(there)).status == "missing"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "name the stores"),
        (("nowhere",), "nowhere: no such folder"),
        (("there", "outputs=there"), "is the store itself"),
        (("there", "outptus=x"), "did you mean 'outputs'?"),
        (("there", "weights=no"), "must be true or false"),
        ((".",), "no runs below"),
    ],
)
def test_a_wrong_request_is_one_line(resx, stores, words, reason):
    assert_refused(resx("merge", *words), reason)
    assert not Path("outptus").exists()
