"""A network's size is the published one."""


def test_info_prints_the_published_count(resx):
    out = resx("info", "data=cifar10", "depth=110").out
    assert "1,727,962" in out
    assert "plain-110 (cifar layout, basic): 1,727,962 parameters (+0)" in out
    assert "253 M" in out
    imagenet = resx("info", "data=imagenet", "data.root=/none", "depth=34", "residual=false").out
    assert "21,623,848" in imagenet
