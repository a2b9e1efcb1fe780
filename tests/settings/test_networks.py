import pytest

from maskedteeth.errors import InputError
from maskedteeth.models.baselines import smp
from maskedteeth.settings.config import Settings
from maskedteeth.settings.networks import (
    ENCODERS,
    OF_TIMM,
    SMP_ARCHITECTURES,
    WITHOUT_IMAGENET,
    Model,
)
from maskedteeth.settings.validation import validate


def study(model, **settings):
    """A study of one method on a phantom."""
    method = {"label": "One", "model": {"architecture": "unet"} | model}
    return {
        "data": {"source": "phantom"},
        "pretext": {},
        "methods": {"one": method},
        "report": {"ours": "one"},
    } | settings


def refused(model, **settings):
    with pytest.raises(InputError) as error:
        validate(study(model, **settings), Settings)
    return str(error.value)


def test_the_names_are_those_of_the_installed_library():
    known = smp.encoders.encoders
    imagenet = {name for name, entry in known.items() if "imagenet" in entry["pretrained_settings"]}
    assert set(ENCODERS) == imagenet
    assert set(WITHOUT_IMAGENET) == set(known) - imagenet
    assert set(SMP_ARCHITECTURES) == set(smp.MODEL_ARCHITECTURES_MAPPING)


def test_what_is_left_to_timm_is_what_the_library_hands_on():
    from segmentation_models_pytorch.encoders import is_equivalent_to_timm_universal

    ours = [name for name in OF_TIMM if name != "tu-"]
    assert all(map(is_equivalent_to_timm_universal, ours))
    assert not any(name.startswith(OF_TIMM) for name in smp.encoders.encoders)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            {"encoder": "resnet43"},
            "Setting methods.one.model: encoder 'resnet43' is unknown; did you mean 'resnet34'",
        ),
        ({"encoder": "zzz"}, "encoder 'zzz' is unknown; Known are the encoders of"),
        ({"encoder": "timm-mobilnet"}, "encoder 'timm-mobilnet' is unknown; "),
        (
            {"encoder": "dpn92", "encoder_weights": "imagenet"},
            "encoder_weights is 'imagenet', but encoder 'dpn92' has none; set it to null",
        ),
        ({"architecture": "linknet", "encoder": "mit_b0"}, "'mit_b0' does not fit linknet"),
        ({"architecture": "unetplusplus", "encoder": "mit_b5"}, "does not fit unetplusplus"),
        ({"architecture": "dpt"}, "'resnet34' is none that dpt takes; it needs one of timm's"),
    ],
)
def test_an_encoder_that_cannot_be_is_found_in_the_settings(model, sentence):
    assert sentence in refused(model)


@pytest.mark.parametrize("name", ["timm-mobilenetv3_small_100", "tu-convnext_tiny", "dpn92"])
def test_other_encoders_are_left_to_the_library(name):
    validate(study({"encoder": name}), Settings)


@pytest.mark.parametrize("architecture", ["deeplabv3", "deeplabv3plus", "pan", "upernet"])
def test_single_radiographs_are_refused_where_they_cannot_be_normalised(architecture):
    sentence = refused({"architecture": architecture}, training={"batch_size": 1})
    assert sentence == (
        f"Setting batch_size is 1, but {architecture} normalises over the radiographs of a batch; "
        "set it to 2 or more."
    )
    validate(study({"architecture": architecture}, training={"batch_size": 2}), Settings)
    validate(study({"architecture": "pspnet"}, training={"batch_size": 1}), Settings)


@pytest.mark.parametrize(
    ("options", "side"), [({}, 128), ({"encoder_output_stride": 32}, 256)], ids=["16", "32"]
)
def test_images_too_small_for_pan_are_refused(options, side):
    model = {"architecture": "pan", "options": options}
    sentence = refused(model, image={"height": side - 32, "width": 512})
    assert sentence.endswith(
        f"image {side - 32} x 512 is too small for pan; height and width must be {side} or more."
    )
    validate(study(model, image={"height": side, "width": side}), Settings)


@pytest.mark.parametrize("architecture", ["pan", "deeplabv3"])
def test_the_smallest_allowed_image_and_batch_are_taken(architecture):
    """So the limits above are neither too strict nor too lax."""
    import torch

    from maskedteeth.models import build
    from maskedteeth.models.inputs import logits_of

    network = build(Model(architecture=architecture, encoder="resnet18"))
    side = 128 if architecture == "pan" else 32
    assert logits_of(network, torch.zeros(2, 1, side, side)).shape == (2, 1, side, side)
    with pytest.raises(InputError, match="set batch_size to 2 or more"):
        logits_of(network, torch.zeros(1, 1, side, side))
    if architecture == "pan":
        with pytest.raises(InputError, match="96 x 128, 2 at once: .*too small.*image.height"):
            logits_of(network, torch.zeros(2, 1, 96, 128))
