"""Eigenvalues, trace and density are those of the exact Hessian."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev

from resx.analyses.curvature import _refuse_too_large, curvature
from resx.analyses.parts.hessian import Hessian, hutchpp, lanczos, signs
from resx.analyses.parts.sample import Sample, penalized_loss
from resx.seeding import generator


@pytest.fixture
def experiment(fresh):
    return partial(fresh, "model.width=2")


def exact_hessian(network: nn.Module, batch, decay: float) -> torch.Tensor:
    """All second derivatives, by torch.func."""
    named = dict(network.named_parameters())
    shapes = [p.shape for p in named.values()]

    class Loss(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self) -> torch.Tensor:
            return penalized_loss(self.network, batch, decay)

    def loss(flat: torch.Tensor) -> torch.Tensor:
        pieces = flat.split([s.numel() for s in shapes])
        weights = {f"network.{n}": p.view(s) for n, p, s in zip(named, pieces, shapes)}
        return functional_call(Loss(), weights, ())

    # Reverse mode twice, as `torch.func.hessian` warns of deprecated code in torch itself.
    return jacrev(jacrev(loss))(torch.cat([p.detach().flatten() for p in named.values()]))


class Tiny(nn.Module):
    """Two layers in parts that are named like those of a network, smooth but not convex."""

    def __init__(self) -> None:
        super().__init__()
        self.stage1 = nn.Sequential(nn.Linear(4, 5), nn.Tanh())
        self.head = nn.Linear(5, 3)

    def forward(self, x):
        return self.head(self.stage1(x))


@pytest.fixture
def tiny_net():
    torch.manual_seed(0)
    network = Tiny().double()
    batch = 2 * torch.randn(30, 4, dtype=torch.double), torch.randint(3, (30,))
    return network, batch, exact_hessian(network, batch, decay=0.01)


def test_products_and_parts_are_the_exact_hessians(tiny_net):
    network, (images, labels), exact = tiny_net
    v = torch.randn(len(exact), dtype=torch.double)
    at_once = Hessian(network, [(images, labels)], 0.01)
    in_pieces = Hessian(network, list(zip(images.split(12), labels.split(12))), 0.01)
    assert torch.allclose(at_once(v), exact @ v, atol=1e-10)
    assert torch.allclose(in_pieces(v), exact @ v, atol=1e-10)
    block, size = at_once.part("stage1")
    assert size == 25
    assert torch.allclose(block(v[:25]), exact[:25, :25] @ v[:25], atol=1e-10)


def test_extreme_eigenvalues_and_trace_are_exact_to_1e_4(tiny_net):
    network, batch, exact = tiny_net
    product = Hessian(network, [batch], 0.01)
    draw = signs(generator(0, "test"), product.like)
    spectrum = lanczos(product, draw(len(exact)), steps=43)
    eigenvalues = torch.linalg.eigvalsh(exact)
    assert eigenvalues[0] < 0  # else the lowest one would be no test
    assert float(spectrum.values[-1]) == pytest.approx(float(eigenvalues[-1]), rel=1e-4)
    assert float(spectrum.values[0]) == pytest.approx(float(eigenvalues[0]), rel=1e-4)
    trace = hutchpp(product, len(exact), sketches=len(exact), draw=draw)
    assert trace.total == pytest.approx(float(exact.trace()), rel=1e-4)
    assert torch.allclose(trace.diagonal, exact.diagonal(), atol=1e-6)


@pytest.mark.slow
def test_a_network_of_the_command_has_its_exact_curvature(experiment):
    ours = experiment("model.width=1")
    batch = Sample("train", 20).of(ours)
    ours.network.train()(batch[0])  # so that batch norm has averages
    Sample("train", 20).prepare(ours.network)
    exact = exact_hessian(ours.network, batch, decay=0.0)
    eigenvalues = torch.linalg.eigvalsh(exact)
    rows = curvature([ours], images=20, steps=60, sketches=len(exact), stage_steps=0).rows
    whole = rows[rows["part"] == "network"].iloc[0]
    assert whole["top"] == pytest.approx(float(eigenvalues[-1]), rel=1e-4)
    assert whole["lowest"] == pytest.approx(float(eigenvalues[0]), rel=1e-3)
    assert whole["trace"] == pytest.approx(float(exact.trace()), rel=1e-3)


def test_the_density_of_a_known_matrix_has_its_moments():
    """Quadrature from one vector is exact for v'Av and v'A^2 v, which for signs are near traces."""
    values = torch.tensor([-1.0, 0.5, 2.0, 10.0], dtype=torch.double).repeat(50)
    start = signs(generator(0, "density"), values)(len(values))
    found = lanczos(lambda v: values * v, start, steps=30)
    assert len(found.values) == 4  # ends by itself: there are four different eigenvalues
    assert found.values.tolist() == pytest.approx([-1, 0.5, 2, 10])
    assert found.weights.tolist() == pytest.approx([0.25] * 4)


def test_hutchpp_is_exact_where_the_sketch_spans_the_matrix():
    random = np.random.default_rng(0)
    factor = torch.from_numpy(random.normal(size=(60, 4)))
    matrix = factor @ factor.T
    draw = signs(generator(0, "trace"), matrix)
    trace = hutchpp(lambda v: matrix @ v, 60, sketches=4, draw=draw)
    assert trace.total == pytest.approx(float(matrix.trace()))


def test_weight_decay_moves_every_eigenvalue_alike(experiment):
    ours = experiment("recipe.weight_decay=0.5")
    options = {"images": 16, "steps": 8, "sketches": 1, "stage_steps": 0}
    bare, decayed = (
        curvature([ours], weight_decay=on, **options).rows.iloc[0] for on in (False, True)
    )
    assert decayed["top"] == pytest.approx(bare["top"] + 0.5, rel=1e-3)


def test_statistics_of_the_images_give_another_hessian_and_leave_the_averages(experiment):
    ours = experiment()
    images, _ = Sample("train", 64).of(ours)
    options = {"images": 16, "steps": 6, "sketches": 1, "stage_steps": 0}

    def tops():
        kinds = [curvature([ours], batch_norm=kind, **options) for kind in ("eval", "train")]
        return [found.rows.iloc[0]["top"] for found in kinds]

    fresh = tops()
    assert fresh[0] == fresh[1]  # averages that have seen nothing are no statistics
    ours.network.train()(images)
    before = {k: v.clone() for k, v in ours.network.state_dict().items()}
    trained = tops()
    assert trained[0] != pytest.approx(trained[1], rel=1e-2)
    assert all(torch.equal(before[k], v) for k, v in ours.network.state_dict().items())


def test_what_cannot_fit_is_refused_before_the_work(experiment):
    ours = experiment()
    _refuse_too_large(ours, images=100, vectors=100)
    with pytest.raises(ValueError, match=r"^images=1000000000: a Hessian of .* needs about"):
        _refuse_too_large(ours, images=10**9, vectors=100)


def test_attention_has_second_derivatives_too(experiment):
    vit = experiment("model=vit", "depth=1", "model.width=8", "model.heads=2")
    rows = curvature([vit], images=8, steps=3, sketches=1, stage_steps=2).rows
    assert rows[rows["part"] == "network"]["top"].iloc[0] > 0
