"""`resx report` says what the runs say, in every form, and changes none of them."""

import hashlib
import json
import re
import subprocess
import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from resx.report.aggregates import write_aggregates
from resx.report.build import draw_figures
from tests.report.synthetic import DEGRADED, Runs

GIGABYTE = 1_000_000  # kB


@pytest.mark.slow
def test_the_command_prints_verdicts_and_the_tables_of_errors(written):
    assert written.code == 0
    assert written.out.startswith("* Does the plain net degrade? Yes")
    assert "56 6.00 ± 0.50 (3) 0.13 ± 0.06 (3) +5.86 [" in written.out
    headings = re.findall(r"^(.*) \(%\)$", written.out, flags=re.MULTILINE)
    assert headings == [
        "Training error, clean pass",
        "Training error, running mean",
        "Test error",
    ]
    assert written.out.endswith(f"page: outputs/reports/{written.directory.name}/index.html\n")


def test_a_report_has_a_page_markdown_tables_and_figures(written):
    names = {path.name for path in written.directory.iterdir()}
    figures = {"curves", "depth", "gap", "convergence"}
    assert {f"{f}.{suffix}" for f in figures for suffix in ("png", "pdf", "svg")} <= names
    assert {"report.md", "train_clean_error.csv", "test_loss.csv", "runs.csv"} <= names
    page = (written.directory / "index.html").read_text()
    assert page.count("<svg") == 2 * 4  # for a desk, for a phone
    assert "http" not in page.replace("http://www.w3.org", "")
    assert (written.directory / "curves.png").stat().st_size > 5000


def test_the_verdicts_are_written_as_data(written):
    verdicts = json.loads((written.directory / "verdicts.json").read_text())
    assert [(v["id"], v["answer"]) for v in verdicts][:2] == [
        ("degradation-plain", "yes"),
        ("degradation-residual", "cannot tell"),
    ]
    assert {"falls-with-depth", "cause", "first-gap", "convergence-residual"} <= {
        v["id"] for v in verdicts
    }
    low, high = verdicts[0]["interval"]
    assert low < verdicts[0]["effect"] < high
    text = (written.directory / "report.md").read_text()
    assert all(f"\n- {verdict['text']}\n" in text for verdict in verdicts)


def test_a_report_changes_no_run(resx, runs, monkeypatch):
    monkeypatch.setattr("resx.report.build.draw_figures", lambda report, directory: [])
    runs.write(DEGRADED)
    files = sorted(path for path in (runs.outputs / "runs").rglob("*") if path.is_file())

    def state():
        return [(hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns) for p in files]

    before = state()
    assert resx("report", "runs=outputs/runs/**").code == 0
    assert sorted(path for path in (runs.outputs / "runs").rglob("*") if path.is_file()) == files
    assert state() == before


def test_skipped_runs_are_named_on_the_page(resx, runs, monkeypatch):
    monkeypatch.setattr("resx.report.build.draw_figures", lambda report, directory: [])
    runs.write({(20, True): (0.1, 0.2)})
    damaged = runs.write_one(20, True, 2, 0.1)
    (damaged / "summary.json").unlink()
    answer = resx("report", "runs=outputs/runs/**")
    assert answer.code == 0
    assert "/summary.json: is missing; resx train, or its study, with the same" in answer.out
    (page,) = runs.outputs.glob("reports/*/index.html")
    assert f"skipped <code>{damaged.relative_to(runs.outputs.parent)}</code>" in page.read_text()


def test_of_variants_a_figure_has_a_line_for_each(runs, monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr("resx.report.build.draw", lambda name, *_: drawn.append(name) or name)
    for shortcut in ("A", "B"):
        runs.write({(20, True): (0.1,), (56, True): (0.1,)}, model__shortcut=shortcut)
    draw_figures(runs.report(), tmp_path)
    assert drawn == ["curves", "rows"]


def test_aggregates_are_tensorboard_runs_of_mean_and_deviation(runs, tmp_path):
    runs.write(DEGRADED)
    collected = runs.collect()
    for _ in range(2):  # the second replaces what the first wrote
        write_aggregates(collected.runs, collected.curves, ["depth"], tmp_path / "aggregates")
    folder = tmp_path / "aggregates" / "plain-depth=56"
    assert len(list(folder.iterdir())) == 1
    board = EventAccumulator(str(folder))
    board.Reload()
    last = board.Scalars("error/train_clean")[-1]
    assert (last.step, last.value) == (40, pytest.approx(100 * (0.06 + 1 / 40)))
    assert board.Scalars("std_of_error/train_clean")[-1].value == pytest.approx(0.5, abs=1e-4)


@pytest.mark.slow
def test_a_thousand_runs_are_reported_within_a_gigabyte(tmp_path, base):
    runs = Runs(tmp_path / "outputs", base)
    for depth in (20, 32, 44, 56):
        errors = (0.001 * depth,) * 125
        runs.write({(depth, False): errors, (depth, True): errors})
    program = (
        "import pathlib, re, sys; from resx.cli import main;"
        "sys.argv = ['resx', 'report', 'runs=outputs/runs/**']; code = main();"
        "status = pathlib.Path('/proc/self/status').read_text();"  # ru_maxrss has the parent's peak
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1]); sys.exit(code)"
    )
    command = [sys.executable, "-c", program]
    # 15 seconds on one core of 2024; the limit is for a cost that grows with the square.
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "(125)" in done.stdout
    assert int(done.stdout.splitlines()[-1]) < GIGABYTE
