"""The questions that are simulated, and how often each may be answered wrongly."""

import numpy as np
from calibration_studies import (
    DIVERGES,
    FAILS,
    FLOOR,
    RULES,
    STRICT,
    Study,
    any_beyond_control,
    best_is_told,
    chosen_too_good,
    degrades,
    gap_at_deepest,
    gap_too_early,
    overfits,
    planned_enough,
    slower_with,
    told_apart,
)
from simulated_studies import network

EQUAL = np.full(10, 0.3)
ONE_WIDE = np.array([1.5] + [0.3] * 9)
RANGE = np.linspace(0.3, 1.5, 10)
DIP = (network(0.05), network(0.001), network(0.03), network(0.045))
DIGITS = (network(0.001, 0.5), network(0.03, 0.6), network(0.2, 0.8), network(0.6, 0.3))
STUDIES = [
    Study(
        "degradation",
        "four depths equal at 2 %",
        "rises",
        degrades((network(0.02),) * 4, STRICT),
        0.03,
    ),
    Study(
        "degradation", "four depths, all fail 1 in 3", "rises", degrades((FAILS,) * 4, STRICT), 0.03
    ),
    Study(
        "degradation",
        "four depths, all diverge 1 in 3",
        "rises",
        degrades((DIVERGES,) * 4, STRICT),
        0.03,
        takes_long=True,
    ),
    Study(
        "degradation",
        "2 %, the deepest always diverges",
        "rises",
        degrades((network(0.02),) * 3 + (network(0.02, diverges=1.0),)),
        takes_long=True,
    ),
    Study(
        "degradation",
        "four depths at the floor, equal losses",
        "rises",
        degrades((FLOOR,) * 4, STRICT),
        0.03,
    ),
    Study(
        "degradation",
        "four depths at chance",
        "rises",
        degrades((network(0.9, 0.02),) * 4, STRICT),
        0.03,
    ),
    Study("degradation", "0.1, 3, 20, 60 % (as digits)", "rises", degrades(DIGITS)),
    Study("degradation", "5, 0.1, 3, 4.5 %", "rises", degrades(DIP)),
    Study("first gap", "gap from 44 layers on", "claimed from 20 or 32", gap_too_early, 0.03),
    Study("first gap", "gap at 56 layers only", "claimed from 56", gap_at_deepest),
    Study(
        "over-fitting",
        "train 2 to 4 %, test 5 to 7 %",
        "yes",
        overfits((0.04, 0.07), (0.02, 0.05), STRICT),
        0.03,
    ),
    Study(
        "over-fitting",
        "train 5 to 40 %, test 8 to 43 %",
        "yes",
        overfits((0.4, 0.43), (0.05, 0.08), STRICT),
        0.03,
    ),
    Study(
        "over-fitting",
        "train 2 to 2.2 %, test 6 to 14 %",
        "yes",
        overfits((0.022, 0.14), (0.02, 0.06), RULES),
    ),
    Study("ranking", "ten equal settings", "any left out", told_apart(EQUAL), 0.05),
    Study("ranking", "ten equal, all fail 1 in 2", "any left out", told_apart(EQUAL, 0.5), 0.05),
    Study("ranking", "ten equal, all fail 1 in 5", "any left out", told_apart(EQUAL, 0.2), 0.05),
    Study(
        "ranking",
        "ten equal, one scatters 5 times as much",
        "any left out",
        told_apart(ONE_WIDE),
        0.05,
    ),
    Study("ranking", "ten equal, spreads 0.3 to 1.5", "any left out", told_apart(RANGE), 0.05),
    Study(
        "ranking",
        "one of ten has a tenth of the loss",
        "it alone is best",
        best_is_told,
        takes_long=True,
    ),
    Study("control", "ten equal settings", "any differs", any_beyond_control(EQUAL), 0.05),
    Study(
        "control",
        "ten equal, control scatters 5 times as much",
        "any differs",
        any_beyond_control(ONE_WIDE),
        0.05,
    ),
    Study("steps to 10 %", "equal", "slower", slower_with(1, 0, STRICT), 0.03),
    Study(
        "steps to 10 %",
        "equal, 3 in 10 never arrive",
        "slower",
        slower_with(1, 0.3, STRICT),
        0.03,
        takes_long=True,
    ),
    Study("steps to 10 %", "three times as many", "slower", slower_with(3, 0, RULES)),
    Study(
        "steps to 10 %",
        "three times as many, 1 in 10 never arrives",
        "slower",
        slower_with(3, 0.1, RULES),
        takes_long=True,
    ),
    Study("best of a grid", "five equal learning rates", "interval misses", chosen_too_good, 0.07),
    Study(
        "sample size",
        "4 and 2 %, first seeds cannot tell",
        "the fresh set answers",
        planned_enough,
        None,
        0.8,
    ),
]
