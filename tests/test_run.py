"""A run directory has one owner and whole records."""

import json

import pytest

from resx.errors import RequestError
from resx.store.run import Run


def test_a_second_owner_is_refused(tmp_path):
    run, other = Run(tmp_path / "run"), Run(tmp_path / "run")
    with run.locked():
        with pytest.raises(RequestError, match="is being trained by another process"):
            with other.locked():
                pass
    with other.locked():  # free again
        pass


def test_a_record_cut_short_by_a_kill_is_left_out_and_then_dropped(tmp_path):
    run = Run(tmp_path)
    for step in (1, 2, 3):
        run.record(step=step, split="train", error=0.5)
    with run.metrics.open("a") as file:
        file.write('{"step": 4, "spl')
    assert [r["step"] for r in run.records()] == [1, 2, 3]
    run.rewind(2)
    run.record(step=3, split="train", error=0.5)
    assert [json.loads(x)["step"] for x in run.metrics.read_text().splitlines()] == [1, 2, 3]


def test_a_half_written_summary_counts_as_none(tmp_path):
    run = Run(tmp_path)
    (tmp_path / "summary.json").write_text('{"status": "fin')
    assert run.read_summary() == {}
    assert not run.is_final()
    assert run.write_summary(status="finished") == {"status": "finished"}
    assert run.is_final()
