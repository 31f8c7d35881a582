"""A report says what the runs say, refuses to mix them, and changes none."""

import hashlib
import subprocess
import sys
import time

import pandas as pd
import pytest

from resx.config.settings import plain
from resx.reference.published import PROTOCOLS, published_curve, published_error
from resx.report.collect import collect, find_runs
from resx.report.convergence import steps_table
from resx.report.departures import departures
from resx.report.ranking import ranking
from resx.report.tables import measure_table
from resx.report.verdicts import verdicts
from tests.report.synthetic import write_run

# Clean training errors by (depth, residual), one a seed: degradation as in the paper.
DEGRADED = {
    (20, False): (0.010, 0.012, 0.011),
    (56, False): (0.060, 0.055, 0.065),
    (20, True): (0.008, 0.009, 0.007),
    (56, True): (0.001, 0.002, 0.001),
}


@pytest.fixture
def base(configure):
    return plain(configure("train"))


@pytest.fixture
def write(tmp_path, base):
    def make(errors, test=None, **settings):
        for (depth, residual), values in errors.items():
            for seed, error in enumerate(values):
                tested = None if test is None else test[depth, residual][seed]
                write_run(
                    tmp_path / "outputs", base, depth, residual, seed, error, tested, **settings
                )
        return collect(find_runs(f"{tmp_path}/outputs/runs/**")).runs

    return make


def test_degradation_is_found_and_called_optimisation(write):
    said = verdicts(write(DEGRADED))
    assert said[0].startswith(
        "Does the plain net degrade? Yes: clean training error goes from 1.10"
    )
    # rises 5.0, 4.3, 5.4: std 0.557, and 4.303 * 0.557 / sqrt(3) = 1.38
    assert "(+4.90 points; 95 % interval +3.52 to +6.28, 3 seeds)" in said[0]
    assert said[1].startswith("Does the residual net degrade? No: ")
    assert "Optimisation, both rise from plain-20 to plain-56" in said[2]
    assert "From 20 layers (+0.30 points" in said[3]


def test_over_fitting_is_told_from_degradation(write):
    train = {(20, False): (0.02, 0.021, 0.019), (56, False): (0.001, 0.002, 0.001)}
    test = {(20, False): (0.08, 0.081, 0.079), (56, False): (0.12, 0.125, 0.118)}
    said = verdicts(write(train, test))
    assert said[0].startswith("Does the plain net degrade? No")
    assert any("Over-fitting from plain-20 to plain-56" in sentence for sentence in said)


def test_inconclusive_is_an_answer_and_says_how_many_seeds_are_missing(write):
    noisy = {(20, False): (0.10, 0.30, 0.20), (56, False): (0.35, 0.28, 0.33)}
    sentence = verdicts(write(noisy))[0]
    assert "Inconclusive, about" in sentence
    assert "more seeds would settle it" in sentence


def test_near_zero_few_seeds_are_missing_to_say_no():
    """Rises of 0.6, -0.5, 0.1 and 0.0 points: to exclude zero would take hundreds of seeds."""
    from resx.statistics import estimate, seeds_needed

    rise = estimate([0.006, -0.005, 0.001, 0.0])
    assert seeds_needed(rise) > 100
    assert seeds_needed(rise, margin=0.005) < 10


def test_nets_that_diverge_with_depth_degrade(write, tmp_path, base):
    """A survivor's low error does not hide that the others diverged."""
    write({(20, False): (0.02, 0.02, 0.02), (110, False): (0.001,)})
    for seed in (1, 2):
        write_run(tmp_path / "outputs", base, 110, False, seed, 0.9, status="diverged")
    runs = collect(find_runs(f"{tmp_path}/outputs/runs/**")).runs
    said = verdicts(runs)[0]
    assert "Yes: 2 of 3 runs of 110 layers diverged, 0 of 20 layers" in said


def test_a_rise_of_less_than_half_a_point_is_none(write):
    tiny = {(20, True): (0.0010, 0.0011, 0.0010), (56, True): (0.0015, 0.0016, 0.0015)}
    assert "residual net degrade? No" in verdicts(write(tiny))[0]


def test_one_seed_is_no_evidence_and_said_so(write):
    said = verdicts(write({k: v[:1] for k, v in DEGRADED.items()}))
    assert "It seems so" in said[0]
    assert "one seed, so no interval" in said[0]


def test_a_report_of_runs_shows_table_and_page_and_changes_no_run(resx, write, tmp_path):
    write(DEGRADED)
    files = [p for p in (tmp_path / "outputs" / "runs").rglob("*") if p.is_file()]
    before = {p: (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns) for p in files}
    answer = resx("report", "runs=outputs/runs/**")
    assert answer.code == 0, answer.err
    assert "56 6.00 ± 0.50 (3) 0.13 ± 0.06 (3) +5.87 [" in answer.out
    (page,) = tmp_path.glob("outputs/reports/*/index.html")
    text = page.read_text()
    assert text.count("<svg") == 4
    assert "http" not in text.replace("http://www.w3.org", "")
    names = {p.name for p in page.parent.iterdir()}
    assert {"report.md", "curves.png", "curves.pdf", "train_clean_error.csv", "runs.csv"} <= names
    assert {
        p: (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns) for p in files
    } == (before)


@pytest.mark.slow
def test_the_same_runs_give_the_same_report(resx, write, tmp_path):
    write(DEGRADED)
    pages = []
    for _ in range(2):
        resx("report", "runs=outputs/runs/**")
        (directory,) = tmp_path.glob("outputs/reports/*")
        pages.append([(directory / n).read_bytes() for n in ("report.md", "curves.svg")])
    assert pages[0] == pages[1]


def test_runs_that_do_not_belong_together_are_refused_by_key(resx, write, tmp_path, base):
    write(DEGRADED)
    outputs = tmp_path / "outputs"
    write_run(outputs, base, 20, True, 9, 0.5, recipe__lr=0.3, data__subset=100)
    answer = resx("report", "runs=outputs/runs/**")
    assert answer.code == 2
    assert "do not belong together, they differ in data.subset: none, 100;" in answer.err
    assert "recipe.lr: 0.05, 0.3" in answer.err


def test_damaged_runs_are_skipped_and_named(resx, write, tmp_path):
    write(DEGRADED)
    runs = sorted(tmp_path.glob("outputs/runs/*/resnet-20-*/s*"))[:4]
    (runs[0] / "summary.json").unlink()
    (runs[1] / "summary.json").write_text((runs[1] / "summary.json").read_text()[:40])
    (runs[2] / "metrics.jsonl").write_text('{"step": 1, "spl\n')
    (runs[3] / "config.yaml").write_text("depth: [")
    answer = resx("report", "runs=outputs/runs/**")
    assert answer.code == 0, answer.err
    assert "4 unreadable and skipped" in answer.out
    (page,) = tmp_path.glob("outputs/reports/*/index.html")
    text = page.read_text()
    assert all(f"skipped <code>{run.relative_to(tmp_path)}</code>" in text for run in runs)


def test_an_empty_selection_names_what_is_there(resx, write):
    write(DEGRADED)
    answer = resx("report", "runs=outputs/runs/cifar10/**")
    assert answer.code == 2
    assert answer.err == (
        "resx report: runs=outputs/runs/cifar10/**: no runs there; outputs/runs/ has digits\n"
    )


def test_unfinished_runs_are_missing_cells_not_numbers(resx, write, tmp_path, base):
    write({(20, False): (0.01, 0.012), (20, True): (0.01,)})
    write_run(tmp_path / "outputs", base, 56, False, 0, 0.9, status="interrupted")
    write_run(tmp_path / "outputs", base, 56, True, 0, 0.9, status="diverged")
    out = resx("report", "runs=outputs/runs/**").out
    (row,) = [line for line in out.splitlines() if line.split()[:2] == ["56", "1"]][:1]
    assert row.split()[1:5] == ["1", "interrupted", "1", "diverged"]
    assert "1 diverged, 3 finished, 1 interrupted" in out


def test_aggregates_are_tensorboard_runs_of_mean_and_deviation(resx, write, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    write(DEGRADED)
    resx("report", "runs=outputs/runs/**")
    (directory,) = tmp_path.glob("outputs/aggregates/*/plain-depth=56")
    board = EventAccumulator(str(directory))
    board.Reload()
    last = board.Scalars("error/train_clean")[-1]
    assert (last.step, last.value) == (40, pytest.approx(100 * (0.06 + 1 / 40)))
    assert board.Scalars("error_std/train_clean")[-1].value == pytest.approx(0.5, abs=1e-4)


def test_published_figures_are_the_papers():
    """He 2015, Table 2 (ten crops), and the notes' improvement of 3.51 points."""
    plain_34, resnet_34 = (published_error("he2015_table2", "test", 34, r) for r in (False, True))
    assert (plain_34.error, resnet_34.error) == pytest.approx((0.2854, 0.2503))
    assert plain_34.error - resnet_34.error == pytest.approx(0.0351)
    assert "Table 2" in plain_34.source
    assert published_error("he2015_table3", "test", 34, True, "C").error == pytest.approx(0.2419)
    assert published_error("he2015_fig6", "test", 56, False).error == pytest.approx(0.1323)
    assert published_error("he2015_fig6", "test", 57, False) is None


def test_a_bound_of_the_paper_is_shown_as_one(resx, write, tmp_path):
    """He 2015, Fig. 6: plain-110 is above 60 % and not displayed."""
    errors = {(110, False): (0.7, 0.8), (110, True): (0.001, 0.002)}
    runs = write(errors)
    table = measure_table(runs, ["depth"], "test_error", "he2015_fig6")
    row = table.iloc[0]
    assert row["published plain"] == "> 60.00"
    assert row["published gap"] == "> +53.57"  # ResNet-110 has 6.43 %


@pytest.mark.parametrize("residual", [True, False])
def test_digitised_curves_end_at_the_tables_values(residual):
    curve = published_curve("Fig. 6", 56, residual, "test")
    end = published_error("he2015_fig6", "test", 56, residual).error
    assert curve["error"].iloc[-1] == pytest.approx(end, abs=0.001)
    assert curve["step"].max() > 63_000


def test_no_reference_shows_an_unverified_figure_unmarked():
    """What the protocols quote was read in the papers; anything else would carry the mark."""
    for name in PROTOCOLS:
        for split in ("train", "test"):
            for depth in (18, 20, 32, 34, 44, 50, 56, 101, 110, 152):
                for residual in (True, False):
                    figure = published_error(name, split, depth, residual)
                    assert figure is None or figure.verified


def test_departures_name_ours_and_the_papers():
    protocol = {"recipe.steps": 64_000, "recipe.lr": 0.1, "model.shortcut": ["A", "B"]}
    ours = {"recipe.steps": 200, "recipe.lr": 0.1, "model.shortcut": "B"}
    assert departures(ours, protocol) == "steps 200 (paper: 64000)"
    assert departures(ours | {"recipe.steps": 64_000}, protocol) == "none"


def test_rows_beyond_depth_get_verdicts_of_their_own(resx, write, tmp_path, base):
    """As in the studies of batch norm and shortcuts: depth is judged apart for each setting."""
    write(DEGRADED)
    for (depth, residual), errors in DEGRADED.items():
        for seed, error in enumerate(errors):
            outputs = tmp_path / "outputs"
            write_run(outputs, base, depth, residual, seed, 1 - error, model__norm="none")
    answer = resx("report", "runs=outputs/runs/**")
    assert answer.code == 0, answer.err
    assert "With norm batch: Does the plain net degrade? Yes" in answer.out
    assert "With norm none: Does the plain net degrade? No" in answer.out


def test_a_study_of_learning_rates_judges_each_net_at_its_best(write, tmp_path, base):
    from resx.report.build import best_of

    write({(56, False): (0.6, 0.6), (56, True): (0.01, 0.02)}, recipe__lr=0.1)
    runs = write({(56, False): (0.4, 0.5), (56, True): (0.03, 0.04)}, recipe__lr=0.01)
    best = best_of(runs, ["depth", "recipe.lr"], "recipe.lr")
    chosen = {(r.residual, r["recipe.lr"]) for _, r in best.iterrows()}
    assert chosen == {(False, 0.01), (True, 0.1)}


@pytest.mark.slow
def test_a_thousand_runs_are_reported_in_half_a_minute_and_a_gigabyte(tmp_path, base):
    for seed in range(125):
        for depth in (20, 32, 44, 56):
            for residual in (False, True):
                write_run(tmp_path / "outputs", base, depth, residual, seed, 0.001 * depth)
    program = (
        "import pathlib, re, sys; from resx.cli import main;"
        "sys.argv = ['resx', 'report', 'runs=outputs/runs/**']; code = main();"
        "status = pathlib.Path('/proc/self/status').read_text();"  # ru_maxrss has the parent's peak
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1]); sys.exit(code)"
    )
    started = time.perf_counter()
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "(125)" in done.stdout
    assert time.perf_counter() - started < 30
    assert int(done.stdout.splitlines()[-1]) < 1e6  # kB


def test_collected_runs_are_a_table(write):
    runs = write(DEGRADED)
    assert isinstance(runs, pd.DataFrame)
    assert len(runs) == 12
    assert set(runs["recipe.lr"]) == {0.05}


def write_family(outputs, base, name, residual, errors, **settings):
    options = {"model__name": name, "model___target_": f"resx.models.{name}.{name}", **settings}
    for seed, error in enumerate(errors):
        write_run(outputs, base, 56, residual, seed, error, **options)


def test_families_have_a_row_and_a_verdict_each(resx, tmp_path, base):
    outputs = tmp_path / "outputs"
    for residual, error in ((False, 0.5), (True, 0.01)):
        write_family(outputs, base, "resnet", residual, (error, error + 0.002))
        write_family(outputs, base, "wide", residual, (0.02, 0.021), model__widening=2)
    answer = resx("report", "runs=outputs/runs/**")
    assert answer.code == 0, answer.err
    assert "With model resnet: Does the shortcut help? Yes: clean training error 50.10 %" in (
        answer.out
    )
    assert "With model wide: Does the shortcut help? No: clean training error 2.05 %" in answer.out
    assert "56   wide" in answer.out
    assert "widening" not in answer.out.split("Training error")[0]
    (directory,) = tmp_path.glob("outputs/reports/*")
    assert (directory / "rows.png").stat().st_size > 5000


def test_variants_are_ranked_and_a_diverged_one_is_named(resx, tmp_path, base):
    outputs = tmp_path / "outputs"
    for shortcut, errors in (("A", (0.02, 0.03)), ("B", (0.10, 0.12)), ("C", (0.5, 0.5))):
        for seed, error in enumerate(errors):
            status = "diverged" if shortcut == "C" and seed else "finished"
            options = {"status": status, "model__shortcut": shortcut}
            write_run(outputs, base, 56, True, seed, error, **options)
    answer = resx("report", "runs=outputs/runs/**")
    assert "Which trains best at 56 layers? By clean training error: 2.50 % with shortcut A," in (
        answer.out
    )
    assert "11.00 % with shortcut B; beyond the 95 % interval of 2 seeds" in answer.out
    assert "Diverged: shortcut C." in answer.out


def test_a_setting_left_to_the_network_is_a_row_called_default(resx, tmp_path, base):
    outputs = tmp_path / "outputs"
    for seed in (0, 1):
        write_run(outputs, base, 56, True, seed, 0.3, model__width=8)
        write_run(outputs, base, 56, True, seed, 0.1)
        write_run(outputs, base, 56, False, seed, 0.6)
    answer = resx("report", "runs=outputs/runs/**")
    rows = [line.split()[:3] for line in answer.out.splitlines() if line.startswith("    56")]
    assert ["56", "8", "missing"] in rows
    assert ["56", "default", "60.00"] in rows


def test_runs_that_were_trained_differently_are_no_families_to_compare(resx, tmp_path, base):
    outputs = tmp_path / "outputs"
    write_family(outputs, base, "resnet", True, (0.1, 0.2))
    write_family(outputs, base, "wide", True, (0.1, 0.2), recipe__lr=0.3)
    answer = resx("report", "runs=outputs/runs/**")
    assert answer.code == 2
    assert "they differ in recipe.lr: 0.05, 0.3" in answer.err


def test_where_all_values_diverged_the_network_did(write, tmp_path, base):
    from resx.report.build import best_of

    write({(20, False): (0.02, 0.03)}, recipe__lr=0.1)
    outputs = tmp_path / "outputs"
    for lr in (0.1, 0.01):
        for seed in (0, 1):
            write_run(outputs, base, 56, False, seed, 0.9, status="diverged", recipe__lr=lr)
    runs = collect(find_runs(f"{tmp_path}/outputs/runs/**")).runs
    said = verdicts(best_of(runs, ["depth", "recipe.lr"], "recipe.lr"))
    assert "Yes: 2 of 2 runs of 56 layers diverged, 0 of 20 layers." in said[0]


def test_the_gain_of_a_shortcut_is_told_of_the_seeds_that_both_have(write):
    said = verdicts(write({(20, False): (0.3, 0.5), (20, True): (0.1,)}))
    assert said[0].startswith("Does the shortcut help? It seems so: clean training error 30.00 %")


def test_settings_that_all_fail_alike_are_said_to_be_alike(write, tmp_path):
    for shortcut in ("A", "B"):
        runs = write({(56, True): (0.9, 0.9)}, model__shortcut=shortcut)
    assert ranking(runs, ["model.shortcut"]) == (
        "Which trains best at 56 layers? All are alike: 90.00 % clean training error."
    )


def test_steps_to_an_error_are_told_apart_by_row(write, tmp_path):
    write({(56, True): (0.01,)}, model__shortcut="A")
    write({(56, True): (0.9,)}, model__shortcut="B")
    both = collect(find_runs(f"{tmp_path}/outputs/runs/**"))
    table = steps_table(both.runs, both.curves, ["depth", "model.shortcut"])
    assert list(table["shortcut"]) == ["A", "B"]
    assert list(table["50%"] == "never") == [False, True]
