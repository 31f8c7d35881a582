"""Processes that share a run see parts of what one alone would see."""

from itertools import islice

import pytest
import torch

from resx.config.composing import compose
from resx.config.schema import DataConfig
from resx.data.loading import load_dataset
from resx.data.views import Views
from resx.distributed import Part

CPU = torch.device("cpu")


@pytest.fixture(params=["memory", "streamed"])
def dataset(request, tmp_path, image_tree):
    if request.param == "memory":
        return load_dataset(compose("data.pad=1", "data.flip=true").data, CPU, tmp_path, [])
    root = str(image_tree(size=(80, 70), suffix="jpg", each=7))
    settings = {"root": root, "image_size": 64, "flip": True, "colour_noise": 0.1, "crops": 10}
    source = {"_target_": "resx.data.folder.folder"}
    return load_dataset(DataConfig(name="x", source=source, **settings), CPU, tmp_path, [])


def of_each(dataset, world, batches):
    """What a function finds of every process's part."""
    found = []
    for rank in range(world):
        dataset.part = Part(rank, world)
        found.append(list(batches()))
    dataset.part = Part()
    return found


def test_parts_of_a_batch_are_the_batch_with_its_draws(dataset):
    def training():
        return islice(dataset.training_batches(6, 0, first_step=4), 3)

    whole = list(training())
    for step, parts in enumerate(zip(*of_each(dataset, 3, training))):
        for which in (0, 1):
            together = torch.cat([part[which] for part in parts])
            assert len(parts[0][which]) == 2
            assert torch.equal(together, whole[step][which])


@pytest.mark.parametrize("split", ["train_clean", "test"])
def test_parts_of_a_split_are_the_split_once(dataset, split):
    def evaluation():
        return dataset.evaluation_batches(split, 30)

    def joined(batches, which):
        return torch.cat([batch[which] for batch in batches])

    whole, parts = list(evaluation()), of_each(dataset, 3, evaluation)
    for which in (0, 1):
        expected = joined(whole, which)
        assert torch.equal(torch.cat([joined(part, which) for part in parts]), expected)


def test_more_processes_than_images_leave_some_without_a_batch(dataset):
    count = dataset.sizes["test"]
    found = of_each(dataset, count + 1, lambda: dataset.evaluation_batches("test", 30))
    assert sorted(len(batches) for batches in found) == [0] + [1] * count


def test_a_process_decodes_its_part_alone(dataset, monkeypatch):
    if not hasattr(dataset, "loaders"):
        return
    decoded = []
    read = Views.__getitem__
    monkeypatch.setattr(Views, "__getitem__", lambda s, v: decoded.append(v.image) or read(s, v))
    dataset.part = Part(1, 2)
    list(dataset.training_batches(8, 0, 1, steps=2))
    assert len(decoded) == 8
