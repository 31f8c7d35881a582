"""Errors and losses of a split, also of several views and of networks that are sure and wrong."""

import math

import pytest
import torch
from torch import nn

from resx.evaluation import evaluate


class Stated(nn.Module):
    """Logits that stand in the images: of each image the first three pixels."""

    def forward(self, images):
        return images.flatten(1)[:, :3]


def views(*logits):
    return torch.tensor(logits).reshape(1, len(logits), 1, 1, 3)


def test_the_loss_of_several_views_is_that_of_the_mean_probability():
    images = views([2.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    mean = torch.softmax(images.flatten(2)[0].double(), 1).mean(0)
    score = evaluate(Stated(), [(images, torch.tensor([1]))])
    assert score.loss == pytest.approx(-math.log(mean[1]), abs=1e-6)
    assert score.error == float(mean.argmax() != 1)


def test_a_network_that_is_sure_and_wrong_has_a_finite_loss():
    """exp(-300) is zero in float32: the mean of the probabilities has no logarithm."""
    images = views([300.0, 0.0, 0.0], [300.0, 0.0, 0.0])
    score = evaluate(Stated(), [(images, torch.tensor([1]))])
    assert score.loss == pytest.approx(300)
    assert score.error == 1


def test_top5_counts_five_and_the_mode_is_left_as_it_was():
    network = Stated().train()
    images = torch.tensor([[3.0, 2.0, 1.0], [1.0, 3.0, 2.0]]).reshape(2, 1, 1, 3)
    score = evaluate(network, [(images, torch.tensor([0, 0]))])
    assert (score.error, score.error_top5, score.images) == (0.5, 0.0, 2)
    assert network.training
