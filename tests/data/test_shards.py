"""Shards are the images of the folder, in any tool's hands; damaged ones are named in one line."""

import json
import os
import tarfile
from io import BytesIO

import numpy as np
import pytest
import torch
import webdataset
from PIL import Image

from resx.data.folder import class_folders
from resx.data.packing import write_shards
from resx.errors import RequestError
from tests.commands.answers import assert_refused
from tests.data.test_streamed import load

SHARDS = "shards.shards"


@pytest.fixture
def tree(image_tree):
    return image_tree(size=(90, 70), suffix="jpg", each=12)


@pytest.fixture
def packed(tree, tmp_path):
    classes, train, test = class_folders(tree)
    names = write_shards(
        tmp_path / "shards", "%04d.tar", classes, {"train": train, "test": test}, megabytes=1
    )
    assert names == {"train": ["train-0000.tar"], "test": ["test-0000.tar"]}
    return tmp_path / "shards"


def batches(dataset, first_step=1, steps=4):
    return [x for pair in dataset.training_batches(5, 1, first_step, steps) for x in pair]


def assert_same(ours, theirs):
    assert len(ours) == len(theirs) and all(map(torch.equal, ours, theirs))


def test_shards_are_the_images_of_the_folder_in_its_order(tree, packed, tmp_path):
    folder, shards = load(tree, tmp_path), load(packed, tmp_path, SHARDS)
    assert shards.fingerprint == folder.fingerprint
    assert shards.classes == folder.classes and shards.sizes == folder.sizes
    assert_same(batches(shards), batches(folder))
    assert_same(batches(shards, first_step=3, steps=2), batches(folder)[4:])
    (ours, labels), *_ = shards.evaluation_batches("test", 24)
    (theirs, same), *_ = folder.evaluation_batches("test", 24)
    assert torch.equal(ours, theirs) and torch.equal(labels, same)


@pytest.mark.slow
def test_an_index_counts_shards_as_they_are_found_again(image_tree, tmp_path):
    """By name: x-10 comes before x-2. An index that counted them as written was of other images."""
    tree = image_tree(size=(400, 300), suffix="png", each=40)
    classes, *splits = class_folders(tree)
    names = write_shards(tmp_path / "s", "%d.tar", classes, dict(zip(("train", "test"), splits)), 1)
    assert len(names["train"]) > 10
    folder, shards = load(tree, tmp_path), load(tmp_path / "s", tmp_path, SHARDS)
    assert shards.fingerprint == folder.fingerprint
    assert_same(batches(shards), batches(folder))
    assert not list(tmp_path.rglob("*shards-*.pt"))  # the one beside the shards was believed


def test_how_the_images_are_dealt_out_to_shards_changes_nothing(tree, tmp_path):
    """Here by the library's own writer, two images a shard, in reverse."""
    _, train, test = class_folders(tree)
    root = tmp_path / "theirs"
    root.mkdir()
    for name, images in (("imagenet-train", train), ("imagenet-validation", test)):
        with webdataset.ShardWriter(f"{root}/{name}-%d.tar", maxcount=7, verbose=0) as writer:
            for i in reversed(range(len(images.labels))):
                sample = {
                    "__key__": f"n{i:03}",
                    "jpeg": images.read(i),
                    "cls": int(images.labels[i]),
                }
                writer.write(sample | {"json": {"i": i}})
    theirs = load(root, tmp_path, SHARDS)
    assert len([*root.glob("*train*.tar")]) == 4
    assert theirs.classes == ["0", "1"]
    assert_same(batches(theirs), batches(load(tree, tmp_path)))


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # of the library
def test_webdataset_reads_what_was_packed_shuffled(packed, tree):
    shards = str(packed / "train-0000.tar")
    reader = webdataset.WebDataset(shards, shardshuffle=False, empty_check=False)
    samples = list(reader.decode("pil").to_tuple("__key__", "jpg", "cls"))
    assert [key for key, _, _ in samples] != sorted(key for key, _, _ in samples)
    paths = class_folders(tree)[1].paths
    for key, image, label in samples:
        path = paths[int(key)]
        assert label == ["cat", "dog"].index(path.parent.name)
        assert np.array_equal(np.asarray(image), np.asarray(Image.open(path).convert("RGB")))
    assert len(samples) == 24


def test_packing_twice_gives_the_same_bytes(packed, tree, tmp_path):
    classes, train, test = class_folders(tree)
    splits = {"train": train, "test": test}
    write_shards(tmp_path / "again", "%04d.tar", classes, splits, megabytes=1)
    for tar in packed.glob("*.tar"):
        assert tar.read_bytes() == (tmp_path / "again" / tar.name).read_bytes()


@pytest.mark.slow
def test_a_run_on_shards_is_the_run_on_the_folder(resx, tree, packed, tmp_path):
    """The same records."""
    tiny = ("data.image_size=64", "data.workers=0", "depth=18", "model.width=2", "data.name=tiny",
            "recipe.batch_size=8", "recipe.record_every=2", "recipe.eval_every=4",
            "recipe.warmup=none", "recipe.milestones=[]")  # fmt: skip
    found = []
    for name, data, root in (("a", "imagenet", tree), ("b", "shards", packed)):
        answer = resx("train", f"data={data}", f"data.root={root}", *tiny, "recipe.steps=4",
                      f"outputs={name}", "data.classes=2")  # fmt: skip
        assert answer.code == 0, answer.err
        (file,) = (tmp_path / name).glob("runs/*/*/*/metrics.jsonl")
        records = [json.loads(line) for line in file.read_text().splitlines()]
        found.append([{k: v for k, v in r.items() if k != "seconds"} for r in records])
    assert found[0] == found[1] and len(found[0]) > 3


def _cut(tar):
    os.truncate(tar, tar.stat().st_size // 2 // 512 * 512)


def _cut_after_a_member(tar):
    """Where a reader that takes the end of the file for the end of the tar sees nothing amiss."""
    with tarfile.open(tar) as archive:
        place = archive.getmembers()[-2].offset
    os.truncate(tar, place)


def _spoil_a_header(tar):
    content = bytearray(tar.read_bytes())
    start = content.index(b".jpg", len(content) // 2) // 512 * 512
    content[start + 10] ^= 255
    tar.write_bytes(content)


def _with_cls(content):
    def spoil(tar):
        with webdataset.TarWriter(str(tar)) as writer:
            sample = {"__key__": "a", "jpg": Image.new("RGB", (80, 80))}
            writer.write(sample | ({} if content is None else {"cls": content}))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_cut, "train-0000.tar: no readable tar ("),
        (_cut_after_a_member, "train-0000.tar: no readable tar (damaged or cut short after"),
        (_spoil_a_header, "train-0000.tar: no readable tar (damaged or cut short after"),
        (lambda tar: tar.write_bytes(b"no tar" * 1000), "train-0000.tar: no readable tar ("),
        (lambda tar: tar.write_bytes(b""), "train-0000.tar: no readable tar ("),
        (lambda tar: tar.unlink(), "no shards of 'train' in it"),
        (_with_cls(None), "train-0000.tar: a has no class (a.cls)"),
        (_with_cls(b"cat"), "train-0000.tar: a.cls holds no number of a class"),
        (_with_cls(b"7"), "classnames.txt: names 2 classes; the shards have 8"),
    ],
)
def test_damaged_shards_are_refused_in_one_line(resx, packed, spoil, message):
    spoil(packed / "train-0000.tar")
    settings = ("data.image_size=64", "depth=18", "data.workers=0")
    assert_refused(resx("train", "data=shards", f"data.root={packed}", *settings), message)


def test_a_damaged_image_is_named_with_its_shard(packed, tmp_path):
    content = bytearray((packed / "train-0000.tar").read_bytes())
    start = content.index(b"\xff\xd8")
    content[start : start + 100] = bytes(100)
    index = (packed / "index.pt").stat()
    (packed / "train-0000.tar").write_bytes(content)
    os.utime(packed / "index.pt", (index.st_atime + 60, index.st_mtime + 60))
    with pytest.raises(RequestError, match=r"^\S+train-0000\.tar: \d\d: not a readable image"):
        batches(load(packed, tmp_path, SHARDS, normalize="given", mean=[0.5] * 3, std=[1.0] * 3))


@pytest.mark.parametrize("where", ["index.pt", "cache"])
def test_shards_are_looked_through_once(packed, tmp_path, monkeypatch, where):
    if where == "cache":
        (packed / "index.pt").unlink()
        load(packed, tmp_path, SHARDS)
    expected = batches(load(packed, tmp_path, SHARDS))
    monkeypatch.setattr("resx.data.shard_index.scan", None)
    assert_same(batches(load(packed, tmp_path, SHARDS)), expected)


def test_shards_that_were_written_anew_are_looked_through_again(packed, tmp_path):
    before = load(packed, tmp_path, SHARDS)
    image = BytesIO()
    Image.new("RGB", (90, 70), "red").save(image, "JPEG")
    with webdataset.TarWriter(f"{packed}/test-0000.tar") as writer:
        for i in range(3):
            writer.write({"__key__": f"{i}", "jpg": image.getvalue(), "cls": 1})
    after = load(packed, tmp_path, SHARDS)
    assert (before.sizes["test"], after.sizes["test"]) == (24, 3)


def test_a_damaged_index_is_made_again(packed, tmp_path, caplog):
    expected = batches(load(packed, tmp_path, SHARDS))
    os.truncate(packed / "index.pt", 100)
    assert_same(batches(load(packed, tmp_path, SHARDS)), expected)
    assert "the shards are read again" in caplog.text


def test_small_images_are_refused(packed, resx):
    answer = resx("train", "data=shards", f"data.root={packed}", "data.image_size=32", "depth=20")
    assert_refused(answer, "data.image_size=32: shards are for 64 pixels and up")
