"""Published figures stand beside ours only where the task is the paper's, else apart."""

import pytest

from resx.config.composing import compose_raw
from resx.config.location import conf_dir
from resx.config.requests import StudyRequest
from resx.config.schema import StudyConfig
from resx.config.settings import validated
from resx.reference.papers import chosen, paper_tables
from resx.report.departures import compare_runs
from resx.report.literature import notes_table, papers_table, quote, sources
from resx.report.measures import RUNNING_ERROR, TEST_ERROR
from resx.report.selection import PlannedRun
from resx.report.tables import measure_table
from tests.conftest import yamls

FIG_6 = chosen({"HE15-T6": []})
TABLE_6 = StudyConfig(name="s", papers={"HE15-T6": ["ResNet-20"]})
TABLE_1 = StudyConfig(name="s", papers={"HE16-T1": []})
PLANNED = (PlannedRun((20,), True),)


def studies():
    return [
        name
        for name in yamls("study")
        if "papers:" in (conf_dir() / f"study/{name}.yaml").read_text()
    ]


def test_every_study_of_a_published_table_has_one():
    expected = {
        *("degradation", "shortcuts", "identity_variants", "preact_depth", "wide_vs_deep"),
        *("cardinality", "dense_chain", "families", "highway_depth", "imagenette_34"),
        *("imagenet_table2", "imagenet_table3"),
    }
    assert expected <= set(studies())
    beside = [name for name in yamls("study") if f"cifar10_{name}" in yamls("study")]
    for name in set(beside) & expected:
        assert f"cifar10_{name}" in studies()


@pytest.mark.parametrize("name", studies())
def test_every_study_with_papers_shows_their_tables(name):
    """Each network with a figure and the table's name; those of other nets are marked."""
    overrides = [f"study={name}", "data.root=/images"]
    study = validated(compose_raw(overrides, "study"), StudyRequest).study
    table = papers_table(chosen(study.papers))
    assert set(table["source"]) == {t.title for t in chosen(study.papers)}
    assert not (table["test error (%)"] == "-").any()
    if "highway" in name:
        assert table["note"].str.contains("other nets").all()


def test_on_another_task_the_papers_figures_stand_apart(runs):
    runs.write({(20, True): (0.1, 0.2), (20, False): (0.3,)})
    report = runs.report(
        rows=("depth",),
        study=TABLE_6,
        planned=PLANNED,
    )
    assert not [c for c in report.tables.gaps[TEST_ERROR] if "published" in c]
    (row,) = report.tables.papers.to_dict("records")
    assert row == {
        "source": "He et al. 2015, Fig. 6 and Table 6",
        "data": "CIFAR-10",
        "network": "ResNet-20",
        "test error (%)": "8.75",
        "training error (%)": "0.66",
    }
    assert any("Table 6" in source for source in report.sources)
    assert report.published == ""


@pytest.mark.parametrize(("images", "size"), [(10_000, 32), (50_000, 16), (50_000, 32)])
def test_on_the_papers_task_they_stand_beside_ours(runs, faithful, images, size):
    faithful({(20, True): (0.1, 0.2)}, images=images, data__image_size=size)
    report = runs.report(
        rows=("depth",),
        study=TABLE_6,
        planned=PLANNED,
    )
    beside = list(report.tables.gaps[TEST_ERROR].get("published residual", []))
    is_papers = (images, size) == (50_000, 32)
    assert beside == (["8.75"] if is_papers else [])
    assert (report.tables.papers is None) == is_papers


def test_runs_without_a_study_have_the_figures_of_their_task_alone(runs, faithful):
    faithful({(20, True): (0.1, 0.2)})
    assert list(runs.report().tables.gaps[RUNNING_ERROR]["published residual"]) == ["0.66"]
    runs.write({(20, True): (0.1, 0.2)})
    assert runs.report(rows=("depth", "data.name")).tables.papers is None


def test_variants_have_the_figures_of_their_settings(runs, faithful):
    """He 2016, Table 1: dropout on the shortcut fails, that is, is above 20 %."""
    variant = {"model__name": "preact", "model__order": "original", "model__shortcut_scale": 1.0}
    variant |= {"model__branch_scale": 1.0}
    for dropout in (0.0, 0.5):
        faithful({(110, True): (0.1,)}, **variant, model__shortcut_dropout=dropout)
    rows = ("depth", "model.shortcut_dropout")
    planned = tuple(PlannedRun((110, d), True) for d in (0, 0.5))
    report = runs.report(rows=rows, study=TABLE_1, planned=planned)
    table = report.tables.gaps[TEST_ERROR]
    assert list(table["published residual"]) == ["6.61", "> 20.00"]
    assert "published plain" not in table  # the paper has no plain nets there


def test_a_bound_of_the_paper_is_shown_as_one(runs):
    """He 2015, Fig. 6: plain-110 is above 60 % and not displayed."""
    runs.write({(110, False): (0.7, 0.8), (110, True): (0.001, 0.002)})
    row = measure_table(runs.collect().runs, ["depth"], TEST_ERROR, FIG_6).iloc[0]
    assert row["published plain"] == "> 60.00"
    assert row["published residual"] == "6.61 ± 0.16"
    assert row["published gap"] == "> +53.39"


def test_an_unverified_figure_keeps_its_mark():
    figure = paper_tables()["HE15-T6"].networks[0].figures["test"]
    assert quote(figure) == "9.68"
    assert quote(figure._replace(verified=False)) == "9.68 (unverified)"
    assert quote(None) == "-"


def test_the_papers_own_table_says_which_run_was_the_best():
    table = papers_table(chosen({"HE15-T6": ["ResNet-110"]}))
    assert list(table["test error (%)"]) == ["6.61 ± 0.16 (5), best 6.43"]


def test_sources_are_quoted_once_each():
    quoted = sources(FIG_6)
    assert len(quoted) == len(set(quoted)) >= 2
    assert any("Table 6" in source for source in quoted)
    assert sources(()) == []


def test_ours_stand_in_the_notes_table_only_if_they_keep_to_its_protocol(runs, faithful):
    faithful({(34, False): (0.5, 0.6)})  # on CIFAR-10
    for shortcut, error in (("A", 0.4), ("B", 0.3), ("C", 0.2)):  # option A is the notes' network
        faithful({(34, True): (error,)}, model__shortcut=shortcut)
    table = runs.collect().runs
    ours = ["depth", "published plain", "published gap", "ours plain", "ours ResNet"]
    row = notes_table(table, compare_runs(table, None))[ours].iloc[1]
    assert list(row) == [34, "28.54", "+3.51", "-", "-"]
    (imagenet,) = [comparison for comparison in compare_runs(table[:1], None).values()]
    imagenets = {"data.name": "imagenet", "data.image_size": 224, "images": 1_281_167}
    of_imagenet = table.assign(**imagenets)
    faithful_to = dict.fromkeys(of_imagenet.index, imagenet)
    row = notes_table(of_imagenet, faithful_to)[ours].iloc[1]
    assert list(row)[-2:] == ["55.00 (2)", "40.00 (1)"]
