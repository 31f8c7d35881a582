"""I(X;Y) is never above H(X), and a residual connection can lose all of it."""

import numpy as np
import pytest

from resx.analyses.analysis import ClaimVerdict
from resx.analyses.information import information, mutual_information


def test_the_negation_loses_everything():
    finding = information([])
    known = finding.summary["I(X;Y)"]
    assert known["F(x) = -x"] == 0
    assert known["F(x) = 0"] == finding.summary["H(X)"] == pytest.approx(np.log2(5))
    assert (finding.rows["I(X;Y)"] <= finding.rows["H(X)"] + 1e-12).all()
    assert finding.rows["I(X;Y)"].tolist() == pytest.approx(finding.rows["H(Y)"].tolist())
    assert finding.verdict is ClaimVerdict.FALSE


def test_mutual_information_of_independent_and_of_equal_bits():
    x, y = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert mutual_information(x, y) == pytest.approx(0)
    assert mutual_information(x, 1 - x) == pytest.approx(1)
