import io
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from maskedteeth.errors import InputError
from maskedteeth.use import read_radiograph
from maskedteeth.use.radiographs import find_radiographs

LOSSLESS = Path(get_testdata_file("SC_rgb_jpeg_gdcm.dcm", download=False))
RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def dicom(pixels: np.ndarray, bits: int = 12, syntax: str = ExplicitVRLittleEndian, **tags):
    """Return the content of a DICOM file of grey values, with other tags where given."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.set_pixel_data(pixels, "MONOCHROME2", bits)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    for name, value in tags.items():
        setattr(dataset, name, value)
    if syntax == RLELossless:
        dataset.compress(RLELossless)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


@pytest.fixture
def grey(tmp_path):
    """Returns a function that reads a DICOM file of these contents."""

    def read(content: bytes) -> np.ndarray:
        (tmp_path / "x.dcm").write_bytes(content)
        return read_radiograph(tmp_path / "x.dcm")

    return read


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_without_a_window_12_bits_are_scaled_as_those_of_other_files(grey, syntax):
    found = grey(dicom(RAMP, syntax=syntax))
    assert found.dtype == np.uint8 and (found == np.rint(RAMP * (255 / 4095))).all()
    dark = grey(dicom(RAMP // 8, bits=16))  # 9 bits of 16
    assert (dark == np.rint((RAMP // 8) * (255 / 1023))).all()


def test_0_is_white_in_monochrome1(grey):
    inverted = grey(dicom(RAMP, PhotometricInterpretation="MONOCHROME1"))
    assert (inverted == 255 - grey(dicom(RAMP))).all()


def test_the_first_window_is_applied_to_rescaled_values(grey):
    """PS3.3 C.11.2.1.2.1: black up to c - 0.5 - (w - 1) / 2, white above c - 0.5 + (w - 1) / 2."""
    signed = (RAMP.astype(np.int16) - 2048).astype(np.int16)
    tags = {"RescaleSlope": 2, "RescaleIntercept": 100}
    tags |= {"WindowCenter": [100, 9], "WindowWidth": [1000, 1]}
    expected = np.clip((signed * 2.0 + 100 - 99.5) / 999 + 0.5, 0, 1) * 255
    np.testing.assert_allclose(grey(dicom(signed, **tags)), expected, atol=0.501)
    without = grey(dicom(signed))  # from the smallest to the largest
    np.testing.assert_allclose(without, RAMP * (255 / 4095), atol=0.501)


def test_a_lookup_table_goes_before_the_window(grey):
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 8]
    root = np.sqrt(np.arange(4096) * (255**2 / 4095)).round().astype(np.uint16)
    table.LUTData = root.tobytes()
    found = grey(dicom(RAMP, VOILUTSequence=[table], WindowCenter=1000, WindowWidth=200))
    assert (found.ravel() == root).all()


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("JPEG2000.dcm", (1024, 256)),
        ("SC_rgb_jpeg_dcmtk.dcm", (100, 100)),
        ("SC_ybr_full_422_uncompressed.dcm", (100, 100)),
        ("MR_small_bigendian.dcm", (64, 64)),
        ("image_dfl.dcm", (512, 512)),
    ],
)
def test_files_of_many_kinds_are_read(name, size):
    """Examples that come with pydicom."""
    grey = read_radiograph(get_testdata_file(name, download=False))
    assert grey.dtype == np.uint8 and grey.shape == size and grey.max() > grey.min() + 50


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda: dicom(RAMP, NumberOfFrames=3), "holds 3 frames, a volume or a film"),
        (lambda: dicom(RAMP, Rows=60000, Columns=60000), "60000 x 60000 pixels, more"),
        (lambda: dicom(RAMP, Rows=32), "DICOM \\(its pixels are those of 2 pictures\\)"),
        (
            lambda: dicom(RAMP, WindowCenter=5, WindowWidth=0),
            "has a window of width 0.* correct the window, or export it without one",
        ),
        (lambda: dicom(RAMP)[:5000], "cannot be decoded as DICOM \\(.*\\): it is cut off"),
        (lambda: dicom(RAMP)[:140], "it is cut off|without a picture"),
        (lambda: dicom(RAMP, PhotometricInterpretation="HSV"), "HSV"),
        (lambda: LOSSLESS.read_bytes(), "JPEG Lossless.* - requires pylibjpeg"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(grey, content, sentence):
    with pytest.raises(InputError, match=sentence) as raised:
        grey(content())
    assert "x.dcm " in str(raised.value) and str(raised.value).endswith(".")


def test_colours_become_luma():
    grey = read_radiograph(get_testdata_file("SC_rgb_jpeg_dcmtk.dcm", download=False))
    assert grey[5, 50] == round(0.299 * 255)  # red


def test_a_folder_gives_its_dicom_files_whatever_their_name(tmp_path):
    for name in ("IM0001", "b.DCM", ".hidden.dcm", "1.2.840.10008.5", "1.2.840.10008.6"):
        (tmp_path / name).write_bytes(dicom(RAMP))
    for name in ("README", "list.csv"):
        (tmp_path / name).write_text("no DICOM")
    found = find_radiographs([tmp_path], tmp_path / "out")
    assert list(found) == ["1.2.840.10008.5", "1.2.840.10008.6", "IM0001", "b"]


def test_dicom_among_the_radiographs_of_a_dataset_is_used(
    tmp_path, write_folder, radiograph, run_prepare, arrays
):
    raw = write_folder(tmp_path / "raw", 3)
    pixels = radiograph(2)[0]
    (raw / "images/2.png").unlink()
    (raw / "images/2").write_bytes(dicom(pixels, bits=8))
    rows, problems = run_prepare(raw)
    assert [row["labelled"] for row in rows] == ["1"] * 3 and not problems
    assert (arrays()[0][[row["id"] for row in rows].index("2")] == pixels).all()
