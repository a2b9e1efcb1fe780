import json
import subprocess
import sys
import threading

import pytest
from hitl_zip import SHA256, ZIP, assert_is_dataset, zip_of

from maskedteeth.cli import main
from maskedteeth.data import fetch as fetch_module
from maskedteeth.data.fetch import fetch
from maskedteeth.errors import InputError
from maskedteeth.settings.config import Data
from maskedteeth.settings.jobs import FetchJob

pytestmark = pytest.mark.usefixtures("isolated")
SECRET = "0123456789abcdef-secret"


def run(tmp_path, **data):
    settings = FetchJob(data=Data(source="hitl", **data))
    fetch(settings, raw=tmp_path / "data" / "raw", downloads=tmp_path / "downloads")
    return tmp_path / "data" / "raw"


def zips(downloads):
    return [path.name for path in downloads.iterdir() if path.name != ".lock"]


def another(study, downloads):
    """Start a process that fetches the dataset for a study."""
    settings = FetchJob(data=Data(source="hitl")).model_dump_json()
    stage = [sys.executable, "-m", "maskedteeth", "fetch", "--settings", settings]
    places = ["--raw", str(study / "raw"), "--downloads", str(downloads)]
    return subprocess.Popen([*stage, *places], stderr=subprocess.PIPE, text=True)


def test_of_two_studies_that_fetch_at_once_one_downloads(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MASKEDTEETH_HITL_URL", f"{server.url}/t.zip")
    monkeypatch.setenv("MASKEDTEETH_HITL_SHA256", SHA256)
    started, go_on = threading.Event(), threading.Event()

    def slowly(handler):
        started.set()
        go_on.wait(60)
        handler.answer(200, ZIP)

    server.script = [slowly]
    with another(tmp_path / "one", tmp_path / "downloads") as one:
        assert started.wait(60)
        with another(tmp_path / "two", tmp_path / "downloads") as two:
            said = two.stderr.readline()  # it ends, if it does not wait
            go_on.set()
            two.communicate(timeout=60)
        one.communicate(timeout=60)
    assert said.startswith(f"Another study downloads to {tmp_path / 'downloads'} just now; waiting")
    assert (one.returncode, two.returncode, server.asked) == (0, 0, [None])
    for study in ("one", "two"):
        assert_is_dataset(tmp_path / study / "raw")


def test_fetch_downloads_verifies_and_unpacks_the_publishers_zip(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MASKEDTEETH_HITL_URL", f"{server.url}/Teeth+Segmentation.zip")
    monkeypatch.setenv("MASKEDTEETH_HITL_SHA256", SHA256)
    assert_is_dataset(run(tmp_path))
    assert zips(tmp_path / "downloads") == ["Teeth Segmentation.zip"]
    assert server.asked == [None]


def test_a_verified_zip_is_used_again_without_network(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MASKEDTEETH_HITL_SHA256", SHA256)
    monkeypatch.setenv("MASKEDTEETH_HITL_URL", server.url)
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "Teeth Segmentation.zip").write_bytes(ZIP)
    assert_is_dataset(run(tmp_path))
    assert server.asked == []


def test_the_real_address_and_digest_are_the_defaults(monkeypatch, tmp_path):
    calls = []

    def pretend(url, target, sha256):
        calls.append((url, sha256))
        target.write_bytes(ZIP)

    monkeypatch.setattr(fetch_module, "download", pretend)
    run(tmp_path)
    assert calls == [(fetch_module.HITL_URL, fetch_module.HITL_SHA256)]


def test_nothing_is_unpacked_before_the_digest_is_right(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MASKEDTEETH_HITL_URL", server.url)  # and the real digest
    with pytest.raises(InputError, match=fetch_module.HITL_SHA256):
        run(tmp_path)
    assert not (tmp_path / "data").exists()


def test_a_zip_of_the_user_is_unpacked_and_kept(archive, tmp_path):
    assert_is_dataset(run(tmp_path, path=str(archive)))
    assert archive.read_bytes() == ZIP


def test_what_needs_no_fetching_is_refused(tmp_path):
    with pytest.raises(InputError, match="read where it is"):
        run(tmp_path, path=str(tmp_path))
    job = FetchJob(data=Data(source="phantom"))
    with pytest.raises(InputError, match="'phantom', for which nothing is fetched"):
        fetch(job, raw=tmp_path / "raw", downloads=tmp_path)


# --- Kaggle --------------------------------------------------------------------------------------


@pytest.fixture
def kaggle(server, monkeypatch):
    """The real client of the kaggle package, talking to the loopback server."""
    from kagglesdk import kaggle_env

    endpoints = kaggle_env._env_to_endpoint
    monkeypatch.setitem(endpoints, kaggle_env.KaggleEnv.PROD, server.url)
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", SECRET)
    return server


def test_kaggle_serves_with_the_users_credentials(kaggle, tmp_path, capfd):
    assert_is_dataset(run(tmp_path, download="kaggle"))
    ((path, authorization),) = kaggle.asked
    assert path.endswith("DownloadDataset") and authorization.startswith("Basic ")
    assert zips(tmp_path / "downloads") == ["teeth-segmentation-on-dental-x-ray-images.zip"]
    assert SECRET not in "".join(capfd.readouterr())

    assert_is_dataset(run(tmp_path, download="kaggle"))
    assert len(kaggle.asked) == 1  # the second time, the zip is here already


def test_kaggle_without_credentials_says_where_to_put_them(tmp_path, capfd):
    with pytest.raises(InputError, match=r"No valid .*KAGGLE_API_TOKEN.*~/\.kaggle/access_token"):
        run(tmp_path, download="kaggle")
    assert "Authentication required" not in capfd.readouterr().out


def test_a_kaggle_that_cannot_be_imported_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kaggle.api.kaggle_api_extended", None)
    with pytest.raises(InputError, match=r"cannot be imported .* install what"):
        run(tmp_path, download="kaggle")


@pytest.mark.parametrize(("status", "advice"), [(401, "access_token"), (404, "publisher")])
def test_kaggle_refusing_is_a_sentence_without_the_secret(kaggle, tmp_path, status, advice):
    content = json.dumps({"code": status, "message": f"bad {SECRET}"}).encode()
    kaggle.script = [(status, {"Content_Type": "application/json"}, content)]
    with pytest.raises(InputError, match=rf"HTTP {status} .*{advice}") as error:
        run(tmp_path, download="kaggle")
    assert SECRET not in str(error.value)


def test_kaggle_out_of_reach_is_a_sentence(kaggle, tmp_path, monkeypatch):
    kaggle.shutdown()
    kaggle.socket.close()
    with pytest.raises(InputError, match=r"ConnectionError.*Is there a network"):
        run(tmp_path, download="kaggle")


def test_kaggles_zip_is_checked_before_it_gets_its_name(kaggle, tmp_path):
    kaggle.body = zip_of({"something/else.txt": b"x"})
    with pytest.raises(InputError, match=r"What Kaggle sent .* removed; run again\. .*0 times"):
        run(tmp_path, download="kaggle")
    assert zips(tmp_path / "downloads") == []
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "content", [b"<html>", zip_of({"x": b"y"})[:-9], b""], ids=["HTML", "cut off", "empty"]
)
def test_what_is_no_zip_is_not_taken_for_kaggles(kaggle, tmp_path, content):
    kaggle.body = content
    with pytest.raises(InputError, match=r"What Kaggle sent .* not a whole zip"):
        run(tmp_path, download="kaggle")
    assert zips(tmp_path / "downloads") == []
    kaggle.body = ZIP
    assert_is_dataset(run(tmp_path, download="kaggle"))


KEY = {"username": "me", "key": SECRET}


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (json.dumps(KEY), None),
        (json.dumps(KEY)[:-5], "No valid Kaggle credentials were found"),
        (json.dumps({"username": "me"}), "No valid Kaggle credentials were found"),
        (json.dumps({"key": SECRET}), "No valid Kaggle credentials were found"),
        (json.dumps([SECRET]), "could not be downloaded|No valid Kaggle credentials"),
        ("", "No valid Kaggle credentials were found"),
    ],
)
def test_kaggle_json_is_used_or_its_places_are_named(
    kaggle, tmp_path, monkeypatch, capfd, file, sentence
):
    monkeypatch.delenv("KAGGLE_USERNAME")
    monkeypatch.delenv("KAGGLE_KEY")
    from kaggle.api.kaggle_api_extended import KaggleApi

    (tmp_path / "kaggle.json").write_text(file)
    monkeypatch.setattr(KaggleApi, "config", str(tmp_path / "kaggle.json"))
    if sentence is None:
        assert_is_dataset(run(tmp_path, download="kaggle"))
    else:
        with pytest.raises(InputError, match=sentence) as error:
            run(tmp_path, download="kaggle")
        assert SECRET not in str(error.value)
        assert error.value.__suppress_context__
    assert SECRET not in "".join(capfd.readouterr())


@pytest.mark.parametrize("error", [RuntimeError, KeyError, ValueError, OSError])
def test_no_text_of_kaggles_client_is_shown(tmp_path, monkeypatch, error):
    class Client:
        def dataset_download_files(self, *_, **__):
            raise error(f"sent Authorization: {SECRET}")

    monkeypatch.setattr(fetch_module, "kaggle_client", Client)
    with pytest.raises(InputError, match=f"from Kaggle .{error.__name__}") as caught:
        run(tmp_path, download="kaggle")
    assert SECRET not in str(caught.value) and caught.value.__suppress_context__


def test_a_full_disk_is_not_taken_for_a_missing_network(kaggle, disk, monkeypatch, capsys):
    monkeypatch.setattr("time.sleep", lambda _: None)  # the client tries again
    settings = FetchJob(data=Data(source="hitl", download="kaggle")).model_dump_json()
    raw, downloads = disk.folder / "raw", disk.folder / "downloads"
    words = ["fetch", "--settings", settings, "--raw", str(raw), "--downloads", str(downloads)]
    for pages in (0, 4, 40):
        disk.leave(pages)
        assert main(words) == 2
        assert f"No space left on device ({downloads}/" in capsys.readouterr().err
        assert not raw.exists() and not list(downloads.glob("*.zip"))
    disk.make_room()
    assert main(words) == 0
    assert len(zips(downloads)) == 1
