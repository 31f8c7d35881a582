"""Large images: crops are the paper's, and a function of (seed, step)."""

from copy import copy
from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from resx.config.schema import DataConfig
from resx.data.loading import load_dataset
from resx.data.source import Files
from resx.data.views import Augmentation, TrainingCut, View, Views, evaluation_view, opened
from resx.errors import RequestError


def load(root, tmp_path, target="folder.folder", device="cpu", **settings):
    config = DataConfig(
        name="x",
        source={"_target_": f"resx.data.{target}"},
        root=str(root),
        image_size=64,
        flip=True,
        **settings,
    )
    return load_dataset(config, torch.device(device), tmp_path / "cache", [])


def crops_of(files, size, augmentation, count):
    views = Views({"train": files}, size, augmentation)
    return [views[View("train", 0, draw=(0, position))][0] for position in range(count)]


@pytest.fixture
def ramp(tmp_path):
    """One image whose red is its column and whose green is its row: a pixel tells its place."""
    columns, rows = np.meshgrid(np.arange(240), np.arange(180))
    pixels = np.stack((columns, rows, np.zeros_like(rows)), -1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "ramp.png")
    return Files([tmp_path / "ramp.png"], torch.tensor([0]))


def test_ten_crops_are_corners_centre_and_their_mirrors(ramp):
    crops = evaluation_view(ramp, 0, size=158, crops=10)  # 158 * 256 / 224 = 180.6
    assert crops.shape == (10, 158, 158, 3)
    side = round(158 * 256 / 224)
    assert side == 181
    assert torch.equal(crops[5:], crops[:5].flip(2))
    lefts, tops = crops[:5, 0, 0, 0].tolist(), crops[:5, 0, 0, 1].tolist()
    assert lefts[0] == lefts[2] < lefts[4] < lefts[1] == lefts[3]
    assert tops[0] == tops[1] < tops[4] < tops[2] == tops[3]


def test_one_crop_is_the_centre_of_the_ten(ramp):
    one, ten = (evaluation_view(ramp, 0, size=158, crops=n) for n in (1, 10))
    assert torch.equal(one, ten[4])


def test_training_crops_cover_the_papers_range_of_scales(ramp):
    """Shorter side uniform in [256, 480] for crops of 224 (He 2015, Sec. 3.4)."""
    scales = []
    for crop in crops_of(ramp, 112, Augmentation(flip=False, shorter_side=(256, 480)), 300):
        span = crop[56, -2, 0].float() - crop[56, 1, 0].float()  # columns of the original
        scales.append((109 / span * 180).item())  # the shorter side that was resized to
    assert min(scales) == pytest.approx(128, abs=6)
    assert max(scales) == pytest.approx(240, abs=12)
    assert np.mean(scales) == pytest.approx(184, abs=8)


def test_a_crop_lies_where_float32_has_it(ramp):
    """0.18 of 50 rows, less a last bit, is the ninth row in float32 and the eighth in float64."""
    draw = torch.tensor(0.17999999225139618)
    cut = TrainingCut(side=180, size=131, left=draw, top=draw, mirrored=False)
    assert cut.of(opened(ramp, 0, cut.side))[0, 0, 1] == 9


def test_half_of_the_training_crops_are_mirrored(ramp):
    crops = crops_of(ramp, 112, Augmentation(flip=True), 200)
    assert 70 < sum(bool(crop[0, 0, 0] > crop[0, -1, 0]) for crop in crops) < 130


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_batches_do_not_depend_on_where_training_starts(tmp_path, image_tree, workers):
    dataset = load(image_tree(size=(90, 70)), tmp_path, workers=workers)
    whole = list(islice(dataset.training_batches(5, 1, first_step=1), 4))
    rest = list(islice(dataset.training_batches(5, 1, first_step=3), 2))
    for (images, labels), (images_again, labels_again) in zip(whole[2:], rest):
        assert torch.equal(images, images_again)
        assert torch.equal(labels, labels_again)
    assert whole[0][0].shape == (5, 3, 64, 64)


def test_evaluation_passes_over_every_image_once(tmp_path, image_tree):
    dataset = load(image_tree(size=(90, 70)), tmp_path, crops=10)
    batches = list(dataset.evaluation_batches("test", 40))
    assert [images.shape for images, _ in batches] == [(4, 10, 3, 64, 64)] * 3
    assert torch.cat([labels for _, labels in batches]).tolist() == [0] * 6 + [1] * 6


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_corrupt_image_is_named_on_one_line(tmp_path, image_tree, workers):
    root = image_tree(size=(90, 70), suffix="jpg")
    dataset = load(root, tmp_path, workers=workers)
    (root / "train" / "cat" / "0.jpg").write_bytes(b"nothing")
    with pytest.raises(RequestError, match=r"^[^\n]*cat/0.jpg: not a readable image[^\n]*$"):
        list(islice(dataset.training_batches(12, 0, first_step=1), 1))


@pytest.mark.data
def test_real_imagenette_is_imagenets_layout_and_photographs(tmp_path, real_data):
    dataset = load(real_data / "imagenette128", tmp_path, workers=2)
    assert dataset.sizes == {"train": 9_469, "test": 3_925}
    assert len(dataset.classes) == 10
    assert dataset.classes[0] == "n01440764"  # tench
    images, labels = next(dataset.training_batches(64, 0, first_step=1))
    assert labels.unique().numel() > 5
    assert images.std().item() == pytest.approx(1, abs=0.15)


def test_without_a_range_crops_are_cut_at_the_size_of_test_images(ramp):
    spans = set()
    for crop in crops_of(ramp, 112, Augmentation(flip=False), 20):
        spans.add(round((crop[56, -2, 0].float() - crop[56, 1, 0].float()).item()))
    assert max(spans) - min(spans) <= 2  # one scale; the rest is rounding


def test_colour_noise_is_added_only_where_it_is_asked_for(image_tree, tmp_path):
    root = image_tree(size=(90, 70))
    batches = []
    for noise in (0.0, 0.1):
        dataset = load(root, tmp_path, colour_noise=noise)
        batches.append(next(dataset.training_batches(4, 0, 1))[0])
    shift = batches[1] - batches[0]
    assert shift.abs().max() > 0.01
    assert torch.allclose(shift, shift[:, :, :1, :1].expand_as(shift), atol=1e-4)


def test_workers_hand_over_bytes_of_one_size(image_tree, tmp_path):
    """Whatever the images' own sizes; numbers of four bytes are made on the device."""
    root = image_tree(size=(90, 70))
    Image.new("RGB", (300, 80)).save(root / "train" / "cat" / "0.png")
    dataset = load(root, tmp_path)
    for draw in (None, (0, 3)):
        (batch,) = dataset.loaders.batches([[View("train", i, draw=draw) for i in range(4)]])
        assert batch[0].shape == (4, 64, 64, 3) and batch[0].dtype == torch.uint8
        assert batch[0].is_contiguous()


def test_a_copy_that_looks_at_part_of_a_split_sees_that_part(image_tree, tmp_path):
    dataset = load(image_tree(size=(90, 70)), tmp_path)
    part = copy(dataset)
    part.splits = {**part.splits, "test": part.splits["test"].take(torch.tensor([9, 2]))}
    (batch,) = part.evaluation_batches("test", 4)
    whole = torch.cat([images for images, _ in dataset.evaluation_batches("test", 4)])
    assert torch.equal(batch[0], whole[[9, 2]]) and batch[1].tolist() == [1, 0]
