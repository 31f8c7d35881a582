"""Images are read as they are, or refused in one line that names the file."""

import hashlib
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import CIFAR10

from resx.config.schema import DataConfig
from resx.data.loading import load_dataset
from resx.data.source import class_balanced
from resx.errors import RequestError
from tests.conftest import yamls

CPU = torch.device("cpu")


def load(tmp_path, target, **settings):
    config = DataConfig(name="x", source={"_target_": f"resx.data.{target}"}, **settings)
    return load_dataset(config, CPU, tmp_path / "cache", [])


def digits(tmp_path, **settings):
    return load(tmp_path, "digits.digits", image_size=8, **settings)


def test_digits_are_scikit_learns_split_by_class(tmp_path):
    dataset = digits(tmp_path)
    assert dataset.sizes == {"train": 1437, "test": 360}
    assert torch.bincount(dataset.splits["test"].labels).tolist() == [36] * 10
    assert dataset.splits["train"].images.max() == 255
    assert not list(tmp_path.iterdir())


def test_subset_and_held_out_part_are_balanced_and_disjoint(tmp_path):
    dataset = digits(tmp_path, subset=500, val_fraction=0.1)
    assert dataset.sizes == {"train": 500, "test": 360, "val": 144}
    assert torch.bincount(dataset.splits["train"].labels).tolist() == [50] * 10
    train, val = ({i.numpy().tobytes() for i in dataset.splits[s].images} for s in ("train", "val"))
    assert not train & val


def test_class_balanced_draws_do_not_depend_on_the_count():
    labels = torch.arange(100) % 4
    few, _ = class_balanced(labels, 20, "subset")
    many, rest = class_balanced(labels, 40, "subset")
    assert set(few.tolist()) < set(many.tolist())
    assert sorted(many.tolist() + rest.tolist()) == list(range(100))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_class_folders_are_decoded_once_into_a_cache(tmp_path, image_tree, suffix, monkeypatch):
    root = image_tree(suffix=suffix)
    first = load(tmp_path, "folder.folder", root=str(root), image_size=32)
    assert first.classes == ["cat", "dog"]
    assert first.sizes == {"train": 12, "test": 12}
    if suffix == "png":  # exact
        pixels = np.asarray(Image.open(root / "train" / "dog" / "2.png"))
        assert np.array_equal(first.splits["train"].images[8], pixels)
    monkeypatch.setattr(Image, "open", None)  # the second time no image is opened
    again = load(tmp_path, "folder.folder", root=str(root), image_size=32)
    assert again.fingerprint == first.fingerprint


def test_a_changed_image_is_decoded_again(tmp_path, image_tree):
    root = image_tree()
    first = load(tmp_path, "folder.folder", root=str(root), image_size=32)
    Image.new("RGB", (32, 32), "red").save(root / "train" / "cat" / "0.png")
    second = load(tmp_path, "folder.folder", root=str(root), image_size=32)
    assert second.fingerprint != first.fingerprint
    assert second.splits["train"].images[0, 0, 0].tolist() == [255, 0, 0]


def test_a_damaged_cache_is_made_again(tmp_path, image_tree):
    root = image_tree()
    first = load(tmp_path, "folder.folder", root=str(root), image_size=32)
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    second = load(tmp_path, "folder.folder", root=str(root), image_size=32)
    assert second.fingerprint == first.fingerprint


def test_images_of_other_sizes_are_resized_and_cropped(tmp_path, image_tree):
    root = image_tree(size=(60, 40))
    dataset = load(tmp_path, "folder.folder", root=str(root), image_size=16)
    assert dataset.splits["train"].images.shape == (12, 16, 16, 3)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: (root / "train" / "cat" / "3.png").write_bytes(b"no"), "3.png: not a read"),
        (lambda root: _cut(root / "test" / "dog" / "1.png"), "1.png: not a readable image"),
        (lambda root: (root / "train").rename(root / "trains"), "no folder 'train' in it"),
        (lambda root: (root / "test").rename(root / "tests"), "no folder 'test' or 'val' in it"),
        (lambda root: (root / "train" / "owl").mkdir(), "class 'owl' is in only one of"),
        (lambda root: _empty(root / "train" / "dog"), "train/dog: no images in this class folder"),
    ],
)
def test_a_spoilt_tree_is_refused_by_name(tmp_path, image_tree, spoil, message):
    root = image_tree()
    spoil(root)
    with pytest.raises(RequestError, match=message):
        load(tmp_path, "folder.folder", root=str(root), image_size=32)


def _cut(path):
    path.write_bytes(path.read_bytes()[:500])


def _empty(folder):
    for path in folder.iterdir():
        path.unlink()


def test_a_missing_root_is_refused(tmp_path):
    with pytest.raises(RequestError, match="no such folder"):
        load(tmp_path, "folder.folder", root=str(tmp_path / "nowhere"), image_size=32)
    with pytest.raises(RequestError, match=r"data\.root=null: name the folder"):
        load(tmp_path, "folder.folder", image_size=32)


@pytest.fixture
def official(tmp_path, monkeypatch) -> Path:
    """A small archive in the official format, its checksums put where torchvision looks."""
    root = tmp_path / "official"
    batches = root / CIFAR10.base_folder
    batches.mkdir(parents=True)
    random = np.random.default_rng(0)

    def write(name, content):
        (batches / name).write_bytes(pickle.dumps(content))
        return [name, hashlib.md5((batches / name).read_bytes()).hexdigest()]

    def batch(name):
        pixels = random.integers(0, 256, (20, 3072), dtype=np.uint8)
        return write(name, {"data": pixels, "labels": [i % 10 for i in range(20)]})

    names = [f"class{i}" for i in range(10)]
    meta_name, meta_md5 = write("batches.meta", {"label_names": names})
    monkeypatch.setattr(CIFAR10, "train_list", [batch(f"data_batch_{i}") for i in range(1, 6)])
    monkeypatch.setattr(CIFAR10, "test_list", [batch("test_batch")])
    monkeypatch.setattr(
        CIFAR10, "meta", {"filename": meta_name, "key": "label_names", "md5": meta_md5}
    )
    archive = root / CIFAR10.filename
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(batches, CIFAR10.base_folder)
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    return root


def test_the_official_archive_and_its_unpacked_batches_are_read(tmp_path, official):
    unpacked = load(tmp_path, "cifar.cifar10", root=str(official), image_size=32)
    for path in (official / CIFAR10.base_folder).iterdir():
        path.unlink()
    (official / CIFAR10.base_folder).rmdir()
    packed = load(tmp_path, "cifar.cifar10", root=str(official), image_size=32)
    assert packed.fingerprint == unpacked.fingerprint
    assert packed.sizes == {"train": 100, "test": 20}
    raw = pickle.loads((official / CIFAR10.base_folder / "data_batch_1").read_bytes())["data"]
    first = packed.splits["train"].images[0]
    assert first[5, 7].tolist() == raw[0].reshape(3, 32, 32)[:, 5, 7].tolist()


def test_smaller_images_are_means_over_squares_of_the_published_ones(tmp_path, official):
    full = load(tmp_path, "cifar.cifar10", root=str(official), image_size=32)
    half = load(tmp_path, "cifar.cifar10", root=str(official), image_size=16)
    images, small = full.splits["train"].images, half.splits["train"].images
    assert small.shape == (100, 16, 16, 3)
    square = images[7, 10:12, 4:6].double().mean((0, 1))
    assert (small[7, 5, 2].double() - square).abs().max() <= 0.5
    assert half.fingerprint != full.fingerprint
    with pytest.raises(RequestError, match="32x32, averaged to 16 or 8"):
        load(tmp_path, "cifar.cifar10", root=str(official), image_size=20)


def test_a_root_may_be_the_archive_or_the_unpacked_folder_itself(tmp_path, official):
    found = [
        load(tmp_path, "cifar.cifar10", root=str(root), image_size=32).fingerprint
        for root in (official, official / CIFAR10.base_folder, official / CIFAR10.filename)
    ]
    assert len(set(found)) == 1


def test_a_wrong_checksum_is_refused(tmp_path, official):
    batch = official / CIFAR10.base_folder / "data_batch_2"
    batch.write_bytes(batch.read_bytes() + b"x")
    with pytest.raises(RequestError, match="its checksums are wrong"):
        load(tmp_path, "cifar.cifar10", root=str(official), image_size=32)
    (official / CIFAR10.base_folder).rename(official / "away")
    archive = official / CIFAR10.filename
    archive.write_bytes(archive.read_bytes() + b"x")
    with pytest.raises(RequestError, match="wrong checksum; delete it"):
        load(tmp_path, "cifar.cifar10", root=str(official), image_size=32)


def test_no_network_says_which_file_to_put_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    place = tmp_path / "data"
    with pytest.raises(RequestError, match=f"put cifar-10-python.tar.gz into {place}"):
        load(tmp_path, "cifar.cifar10", image_size=32)
    assert not place.exists()
    with pytest.raises(RequestError, match=f"cifar-10-python.tar.gz, .* in {place}; put the archi"):
        load(tmp_path, "cifar.cifar10", image_size=32, download=False)


def test_a_root_with_nothing_to_read_says_what_it_looked_for(tmp_path):
    with pytest.raises(RequestError, match=r"no cifar-10-python\.tar\.gz, no cifar-10-batches-py"):
        load(tmp_path, "cifar.cifar10", root=str(tmp_path), image_size=32)


def test_a_part_of_the_classes_is_enough_only_where_it_may_be(tmp_path, image_tree):
    root = str(image_tree())
    with pytest.raises(RequestError, match=r"data\.classes=5: these images have 2 \(cat, dog\)"):
        load(tmp_path, "folder.folder", root=root, image_size=32, classes=5)
    part = load(tmp_path, "folder.folder", root=root, image_size=32, classes=5, fewer_classes=True)
    assert part.classes == ["cat", "dog"]


@pytest.mark.parametrize("name", yamls("data"))
def test_every_data_yaml_names_a_source_and_a_recipe(name, configure):
    config = configure("train", f"data={name}", "data.root=/images")
    assert config.data.name == name
    assert config.recipe.name in yamls("recipe")


@pytest.mark.data
def test_real_cifar10_has_the_published_mean_and_deviation(tmp_path, real_data):
    dataset = load(tmp_path, "cifar.cifar10", root=str(real_data / "cifar10"), image_size=32, pad=4)
    assert dataset.sizes == {"train": 50_000, "test": 10_000}
    assert dataset.normalization.mean.tolist() == pytest.approx([0.4914, 0.4822, 0.4465], abs=1e-4)
    assert dataset.normalization.std.tolist() == pytest.approx([0.2470, 0.2435, 0.2616], abs=1e-4)
