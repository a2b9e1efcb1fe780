import math

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from maskedteeth.pretext.masking import block_size, draw_masks
from maskedteeth.settings.config import Mask

PAPER = Mask()
HEIGHT, WIDTH = 64, 128


def draw(count, seed=0, mask=PAPER, height=HEIGHT, width=WIDTH):
    return draw_masks(mask, count, height, width, torch.Generator().manual_seed(seed))


def only(number):
    return Mask(fewest=number, most=number)


def ratios(masks):
    return masks.float().mean(dim=(1, 2, 3)).numpy().astype(np.float64)


def cover_of_one_block(height, width):
    """Chance of every pixel to lie in one block: the placements that reach it, counted."""
    block = block_size(PAPER, height, width)
    chances = []
    for side, length in zip((height, width), block, strict=True):
        reached = np.zeros(side)
        for start in range(side - length + 1):
            reached[start : start + length] += 1
        chances.append(reached / (side - length + 1))
    return np.outer(*chances)


@pytest.mark.parametrize(("height", "width"), [(256, 512), (64, 128), (128, 128), (300, 100)])
def test_a_block_has_the_radiographs_shape_and_15_percent_of_its_area(height, width):
    rows, columns = block_size(PAPER, height, width)
    assert rows * columns == pytest.approx(0.15 * height * width, rel=0.02)
    assert rows / columns == pytest.approx(height / width, rel=0.02)
    for mask in draw(20, mask=only(1), height=height, width=width)[:, 0].numpy():
        labels, pieces = ndimage.label(mask)
        box = ndimage.find_objects(labels)[0]
        assert pieces == 1
        assert mask[box].all() and mask[box].shape == (rows, columns)


def test_single_blocks_start_anywhere_with_equal_chance():
    rows, columns = block_size(PAPER, HEIGHT, WIDTH)
    single = draw(8000, mask=only(1))[:, 0]
    for axis, starts in ((2, HEIGHT - rows + 1), (1, WIDTH - columns + 1)):
        first = single.any(dim=axis).float().argmax(dim=1)
        counts = np.bincount(first.numpy(), minlength=starts)
        assert len(counts) == starts, "a block begins where it cannot fit"
        assert stats.chisquare(counts).pvalue > 1e-3


def test_every_number_of_blocks_from_2_to_5_is_equally_likely():
    # Mask of one pixel in a large radiograph hardly ever meet: hidden pixels are blocks.
    pixels = draw(2000, mask=Mask(area=1e-5), height=200, width=200).sum(dim=(1, 2, 3))
    counts = np.bincount(pixels.numpy())
    assert len(counts) == 6 and counts[:2].sum() <= 3
    assert stats.chisquare(counts[2:], np.full(4, counts[2:].sum() / 4)).pvalue > 1e-3


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_what_overlapping_blocks_hide_and_where_is_what_geometry_expects(number):
    drawn = draw(3000, seed=number, mask=only(number))
    expected = 1 - (1 - cover_of_one_block(HEIGHT, WIDTH)) ** number
    assert np.abs(drawn[:, 0].float().mean(0).numpy() - expected).max() < 2.5 / math.sqrt(3000)
    share = ratios(drawn)
    error = 4 * share.std() / math.sqrt(3000) + 1e-9
    assert share.mean() == pytest.approx(expected.mean(), abs=error)


def test_at_the_papers_size_375_permille_are_hidden_on_average():
    drawn = ratios(draw(1500, height=256, width=512))
    assert drawn.mean() == pytest.approx(0.375, abs=4 * drawn.std() / math.sqrt(1500))


def test_a_seed_means_the_same_blocks():
    assert torch.equal(draw(8, seed=1), draw(8, seed=1))
    assert not torch.equal(draw(8, seed=1), draw(8, seed=2))


@pytest.mark.parametrize(("size", "ratio"), [(16, 0.25), (16, 0.75), (8, 0.5)])
def test_patches_mask_the_same_share_of_every_radiograph_anywhere_on_their_grid(size, ratio):
    masks = draw(2000, mask=Mask(kind="patches", size=size, ratio=ratio))
    assert masks.shape == (2000, 1, HEIGHT, WIDTH) and (ratios(masks) == ratio).all()
    grid = masks[:, :, ::size, ::size]
    assert torch.equal(masks, grid.repeat_interleave(size, 2).repeat_interleave(size, 3))
    counts = grid.sum(dim=(0, 1)).flatten().numpy()
    expected = np.full(counts.shape, 2000 * ratio)
    # Every choice is equally likely: a patch's count has the variance of the hypergeometric.
    chi2 = ((counts - expected) ** 2 / expected).sum() / (1 - ratio)
    assert stats.chi2.sf(chi2, len(counts) - 1) > 1e-3


@pytest.mark.parametrize(("ratio", "seen"), [(0.25, 6), (0.5, 4), (0.01, 8)])
def test_of_each_two_by_two_patches_one_is_seen_but_for_those_masked_too(ratio, seen):
    masks = draw(2000, mask=Mask(kind="uniform", size=16, ratio=ratio))  # 4 rows, 8 columns
    grid = ~masks[:, 0, ::16, ::16]
    assert torch.equal(~masks[:, 0], grid.repeat_interleave(16, 1).repeat_interleave(16, 2))
    in_squares = grid.view(2000, 2, 2, 4, 2).sum(dim=(2, 4))
    assert in_squares.max() == 1 and (in_squares.sum(dim=(1, 2)) == seen).all()
    counts = grid.sum(dim=0).flatten().numpy()
    assert stats.chisquare(counts).pvalue > 1e-3


def test_patches_that_do_not_fit_are_cut_off_at_the_edge():
    masks = draw(50, mask=Mask(kind="patches", size=48, ratio=0.5))  # 2 rows, 3 columns
    for mask in masks[:, 0]:
        grid = mask[::48, ::48]
        assert grid.sum() == 3
        whole = grid.repeat_interleave(48, 0).repeat_interleave(48, 1)
        assert torch.equal(mask, whole[:HEIGHT, :WIDTH])


def test_without_a_mask_nothing_is_hidden():
    assert draw(3, mask=Mask(kind="none")).shape == (3, 1, HEIGHT, WIDTH)
    assert not draw(3, mask=Mask(kind="none")).any()
