"""Steps to an error count runs that never get there, and an exponential curve has one rate."""

import numpy as np
import pytest

from resx.analyses.analysis import ClaimVerdict
from resx.analyses.convergence import _verdict, convergence, local_rates
from resx.experiment import open_run
from resx.inference import Answer, Finding, Measure, Reason
from resx.store.summary import Status


def test_an_exponential_curve_has_its_rate_everywhere():
    steps = np.arange(0, 200, 10)
    assert local_rates(steps, 3 * np.exp(-0.02 * steps)) == pytest.approx(0.02)
    assert len(local_rates(steps[:4], steps[:4] + 1)) == 0


def test_a_record_without_a_finite_loss_is_left_out():
    steps = np.arange(0, 200, 10)
    losses = np.exp(-0.02 * steps)
    losses[3], losses[7] = np.nan, 0
    assert local_rates(steps, losses) == pytest.approx(0.02)


def test_the_step_is_that_of_the_first_record_at_the_error(resx, tiny, only_run):
    assert resx("train", *tiny).code == 0
    records = [
        {"step": s, "split": "train", "error": e, "loss": e}
        for s, e in ((2, 0.9), (4, 0.4), (6, 0.6), (8, 0.05))
    ]
    run = open_run(only_run())
    run.records_path.unlink()
    for record in records:
        run.record(**record)
    run.write_summary(run.summary)  # knows the records by their checksum
    rows = convergence([run.experiment()]).rows.set_index("threshold")["reached"]
    assert (rows[0.5], rows[0.3], rows[0.1]) == (4, 8, 8)
    assert np.isnan(rows[0.01])


def test_a_run_that_has_not_ended_may_arrive_yet(resx, tiny, only_run):
    assert resx("train", *tiny).code == 0
    run = open_run(only_run())
    ours = run.experiment()
    run.write_summary(run.summary.but(status=Status.INTERRUPTED))
    with pytest.raises(ValueError, match="interrupted at step 12; finish it"):
        convergence([ours])


def test_a_run_that_diverged_never_arrives_and_needs_no_weights(resx, tiny, tmp_path):
    """Once it was refused for its weights, which nobody reads."""
    assert resx("train", "-m", *tiny, "depth=8,14").code == 0
    (deep,) = tmp_path.glob("outputs/runs/*/resnet-14-*/s*")
    run = open_run(deep)
    run.write_summary(run.summary.but(status=Status.DIVERGED))
    for path in deep.glob("checkpoint*.pt"):
        path.unlink()
    answer = resx("analyze", "convergence", "runs='outputs/runs/*/*/s*'")
    assert answer.code == 0, answer.err
    assert "residual-14" in answer.out and "residual-8" in answer.out


@pytest.mark.parametrize(
    ("plain", "residual", "verdict"),
    [
        ("yes", "no", ClaimVerdict.CONFIRMED),
        ("yes", "yes", ClaimVerdict.NOT_CONFIRMED),
        ("yes", "cannot tell", ClaimVerdict.LIMITED),
        ("no", "no", ClaimVerdict.NOT_CONFIRMED),
        ("cannot tell", "no", ClaimVerdict.CANNOT_TELL),
    ],
)
def test_the_verdict_wants_both_halves(plain, residual, verdict):
    answers = [
        Finding(Answer(a), Measure.STEPS, 1.5, Reason.INTERVAL, (3, 3)) for a in (plain, residual)
    ]
    assert _verdict(*answers) is verdict
