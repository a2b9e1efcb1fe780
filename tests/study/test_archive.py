"""Moving results: what comes in is what went out, or nothing at all."""

import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from backports import zstd
from small_study import CONTENT, INDEX, RAW, RECORDS, TABLE, record

from maskedteeth.errors import InputError
from maskedteeth.study.exporting import export_study
from maskedteeth.study.importing import import_study
from maskedteeth.study.records import Records


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def untouched(project):
    """Tell whether there is nothing but an empty folder, and the file by which a study is held."""
    holders = {".snakemake", ".snakemake/holders", ".snakemake/holders/tiny.json"}
    return {"results"} == set(everything(project)) - holders


def test_what_comes_in_is_what_went_out(archive, here, capsys):
    import_study(archive)
    files = {str(p): p.read_bytes() for p in Path("results").rglob("*") if p.is_file()}
    assert files == CONTENT
    assert [Path(path).stat().st_mtime_ns for path in CONTENT] == [
        10**18 + number for number in range(len(CONTENT))
    ]
    assert Records(Path()).read(sorted([*CONTENT, RAW])) == RECORDS
    assert f"{len(CONTENT)} files" in capsys.readouterr().out


def test_files_of_the_future_become_files_of_now(there, tmp_path, here):
    import time

    os.chdir(there)
    os.utime(TABLE, ns=(2**62, 2**62))
    export_study(tmp_path / "future.tar.zst", study="tiny")
    os.chdir(here)
    import_study(tmp_path / "future.tar.zst")
    assert Path(INDEX).stat().st_mtime_ns < Path(TABLE).stat().st_mtime_ns <= time.time_ns()


def test_what_a_stopped_job_left_stays_behind(there, tmp_path, here, capsys):
    os.chdir(there)
    Records(Path())._open()._mark_incomplete(TABLE, None)
    export_study(tmp_path / "part.tar.zst", study="tiny")
    assert TABLE in capsys.readouterr().out
    os.chdir(here)
    import_study(tmp_path / "part.tar.zst")
    assert not Path(TABLE).exists() and Path(INDEX).exists()
    assert TABLE not in Records(Path()).read([TABLE])


def test_a_study_that_is_there_stays_unless_it_is_to_be_replaced(archive, here):
    Path("results/tiny").mkdir()
    Path("results/tiny/mine.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already; .*--replace.* Nothing was imported"):
        import_study(archive)
    assert everything(Path("results")) == ["tiny", "tiny/mine.txt"]
    import_study(archive, replace=True)
    assert Path(INDEX).exists() and not Path("results/tiny/mine.txt").exists()


def test_radiographs_read_in_place_may_lie_elsewhere(there, tmp_path, here):
    os.chdir(there)
    inputs = ["/data/set", "/data/set/images/1.png"]
    Records(Path()).write({INDEX: record("index", *inputs)})
    export_study(tmp_path / "place.tar.zst", study="tiny")
    os.chdir(here)
    import_study(tmp_path / "place.tar.zst", data="/mnt/my")
    moved = Records(Path()).read([INDEX])[INDEX]
    assert moved.input == ["/mnt/my", "/mnt/my/images/1.png"] == sorted(moved.input_checksums)


@pytest.mark.parametrize(
    ("name", "study", "sentence"),
    [
        ("tiny.zip", "", r"should end in \.tar\.zst"),
        ("paper.tar.zst", "", "results/paper is no study; studies here: other, tiny"),
        ("other.tar.zst", "", "keeps no records of results/other .* by the files' dates alone"),
        ("up.tar.zst", "../results/tiny", "is no study"),
    ],
)
def test_an_export_that_cannot_be_is_a_sentence(there, name, study, sentence):
    with pytest.raises(InputError, match=sentence):
        export_study(Path(name), study=study)
    assert not Path(name).exists()


def parts(archive):
    """Take an archive apart: its manifest, and its members after it."""
    with zstd.open(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        members = [(m, tar.extractfile(m).read()) for m in tar]
    return json.loads(members[0][1]), members[1:]


def put(archive, manifest, members, tail=b"", end=True):
    """Make an archive as a stranger could."""
    tar = io.BytesIO()
    text = json.dumps(manifest).encode() if isinstance(manifest, dict) else manifest
    first = tarfile.TarInfo("manifest.json")
    first.size = len(text)
    for info, content in [(first, text), *members]:
        padding = bytes(-len(content) % 512)
        tar.write(info.tobuf(tarfile.USTAR_FORMAT) + content + padding)
    archive.write_bytes(zstd.compress(tar.getvalue() + bytes(1024 * end) + tail))


def renamed(new, old=INDEX):
    def change(manifest, members):
        for entry in manifest["files"]:
            entry["path"] = new if entry["path"] == old else entry["path"]
        for info, _ in members:
            info.name = new if info.name == old else info.name
        manifest["records"].pop(old, None)

    return change


def added(**fields):
    def change(manifest, members):
        info = tarfile.TarInfo(fields.pop("name", "results/tiny/more"))
        for key, value in fields.items():
            setattr(info, key, value)
        members.insert(1, (info, b""))

    return change


def in_manifest(**fields):
    return lambda manifest, members: manifest.update(fields)


def of_first(**fields):
    return lambda manifest, members: manifest["files"][0].update(fields)


def other_bytes(manifest, members):
    members[0] = (members[0][0], b"x" * len(members[0][1]))


def twice(manifest, members):
    manifest["files"].append(manifest["files"][0])
    members.append(members[0])


def strange_record(manifest, members):
    manifest["records"]["results/paper/data/index.csv"] = manifest["records"][INDEX]


def record_with_more(manifest, members):
    manifest["records"][INDEX]["run"] = "rm"


def record_of_another_format(manifest, members):
    manifest["records"][INDEX]["record_format_version"] = 7


def missing_member(manifest, members):
    del members[2]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (renamed("/tmp/evil"), "names a file '/tmp/evil' that is an absolute path"),
        (renamed("C:/evil"), "is an absolute path"),
        (renamed("results/tiny/../../evil"), "leads out of its folder"),
        (renamed("../evil"), "leads out of its folder"),
        (renamed("results/tiny//evil"), "leads out of its folder"),
        (renamed("results/tiny/a\\..\\b"), "is an absolute path"),
        (renamed("results/tiny/a\nb"), "cannot be printed"),
        (renamed("results/paper/data/index.csv"), "does not belong to results/tiny"),
        (renamed("Snakefile"), "does not belong to results/tiny"),
        (renamed(".snakemake/metadata/x"), "does not belong to results/tiny"),
        (renamed("results/README.md"), "does not belong to results/tiny"),
        (renamed("results/weights/alexnet.safetensors"), "does not belong to results/tiny"),
        (renamed(f"{TABLE}/x"), "as a file and as a folder"),
        (added(type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is a link, a device or otherwise"),
        (added(type=tarfile.LNKTYPE, linkname="../../x"), "is a link, a device or otherwise"),
        (added(type=tarfile.CHRTYPE), "is a link, a device or otherwise"),
        (added(type=tarfile.FIFOTYPE), "is a link, a device or otherwise"),
        (added(type=tarfile.DIRTYPE), "is a link, a device or otherwise"),
        (added(type=tarfile.XHDTYPE), "is a link, a device or otherwise"),
        (added(name="../evil"), "'../evil' that leads out of its folder"),
        (added(), "'results/tiny/more' that its list does not name there"),
        (twice, "names a file twice"),
        (missing_member, "that its list does not name there"),
        (other_bytes, "does not match its checksum"),
        (of_first(size=10**18), "needs 1000000.0 TB to unpack"),
        (of_first(size=4), "bytes where its list says 4"),
        (of_first(size=-1), "does not read"),
        (of_first(sha256="0"), "does not read"),
        (of_first(mode="0o777"), "does not read"),
        (in_manifest(format=2), "does not read"),
        (in_manifest(study="../x"), "does not read"),
        (in_manifest(study="other"), "does not belong to results/other"),
        (in_manifest(files=[], records={}), "holds no file of its study"),
        (strange_record, "a file that it does not hold"),
        (record_with_more, "does not read"),
        (record_of_another_format, "does not read"),
    ],
)
def test_a_hostile_archive_is_refused_whole(archive, here, change, sentence):
    manifest, members = parts(archive)
    change(manifest, members)
    put(archive, manifest, members)
    with pytest.raises(InputError) as refused:
        import_study(archive)
    assert sentence in str(refused.value) and "Nothing was imported." in str(refused.value)
    assert untouched(here) and [path.name for path in here.parent.iterdir()] == [here.name]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda content: b"", "not a whole zstandard file"),
        (lambda content: content[: len(content) // 2], "whole"),
        (lambda content: content[:-1], "not a whole zstandard file"),
        (lambda content: content[:-40] + bytes([content[-40] ^ 1]) + content[-39:], ""),
        (lambda content: content + b"more", "not a whole zstandard file"),
        (lambda content: content + zstd.compress(b"more"), "goes on after its end"),
        (lambda content: b"PK\3\4" + content, "not a whole zstandard file"),
        (lambda content: zstd.compress(b"no tar" * 200), "no tar file"),
        (lambda content: zstd.compress(bytes(10**8)), "no tar file"),
    ],
)
def test_a_damaged_archive_is_refused_whole(archive, here, damage, sentence):
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(InputError) as refused:
        import_study(archive)
    assert sentence in str(refused.value) and "Nothing was imported." in str(refused.value)
    assert untouched(here)


@pytest.mark.parametrize("text", [b"[" * 10**6, b"{", b"\xff", b'"text"', b"NaN"])
def test_a_list_that_is_none_is_refused(archive, here, text):
    put(archive, text, [])
    with pytest.raises(InputError, match="Nothing was imported"):
        import_study(archive)
    assert untouched(here)
