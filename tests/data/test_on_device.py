"""JPEGs that a device decodes are cut as workers cut them; what it cannot read, workers do."""

import sys
from itertools import islice

import pytest
import torch
from PIL import ExifTags, Image

from resx.errors import RequestError
from tests.data.test_decoding import encoded, photograph
from tests.data.test_streamed import load

pytest.importorskip("torchcodec")


@pytest.fixture
def photographs(tmp_path):
    """Class folders with JPEGs of many kinds and a PNG, a little or much larger than crops."""

    def write(scale):
        image = photograph(90 * scale, 74 * scale)
        turned = Image.Exif()
        turned[ExifTags.Base.Orientation] = 6  # "turn me", which no one here does
        files = {
            "a.jpg": encoded(image, quality=90),
            "b.jpg": encoded(image.rotate(180), progressive=True),
            "c.jpeg": encoded(image.convert("L")),
            "d.jpg": encoded(image.convert("CMYK")),
            "e.png": encoded(image, "PNG"),
            "f.jpg": encoded(image, exif=turned),
        }
        for split in ("train", "val"):
            for name in ("cat", "dog"):
                (folder := tmp_path / str(scale) / split / name).mkdir(parents=True)
                for file, content in files.items():
                    (folder / file).write_bytes(content)
        return tmp_path / str(scale)

    return write


def batches(dataset):
    yield from islice(dataset.training_batches(6, 1, first_step=3), 3)
    for split in ("train_clean", "test"):
        yield from dataset.evaluation_batches(split, 20)


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("crops", [1, 10])
def test_whole_images_give_the_crops_that_workers_give(photographs, tmp_path, crops, workers):
    root = photographs(1)
    expected = load(root, tmp_path, crops=crops)
    on_device = load(root, tmp_path, crops=crops, workers=workers, decode_on="device")
    for (images, labels), (same, own) in zip(batches(on_device), batches(expected), strict=True):
        assert torch.equal(images, same) and torch.equal(labels, own)


def test_images_that_workers_decode_smaller_differ_by_a_shade(photographs, tmp_path):
    root = photographs(3)
    whole, smaller = (load(root, tmp_path, decode_on=where) for where in ("device", "workers"))
    for (images, labels), (others, own) in zip(batches(whole), batches(smaller), strict=True):
        assert torch.equal(labels, own)
        assert 0 < (images - others).abs().mean() < 0.1  # of a channel's deviation


@pytest.mark.parametrize("content", [b"\xff\xd8 nothing", encoded(photograph())[:900], b"text"])
def test_a_damaged_image_is_named_on_one_line_and_the_rest_goes_on(photographs, tmp_path, content):
    root = photographs(1)
    dataset = load(root, tmp_path, decode_on="device")
    (root / "train" / "dog" / "b.jpg").write_bytes(content)
    with pytest.raises(RequestError, match=r"^[^\n]*dog/b.jpg: not a readable image[^\n]*$"):
        list(dataset.evaluation_batches("train_clean", 20))
    assert sum(len(labels) for _, labels in dataset.evaluation_batches("test", 20)) == 12


def test_a_run_says_where_images_were_decoded_and_is_one_of_its_own(resx, photographs, tmp_path):
    images = ["data=imagenet", f"data.root={photographs(1)}", "data.image_size=64"]
    tiny = ["depth=18", "block=basic", "model.width=4", "recipe.steps=2", "recipe.batch_size=4"]
    tiny += ["data.workers=0", "recipe.eval_every=2", "recipe.record_every=2"]
    for where in ("workers", "device"):
        assert resx("train", *images, *tiny, f"data.decode_on={where}").code == 0
    assert len({*tmp_path.glob("outputs/runs/*/*/*")}) == 2


def test_images_in_memory_are_decoded_by_no_device(resx):
    refused = resx("train", "data.decode_on=device")
    assert refused.code == 2
    assert refused.err == "resx train: data.decode_on=device: only for streamed images\n"


def test_what_decodes_there_is_an_extra(resx, photographs, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    images = ["data=imagenet", f"data.root={photographs(1)}", "data.image_size=64"]
    refused = resx("train", *images, "data.decode_on=device", "data.workers=0", "depth=18")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.count("\n") == 1 and "pip install" in refused.err


@pytest.mark.gpu
@pytest.mark.parametrize("scale", [1, 3])
def test_nvjpegs_crops_differ_from_the_cpus_by_a_shade(photographs, tmp_path, scale):
    root = photographs(scale)
    here, there = (load(root, tmp_path, device=d, decode_on="device") for d in ("cpu", "cuda"))
    for (images, labels), (others, own) in zip(batches(there), batches(here), strict=True):
        assert images.device.type == labels.device.type == "cuda"
        assert torch.equal(labels.cpu(), own)
        assert (images.cpu() - others).abs().mean() < 0.1


@pytest.mark.gpu
def test_nvjpeg_names_a_damaged_image(photographs, tmp_path):
    root = photographs(1)
    dataset = load(root, tmp_path, device="cuda", decode_on="device")
    (root / "train" / "dog" / "b.jpg").write_bytes(encoded(photograph())[:900])
    with pytest.raises(RequestError, match=r"dog/b.jpg: not a readable image"):
        list(dataset.evaluation_batches("train_clean", 20))
