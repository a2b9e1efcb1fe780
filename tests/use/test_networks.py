import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from maskedteeth.data.teeth import MIRRORED
from maskedteeth.errors import InputError
from maskedteeth.files import read_csv, read_json, write_json
from maskedteeth.use import Segmenter, read_radiograph


@pytest.fixture
def copied(study, tmp_path):
    """Weights of a training and their record in a folder of their own."""
    for name in ("weights.safetensors", "run.json"):
        shutil.copy(study / "run" / name, tmp_path)
    return tmp_path / "weights.safetensors"


def test_prepared_radiographs_get_the_probabilities_of_the_evaluation(study, segmenter):
    """Its NPZ holds k for probabilities from k/256 up to (k+1)/256."""
    names = [row["id"] for row in read_csv(study / "run/metrics.csv")]
    order = [row["id"] for row in read_csv(study / "index.csv")]
    images = np.load(study / "images.npy")
    with np.load(study / "run/predictions.npz") as stored:
        for name, levels in zip(names, stored["probability"], strict=True):
            found = segmenter(images[order.index(name)])
            assert found.probability.dtype == np.float32 and found.probability.shape == (32, 64)
            off = found.probability * 256 - levels
            assert off.min() > -1e-3 and off.max() < 1 + 1e-3


@pytest.mark.parametrize("size", [(32, 64), (301, 597), (97, 130)])
def test_a_mask_has_the_size_of_its_radiograph(segmenter, radiograph, size):
    pixels = radiograph(3, *size)[0]
    found = segmenter(pixels)
    assert found.mask.shape == found.probability.shape == found.pixels.shape == size
    assert found.mask.dtype == np.uint8 and set(np.unique(found.mask)) <= {0, 1}
    assert found.tooth_fraction == pytest.approx((found.probability >= 0.5).mean())


def test_confidence_is_the_dice_that_the_probabilities_expect(segmenter, radiograph):
    found = segmenter(radiograph(3)[0])

    def confidence(probability, *mask):
        changed = {"probability": np.float32([probability]), "mask": np.uint8([mask])}
        return replace(found, **changed).confidence

    assert confidence([1, 1, 0, 0], 1, 1, 0, 0) == 1
    assert confidence([0.6, 0.5, 0.3, 0], 1, 1, 0, 0) == pytest.approx(2.2 / 3.4)
    background = [0.0] * 1000  # does not count
    assert confidence([0.8, *background], 1, *background) == pytest.approx(1.6 / 1.8)
    assert confidence([0.4, 0.1], 0, 0) == confidence([0, 0], 0, 0) == 0


def test_probabilities_are_scaled_back_linearly_before_the_threshold(segmenter, radiograph):
    pixels = radiograph(3, 320, 640)[0]
    small = cv2.resize(pixels, (64, 32), interpolation=cv2.INTER_AREA)
    found = segmenter(pixels)
    expected = cv2.resize(segmenter(small).probability, (640, 320))
    np.testing.assert_allclose(found.probability, expected, atol=1e-6)
    assert (found.mask == (found.probability >= 0.5)).all()


def test_a_file_is_its_grey_values(xrays, segmenter):
    pixels = read_radiograph(xrays / "old/deep.tif")
    assert (segmenter(xrays / "old/deep.tif").probability == segmenter(pixels).probability).all()


def test_the_threshold_decides_what_is_tooth(study, radiograph):
    found = Segmenter(study / "run/weights.safetensors", device="cpu", threshold=0.3)(
        radiograph(4)[0]
    )
    assert (found.mask == (found.probability >= 0.3)).all()
    for wrong in (0, 1, float("nan")):
        with pytest.raises(InputError, match="must be between 0 and 1"):
            Segmenter(study / "run/weights.safetensors", threshold=wrong)


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4)), np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_other_arrays_are_refused(segmenter, pixels):
    with pytest.raises(ValueError, match=r"expected are grey values, uint8 \(H, W\)"):
        segmenter(pixels)


def test_weights_without_their_record_are_a_sentence(study, copied):
    shutil.copy(study / "pretext/run.json", copied.parent)
    with pytest.raises(InputError, match=r"run.json belongs to other weights than .*_sha256"):
        Segmenter(copied)
    copied.with_name("run.json").unlink()
    with pytest.raises(InputError, match=r"run.json is not there.*keep its run.json beside it"):
        Segmenter(copied)
    copied.unlink()
    with pytest.raises(InputError, match=r"weights.safetensors is not there. Name the"):
        Segmenter(copied)


def test_weights_of_a_pretext_are_refused(study):
    with pytest.raises(InputError, match="belongs to a pretext, which does not segment. Name"):
        Segmenter(study / "pretext/weights.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.pop("weights_sha256"),
        lambda record: record["settings"].pop("model"),
        lambda record: record["settings"]["model"].update(depth=4),
        lambda record: record.update(radiographs=9),
        lambda record: record.update(settings=None),
    ],
)
def test_a_record_of_another_version_is_a_sentence(copied, change):
    record = read_json(copied.with_name("run.json"))
    change(record)
    write_json(copied.with_name("run.json"), record)
    with pytest.raises(InputError, match=r"run.json was made by another version .* train again"):
        Segmenter(copied)


@pytest.fixture
def another(study, tmp_path):
    """Weights of another training, of radiographs of another size."""
    changes = {"image": {"height": 64, "width": 96}}
    files = {n: tmp_path / f"{n}.npy" for n in ("images", "labels")}
    files["index"] = tmp_path / "index.csv"
    more = {"problems": tmp_path / "p.csv", "state": tmp_path / "d.txt"}
    assert study.run("prepare", tmp_path, changes=changes, **files, **more) == 0
    assert study.run("train", tmp_path, method="scratch", seed=1, changes=changes, **files) == 0
    return tmp_path / "weights.safetensors"


def test_several_networks_are_averaged_each_at_its_own_size(study, segmenter, another, radiograph):
    both = Segmenter([study / "run/weights.safetensors", another], device="cpu")
    assert [network.size for network in both.networks] == [(32, 64), (64, 96)]
    pixels = radiograph(6, 120, 210)[0]
    one, other = segmenter(pixels), Segmenter(another, device="cpu")(pixels)
    mean = (one.probability + other.probability) / 2
    assert np.abs(one.probability - other.probability).max() > 0.01
    np.testing.assert_allclose(both(pixels).probability, mean, atol=1e-6)


def test_a_flipped_mean_does_not_know_left_from_right(study, segmenter, radiograph):
    flipped = Segmenter(study / "run/weights.safetensors", device="cpu", flip=True)
    pixels = radiograph(6, 120, 210)[0]
    found, mirrored = flipped(pixels), flipped(np.ascontiguousarray(pixels[:, ::-1]))
    np.testing.assert_allclose(found.probability, mirrored.probability[:, ::-1], atol=1e-5)
    plain = segmenter(pixels).probability
    back = segmenter(np.ascontiguousarray(pixels[:, ::-1])).probability[:, ::-1]
    assert np.abs(plain - back).max() > 0.001
    np.testing.assert_allclose(found.probability, (plain + back) / 2, atol=1e-5)


def test_teeth_get_the_numbers_of_the_evaluation(numbered, numberer, segmenter, radiograph):
    names = [row["id"] for row in read_csv(numbered / "run/metrics.csv")]
    order = [row["id"] for row in read_csv(numbered / "index.csv")]
    images = np.load(numbered / "images.npy")
    for name, labels in zip(
        names, np.load(numbered / "run/predictions.npz")["labels"], strict=True
    ):
        found = numberer(images[order.index(name)])
        assert found.labels.dtype == np.uint8 and (found.labels == labels).all()
    larger = numberer(np.full((97, 190), 90, np.uint8))
    assert larger.labels.shape == (97, 190) and ((larger.labels > 0) == larger.mask).all()
    found = segmenter(radiograph(3)[0])
    assert (found.labels == found.mask * 99).all()


def test_a_flipped_mean_exchanges_left_and_right_teeth(numbered, radiograph):
    flipped = Segmenter(numbered / "run/weights.safetensors", device="cpu", flip=True)
    pixels = radiograph(6, 64, 128)[0]
    found, mirrored = flipped(pixels), flipped(np.ascontiguousarray(pixels[:, ::-1]))
    np.testing.assert_allclose(found.probability, mirrored.probability[:, ::-1], atol=1e-5)
    same = found.labels == np.array(MIRRORED)[mirrored.labels[:, ::-1]]
    assert len(np.unique(found.labels)) > 3 and same.mean() > 0.999


def test_networks_of_two_tasks_are_refused(study, numbered):
    weights = [folder / "run/weights.safetensors" for folder in (study, numbered)]
    with pytest.raises(InputError, match="is of task: teeth, but .* of task: numbering; name"):
        Segmenter(weights, device="cpu")


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ((20, 20), "has 20 x 20 pixels; at least 32 were expected"),
        ((400, 4000), r"400 x 4000 .* width ÷ height is 10.00, in training 2.00 to 2.00"),
        ((100, 49), "width ÷ height is 0.49, in training"),
    ],
)
def test_what_has_no_shape_of_a_radiograph_is_refused(segmenter, size, sentence):
    with pytest.raises(InputError, match=sentence):
        segmenter(np.full(size, 90, np.uint8))


def test_what_is_unlike_the_training_is_warned_of(segmenter, radiograph):
    for seed in range(20, 40):
        assert segmenter(radiograph(seed)[0]).warning == ""
    pixels = radiograph(20)[0]
    assert "width ÷ height is 1.50" in segmenter(pixels[:, :96]).warning
    darker = "50 % of the pixels are darker than"
    assert darker in segmenter(255 - pixels).warning
    assert darker in segmenter(pixels // 3).warning


def test_every_network_is_asked_whether_it_knows_such_radiographs(study, copied, radiograph):
    pixels, record = radiograph(20)[0][:, :96], read_json(copied.with_name("run.json"))

    def found(width_by_height, *order):
        record["look"]["proportions"] = [width_by_height] * 2
        write_json(copied.with_name("run.json"), record)
        weights = [study / "run/weights.safetensors", copied]
        return Segmenter([weights[place] for place in order], device="cpu")(pixels)

    for order in ((0, 1), (1, 0)):
        warning = found(2.2, *order).warning
        assert "1.50, in training 2.00 to" in warning and "1.50, in training 2.20" in warning
        assert found(2, *order).warning.count("1.50") == 1  # both say the same
        with pytest.raises(InputError, match=r"width ÷ height is 1.50, in training 4\.00"):
            found(4, *order)


@pytest.mark.gpu
def test_a_card_gives_nearly_the_same_probabilities(study, segmenter, radiograph):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    on_card = Segmenter(study / "run/weights.safetensors", device="cuda")
    assert on_card.machine.device.type == "cuda"
    pixels = radiograph(5, 100, 210)[0]
    expected = segmenter(pixels).probability
    np.testing.assert_allclose(on_card(pixels).probability, expected, atol=1e-2)
