"""The settings of a network."""

from typing import Any, Literal

from pydantic import Field, model_validator

from maskedteeth.settings.strict import Positive, Strict


class Model(Strict):
    """A network: one of ours or any of segmentation_models_pytorch.

    Whether the library can build it, and whether it takes radiographs of the study's size, is found
    out by the stage `describe`, before anything trains.
    """

    architecture: str = Field(
        description="modified_resunet (section 3.1) or an architecture of "
        "segmentation_models_pytorch, by its name: unet, pspnet, linknet, …"
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
    encoder_weights: str | None = Field(
        None, description="Null: random. imagenet, …: downloaded by the library."
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
        return self
