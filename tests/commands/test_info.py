"""A network's size is the published one."""

import pytest


def test_info_prints_the_published_count(resx):
    out = resx("info", "data=cifar10", "depth=110").out
    assert "1,727,962" in out
    assert "plain-110 (cifar layout, basic): 1,727,962 parameters (+0)" in out
    assert "253 M" in out
    imagenet = resx("info", "data=imagenet", "data.root=/none", "depth=34", "residual=false").out
    assert "21,623,848" in imagenet


@pytest.mark.slow
def test_info_tells_the_memory_of_a_step(resx):
    def last_lines(*overrides):
        lines = resx("info", "data=cifar10", "depth=20", *overrides).out.splitlines()[-2:]
        return [line.split(maxsplit=1)[1] if line[0] == "a" else line for line in lines]

    assert resx("info", "data=cifar10", "depth=20").out.count("MB") >= 2
    whole, step = last_lines()
    assert whole == "193 MB in float32 for a batch of 128"
    assert "a training step" in resx("info", "depth=20").out and "MB with weights" in step
    half = last_lines("precision=bf16", "checkpoint_activations=true", "recipe.micro_batch=32")
    assert "in bf16 for a micro-batch of 32, those within blocks computed twice" in half[0]
