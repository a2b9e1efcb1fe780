"""Mask R-CNN with a ResNet and a feature pyramid [18], torchvision's, by settings alone."""

import inspect
from collections import OrderedDict

import torch
from pydantic import create_model
from torch import Tensor, nn
from torch.nn import functional

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Model, Positive, Share, Strict
from maskedteeth.settings.validation import validate
from maskedteeth.torchvision_shim import compiler_left_out, import_torchvision

import_torchvision()
with compiler_left_out():
    from torchvision import models
    from torchvision.models.detection import MaskRCNN
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    from torchvision.models.detection.backbone_utils import BackboneWithFPN
    from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
    from torchvision.models.detection.image_list import ImageList
    from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
    from torchvision.models.detection.roi_heads import paste_masks_in_image

    from maskedteeth.models.operators import supply_operators

#: Networks whose levels a pyramid can take.
ENCODERS = models.list_models(models, include=("resnet*", "resnext*", "wide_resnet*"))
#: Own options, and what torchvision's MaskRCNN takes of boxes and proposals: shares and counts.
OPTIONS = {"width": Positive, "anchors": tuple[Positive, ...], "enlarge": Positive} | {
    name: Share if isinstance(parameter.default, float) else Positive
    for name, parameter in inspect.signature(MaskRCNN).parameters.items()
    if name.startswith(("rpn_", "box_")) and parameter.default is not None
}
Options = create_model(
    "Options", __base__=Strict, **{name: (kind, None) for name, kind in OPTIONS.items()}
)
#: Of the joined masks: instances that are at least so certain take part.
LEAST_SCORE = 0.5
#: Logits are of probabilities that are no nearer to 0 and 1.
NEAREST = 1e-6

Instances = dict[str, Tensor]


class ToothInstances(nn.Module):
    """Mask R-CNN; like other networks it also returns logits, of its instances' masks joined.

    Args:
        inputs: input channels.
        channels: logits a pixel. 1: all instances are of one class, tooth. More: the background's,
            and one for each class of instances.
        encoder: a ResNet of torchvision, by that library's name.
        width: channels of the feature pyramid and of the masks' layers, a quarter of those of the
            boxes' layers.
        anchors: sides of square anchors in pixels, on the pyramid's five levels from the finest.
        enlarge: factor by which radiographs are enlarged before, for a pixel of the finest level is
            four of theirs wide; anchors are of the enlarged ones.
        **options: further arguments of torchvision's ``MaskRCNN``.
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        encoder: str,
        width: int = 256,
        anchors: tuple[int, ...] = (32, 64, 128, 256, 512),
        enlarge: int = 1,
        **options: float,
    ):
        super().__init__()
        if len(anchors) != 5:
            raise ValueError(f"there are {len(anchors)} anchors for the five levels")
        supply_operators()
        self.classes, self.enlarge = max(1, channels - 1), enlarge
        body = models.get_model(encoder, weights=None)
        body.conv1 = nn.Conv2d(inputs, body.conv1.out_channels, 7, stride=2, padding=3, bias=False)
        widths = [body.inplanes // 2**level for level in (3, 2, 1, 0)]
        levels = {f"layer{level + 1}": str(level) for level in range(4)}
        shapes = ((0.5, 1.0, 2.0),) * len(anchors)
        self.detector = MaskRCNN(
            BackboneWithFPN(body, levels, widths, width, norm_layer=_normalisation),
            rpn_anchor_generator=AnchorGenerator(tuple((side,) for side in anchors), shapes),
            box_head=TwoMLPHead(width * 7**2, 4 * width),
            box_predictor=FastRCNNPredictor(4 * width, 1 + self.classes),
            mask_head=MaskRCNNHeads(width, (width,) * 4, 1, norm_layer=_normalisation),
            mask_predictor=MaskRCNNPredictor(width, width, 1 + self.classes),
            **options,
        )
        self.detector.transform = None  # radiographs are all of one size, and stay in [0, 1]

    def loss(self, inputs: Tensor, teeth: list[Instances]) -> Tensor:
        """Return the sum of Mask R-CNN's five losses; in training mode.

        Args:
            inputs: float (B, inputs, H, W) in [0, 1].
            teeth: of each radiograph boxes, float (N, 4): left, top, right, bottom, with left <
                right and top < bottom; labels, int64 (N,), classes from 1; masks, uint8 (N, H, W).
                N may be 0.

        Returns:
            float32 scalar.
        """
        _, losses = self._run(inputs, teeth)
        return torch.stack([*losses.values()]).sum()

    def detect(self, inputs: Tensor) -> list[Instances]:
        """Return what is found on each radiograph, the most certain first; in evaluation mode.

        Args:
            inputs: float (B, inputs, H, W) in [0, 1].

        Returns:
            boxes, float (N, 4); labels, int64 (N,), from 1; scores, float (N,) in [0, 1]; and
            masks, float (N, 1, H, W), probabilities.
        """
        found, _ = self._run(inputs)
        for one in found:
            one["boxes"] = one["boxes"] / self.enlarge
            one["masks"] = paste_masks_in_image(one["masks"], one["boxes"], inputs.shape[2:])
        return found

    def _run(self, inputs: Tensor, teeth: list[Instances] | None = None):
        """Return what is found, with small masks, and the losses; one of both is empty."""
        inputs = functional.interpolate(inputs, scale_factor=self.enlarge, mode="bilinear")
        teeth = teeth and [self._enlarged(one) for one in teeth]
        parts, images = self.detector, ImageList(inputs, [inputs.shape[2:]] * len(inputs))
        features = parts.backbone(inputs)
        # Places of boxes need more than the three decimal digits of bfloat16.
        with torch.autocast(inputs.device.type, enabled=False):
            features = OrderedDict((name, level.float()) for name, level in features.items())
            proposals, losses = parts.rpn(images, features, teeth)
            found, of_heads = parts.roi_heads(features, proposals, images.image_sizes, teeth)
        return found, losses | of_heads

    def _enlarged(self, teeth: Instances) -> Instances:
        masks = teeth["masks"]
        for axis in (1, 2):
            masks = masks.repeat_interleave(self.enlarge, axis)
        return teeth | {"boxes": teeth["boxes"] * self.enlarge, "masks": masks}

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (B, channels, H, W) of the joined masks; in evaluation mode.

        A pixel is as probably tooth as the mask that is most certain of it says, among instances of
        a score of at least 0.5; and so for each class, of which that mask's is the most probable.
        """
        return torch.stack([self._joined(one, inputs) for one in self.detect(inputs)])

    def _joined(self, found: Instances, inputs: Tensor) -> Tensor:
        certain = found["scores"] >= LEAST_SCORE
        likely = inputs.new_zeros(1 + self.classes, *inputs.shape[2:])
        for label, mask in zip(found["labels"][certain], found["masks"][certain, 0], strict=True):
            likely[label] = likely[label].maximum(mask)
        tooth = likely.amax(0)
        if self.classes == 1:
            return tooth.logit(NEAREST)[None]
        likely *= tooth / likely.sum(0).clamp(min=NEAREST)
        likely[0] = 1 - tooth
        return likely.clamp(min=NEAREST).log()


def _normalisation(width: int) -> nn.GroupNorm:
    """Normalise groups of eight channels: from random weights, heads hardly learn without."""
    return nn.GroupNorm(max(1, width // 8), width)


def build(model: Model, channels: int) -> ToothInstances:
    """Build the network that ``model`` describes, with random weights.

    Raises:
        InputError: torchvision cannot build it, or would ignore one of the options.
    """
    try:
        if model.encoder not in ENCODERS:
            raise ValueError(f"there is no encoder {model.encoder!r}, but {', '.join(ENCODERS)}")
        options = validate(model.options, Options).model_dump(exclude_unset=True)
        return ToothInstances(len(model.inputs), channels, model.encoder, **options)
    except InputError as error:
        raise InputError(str(error).replace("Setting ", "options.")) from None
    except (TypeError, ValueError, AssertionError) as error:
        raise InputError(
            f"torchvision cannot build mask_rcnn with encoder {model.encoder!r} and options "
            f"{model.options}: {str(error).rstrip('.')}. Change the model."
        ) from error
