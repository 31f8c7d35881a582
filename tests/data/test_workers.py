"""Processes that decode survive passes over the images; passes do not disturb each other."""

import os

import pytest
import torch

from resx.data.streamed import StreamDataset
from resx.data.views import View, Views
from resx.errors import RequestError
from tests.data.test_streamed import load

pytestmark = pytest.mark.slow  # processes are started


@pytest.fixture
def dataset(image_tree, tmp_path) -> StreamDataset:
    return load(image_tree(size=(90, 70)), tmp_path, workers=1)


def test_one_process_for_training_and_one_for_all_evaluations(dataset, monkeypatch):
    """Workers answer with their own number in place of a label."""
    view = Views.__getitem__
    monkeypatch.setattr(Views, "__getitem__", lambda s, v: (view(s, v)[0], os.getpid()))
    training, evaluating = set(), set()
    for step, (_, labels) in enumerate(dataset.training_batches(4, 0, first_step=1, steps=12)):
        training |= {*labels.tolist()}
        if step % 4 == 3:
            for batches in (
                dataset.evaluation_batches("train_clean", 5),
                dataset.evaluation_batches("test", 5),
                dataset.training_batches(4, 0, first_step=step, steps=2),  # as re-estimations do
            ):
                evaluating |= {n for _, labels in batches for n in labels.tolist()}
    assert len(training) == len(evaluating) == 1
    assert len({*training, *evaluating, os.getpid()}) == 3


def test_a_pass_that_is_given_up_leaves_nothing_to_the_next(dataset):
    alone = list(dataset.evaluation_batches("test", 5))
    for _ in range(2):
        next(iter(dataset.training_batches(4, 0, first_step=1)))
        again = list(dataset.evaluation_batches("test", 5))
        assert len(dataset.loaders.idle) == 1
        assert all(
            torch.equal(a, b) for x, y in zip(alone, again, strict=True) for a, b in zip(x, y)
        )


def test_evaluations_in_between_do_not_change_what_training_sees(dataset):
    straight = list(dataset.training_batches(5, 1, first_step=1, steps=6))
    for (images, labels), expected in zip(dataset.training_batches(5, 1, 1, 6), straight):
        assert torch.equal(images, expected[0]) and torch.equal(labels, expected[1])
        next(dataset.evaluation_batches("test", 5))


def test_a_damaged_image_does_not_end_the_processes(dataset):
    path = dataset.splits["train"].paths[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:200])
    with pytest.raises(RequestError, match="not a readable image"):
        list(dataset.evaluation_batches("train_clean", 5))
    path.write_bytes(whole)
    batches = list(dataset.evaluation_batches("train_clean", 5))
    assert sum(len(labels) for _, labels in batches) == 12
    assert len(dataset.loaders.idle) == 1


@pytest.mark.gpu
def test_on_cuda_bytes_are_pinned_and_all_after_the_crop_is_on_the_device(image_tree, tmp_path):
    cuda = load(image_tree(size=(90, 70)), tmp_path, device="cuda", workers=1, colour_noise=0.1)
    images, labels = next(cuda.loaders.batches([[View("train", i) for i in range(4)]]))
    assert images.is_pinned() and labels.is_pinned() and images.dtype == torch.uint8
    images, labels = next(cuda.training_batches(4, 0, first_step=1))
    assert images.device.type == labels.device.type == "cuda"
