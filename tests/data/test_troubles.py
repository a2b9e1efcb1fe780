"""Whatever a server, a network, a disk or a zip does wrong: a sentence, or the right bytes."""

import random
import re
import socket
import stat
import struct
import time
import zipfile
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
from hitl_zip import SHA256, ZIP, assert_is_dataset, dataset_members, zip_of

from maskedteeth.cli import main
from maskedteeth.data import download as download_module
from maskedteeth.data import unpack as unpack_module
from maskedteeth.data.download import CHUNK, download, refuse_downgrade
from maskedteeth.data.unpack import DATASET, unpack
from maskedteeth.errors import InputError
from maskedteeth.settings.config import Data
from maskedteeth.settings.jobs import FetchJob

pytestmark = pytest.mark.usefixtures("isolated")
BUSY = [(503, {}, b"")] * 9


def html(status, **headers):
    return status, {"Content_Type": "text/html", **headers}, b"<html>No</html>"


def redirect(where):
    return 302, {"Location": where}, b""


def lie(length):
    """Announce a length that is not the body's."""

    def step(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.write(ZIP)
        handler.close_connection = True

    return step


def without_length(handler):
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(ZIP)
    handler.close_connection = True


def in_chunks(handler):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for start in range(0, len(ZIP), 50_000):
        piece = ZIP[start : start + 50_000]
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    handler.wfile.write(b"0\r\n\r\n")


def drip(handler):
    """A byte now and then, so that no single wait is long."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(ZIP)))
    handler.end_headers()
    for byte in ZIP[:1000]:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.02)


def silence(handler):
    time.sleep(0.6)


def hang_up(handler):
    handler.close_connection = True


#: Trouble → what the server does, one request after the other, and how it ends: None is well.
TROUBLES = {
    "wrong length, too long": ([lie(len(ZIP) + 9)], None),
    "wrong length, too short": ([lie(len(ZIP) - 9)] * 9, rf"has sha256 \w+ where {SHA256}"),
    "no length": ([without_length], None),
    "chunks": ([in_chunks], None),
    "slow": ([drip] * 9, r"sent \d+ bytes in \d s, in 3 attempts without progress.*run again"),
    "slow at first": ([drip], None),
    "silent": ([silence] * 9, r"no answer in time\), in 3 attempts"),
    "silent at first": ([silence], None),
    "hung up": ([hang_up] * 9, r"failed \(.+\), in 3 attempts"),
    "hung up at first": ([hang_up], None),
    "another file": ([(200, {}, zip_of({"a": b"b"}))], rf"sha256 \w+ where {SHA256} was expected"),
    "html": ([html(200)], "text/html where a zip was expected; it may be a login page"),
    "401": ([html(401)], "HTTP 401 .*it wants a login"),
    "403": ([html(403)], "HTTP 403 .*access is denied"),
    "404": ([html(404)], "HTTP 404 .*no such file"),
    "429": ([html(429, Retry_After="0")] * 9, "HTTP 429 .*in 3 attempts"),
    "429 at first": ([html(429, Retry_After="0")], None),
    "500 at first": ([html(500)] * 2, None),
    "502": ([html(502)] * 9, "HTTP 502 .*in 3 attempts"),
    "nothing": ([(200, {}, b"")] * 9, rf"sha256 \w+ where {SHA256} was expected"),
    "redirect": ([redirect("/elsewhere.zip")], None),
    "redirects without end": ([redirect("/t.zip")] * 99, "redirects without end"),
    "redirect to nowhere": ([redirect("gopher://x/")], r"could not be asked for \(InvalidSchema"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_download_ends_with_the_right_bytes_or_a_sentence(server, tmp_path, trouble):
    server.script, sentence = list(TROUBLES[trouble][0]), TROUBLES[trouble][1]
    target, options = tmp_path / "t.zip", {"backoff": 0.001, "attempts": 3, "timeout": (5, 0.3)}
    if sentence is not None:
        # The first trouble is mended by asking again, where a part may have come.
        with pytest.raises(InputError, match=sentence) as error:
            server.script *= 2
            download(f"{server.url}/t.zip", target, SHA256, **options)
        assert "127.0.0.1" in str(error.value) and download_module.BY_HAND in str(error.value)
        assert not target.exists()
        server.script = []
    download(f"{server.url}/t.zip", target, SHA256, **options)
    assert target.read_bytes() == ZIP
    assert [file.name for file in tmp_path.glob("t.zip*")] == ["t.zip"]


def cuts():
    places = random.Random(0).sample(range(len(ZIP)), 25)
    return sorted({0, 1, 2, 3, CHUNK - 1, CHUNK, CHUNK + 1, len(ZIP) - 1, *places})


def test_cut_at_any_byte_it_is_resumed_there_to_the_same_bytes(server, tmp_path):
    for cut in cuts():
        server.script, server.asked, server.served = [cut, *BUSY], [], 0
        with pytest.raises(InputError, match="503|cut off"):
            download(f"{server.url}/", tmp_path / "t.zip", SHA256, backoff=0, attempts=1)
        assert not (tmp_path / "t.zip").exists()
        server.script = []
        download(f"{server.url}/", tmp_path / "t.zip", SHA256)
        assert (tmp_path / "t.zip").read_bytes() == ZIP
        kept = cut if cut >= 2 else 0  # a single byte does not show whether it is a zip
        assert server.asked[-1] == (f"bytes={kept}-" if kept else None)
        assert server.served == len(ZIP) + cut - kept  # no byte twice
        (tmp_path / "t.zip").unlink()


def test_a_file_that_changed_between_two_parts_is_downloaded_anew(server, tmp_path, capsys):
    (tmp_path / "t.zip.part").write_bytes(bytes([*ZIP[:1000]][::-1]))
    download(f"{server.url}/t.zip", tmp_path / "t.zip", SHA256)
    assert server.asked == ["bytes=1000-", None]
    assert (tmp_path / "t.zip").read_bytes() == ZIP
    assert "made of several parts" in capsys.readouterr().err


def test_a_redirect_to_another_host_is_followed(server, tmp_path):
    server.script = [redirect(f"http://localhost:{server.server_port}/other.zip")]
    download(f"{server.url}/t.zip", tmp_path / "t.zip", SHA256)
    assert (tmp_path / "t.zip").read_bytes() == ZIP


@pytest.mark.parametrize(
    ("address", "where", "refused"),
    [
        ("https://a/x.zip", "http://a/x.zip", True),
        ("https://a/x.zip", "https://b/x.zip", False),
        ("https://a/x.zip", "/y.zip", False),
        ("http://a/x.zip", "http://b/x.zip", False),
    ],
)
def test_a_redirect_from_https_to_http_is_refused(address, where, refused):
    answer = requests.Response()
    answer.status_code, answer.url, answer.headers["Location"] = 302, address, where
    if refused:
        with pytest.raises(InputError, match="https://a/x.zip redirects to http://a/x.zip, which"):
            refuse_downgrade(answer)
    else:
        refuse_downgrade(answer)


def test_downloads_look_at_every_redirect(server, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(download_module, "refuse_downgrade", lambda a, **_: seen.append(a.url))
    server.script = [redirect("/other.zip")]
    download(f"{server.url}/t.zip", tmp_path / "t.zip", SHA256)
    assert seen == [f"{server.url}/t.zip", f"{server.url}/other.zip"]


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True), 7, 9),
        (lambda: format_datetime(datetime.now(UTC) + timedelta(days=9), usegmt=True), 60, 60),
        (lambda: format_datetime(datetime.now(UTC) - timedelta(days=9), usegmt=True), 1, 1),
        (lambda: "soon", 1, 1),
    ],
)
def test_a_wait_may_be_a_date(server, tmp_path, monkeypatch, asked, least, most):
    waits = []
    monkeypatch.setattr(download_module.time, "sleep", waits.append)
    server.script = [html(429, Retry_After=asked())]
    download(f"{server.url}/t.zip", tmp_path / "t.zip", SHA256)
    assert len(waits) == 1 and least <= waits[0] <= most


def test_a_name_that_cannot_be_resolved_is_a_sentence(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(InputError, match=r"nowhere.invalid/t.zip failed .the name could not"):
        download("http://nowhere.invalid/t.zip", tmp_path / "t.zip", SHA256, attempts=1)


# --- A full disk ---------------------------------------------------------------------------------


def fetch(folder, **data):
    settings = FetchJob(data=Data(source="hitl", **data)).model_dump_json()
    words = ["--raw", str(folder / "raw"), "--downloads", str(folder / "downloads")]
    return main(["fetch", "--settings", settings, *words])


@pytest.fixture
def mirror(server, monkeypatch):
    monkeypatch.setenv("MASKEDTEETH_HITL_URL", f"{server.url}/t.zip")
    monkeypatch.setenv("MASKEDTEETH_HITL_SHA256", SHA256)
    return server


def test_a_disk_that_is_too_small_is_seen_before_a_byte_is_written(mirror, disk, capsys):
    disk.leave(10)
    assert fetch(disk.folder) == 2
    assert re.search(
        r"fetch: \d\.\d MB are still to be downloaded to .*Teeth Segmentation\.zip\.part, and its "
        r"disk has 0\.0 MB left; make room and run the same",
        capsys.readouterr().err,
    )
    assert list((disk.folder / "downloads").glob("[!.]*")) == []


def test_a_disk_that_fills_up_keeps_what_has_come(mirror, disk, capsys):
    disk.leave(40)
    mirror.script = [without_length]
    assert fetch(disk.folder) == 2
    part = disk.folder / "downloads" / "Teeth Segmentation.zip.part"
    assert f"fetch: No space left on device ({part}): make room" in capsys.readouterr().err
    kept = part.read_bytes()
    assert ZIP.startswith(kept) and len(kept) > 100_000
    disk.make_room()
    assert fetch(disk.folder) == 0
    assert mirror.asked[-1] == f"bytes={len(kept)}-"
    assert sorted(p.name for p in disk.folder.iterdir()) == ["downloads", "raw"]


def test_a_disk_that_fills_up_while_unpacking_leaves_nothing(archive, disk, monkeypatch, capsys):
    (disk.folder / "raw" / DATASET).mkdir(parents=True)  # an earlier one
    usage = unpack_module.shutil.disk_usage(disk.folder)
    monkeypatch.setattr(unpack_module.shutil, "disk_usage", lambda _: usage)  # then others write
    for pages in (0, 5, 20, 60):
        disk.leave(pages)
        assert fetch(disk.folder, path=str(archive)) == 2
        sentence = f"fetch: No space left on device ({disk.folder / 'raw'}): make room and run"
        assert sentence in capsys.readouterr().err
        assert sorted(p.name for p in disk.folder.iterdir()) == ["ballast", "raw"]
    disk.make_room()
    assert fetch(disk.folder, path=str(archive)) == 0
    assert_is_dataset(disk.folder / "raw")


# --- Zips ----------------------------------------------------------------------------------------


def member(name, kind=stat.S_IFREG, data=b"x", **changes):
    """Add a member to the dataset's zip."""

    def change(path):
        info = zipfile.ZipInfo(name)
        info.external_attr = (kind | 0o666) << 16
        with zipfile.ZipFile(path, "a") as content:
            content.writestr(info, data, **changes)

    return change


def patch(old, new, count=1):
    """Replace bytes from the end, where the central directory is."""

    def change(path):
        content = path.read_bytes()
        assert old in content
        path.write_bytes(new.join(content.rsplit(old, count)))

    return change


def grow(path):
    """Let the directory announce a terabyte, as a bomb does."""
    with zipfile.ZipFile(path, "a") as content:
        content.writestr("zeros", b"\0" * 1000)
        content.getinfo("zeros").file_size = 1 << 40
        content._didModify = True


def encrypt(path):
    content = bytearray(path.read_bytes())
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)


def no_utf8(path):
    member("zähne")(path)
    patch("zähne".encode(), b"z\xff\xfehne", 2)(path)


def shrink(share):
    return lambda path: path.write_bytes(path.read_bytes()[: int(len(ZIP) * share)])


def cut_directory(path):
    content = path.read_bytes()
    start = content.rfind(b"PK\x05\x06")
    path.write_bytes(content[: start - 40] + content[start:])


NOTHING = "nothing is unpacked. Check where"
IMAGE = f"{DATASET}/d2/img/1.jpg"
ZIPS = {
    "absolute": (member("/evil"), rf"'/evil' that leads out of its folder; {NOTHING}"),
    "parent": (member("a/../../evil"), rf"'a/../../evil' that leads out of its folder; {NOTHING}"),
    "backslashes": (member("a\\..\\evil"), "leads out of its folder"),
    "drive": (member("C:\\evil"), "leads out of its folder"),
    "link": (member("evil", stat.S_IFLNK, "/etc/passwd"), f"'evil' that is a link .*{NOTHING}"),
    "device": (member("evil", stat.S_IFCHR), "is a link or a device"),
    "pipe": (member("evil", stat.S_IFIFO), "is a link or a device"),
    "encrypted": (encrypt, "is encrypted; unpack it and set data.path to the folder"),
    "twice": (member(IMAGE), f"two members '{IMAGE}' and '{IMAGE}' where one was .*{NOTHING}"),
    "another case": (member(IMAGE.upper()), f"two members '{IMAGE}' and '{IMAGE.upper()}'"),
    "dots": (member(f"./{IMAGE}"), "two members"),
    "a file for a folder": (member(DATASET.upper()), f"a file '{DATASET.upper()}' where '.*needs"),
    "a folder for a file": (member(f"{IMAGE}/x/"), f"a file '{IMAGE}' where '{IMAGE}/x/' needs"),
    "no UTF-8": (no_utf8, "not a whole zip file .'utf-8' codec"),
    "a terabyte of zeros": (grow, r"would unpack to 1099\.\d GB .*far more than the dataset"),
    "another method": (
        member("a", compress_type=zipfile.ZIP_LZMA),
        r"compresses 'a' by method 14 where Deflate",
    ),
    "directory cut": (cut_directory, "not a whole zip file"),
    "cut in the middle": (shrink(0.5), "not a whole zip file"),
    "cut at the end": (shrink(0.9999), "not a whole zip file"),
    "empty": (shrink(0), "not a whole zip file"),
    "wrong checksum": (
        lambda path: path.write_bytes(ZIP[:50_000] + b"damage" + ZIP[50_006:]),
        "damaged inside",
    ),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("trouble", ZIPS)
def test_a_bad_zip_is_refused_and_writes_nothing(archive, tmp_path, trouble):
    change, sentence = ZIPS[trouble]
    change(archive)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=sentence) as error:
        unpack(archive, tmp_path / "data" / "raw")
    assert str(archive) in str(error.value)
    (tmp_path / "data").rmdir() if (tmp_path / "data").exists() else None  # it is empty
    assert sorted(tmp_path.rglob("*")) == before


def test_zips_inside_are_left_alone_and_foreign_letters_kept(archive, tmp_path):
    member("nested.zip", data=zip_of({"../evil": b"x"}))(archive)
    member("Zähne ½.txt")(archive)
    unpack(archive, tmp_path / "raw")
    assert {"nested.zip", "Zähne ½.txt"} < {file.name for file in (tmp_path / "raw").iterdir()}


def test_random_damage_is_a_sentence(tmp_path):
    content, chance = zip_of(dataset_members(images=1)), random.Random(1)
    directory = content.find(b"PK\x01\x02") - 200
    refused = 0
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(directory, len(content))] = chance.randrange(256)
        (tmp_path / "d.zip").write_bytes(damaged[: chance.choice([None, chance.randrange(999)])])
        try:
            unpack(tmp_path / "d.zip", tmp_path / "raw")
        except InputError:
            refused += 1
    assert 100 < refused < 150


def test_a_directory_that_points_before_the_start_is_a_sentence(archive, tmp_path):
    content = bytearray(ZIP)
    end = content.rfind(b"PK\x05\x06")
    content[end + 16 : end + 20] = struct.pack("<I", len(ZIP))
    archive.write_bytes(content)
    with pytest.raises(InputError, match="Replace it by a whole copy"):
        unpack(archive, tmp_path / "raw")
