"""Inference on a few seeds: what their errors, losses and steps allow to say, and what not.

How often each of these is wrong, in simulation, is docs/statistics.md.
"""

from resx.inference.answer import Answer, Finding, Measure, Reason
from resx.inference.arms import Arm, Rules, numbers
from resx.inference.choice import Choice, best_setting, choose
from resx.inference.comparison import compare, compare_ratio
from resx.inference.convergence import Steps, median_steps, slower
from resx.inference.depth import FirstGap, degradation, falls_with_depth, first_gap
from resx.inference.intervals import (
    ErrorLocation,
    LogLocation,
    SignedMean,
    interval,
    signed_mean,
    unseen,
)
from resx.inference.overfitting import overfitting
from resx.inference.planning import seeds_for_errors, seeds_for_ratio
from resx.inference.ranking import Ranking, against_control, rank
from resx.inference.ranks import failures_p, is_exact, worst_rank_p

__all__ = [
    "Answer",
    "Arm",
    "Choice",
    "ErrorLocation",
    "Finding",
    "FirstGap",
    "LogLocation",
    "Measure",
    "Ranking",
    "Reason",
    "Rules",
    "SignedMean",
    "Steps",
    "against_control",
    "best_setting",
    "choose",
    "compare",
    "compare_ratio",
    "degradation",
    "failures_p",
    "falls_with_depth",
    "first_gap",
    "interval",
    "is_exact",
    "median_steps",
    "numbers",
    "overfitting",
    "rank",
    "seeds_for_errors",
    "seeds_for_ratio",
    "signed_mean",
    "slower",
    "unseen",
    "worst_rank_p",
]
