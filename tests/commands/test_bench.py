"""The loops are measured beside each other."""


def test_bench_measures_the_loops(resx):
    answer = resx("bench", "depth=8", "steps=2", "repeats=1", "recipe.batch_size=8")
    assert answer.code == 0, answer.err
    assert [x.split()[0] for x in answer.out.splitlines()[-3:]] == ["textbook", "fp32", "bf16"]
