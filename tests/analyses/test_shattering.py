"""Input gradients are alike where the network is linear, and forget each other where it is not."""

import numpy as np
import pytest
import torch
from torch import nn

from resx.analyses.analysis import ClaimVerdict
from resx.analyses.parts.laws import fit_laws
from resx.analyses.shattering import input_gradients, path, shattering
from tests.analyses.networks import Plain, Skip, he, perceptron, seeds


def test_gradients_of_a_linear_net_are_all_the_same(fresh):
    network = perceptron(16, [Plain(he(16), nn.BatchNorm1d(16)) for _ in range(5)])
    rows = shattering([fresh(network=network)], paths=2, points=5).rows
    assert rows["correlation"].tolist() == pytest.approx([1.0] * 4, abs=1e-6)


def test_a_path_leads_straight_from_image_to_image():
    start, end = torch.randn(2, 3, 1, 4, 4)
    along = path(start, end, points=5)
    assert along.shape == (3, 5, 1, 4, 4)
    assert torch.equal(along[:, 0], start)
    assert torch.allclose(along[:, 1], 0.75 * start + 0.25 * end)
    assert torch.allclose(along[:, -1], end)


def test_an_images_gradient_is_its_own_though_batch_norm_sees_all_images(fresh):
    network = perceptron(16, [Plain(he(16), nn.BatchNorm1d(16), nn.ReLU()) for _ in range(3)])
    network.train()
    images = torch.randn(32, 1, 8, 8)
    gradients = input_gradients(network, images, "train")
    momenta = {m.momentum for m in network.modules() if isinstance(m, nn.BatchNorm1d)}
    assert momenta == {0.1}
    # The statistics are now held by the network: one image alone has the gradient that it had.
    alone = input_gradients(network, images[:1], "eval")
    assert torch.allclose(alone[0], gradients[0], atol=1e-5)


@pytest.mark.parametrize(
    ("block", "unrelated", "opposite"), [(Plain, 1 / 2, 0), (Skip, 3 / 4, 1 / 2)]
)
def test_a_layer_leaves_the_share_that_balduzzi_proves(block, unrelated, opposite):
    """Theorem 1: 1/2 a layer for inputs with a quarter of the units on for both; 3/4 with a skip.

    Of opposite inputs no unit is on for both: only what passes through the shortcut is alike.
    """
    first, second = torch.eye(64).unflatten(0, (2, 32))
    networks = [net for _, net in seeds(lambda: perceptron(500, [block(nn.ReLU(), he(500))]), 20)]
    for other, expected in ((second, unrelated), (-first, opposite)):
        images = torch.cat((first, other)).reshape(64, 1, 8, 8)
        cosines = []
        for network in networks:
            nn.init.zeros_(network.stem[1].bias)
            gradients = input_gradients(network, images, "eval").flatten(1).unflatten(0, (2, 32))
            cosines.append(torch.cosine_similarity(*gradients, dim=1))
        assert torch.cat(cosines).mean().item() == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize(("name", "rate"), [("exponential", 0.5), ("power", 0.5)])
def test_a_law_is_found_again(name, rate):
    depths = np.array([8.0, 14.0, 20.0, 56.0])
    values = 0.9 * (rate**depths if name == "exponential" else depths**-rate)
    best, other = fit_laws(depths, values)
    assert (best.name, best.rate) == (name, pytest.approx(rate))
    assert best.error < 1e-12 < other.error
    assert fit_laws(depths[:2], values[:2]) == []


def nets(fresh, depths=(8, 20), numbers=range(3)):
    return [
        fresh(f"depth={d}", "model.width=4", f"residual={kind}", f"seed={s}")
        for kind in ("true", "false")
        for d in depths
        for s in numbers
    ]


@pytest.mark.slow
def test_plain_gradients_shatter_and_residual_ones_do_not(fresh):
    networks = nets(fresh)
    finding = shattering(networks, paths=8)
    assert finding.verdict is ClaimVerdict.CONFIRMED
    assert 0.2 < finding.interval[0] < finding.effect < finding.interval[1] < 0.9
    deep = [net for net in networks if net.config.depth == 20]
    assert shattering(deep, paths=8).verdict is ClaimVerdict.CANNOT_TELL  # does it fall with depth?
    means = finding.rows[finding.rows["lag"] == 1].groupby(["residual", "depth"])
    plain, residual = (means["correlation"].mean()[kind] for kind in (False, True))
    assert plain[20] < 0.5 * plain[8]
    assert residual[20] > 0.5 * residual[8]


def test_one_seed_decides_nothing(fresh):
    assert (
        shattering(nets(fresh, depths=[8], numbers=[0]), paths=2).verdict
        is ClaimVerdict.CANNOT_TELL
    )


@pytest.mark.parametrize("options", [{"paths": 1}, {"points": 1}, {"lag": 17}, {"lag": 0}])
def test_options_that_do_not_exist_are_refused(fresh, options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name}={options[name]}: must be"):
        shattering([fresh()], **options)
