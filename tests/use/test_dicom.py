import io
import sys
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless

from maskedteeth.errors import InputError
from maskedteeth.use import read_radiograph
from maskedteeth.use.dicom import decode_dicom
from maskedteeth.use.radiographs import find_radiographs, names_of

#: Of pydicom's own examples, which come with it.
LOSSLESS = "SC_rgb_jpeg_gdcm.dcm"
HERE = Path("x.dcm")


def dicom(pixels: np.ndarray, bits: int = 12, syntax: str = ExplicitVRLittleEndian, **tags):
    """Return the content of a DICOM file of grey values, with other tags where given."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.3"
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for name, value in tags.items():
        setattr(dataset, name, value)
    if syntax == RLELossless:
        dataset.compress(RLELossless)
    dataset.file_meta.TransferSyntaxUID = syntax
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_without_a_window_12_bits_are_scaled_as_those_of_other_files(syntax):
    grey = decode_dicom(dicom(RAMP, syntax=syntax), HERE)
    assert grey.dtype == np.uint8 and grey.shape == (64, 64)
    assert (grey == np.rint(RAMP * (255 / 4095))).all()
    dark = decode_dicom(dicom(RAMP // 8, bits=16), HERE)  # 9 bits of 16
    assert (dark == np.rint((RAMP // 8) * (255 / 1023))).all()


def test_0_is_white_in_monochrome1():
    plain, inverted = dicom(RAMP), dicom(RAMP, PhotometricInterpretation="MONOCHROME1")
    assert (decode_dicom(inverted, HERE) == 255 - decode_dicom(plain, HERE)).all()


def test_the_first_window_is_applied():
    """PS3.3 C.11.2.1.2.1: black up to c - 0.5 - (w - 1) / 2, white above c - 0.5 + (w - 1) / 2."""
    content = dicom(RAMP, WindowCenter=[1000, 9], WindowWidth=[200, 1])
    expected = np.clip((RAMP - 999.5) / 199 + 0.5, 0, 1) * 255
    np.testing.assert_allclose(decode_dicom(content, HERE), expected, atol=0.501)


def test_values_are_rescaled_before_the_window():
    signed = (RAMP.astype(np.int16) - 2048).astype(np.int16)
    tags = {"RescaleSlope": 2, "RescaleIntercept": 100, "WindowCenter": 100, "WindowWidth": 1000}
    grey = decode_dicom(dicom(signed, **tags), HERE)
    expected = np.clip((signed * 2.0 + 100 - 99.5) / 999 + 0.5, 0, 1) * 255
    np.testing.assert_allclose(grey, expected, atol=0.501)
    without = decode_dicom(dicom(signed), HERE)  # from the smallest to the largest
    np.testing.assert_allclose(without, RAMP * (255 / 4095), atol=0.501)


def test_a_lookup_table_goes_before_the_window():
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 8]
    root = np.sqrt(np.arange(4096) * (255**2 / 4095)).round().astype(np.uint16)
    table.LUTData = root.tobytes()
    tags = {"VOILUTSequence": [table], "WindowCenter": 1000, "WindowWidth": 200}
    grey = decode_dicom(dicom(RAMP, **tags), HERE)
    assert (grey.ravel() == root).all()


def test_colours_become_luma():
    colours = np.zeros((8, 8, 3), np.uint8)
    colours[..., 0], colours[:, 4:, 1] = 200, 100
    grey = decode_dicom(dicom(colours, bits=8), HERE)
    assert grey[0, 0] == round(0.299 * 200) and grey[0, 7] == round(0.299 * 200 + 0.587 * 100)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("JPEG2000.dcm", (1024, 256)),
        ("MR_small_RLE.dcm", (64, 64)),
        ("SC_rgb_jpeg_dcmtk.dcm", (100, 100)),
        ("examples_palette.dcm", (350, 800)),
        ("SC_rgb_rle_16bit.dcm", (100, 100)),
        ("SC_ybr_full_422_uncompressed.dcm", (100, 100)),
        ("MR_small_bigendian.dcm", (64, 64)),
    ],
)
def test_files_of_many_kinds_are_read(name, size):
    grey = read_radiograph(get_testdata_file(name, download=False))
    assert grey.dtype == np.uint8 and grey.shape == size and grey.max() > grey.min() + 50


def changed(content: bytes, **tags) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(content))
    for name, value in tags.items():
        setattr(dataset, name, value)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda: dicom(RAMP, NumberOfFrames=3), "holds 3 frames, a volume or a film"),
        (lambda: changed(dicom(RAMP), Rows=60000, Columns=60000), "60000 x 60000 pixels, more"),
        (lambda: dicom(RAMP)[:5000], "cannot be decoded as DICOM \\(.*\\): it is cut off"),
        (lambda: dicom(RAMP)[:140], "it is cut off|without a picture"),
        (lambda: dicom(RAMP, syntax=DeflatedExplicitVRLittleEndian), "is deflated as a whole"),
        (lambda: dicom(RAMP, PhotometricInterpretation="HSV"), "HSV"),
        (lambda: dicom(RAMP, WindowCenter=5, WindowWidth=0), "cannot be decoded as DICOM"),
        (
            lambda: Path(get_testdata_file("test-SR.dcm", download=False)).read_bytes(),
            "without a picture",
        ),
    ],
)
def test_what_cannot_be_used_is_a_sentence(tmp_path, content, sentence):
    file = tmp_path / "x.dcm"
    file.write_bytes(content())
    with pytest.raises(InputError, match=sentence) as raised:
        read_radiograph(file)
    assert str(raised.value).startswith(str(file)) and str(raised.value).endswith(".")


def test_a_compression_that_nothing_decodes_names_what_to_install(monkeypatch):
    monkeypatch.setattr("pydicom.pixels.common.CoderBase.is_available", False)
    with pytest.raises(
        InputError, match=r"compressed as JPEG Lossless.*\(pip install python-gdcm\)"
    ):
        read_radiograph(get_testdata_file(LOSSLESS, download=False))


def test_without_pydicom_a_sentence_says_what_to_install(monkeypatch):
    content = dicom(RAMP)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(InputError, match="is DICOM, and pydicom, which reads it, is not installed"):
        decode_dicom(content, HERE)


def test_a_folder_gives_its_dicom_files_whatever_their_name(tmp_path):
    for name in ("IM0001", "b.DCM", ".hidden.dcm", "1.2.840.10008.5", "1.2.840.10008.6"):
        (tmp_path / name).write_bytes(dicom(RAMP))
    for name in ("README", "list.csv"):
        (tmp_path / name).write_text("no DICOM")
    found = find_radiographs([tmp_path], tmp_path / "out")
    numbers = ["1.2.840.10008.5", "1.2.840.10008.6"]
    assert [file.name for file in found] == [*numbers, "IM0001", "b.DCM"]
    assert names_of(found) == [*numbers, "IM0001", "b"]
    assert read_radiograph(tmp_path / "IM0001").shape == (64, 64)
