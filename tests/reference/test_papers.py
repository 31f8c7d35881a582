"""The papers' tables: every network has its figure, and only networks of ours that are the same."""

import pytest

from resx.config.composing import compose
from resx.config.settings import flattened
from resx.reference.papers import chosen, paper_tables
from resx.reference.published import curve_end, published_curve

KEYS = sorted(paper_tables())


def figure(key, split, *overrides):
    return paper_tables()[key].figure(split, flattened(compose(*overrides)))


def test_published_figures_are_the_papers():
    """He 2015, Table 2 (ten crops), and the notes' improvement of 3.51 points."""
    imagenet = ("data=imagenet", "data.root=/images", "depth=34", "model.shortcut=A")
    plain_34 = figure("HE15-T2", "test", *imagenet, "residual=false")
    resnet_34 = figure("HE15-T2", "test", *imagenet)
    assert (plain_34.error, resnet_34.error) == pytest.approx((0.2854, 0.2503))
    assert plain_34.error - resnet_34.error == pytest.approx(0.0351)
    assert "Table 2" in plain_34.source
    option_c = figure("HE15-T3", "test", *imagenet[:3], "model.shortcut=C")
    assert option_c.error == pytest.approx(0.2419)
    cifar = ("data=cifar10", "residual=false")
    assert figure("HE15-T6", "test", *cifar, "depth=56").error == pytest.approx(0.1323)
    assert figure("HE15-T6", "test", *cifar, "depth=50") is None


def test_another_network_has_no_figure_of_the_papers():
    for override in ("model.width=8", "model.shortcut=B", "model=preact", "layout=imagenet"):
        assert figure("HE15-T6", "test", "data=cifar10", "depth=56", override) is None


def test_resnet_110_is_the_mean_of_five_and_the_best_of_them_is_told():
    """He 2015, Table 6: "6.43 (6.61 +- 0.16)"."""
    found = figure("HE15-T6", "test", "data=cifar10", "depth=110")
    assert (found.error, found.std, found.runs) == pytest.approx((0.0661, 0.0016, 5))
    assert found.best == pytest.approx(0.0643)


def test_a_failure_is_a_bound_and_an_accuracy_an_error():
    fails = figure(
        "HE16-T1",
        "test",
        "data=cifar10",
        "model=preact",
        "model.order=original",
        "depth=110",
        "model.shortcut_dropout=0.5",
    )
    assert (fails.error, fails.is_bound) == (0.2, True)
    highway = {n.name: n.figures["test"] for n in paper_tables()["HW-T2"].networks}
    assert highway["Highway B"].error == pytest.approx(0.0772)  # mean of five 92.28 %


@pytest.mark.parametrize(
    ("depth", "residual", "expected"),
    [(20, False, 1.32), (44, False, 2.74), (56, False, 5.78), (20, True, 0.66), (110, True, 0.06)],
)
def test_training_errors_are_means_over_the_last_10k_steps(depth, residual, expected):
    """Not the curve's last point, which is noisy: plain-44 ends at 3.20, plain-20 at 1.44."""
    assert 100 * curve_end("Fig. 6", depth, residual, "train") == pytest.approx(expected, abs=0.01)
    overrides = ("data=cifar10", f"depth={depth}", f"residual={residual}")
    assert 100 * figure("HE15-T6", "train", *overrides).error == pytest.approx(expected)


def test_imagenets_training_errors_are_means_over_the_last_90k_steps():
    imagenet = ("data=imagenet", "data.root=/images", "depth=34", "model.shortcut=A")
    for residual, expected in ((False, 32.87), (True, 25.03)):
        end = curve_end("Fig. 4", 34, residual, "train", steps=90_000)
        assert 100 * end == pytest.approx(expected, abs=0.01)
        found = figure("HE15-T2", "train", *imagenet, f"residual={residual}")
        assert 100 * found.error == pytest.approx(expected)


@pytest.mark.parametrize("residual", [True, False])
def test_digitised_curves_end_at_the_tables_values(residual):
    curve = published_curve("Fig. 6", 56, residual, "test")
    end = figure("HE15-T6", "test", "data=cifar10", "depth=56", f"residual={residual}").error
    assert curve["error"].iloc[-1] == pytest.approx(end, abs=0.001)
    assert curve["step"].max() > 63_000


@pytest.mark.parametrize("key", KEYS)
def test_every_network_has_a_figure(key):
    networks = paper_tables()[key].networks
    assert networks
    assert [n.name for n in networks if not n.figures] == []


@pytest.mark.parametrize("key", KEYS)
def test_no_two_networks_of_a_table_are_one_of_ours(key):
    described = [n.settings for n in paper_tables()[key].networks if n.settings]
    for n, first in enumerate(described):
        for second in described[n + 1 :]:
            assert any(not set(first[k]) & set(second[k]) for k in first.keys() & second.keys())


def test_no_table_shows_an_unverified_figure_unmarked():
    """What the tables quote was read in the papers; anything else would carry the mark."""
    figures = [f for t in paper_tables().values() for n in t.networks for f in n.figures.values()]
    assert len(figures) > 80
    assert all(figure.verified for figure in figures)


def test_a_study_chooses_tables_and_networks():
    (all_of_it, one) = chosen({"HE16-T1": [], "WRN-T5": ["WRN-16-8"]})
    assert len(all_of_it.networks) == 11
    assert [network.name for network in one.networks] == ["WRN-16-8"]
    with pytest.raises(KeyError):
        chosen({"WRN-T5": ["WRN-1-1"]})
