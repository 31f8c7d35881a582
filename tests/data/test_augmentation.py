"""Augmentation is the paper's, in value and in law."""

import pytest
import torch

from resx.data.augmentation import CropAndFlip, Normalization, colour_noise, normalize
from resx.data.dataset import channel_statistics


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(1, 256, (5, 8, 8, 3), generator=generator, dtype=torch.uint8)


PER_CHANNEL = Normalization(torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.2, 0.3, 0.4]))


def cropped(augment, indices, seed, step):
    return augment(indices, augment.draw(len(indices), seed, step))


def test_without_padding_and_flip_it_only_normalises(images):
    augment = CropAndFlip(images, PER_CHANNEL, pad=0, flip=False)
    indices = torch.tensor([3, 0])
    assert torch.equal(cropped(augment, indices, 0, 1), normalize(images[indices], PER_CHANNEL))


def test_normalise_is_the_formula(images):
    expected = (images[0, 2, 3, 1].item() / 255 - 0.4) / 0.3
    assert normalize(images, PER_CHANNEL)[0, 1, 2, 3].item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("per_pixel", [True, False])
def test_rows_at_a_time_give_the_bits_of_pixels_at_a_time(images, per_pixel):
    mean, std = channel_statistics(images, per_pixel)
    expected = images.float().sub(255 * mean).div(255 * std).permute(0, 3, 1, 2)
    assert torch.equal(normalize(images, Normalization(mean, std)), expected)


def test_batches_are_channels_last(images):
    batch = cropped(CropAndFlip(images, PER_CHANNEL, pad=2, flip=True), torch.arange(5), 0, 1)
    assert batch.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("per_pixel", [True, False])
def test_a_crop_is_a_window_of_the_normalised_padded_image_or_of_its_mirror(images, per_pixel):
    """The paper subtracts the per-pixel mean before it pads and crops (Sec. 4.2)."""
    normalization = channel_statistics(images, per_pixel)
    padded = torch.nn.functional.pad(normalize(images, normalization), (2, 2, 2, 2))
    augment = CropAndFlip(images, normalization, pad=2, flip=True)
    seen = set()
    for step in range(20):
        for image, crop in zip(padded, cropped(augment, torch.arange(5), 0, step)):
            windows = {
                (y, x, flip): window.flip(-1) if flip else window
                for y in range(5)
                for x in range(5)
                for window in [image[:, y : y + 8, x : x + 8]]
                for flip in (False, True)
            }
            found = [k for k, w in windows.items() if torch.allclose(w, crop, atol=1e-5)]
            assert len(found) == 1
            seen.add(found[0])
    assert len(seen) > 35  # of 50 windows, in 100 draws
    assert {flip for _, _, flip in seen} == {False, True}


def test_a_mirrored_border_is_the_image_itself(images):
    """As torch pads by reflection, before any crop (Zagoruyko's code)."""
    normalization = channel_statistics(images, per_pixel=True)
    whole = normalize(images, normalization)
    padded = torch.nn.functional.pad(whole, (3, 3, 3, 3), mode="reflect")
    augment = CropAndFlip(images, normalization, pad=3, flip=False, padding="reflect")
    for step in range(10):
        for image, crop in zip(padded, cropped(augment, torch.arange(5), 0, step)):
            windows = image.unfold(1, 8, 1).unfold(2, 8, 1).permute(1, 2, 0, 3, 4)
            same = (windows - crop).abs().amax((2, 3, 4)) < 1e-5
            assert same.sum() == 1


def test_what_is_drawn_is_a_function_of_seed_and_step(images):
    augment = CropAndFlip(images, PER_CHANNEL, pad=4, flip=True)
    indices = torch.arange(5)
    assert torch.equal(cropped(augment, indices, 1, 7), cropped(augment, indices, 1, 7))
    assert not torch.equal(cropped(augment, indices, 1, 7), cropped(augment, indices, 1, 8))
    assert not torch.equal(cropped(augment, indices, 1, 7), cropped(augment, indices, 2, 7))


def test_statistics_make_training_images_standard(images):
    standard = normalize(images, channel_statistics(images, per_pixel=False))
    assert torch.allclose(standard.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(standard.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-4)
    centred = normalize(images, channel_statistics(images, per_pixel=True))
    assert torch.allclose(centred.mean(0), torch.zeros(3, 8, 8), atol=1e-5)
    assert centred.std(correction=0).item() == pytest.approx(1, abs=1e-4)


def test_colour_noise_shifts_all_pixels_of_an_image_alike():
    """Along the components' directions, a tenth of their deviation (Krizhevsky 2012, 4.1)."""
    grey = torch.full((2000, 2, 2, 3), 128, dtype=torch.uint8)
    shift = (colour_noise(grey, 0, 1) - 128) / 255
    assert torch.allclose(shift, shift[:, :1, :1].expand_as(shift))
    # variance of the red shift: sum over components of (0.1 * deviation * red part) squared
    expected = 0.01 * sum(
        (s * r) ** 2 for s, r in zip((0.2175, 0.0188, 0.0045), (-0.5675, 0.7192, 0.4009))
    )
    assert shift[:, 0, 0, 0].var().item() == pytest.approx(expected, rel=0.1)
