"""SSIM, FSIM, LPIPS and L1 between radiographs and their reconstructions (appendix C).

Each over the whole radiograph, as the paper has them, and over the masked pixels alone: the mean
of the same map of values, restricted to the masked pixels.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from maskedteeth.torchvision_shim import import_torchvision

import_torchvision()
# PIQ's own `fsim` gives the mean over all pixels alone, hence its parts for that over the masked.
from piq.fsim import _construct_filters, _phase_congruency  # noqa: E402 (imports torchvision)
from piq.functional import (  # noqa: E402
    gaussian_filter,
    gradient_map,
    scharr_filter,
    similarity_map,
)

METRICS = ("ssim", "lpips", "fsim", "l1")
#: The same over the masked pixels alone.
MASKED = tuple(f"{metric}_masked" for metric in METRICS)

#: Side and standard deviation of SSIM's Gaussian window, in pixels, and its constants (K L)².
WINDOW, SIGMA, C1, C2 = 11, 1.5, 0.01**2, 0.03**2
#: FSIM's constants for phase congruency and for gradients of grey values up to 255.
T1, T2 = 0.85, 160


class Reference:
    """Unmasked radiographs; what depends on them alone is computed once for many reconstructions.

    Args:
        xray: float32 (B, 1, H, W) in [0, 1].
        hidden: bool (B, 1, H, W), True = masked.
        lpips_network: ``lpips.LPIPS`` with AlexNet's weights, or None to leave LPIPS out.
    """

    def __init__(self, xray: Tensor, hidden: Tensor, lpips_network: nn.Module | None):
        self.xray, self.hidden = xray, hidden.to(xray.dtype)
        # SSIM and FSIM look at a smaller copy from 384 pixels on, as their authors do; there a
        # pixel counts as much as it is masked.
        self.shrink = max(1, round(min(xray.shape[-2:]) / 256))
        self.small, self.small_hidden = self._shrunk(self.xray), self._shrunk(self.hidden)
        self.moments = _local_moments(self.small)
        self.structure = _phase_and_gradient(self.small)
        self.network = lpips_network
        self.features = self._features(xray) if lpips_network is not None else []

    def measure(self, generated: Tensor) -> dict[str, list[float]]:
        """Measure reconstructions, a radiograph at a time.

        Args:
            generated: float32 (B, 1, H, W) in [0, 1].

        Returns:
            A float a radiograph for each of METRICS: ssim (eq. 6, 11 × 11 Gaussian window, without
            the border of 5 pixels that it does not fit into), lpips (eq. 7, AlexNet; NaN without
            its network), fsim (eq. 8, on grey), l1 (eq. 1). Data range is 1.

            And for each of MASKED, NaN where no pixel (of those with a window) is masked:
            ssim_masked, lpips_masked and l1_masked are means over the masked pixels, of the
            SSIM of the windows around them, of LPIPS' map (each layer's, scaled up bilinearly to
            H × W as ``lpips.LPIPS(spatial=True)`` does) and of the differences; fsim_masked is
            eq. 8 with both of its sums over the masked pixels. Windows, filters and layers reach
            beyond a pixel, so near a mask's edge visible pixels have a say too.
        """
        small = self._shrunk(generated)
        maps = {"ssim": self._ssim(small), "l1": (generated - self.xray).abs()}
        values = {name: _mean(found) for name, found in maps.items()}
        border = WINDOW // 2
        inside = self.small_hidden[..., border:-border, border:-border]
        values["ssim_masked"] = _mean(maps["ssim"], inside)
        values["l1_masked"] = _mean(maps["l1"], self.hidden)

        similarity, weight = self._fsim(small)
        values["fsim"] = _mean(similarity, weight)
        values["fsim_masked"] = _mean(similarity, weight * self.small_hidden)

        if self.network is None:
            values["lpips"] = values["lpips_masked"] = torch.full_like(values["l1"], torch.nan)
        else:
            layers = self._lpips(generated)
            values["lpips"] = sum(_mean(layer) for layer in layers)
            size = self.xray.shape[-2:]
            scaled = sum(functional.interpolate(x, size, mode="bilinear") for x in layers)
            values["lpips_masked"] = _mean(scaled, self.hidden)
        return {name: values[name].tolist() for name in (*METRICS, *MASKED)}

    def _shrunk(self, images: Tensor) -> Tensor:
        return functional.avg_pool2d(images, self.shrink) if self.shrink > 1 else images

    def _ssim(self, generated: Tensor) -> Tensor:
        """SSIM of every window, (B, 1, H - 10, W - 10): row 0 is that around the pixel in row 5."""
        mean_x, variance_x = self.moments
        mean_y, variance_y = _local_moments(generated)
        covariance = _blurred(self.small * generated) - mean_x * mean_y
        luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
        return luminance * (2 * covariance + C2) / (variance_x + variance_y + C2)

    def _fsim(self, generated: Tensor) -> tuple[Tensor, Tensor]:
        """Similarity of every pixel and its weight, the larger phase congruency, (B, 1, H, W)."""
        phase_x, gradient_x = self.structure
        phase_y, gradient_y = _phase_and_gradient(generated)
        similarity = similarity_map(phase_x, phase_y, T1)
        similarity = similarity * similarity_map(gradient_x, gradient_y, T2)
        return similarity, torch.maximum(phase_x, phase_y)

    def _lpips(self, generated: Tensor) -> list[Tensor]:
        """Weighted squared differences of every layer's features, (B, 1, h, w) each."""
        pairs = zip(self.network.lins, self.features, self._features(generated), strict=True)
        return [weigh((x - y) ** 2) for weigh, x, y in pairs]

    def _features(self, images: Tensor) -> list[Tensor]:
        from lpips import normalize_tensor

        colours = images.expand(-1, 3, -1, -1) * 2 - 1  # AlexNet wants three channels in [-1, 1]
        layers = self.network.net(self.network.scaling_layer(colours))
        return [normalize_tensor(layer) for layer in layers]


def _mean(values: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean of (B, 1, H, W) over all but the first axis; NaN where all weights are 0."""
    if weights is None:
        return values.mean(dim=(1, 2, 3))
    return (values * weights).sum(dim=(1, 2, 3)) / weights.sum(dim=(1, 2, 3))


def _blurred(images: Tensor) -> Tensor:
    window = gaussian_filter(WINDOW, SIGMA, device=images.device, dtype=images.dtype)
    return functional.conv2d(images, window.unsqueeze(0))


def _local_moments(images: Tensor) -> tuple[Tensor, Tensor]:
    mean = _blurred(images)
    return mean, _blurred(images**2) - mean**2


def _phase_and_gradient(images: Tensor) -> tuple[Tensor, Tensor]:
    """Phase congruency and gradient magnitude, (B, 1, H, W) each, by PIQ."""
    grey = images * 255
    filters = _construct_filters(grey)
    # One at a time: a radiograph has 16 complex responses, and those of several leave the cache.
    phase = torch.cat([_phase_congruency(one, filters) for one in grey.split(1)])
    scharr = scharr_filter(device=grey.device, dtype=grey.dtype)
    kernels = torch.stack([scharr, scharr.transpose(-1, -2)])
    return phase, gradient_map(grey, kernels)
