"""Task `numbering`: which of the 32 teeth a pixel is of, or of none (section 5, future work)."""

import torch
from torch import Tensor

from maskedteeth.data.teeth import UNNUMBERED, refuse_unnumbered
from maskedteeth.metrics import numbering

measure = numbering.measure


def target_of(labels: Tensor) -> Tensor:
    """Return labels, uint8 (N, H, W), as they are.

    Raises:
        InputError: they have no number.
    """
    refuse_unnumbered(labels, "train")
    return labels


def loss(logits: Tensor, target: Tensor, dice_weight: float, ce_weight: float) -> Tensor:
    """Weighted sum of Dice loss and cross-entropy over classes.

    As in nnU-Net (Isensee et al. 2021, doi 10.1038/s41592-020-01008-z), each tooth's Dice is of all
    pixels of the batch together, and the background has none. The Dice loss is 1 minus the mean
    over the teeth that the batch shows; what is predicted of others costs cross-entropy. The
    cross-entropy is the mean over pixels. A tooth of unknown number is any tooth: there it is minus
    the logarithm of the teeth's probability together (the marginal loss of Shi et al. 2021, doi
    10.1016/j.media.2021.101979), and no tooth's Dice counts these pixels.

    Args:
        logits: float (B, 33, H, W), before the softmax.
        target: float (B, 1, H, W), labels: 0, 1 to 32, or 99.
        dice_weight: of the Dice loss.
        ce_weight: of the cross-entropy.

    Returns:
        float scalar, computed in float32.
    """
    logged = torch.log_softmax(logits.float(), dim=1)
    teeth, unnumbered = logged[:, 1:], target == UNNUMBERED
    # Masks and sums, for on CUDA the gradient of picking classes by index is not deterministic.
    truth = target == torch.arange(1, logits.shape[1], device=target.device).view(1, -1, 1, 1)
    right = torch.where(target == 0, logged[:, :1], (teeth * truth).sum(1, keepdim=True))
    right = torch.where(unnumbered, teeth.logsumexp(1, keepdim=True), right)

    pixels, probability = (0, 2, 3), teeth.exp() * ~unnumbered
    size = truth.sum(pixels)
    dice = 2 * (probability * truth).sum(pixels) / (probability.sum(pixels) + size).clamp(min=1)
    shown = size > 0
    dice_loss = ((1 - dice) * shown).sum() / shown.sum().clamp(min=1)
    return dice_weight * dice_loss - ce_weight * right.mean()


def probabilities(logits: Tensor) -> Tensor:
    """Return the probabilities of the classes, float (B, 33, H, W), of logits."""
    return torch.softmax(logits, dim=1)


def read(probability: Tensor) -> tuple[Tensor, Tensor]:
    """Read what :func:`probabilities` returned.

    Returns:
        The probability of tooth, float (B, H, W): that of no background; and the number of the most
        likely tooth, uint8 (B, H, W), 1 to 32.
    """
    return 1 - probability[:, 0], (probability[:, 1:].argmax(dim=1) + 1).byte()
