import json
import threading
import zipfile

import pytest
from hitl_zip import SHA256, ZIP, assert_is_dataset, dataset_members, zip_of

from maskedteeth.data import fetch as module
from maskedteeth.data.sources.hitl import DATASET, find_records
from maskedteeth.errors import InputError
from maskedteeth.settings.config import Layout

pytestmark = pytest.mark.usefixtures("isolated")
SECRET = "0123456789abcdef-secret"


@pytest.fixture
def raw(tmp_path):
    return tmp_path / "data" / "raw"


@pytest.fixture
def fetch(tmp_path, raw):
    """Run the stage `fetch`."""

    def fetch(source="publisher", **files):
        files = {"raw": raw, "downloads": tmp_path / "downloads"} | files
        module.fetch("as it is", download=source, **files)

    return fetch


@pytest.fixture
def mirror(server, monkeypatch):
    """A mirror of the publisher's copy, of one attempt."""
    monkeypatch.setenv("MASKEDTEETH_HITL_URL", f"{server.url}/t.zip?key={SECRET}")
    monkeypatch.setenv("MASKEDTEETH_HITL_SHA256", SHA256)
    monkeypatch.setattr(module, "RETRIES", 0)
    return server


@pytest.fixture
def kaggle(server, monkeypatch):
    """The real client of the kaggle package, talking to the loopback server."""
    from kagglesdk import kaggle_env

    endpoints = kaggle_env._env_to_endpoint
    monkeypatch.setitem(endpoints, kaggle_env.KaggleEnv.PROD, server.url)
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", SECRET)
    return server


def test_the_publishers_zip_is_downloaded_verified_unpacked_and_used_again(mirror, fetch, raw):
    for _ in range(2):
        fetch()
        assert_is_dataset(raw)
    assert len(mirror.asked) == 1


NO_DOWNLOAD = {
    "refused": ((404, {}, b"gone"), r"publisher \(HTTPError, HTTP 404\)\. Is there a network\?"),
    "login page": ((200, {}, b"<html>"), f"another sha256 than {SHA256} and was removed"),
    "offline": (None, r"publisher \(ConnectionError\)\. Is there a network\?"),
}


@pytest.mark.parametrize("trouble", NO_DOWNLOAD)
def test_no_download_is_one_sentence_and_leaves_nothing(
    mirror, fetch, tmp_path, raw, trouble, capfd
):
    answer, sentence = NO_DOWNLOAD[trouble]
    mirror.script = [answer] if answer else []
    if not answer:
        mirror.shutdown()
        mirror.socket.close()
    with pytest.raises(InputError, match=sentence) as error:
        fetch()
    assert SECRET not in str(error.value) + "".join(capfd.readouterr())
    assert not raw.exists() and not list((tmp_path / "downloads").iterdir())


# --- Kaggle ---


def test_kaggle_serves_with_the_users_credentials(kaggle, fetch, raw, capfd):
    for _ in range(2):
        fetch("kaggle")
        assert_is_dataset(raw)
    ((path, authorization),) = kaggle.asked  # the second time, the zip is here already
    assert path.endswith("DownloadDataset") and authorization.startswith("Basic ")
    assert SECRET not in "".join(capfd.readouterr())


def test_studies_that_fetch_at_once_download_kaggles_zip_once(kaggle, fetch, raw, tmp_path):
    files = {"raw": tmp_path / "other/raw", "downloads": tmp_path / "downloads"}
    files["download"] = "kaggle"
    thread = threading.Thread(target=module.fetch, args=("",), kwargs=files)
    thread.start()
    fetch("kaggle")
    thread.join()
    assert_is_dataset(raw)
    assert_is_dataset(tmp_path / "other/raw")
    assert len(kaggle.asked) == 1


def test_kaggle_without_credentials_says_where_to_put_them(fetch, capfd):
    with pytest.raises(InputError, match=r"No valid .*KAGGLE_API_TOKEN.*~/\.kaggle/access_token"):
        fetch("kaggle")
    assert "Authentication required" not in capfd.readouterr().out


@pytest.mark.parametrize("status", [401, 404])
def test_kaggle_refusing_is_a_sentence_without_the_key(kaggle, fetch, status, capfd):
    content = json.dumps({"code": status, "message": f"bad {SECRET}"}).encode()
    kaggle.script = [(status, {"Content_Type": "application/json"}, content)]
    with pytest.raises(InputError, match=rf"HTTP {status}\).*credentials right") as error:
        fetch("kaggle")
    assert SECRET not in str(error.value) and error.value.__suppress_context__
    assert SECRET not in "".join(capfd.readouterr())


# --- Zips ---


def test_a_zip_of_the_user_is_unpacked_and_kept(archive, fetch, tmp_path, raw):
    fetch(archive=archive)
    assert_is_dataset(raw)
    assert archive.read_bytes() == ZIP and not (tmp_path / "downloads").exists()


def test_folders_may_wrap_the_dataset(archive, fetch, raw):
    members = {f"a/b/{name}": data for name, data in dataset_members().items()}
    for part in ("img/._1.jpg", "ann/._1.jpg.json"):
        members[f"__MACOSX/a/b/{DATASET}/d2/{part}"] = b"resource fork"
    archive.write_bytes(zip_of(members))
    fetch(archive=archive)
    records = find_records(raw, Layout(source="hitl")).records
    assert [record.id for record in records] == ["1", "2", "3"]
    assert not (raw / "__MACOSX").exists()


@pytest.mark.parametrize("name", ["/tmp/evil", "../evil", "a/../../evil", "link"])
def test_nothing_is_written_outside_the_folder(archive, fetch, tmp_path, raw, name):
    member = zipfile.ZipInfo(name)
    member.external_attr = 0o120777 << 16 if name == "link" else 0  # a symbolic link
    with zipfile.ZipFile(archive, "a") as content:
        content.writestr(member, "/etc/passwd")
    before = set(tmp_path.iterdir())
    fetch(archive=archive)
    assert not (tmp_path / "evil").exists() and set(tmp_path.iterdir()) == before | {raw.parent}
    assert not any(path.is_symlink() for path in raw.rglob("*"))


@pytest.mark.parametrize(("limit", "value"), [("MOST_BYTES", 1000), ("MOST_MEMBERS", 3)])
def test_a_zip_that_is_far_too_large_is_not_unpacked(archive, fetch, monkeypatch, limit, value):
    monkeypatch.setattr(module, limit, value)
    with pytest.raises(InputError, match="in 11 files, far more than the dataset"):
        fetch(archive=archive)


DAMAGES = {
    "cut off": (ZIP[: len(ZIP) // 2], "not a complete, plain zip"),
    "damaged inside": (ZIP[:50_000] + b"damage" * 10 + ZIP[50_060:], "not a complete, plain zip"),
    "no zip": (b"<html>", "not a complete, plain zip"),
    "something else": (zip_of({"x": b"y"}), f"no folder '{DATASET}/d2/img'"),
    "radiographs of one's own": (
        zip_of({"images/1.png": b""}),
        "If it holds radiographs of your own, unpack it, set data.path to the folder",
    ),
    "missing": (None, "does not exist; correct data.path"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_the_datasets_zip_leaves_nothing(archive, fetch, raw, damage):
    content, sentence = DAMAGES[damage]
    archive.write_bytes(content) if content is not None else archive.unlink()
    with pytest.raises(InputError, match=f"mine.zip .*{sentence}"):
        fetch(archive=archive)
    assert not raw.exists()
