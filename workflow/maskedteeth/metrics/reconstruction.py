"""SSIM, FSIM, LPIPS and L1 between radiographs and their reconstructions (appendix C)."""

from torch import Tensor

METRICS = ("ssim", "lpips", "fsim", "l1")


def compare(generated: Tensor, xray: Tensor, lpips_network) -> dict[str, list[float]]:
    """Measure reconstructions, a radiograph at a time.

    Args:
        generated: float32 (B, 1, H, W) in [0, 1].
        xray: likewise, the unmasked radiographs.
        lpips_network: ``lpips.LPIPS`` with AlexNet's weights, or None to leave LPIPS out.

    Returns:
        ssim (eq. 6, 11 × 11 Gaussian window), fsim (eq. 8, on grey), l1 (eq. 1) and, unless left
        out, lpips (eq. 7, AlexNet): a float a radiograph. Data range is 1.
    """
    from maskedteeth.torchvision_shim import import_torchvision

    import_torchvision()
    import piq  # imports torchvision

    values = {
        "ssim": piq.ssim(generated, xray, data_range=1.0, reduction="none"),
        "fsim": piq.fsim(generated, xray, data_range=1.0, reduction="none", chromatic=False),
        "l1": (generated - xray).abs().mean(dim=(1, 2, 3)),
    }
    if lpips_network is not None:
        # The network wants three channels in [-1, 1].
        pair = [image.expand(-1, 3, -1, -1) * 2 - 1 for image in (generated, xray)]
        values["lpips"] = lpips_network(*pair).flatten()
    return {name: value.tolist() for name, value in values.items()}
