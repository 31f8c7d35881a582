"""A run directory has one owner and whole records, and nothing is touched that is not the run's."""

import json
import os

import pytest

from resx.errors import BusyError, RequestError
from resx.store.files import EVENTS
from resx.store.parsing import parsed
from resx.store.run import Run
from resx.store.store import Store, run_directories
from resx.store.summary import Score, Status, Summary


@pytest.fixture
def run(tmp_path):
    directory = tmp_path / "outputs" / "runs" / "digits" / "resnet-8-plain" / "s0-abc"
    directory.mkdir(parents=True)
    return Run(directory, tmp_path / "outputs")


def test_a_second_owner_is_refused(run):
    other = Run(run.directory)
    with run.locked():
        assert run.status is Status.RUNNING
        with pytest.raises(BusyError, match=r"is being trained by process \d+ on "):
            with other.locked():
                pass
    with other.locked():  # free again
        pass


def test_a_record_cut_short_by_a_kill_is_left_out_and_then_dropped(run):
    for step in (1, 2, 3):
        run.record(step=step, split="train", loss=1.0, error=0.5)
    with run.records_path.open("a") as file:
        file.write('{"step": 4, "spl')
    assert [r["step"] for r in run.whole_records()[0]] == [1, 2, 3]
    run.rewind(2)
    run.record(step=3, split="train", loss=1.0, error=0.5)
    assert [json.loads(x)["step"] for x in run.records_path.read_text().splitlines()] == [1, 2, 3]


def test_a_half_written_summary_is_damage_and_counts_as_none(run):
    (run.directory / "summary.json").write_text('{"status": "fin')
    assert run.summary == Summary()
    assert run.status is Status.DAMAGED
    with run.locked():
        assert run.status is Status.RUNNING  # whoever trains it repairs it
    run.write_summary(Summary(status=Status.INTERRUPTED))
    assert run.status is Status.INTERRUPTED


def test_a_run_that_died_is_interrupted(run):
    run.write_summary(Summary(status=Status.RUNNING))
    assert run.status is Status.INTERRUPTED


def test_clearing_takes_the_runs_files_alone_and_its_analyses(run):
    for name in ("summary.json", "metrics.jsonl", "checkpoint.pt", f"{EVENTS}1", "train.log"):
        (run.directory / name).write_text("x")
    folder = run.analysis("responses")
    for name in ("rows.csv", f"{EVENTS}2"):
        (folder / name).write_text("x")
    run.snapshot(64).write_text("x")
    with run.locked():
        run.clear()
    left = {p.name for p in run.directory.rglob("*") if p.is_file()}
    assert left <= {"train.log", ".lock"}


def test_snapshots_are_found_by_step_and_no_link_is_one(run, tmp_path):
    for step in (1000000, 64, 0):
        run.snapshot(step).write_text("x")
    (tmp_path / "elsewhere.pt").write_text("x")
    run.snapshot(5).symlink_to(tmp_path / "elsewhere.pt")
    (run.directory / "snapshots" / "notes.pt").write_text("x")
    assert list(run.snapshots()) == [0, 64, 1000000]
    assert run.snapshots()[64].name == "step-000064.pt"
    with run.locked():
        run.clear()
    assert {p.name for p in (run.directory / "snapshots").iterdir()} == {
        "step-000005.pt",
        "notes.pt",
    }
    assert (tmp_path / "elsewhere.pt").exists()


def test_an_analysis_is_not_written_through_a_link(run, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "rows.csv").write_text("x")
    (run.directory / "analyses").mkdir()
    (run.directory / "analyses" / "responses").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RequestError, match="is a link"):
        run.analysis("responses")
    with run.locked():
        run.clear()
    assert (tmp_path / "elsewhere" / "rows.csv").exists()


def test_a_directory_with_anything_else_is_moved_aside_whole(run, caplog):
    (run.directory / "summary.json").write_text("x")
    (run.directory / "thesis.tex").write_text("years of work")
    with run.locked():
        run.clear()
    (aside,) = (run.outputs / "aside").iterdir()
    assert (aside / "thesis.tex").read_text() == "years of work"
    assert "not only a run's files (thesis.tex" in caplog.text
    assert list(Store(run.outputs).runs()) == []


LINKS = (
    "snapshots",
    "metrics.jsonl",
    "summary.json",
    "train.log",
    ".lock",
    "checkpoint.pt",
    ".hydra",
)


@pytest.mark.parametrize("name", LINKS)
def test_a_link_in_a_run_directory_is_neither_written_through_nor_deleted(run, tmp_path, name):
    (tmp_path / "precious").write_text("precious")
    (run.directory / name).symlink_to(tmp_path / "precious")
    with pytest.raises(RequestError, match="is a link"):
        with run.locked():
            pass
    assert (tmp_path / "precious").read_text() == "precious"


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_run_directory_that_is_a_link_is_refused(run, tmp_path, level):
    """Or any folder on the way to it, below outputs/."""
    link = [run.directory, *run.directory.parents][level]
    (tmp_path / "elsewhere").mkdir()
    link.rename(tmp_path / "was")
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RequestError, match=f"{link.name} is a link"):
        with run.locked():
            pass
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_outputs_itself_may_be_a_link(run, tmp_path):
    (tmp_path / "short").symlink_to(tmp_path / "outputs")
    short = tmp_path / "short"
    with Run(short / run.directory.relative_to(tmp_path / "outputs"), short).locked():
        pass


def test_a_replaced_file_does_not_go_through_a_link(run, tmp_path):
    (tmp_path / "precious").write_text("precious")
    os.symlink(tmp_path / "precious", run.directory / "summary.json.tmp")
    run.write_summary(Summary(status=Status.FAILED))
    assert (tmp_path / "precious").read_text() == "precious"
    assert run.status is Status.FAILED


def test_what_lies_within_a_run_is_no_run(run):
    for folder in (run.directory, run.directory / "analyses" / "x", run.directory / ".hydra"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text("depth: 8")
        (folder / "summary.json").write_text("{}")
    assert list(run_directories(run.outputs)) == [run.directory]


@pytest.mark.parametrize("folder", ["reports", "studies", "aggregates"])
def test_other_folders_under_outputs_follow_no_link(run, tmp_path, folder):
    (tmp_path / "elsewhere").mkdir()
    (run.outputs / folder).symlink_to(tmp_path / "elsewhere")
    make = {"reports": "report", "studies": "study", "aggregates": "aggregates"}[folder]
    with pytest.raises(RequestError, match=f"{folder} is a link"):
        getattr(Store(run.outputs), make)("degradation")


def test_a_summary_comes_back_as_it_was():
    summary = Summary(
        status=Status.DIVERGED, images={"train": 9}, last={"test": Score(4, 0.5, 0.25)}
    )
    assert Summary.from_json(summary.to_json()) == summary


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ('"status": "perhaps"', "perhaps"),
        ('"last": []', "summary.last"),
        ('"last": {"test": {"step": 4, "loss": 1, "error": "low"}}', "summary.last.test.error"),
        ('"last": {"test": 3}', "summary.last.test"),
        ('"images": {"train": "many"}', "summary.images.train"),
        ('"seconds": null', "summary.seconds"),
        ('"depth": true', "summary.depth"),
        ('"environment": 3', "summary.environment"),
    ],
)
def test_a_damaged_summary_is_named_by_its_field(change, place):
    with pytest.raises(ValueError, match=place):
        Summary.from_json('{"status": "finished", ' + change + "}")


@pytest.mark.parametrize("text", ["null", "[]", "3", "{}", ""])
def test_what_is_no_summary_is_refused(text):
    with pytest.raises(ValueError, match=r"no summary|no JSON object|Expecting value"):
        Summary.from_json(text)


def test_a_configuration_that_differs_in_the_seed_alone_is_parsed_right():
    text = "depth: 8\nseed: 3\ndata:\n  seed: 5\n"
    assert parsed(text) == {"depth": 8, "seed": 3, "data": {"seed": 5}}
    assert parsed(text.replace("seed: 3", "seed: 12")) == {"depth": 8, "seed": 12} | {
        "data": {"seed": 5}
    }
    assert list(parsed(text)) == ["depth", "seed", "data"]
    assert parsed("depth: 8\n") == {"depth": 8}
