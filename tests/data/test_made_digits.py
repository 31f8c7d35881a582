"""Digits made harder: pairs of them with the class of their sum, and labels dealt out anew."""

import pytest
import torch

from resx.config.schema import DataConfig
from resx.data.loading import load_dataset
from resx.errors import RequestError

LEFT, RIGHT = slice(0, 6), slice(6, 12)  # the columns of a pair's digits


def load(tmp_path, target, image_size=8, **options):
    source = {"_target_": f"resx.data.{target}"} | options
    config = DataConfig(name="x", source=source, image_size=image_size)
    return load_dataset(config, torch.device("cpu"), tmp_path / "cache", [])


def pairs(tmp_path, **options):
    return load(tmp_path, "digit_pairs.digit_pairs", image_size=12, **options)


def halves(split):
    """The two digits of each pair, (N, 8, 6) without their outermost columns, as bytes."""
    inside = split.images[:, 2:10, :, 0]
    return [[i.numpy().tobytes() for i in inside[:, :, part]] for part in (LEFT, RIGHT)]


def test_the_class_of_a_pair_is_the_last_figure_of_its_digits_sum(tmp_path):
    single = load(tmp_path, "digits.digits")
    dataset = pairs(tmp_path, train_pairs=3_000, test_pairs=500)
    assert dataset.sizes == {"train": 3_000, "test": 500}
    for name, split in dataset.splits.items():
        assert split.images.shape[1:] == (12, 12, 1)
        assert not split.images[:, [0, 1, 10, 11]].any()
        digit_of = _digits_by_centre(single.splits[name])
        left, right = halves(split)
        sums = [(digit_of[a] + digit_of[b]) % 10 for a, b in zip(left, right)]
        assert split.labels.tolist() == sums


def _digits_by_centre(split):
    centres = (i.numpy().tobytes() for i in split.images[:, :, 1:7, 0])
    return dict(zip(centres, split.labels.tolist()))


def test_no_digit_of_a_test_pair_was_seen_in_training(tmp_path):
    dataset = pairs(tmp_path)
    assert dataset.sizes == {"train": 10_000, "test": 2_000}
    seen, unseen = (set().union(*halves(dataset.splits[s])) for s in ("train", "test"))
    assert len(seen) == 1437 and len(unseen) == 360
    assert not seen & unseen


def test_pairs_are_distinct_balanced_and_alone_in_saying_the_class(tmp_path):
    train = pairs(tmp_path).splits["train"]
    assert len(set(zip(*halves(train)))) == 10_000
    assert torch.bincount(train.labels).float().div(1_000).sub(1).abs().max() < 0.1
    # The best guess from the left digit alone is right little more often than one time in ten.
    left, right = pair_digits(tmp_path, train)
    table = torch.zeros(10, 10).index_put_((left, train.labels), torch.tensor(1.0), True)
    assert table.amax(1).sum() / 10_000 < 0.15
    assert torch.equal((left + right) % 10, train.labels)


def pair_digits(tmp_path, split):
    digit_of = _digits_by_centre(load(tmp_path, "digits.digits").splits["train"])
    return (torch.tensor([digit_of[i] for i in half]) for half in halves(split))


def test_fewer_pairs_are_the_first_of_more_and_the_same_every_time(tmp_path):
    few, more = (pairs(tmp_path, train_pairs=n) for n in (100, 200))
    assert torch.equal(few.splits["train"].images, more.splits["train"].images[:100])
    assert torch.equal(few.splits["test"].images, more.splits["test"].images)
    assert few.fingerprint == pairs(tmp_path, train_pairs=100).fingerprint != more.fingerprint


def test_more_pairs_than_the_digits_make_are_refused(tmp_path):
    with pytest.raises(RequestError, match=r"data\.source\.test_pairs=129601: .* 1 to 129,600"):
        pairs(tmp_path, test_pairs=360**2 + 1)
    with pytest.raises(RequestError, match=r"data\.image_size=8: pairs of digits are 12x12"):
        load(tmp_path, "digit_pairs.digit_pairs")


def test_random_labels_are_the_digits_dealt_out_anew(tmp_path):
    real = load(tmp_path, "digits.digits")
    random = load(tmp_path, "digits_random.digits_random")
    again = load(tmp_path, "digits_random.digits_random")
    assert random.fingerprint == again.fingerprint != real.fingerprint
    for name in ("train", "test"):
        mine, theirs = random.splits[name], real.splits[name]
        assert torch.equal(mine.images, theirs.images)
        assert torch.equal(torch.bincount(mine.labels), torch.bincount(theirs.labels))
        chance = 0.1 * len(mine.labels)
        assert abs((mine.labels == theirs.labels).sum() - chance) < 4 * (0.9 * chance) ** 0.5
