"""Odd and damaged files among the images are named, and the cache is decoded again."""

import os

import pytest
import torch

from resx.config.schema import DataConfig
from resx.data.loading import load_dataset
from resx.errors import RequestError


def load(tmp_path, target, **settings):
    config = DataConfig(name="x", source={"_target_": f"resx.data.{target}"}, **settings)
    return load_dataset(config, torch.device("cpu"), tmp_path / "cache", [])


def test_a_pipe_that_is_named_like_an_image_is_not_waited_for(tmp_path, image_tree):
    root = image_tree()
    os.mkfifo(root / "train" / "cat" / "x.png")
    with pytest.raises(RequestError, match=r"x\.png: no regular file"):
        load(tmp_path, "folder.folder", root=str(root), image_size=32)


def test_a_class_must_be_named_in_utf8_and_an_image_need_not(tmp_path, image_tree):
    root = image_tree()
    for split in ("train", "test"):
        (root / split / "cat" / "0.png").rename(root / split / "cat" / os.fsdecode(b"\xff.png"))
    assert load(tmp_path, "folder.folder", root=str(root), image_size=32).sizes["train"] == 12
    for split in ("train", "test"):
        (root / split / "cat").rename(root / split / os.fsdecode(b"c\xe4t"))
    with pytest.raises(RequestError, match=r"class folder 'c\\udce4t' is not named in UTF-8"):
        load(tmp_path, "folder.folder", root=str(root), image_size=32)


def _flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _save(images):
    return lambda path: torch.save({"images": images}, path)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_flip_a_bit, "fails its checksum; decoding again"),
        (lambda path: path.write_text("hello"), "not a checkpoint; decoding again"),
        (lambda path: (path.unlink(), os.mkfifo(path)), "no regular file; decoding again"),
        (_save(torch.zeros(12, 32, 32, 3)), "no images of bytes; decoding again"),
        (_save(torch.zeros(11, 32, 32, 3, dtype=torch.uint8)), "images for"),
        (_save([1, 2]), "no images of bytes; decoding again"),
    ],
)
def test_a_damaged_cache_is_decoded_again(tmp_path, image_tree, caplog, spoil, said):
    root = image_tree()
    whole = load(tmp_path, "folder.folder", root=str(root), image_size=32)
    path = next((tmp_path / "cache").glob("*-train-*.pt"))
    spoil(path)
    again = load(tmp_path, "folder.folder", root=str(root), image_size=32)
    assert said in caplog.text
    assert torch.equal(again.splits["train"].images, whole.splits["train"].images)
    caplog.clear()
    load(tmp_path, "folder.folder", root=str(root), image_size=32)
    assert caplog.text == ""  # it was mended
