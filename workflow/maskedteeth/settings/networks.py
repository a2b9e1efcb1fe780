"""The settings of a network, and what is known of the library's without importing it.

Importing torch takes seconds; a wrong name is to be found before anything runs. Tests hold the
names below against the installed library.
"""

import difflib
from typing import Any, Literal

from pydantic import Field, model_validator

from maskedteeth.settings.strict import Positive, Strict

#: Architectures of segmentation_models_pytorch, by its own names (`smp.create_model`).
SMP_ARCHITECTURES = (
    "unet",
    "unetplusplus",
    "manet",
    "linknet",
    "fpn",
    "pspnet",
    "deeplabv3",
    "deeplabv3plus",
    "pan",
    "upernet",
    "segformer",
    "dpt",
)
#: Of these, the ones that pool a radiograph to one value a channel and normalise it over the batch.
POOLED = ("deeplabv3", "deeplabv3plus", "pan", "upernet")

#: Its encoders that have ImageNet weights.
ENCODERS = [
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "dpn68",
    "dpn98",
    "dpn131",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
    "senet154",
    "se_resnet50",
    "se_resnet101",
    "se_resnet152",
    "se_resnext50_32x4d",
    "se_resnext101_32x4d",
    "densenet121",
    "densenet169",
    "densenet201",
    "densenet161",
    "inceptionresnetv2",
    "inceptionv4",
    "efficientnet-b0",
    "efficientnet-b1",
    "efficientnet-b2",
    "efficientnet-b3",
    "efficientnet-b4",
    "efficientnet-b5",
    "efficientnet-b6",
    "efficientnet-b7",
    "mobilenet_v2",
    "xception",
    "timm-efficientnet-b0",
    "timm-efficientnet-b1",
    "timm-efficientnet-b2",
    "timm-efficientnet-b3",
    "timm-efficientnet-b4",
    "timm-efficientnet-b5",
    "timm-efficientnet-b6",
    "timm-efficientnet-b7",
    "timm-efficientnet-b8",
    "timm-tf_efficientnet_lite0",
    "timm-tf_efficientnet_lite1",
    "timm-tf_efficientnet_lite2",
    "timm-tf_efficientnet_lite3",
    "timm-tf_efficientnet_lite4",
    "timm-skresnet18",
    "timm-skresnet34",
    "timm-skresnext50_32x4d",
    "mit_b0",
    "mit_b1",
    "mit_b2",
    "mit_b3",
    "mit_b4",
    "mit_b5",
    "mobileone_s0",
    "mobileone_s1",
    "mobileone_s2",
    "mobileone_s3",
    "mobileone_s4",
]
#: Its encoders that have other weights only.
WITHOUT_IMAGENET = [
    "resnext101_32x4d",
    "resnext101_32x16d",
    "resnext101_32x32d",
    "resnext101_32x48d",
    "dpn68b",
    "dpn92",
    "dpn107",
    "timm-efficientnet-l2",
]
#: Beginnings of names that the library hands on to timm.
OF_TIMM = (
    "tu-",
    "timm-regnet",
    "timm-res2",
    "timm-resnest",
    "timm-mobilenetv3",
    "timm-gernet",
)


class Model(Strict):
    """A network: one of ours or any of segmentation_models_pytorch."""

    architecture: Literal[("modified_resunet", *SMP_ARCHITECTURES)] = Field(  # type: ignore[valid-type]
        description="modified_resunet (section 3.1) or an architecture of "
        "segmentation_models_pytorch."
    )
    inputs: tuple[Literal["xray", "sobel"], ...] = Field(
        ("xray",), min_length=1, description="Input channels, in order."
    )
    widths: tuple[Positive, ...] = Field(
        (32, 64, 128, 256, 512),
        min_length=2,
        description="modified_resunet: convolution widths of the encoder blocks and, last, of "
        "the bottleneck; a block returns twice its width.",
    )
    encoder: str = Field(
        "resnet34", description="Encoder of segmentation_models_pytorch, by that library's name."
    )
    encoder_weights: Literal["imagenet"] | None = Field(
        None, description="Null: random. imagenet: downloaded by the library."
    )
    options: dict[str, Any] = Field(
        {}, description="Further arguments of the library's architecture, e.g. decoder_channels."
    )

    @model_validator(mode="after")
    def _belongs_together(self) -> "Model":
        ours = self.architecture == "modified_resunet"
        foreign = {"encoder", "encoder_weights", "options"} if ours else {"widths"}
        fields = type(self).model_fields
        given = sorted(name for name in foreign if getattr(self, name) != fields[name].default)
        if given:
            raise ValueError(f"{given[0]} has no meaning for {self.architecture}; remove it")
        if len(set(self.inputs)) != len(self.inputs):
            raise ValueError(f"inputs {list(self.inputs)} name one channel twice")
        if not ours:
            self._check_encoder()
        return self

    def check_batch(self, batch_size: int) -> None:
        """Refuse single radiographs for networks that normalise one value a channel of each."""
        if (
            batch_size == 1
            and self.architecture in POOLED
            and "decoder_use_norm" not in self.options
        ):
            raise ValueError(
                f"batch_size is 1, but {self.architecture} normalises over the radiographs of a "
                "batch; set it to 2 or more"
            )

    def check_size(self, height: int, width: int) -> None:
        """Refuse images that are too small for the network, or that it cannot halve."""
        if self.architecture == "modified_resunet":
            halvings = len(self.widths) - 1
            stride = 2**halvings
            if height % stride or width % stride:
                raise ValueError(
                    f"image {height} x {width} cannot be halved {halvings} times, as widths "
                    f"{list(self.widths)} need; use multiples of {stride}"
                )
        if self.architecture == "pan":
            # Its decoder halves the encoder's last features three times.
            stride = self.options.get("encoder_output_stride", 16)
            least = 8 * stride if isinstance(stride, int) else 0
            if min(height, width) < least:
                raise ValueError(
                    f"image {height} x {width} is too small for pan; height and width must be "
                    f"{least} or more"
                )

    def _check_encoder(self) -> None:
        name, known = self.encoder, (*ENCODERS, *WITHOUT_IMAGENET)
        if self.architecture == "dpt" and not name.startswith("tu-"):
            raise ValueError(
                f"encoder {name!r} is none that dpt takes; it needs one of timm's vision "
                "transformers, for instance 'tu-vit_base_patch16_224.augreg_in21k'"
            )
        if name.startswith("mit_") and self.architecture in ("unetplusplus", "linknet"):
            raise ValueError(f"encoder {name!r} does not fit {self.architecture}; take another")
        if name.startswith(OF_TIMM):
            return  # timm knows more than a thousand; it is asked when the network is built
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
            raise ValueError(
                f"encoder {name!r} is unknown; {hint}Known are the encoders of "
                "segmentation_models_pytorch and, after 'tu-', those of timm"
            )
        if self.encoder_weights and name in WITHOUT_IMAGENET:
            raise ValueError(
                f"encoder_weights is {self.encoder_weights!r}, but encoder {name!r} has none; set "
                "it to null or take another encoder"
            )
