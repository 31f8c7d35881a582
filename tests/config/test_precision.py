"""`precision=auto` is settled by what the processor says of itself, and is then part of the run."""

import logging

import pytest
import torch

from resx.config import precision
from resx.config.run_hash import run_hash
from resx.device import warn_of_emulation


@pytest.fixture
def processor(tmp_path, monkeypatch):
    """Says that the processor has these flags, and that there is no GPU."""

    def has(*flags):
        info = tmp_path / "cpuinfo"
        info.write_text(f"processor\t: 0\nflags\t\t: fpu avx2 {' '.join(flags)}\nprocessor\t: 1\n")
        monkeypatch.setattr(precision, "CPUINFO", info)
        monkeypatch.setattr(precision, "GPU", tmp_path / "none")
        for name in ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY"):
            monkeypatch.delenv(name, raising=False)

    return has


@pytest.mark.parametrize(
    ("flags", "environment", "expected"),
    [
        (("avx512f", "avx512_bf16"), {}, "bf16"),
        (("avx512f", "amx_bf16"), {}, "bf16"),
        (("avx512f",), {}, "fp32"),
        ((), {}, "fp32"),
        (("avx512_bf16",), {"ONEDNN_MAX_CPU_ISA": "AVX2"}, "fp32"),
        (("avx512_bf16",), {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_AMX"}, "bf16"),
        (("avx512_bf16",), {"ATEN_CPU_CAPABILITY": "avx2"}, "fp32"),
    ],
)
def test_auto_is_bf16_only_where_it_is_native(
    flags, environment, expected, processor, monkeypatch, configure
):
    processor(*flags)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config = configure("train", "precision=auto", "device=cpu")
    assert config.precision == expected
    assert run_hash(config) == run_hash(configure("train", f"precision={expected}"))
    assert precision.automatic("mps") == "fp32"


def test_the_coffee_break_takes_what_the_processor_has(processor, configure):
    quick = ("experiment=cifar_quick", "data.root=/images")
    processor()
    assert configure("train", *quick).precision == "fp32"
    processor("avx512_bf16")
    assert configure("train", *quick).precision == "bf16"


def test_emulated_bf16_is_answered_with_how_slow_it_is(processor, caplog):
    processor()
    with caplog.at_level(logging.WARNING):
        warn_of_emulation(torch.device("cpu"), "fp32")
        assert not caplog.text
        warn_of_emulation(torch.device("cpu"), "bf16")
    assert "times as long as in float32" in caplog.text
