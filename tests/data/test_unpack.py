import stat
import zipfile

import pytest
from hitl_zip import ZIP, assert_is_dataset, dataset_members, zip_of

from maskedteeth.data import unpack as unpack_module
from maskedteeth.data.unpack import DATASET, check_layout, unpack
from maskedteeth.errors import InputError


@pytest.fixture
def raw(tmp_path):
    return tmp_path / "data" / "raw"


def test_an_empty_folder_and_an_earlier_dataset_are_replaced(archive, raw):
    raw.mkdir(parents=True)
    unpack(archive, raw)
    assert_is_dataset(raw)
    (raw / DATASET / "left-over").touch()
    unpack(archive, raw)
    assert_is_dataset(raw)


def test_files_that_are_not_the_dataset_are_not_replaced(archive, raw):
    raw.mkdir(parents=True)
    (raw / "thesis.tex").touch()
    with pytest.raises(InputError, match="not the dataset; move them away"):
        unpack(archive, raw)
    assert [p.name for p in raw.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("wrapper", ["Teeth Segmentation/", "a/b/"])
def test_a_wrapping_folder_is_taken_off(tmp_path, wrapper, raw):
    members = {wrapper + name: data for name, data in dataset_members().items()}
    members[f"__MACOSX/{wrapper}{DATASET}/d2/img/._1.jpg"] = b"resource fork"
    (tmp_path / "mine.zip").write_bytes(zip_of(members))
    unpack(tmp_path / "mine.zip", raw)
    assert_is_dataset(raw)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: m.pop(f"{DATASET}/d2/ann/2.jpg.json"), r"3 radiographs .* 2 annotations"),
        (lambda m: [m.pop(n) for n in list(m) if n.startswith(DATASET)], r"0 times .*Teeth Segm"),
        (lambda m: m.update({f"b/{n}": d for n, d in dataset_members().items()}), r"2 times"),
    ],
)
def test_another_layout_is_refused_before_anything_is_written(tmp_path, change, sentence, raw):
    members = dataset_members()
    change(members)
    (tmp_path / "mine.zip").write_bytes(zip_of(members))
    with pytest.raises(InputError, match=sentence):
        unpack(tmp_path / "mine.zip", raw)
    assert not list((tmp_path).glob("data/*"))


@pytest.mark.parametrize("name", ["/tmp/evil", "../evil", "a/../../evil", "..\\evil", "C:/evil"])
def test_names_that_lead_out_are_refused(tmp_path, name, raw):
    (tmp_path / "mine.zip").write_bytes(zip_of({**dataset_members(), name: b"x"}))
    with pytest.raises(InputError, match="leads out of its folder; nothing is unpacked"):
        unpack(tmp_path / "mine.zip", raw)
    assert not list(tmp_path.rglob("evil")) and not list(tmp_path.glob("data/*"))


def test_links_are_refused(archive, raw):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as content:
        content.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="'link' that is a link"):
        unpack(archive, raw)


def test_absurd_sizes_and_a_full_disk_are_refused(archive, tmp_path, monkeypatch, raw):
    with monkeypatch.context() as patch:
        patch.setattr(unpack_module, "MOST_BYTES", 1000)
        with pytest.raises(InputError, match=r"far more than the dataset"):
            check_layout(archive)
    with monkeypatch.context() as patch:
        patch.setattr(unpack_module, "MOST_MEMBERS", 3)
        with pytest.raises(InputError, match=r"in 11 files, far more"):
            check_layout(archive)
    usage = unpack_module.shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(unpack_module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputError, match="make room"):
        unpack(archive, raw)


def test_a_member_that_lies_about_its_size_is_refused(archive, raw):
    content = archive.read_bytes()
    with zipfile.ZipFile(archive) as opened:
        size = opened.getinfo(f"{DATASET}/d2/img/1.jpg").file_size
    lie = content.replace(size.to_bytes(4, "little"), (size - 9).to_bytes(4, "little"))
    archive.write_bytes(lie)
    with pytest.raises(InputError, match="damaged inside"):
        unpack(archive, raw)


def test_damaged_zips_are_refused_and_leave_nothing(archive, tmp_path, raw):
    archive.write_bytes(ZIP[: len(ZIP) // 2])
    with pytest.raises(InputError, match="not a whole zip"):
        unpack(archive, raw)
    archive.write_bytes(ZIP[:50_000] + b"damage" * 10 + ZIP[50_060:])
    with pytest.raises(InputError, match="damaged inside"):
        unpack(archive, raw)
    assert not list((tmp_path / "data").iterdir())
    with pytest.raises(InputError, match="does not exist"):
        unpack(tmp_path / "none.zip", raw)
