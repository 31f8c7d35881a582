"""What float32 means on a device."""

import pytest
import torch

from resx.device import set_float32
from resx.errors import RequestError


def test_tf32_is_refused_where_there_is_none():
    with pytest.raises(RequestError, match="precision=tf32: only CUDA devices have it, not cpu"):
        set_float32(torch.device("cpu"), "tf32")


def test_float32_is_not_rounded_unasked():
    """torch lets cuDNN round convolutions by default."""
    set_float32(torch.device("cpu"), "fp32")
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.gpu
def test_products_are_float32s_and_with_tf32_they_are_not():
    x = torch.randn(256, 256, device="cuda", generator=torch.Generator("cuda").manual_seed(0))
    exact = x.double() @ x.double()
    errors = {}
    for precision in ("fp32", "tf32"):
        set_float32(x.device, precision)
        errors[precision] = ((x @ x).double() - exact).abs().max().item()
    assert errors["fp32"] < 1e-3 < errors["tf32"]
