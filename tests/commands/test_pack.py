"""Packing writes all shards or none."""

import subprocess
import sys

import pytest

from tests.commands.answers import assert_refused


def test_a_folder_is_packed_and_trained_on(resx, image_tree):
    root = image_tree(size=(90, 70), suffix="jpg")
    answer = resx("pack", "data=folder", f"data.root={root}", "file=shards")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines() == [
        "shards/train-000000.tar: 12 images of 2 classes",
        "shards/test-000000.tar: 12 images of 2 classes",
        "resx train data=shards data.root=shards",
    ]


def test_a_pattern_names_the_shards(resx, image_tree, tmp_path):
    root = image_tree(size=(400, 300), suffix="png")
    settings = (f"data.root={root}", "file=here/train-set-%02d.tar", "megabytes=1")
    assert resx("pack", "data=imagenet", *settings).code == 0
    names = sorted(path.name for path in (tmp_path / "here").iterdir())
    shards = [f"train-set-{split}-{n:02}.tar" for split in ("test", "train") for n in range(4)]
    assert names == ["classnames.txt", "index.pt", *shards]
    answer = resx("train", "data=shards", "data.root=here", "data.image_size=64", "depth=18")
    assert_refused(answer, "recipe.batch_size=256: more than the 12 training images")


@pytest.mark.slow
def test_requests_that_cannot_be_packed(resx, image_tree, tmp_path):
    root = f"data.root={image_tree()}"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    (tmp_path / "stopped.part").mkdir()
    for arguments, message in (
        (("data=digits", "file=x"), "data=digits: only class folders are packed"),
        (("data=folder", "file=x"), "data.root=null: name the folder"),
        (("data=folder", root), "name the folder to write: file=DIRECTORY"),
        (("data=folder", root, "file=x", "depth=20"), "depth: images are packed as they are"),
        (("data=folder", root, "file=x", "data.subset=4"), "data.subset: images are packed as"),
        (("data=folder", root, "file=x-%s.tar"), "file=x-%s.tar: a pattern has one number"),
        (("data=folder", root, "file=x.tar"), "file=x.tar: a pattern has one number"),
        (("data=folder", root, "file=full"), "file=full: is there already"),
        (("data=folder", root, "file=stopped"), "stopped.part: another packing writes it"),
        (("data=folder", root, "file=x", "megabytes=0"), "megabytes=0"),
        (("data=folder", "data.root=nowhere", "file=x"), "data.root=nowhere: no such folder"),
    ):
        assert_refused(resx("pack", *arguments), message)
    assert not (tmp_path / "x").exists()


def test_without_the_library_it_is_named(resx, image_tree, monkeypatch):
    monkeypatch.delitem(sys.modules, "resx.commands.pack", raising=False)
    monkeypatch.delitem(sys.modules, "resx.data.packing", raising=False)
    monkeypatch.setitem(sys.modules, "webdataset", None)
    answer = resx("pack", "data=folder", f"data.root={image_tree()}", "file=x")
    assert_refused(answer, "webdataset is not installed; pip install webdataset")


@pytest.mark.slow
def test_a_full_disk_is_said_and_leaves_nothing(resx, image_tree, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]).returncode:
        pytest.skip("cannot mount")
    try:
        root = image_tree(size=(400, 300))
        answer = resx("pack", "data=folder", f"data.root={root}", f"file={disk}/shards")
        assert_refused(answer, "the disk is full")
        assert not [*disk.iterdir()]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
