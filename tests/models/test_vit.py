"""Vision transformers have the skips that are asked for, and need them."""

import pytest
import torch

from resx.models.parts.initialization import initialize
from resx.models.parts.network import Spec
from resx.models.vit import vit


def make(depth, residual=True, **options):
    spec = Spec(depth=depth, residual=residual, block="encoder", in_channels=1, image_size=8)
    return vit(spec, **options)


@pytest.mark.parametrize(
    ("skip", "kept"), [("both", [1, 1]), ("attention", [1, 0]), ("mlp", [0, 1]), ("none", [0, 0])]
)
def test_a_transformer_keeps_the_skips_that_are_named(skip, kept):
    network = make(3, skip=skip)
    assert [int(hasattr(block, "shortcut")) for block in network.stage1] == kept * 3


def test_a_plain_transformer_is_one_without_any_skip():
    plain, none = make(2, residual=False), make(2, skip="none")
    none.load_state_dict(plain.state_dict())
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(plain(x), none(x))


def test_without_skips_the_tokens_of_a_deep_transformer_become_alike():
    """Dong 2021 (arXiv:2103.03404): the output of attention tends to a matrix of rank one."""
    spread = {}
    for skip in ("both", "none"):
        network = make(12, skip=skip)
        initialize(network, 0)
        with torch.no_grad():
            tokens = network.stage1(network.stem(torch.randn(8, 1, 8, 8)))
        spread[skip] = ((tokens - tokens.mean(1, keepdim=True)).norm() / tokens.norm()).item()
    assert spread["none"] < 0.1 * spread["both"]
