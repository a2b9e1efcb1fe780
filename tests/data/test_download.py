import hashlib
import re
import socket
import sys

import pytest
from hitl_zip import SHA256, ZIP, dataset_members, zip_of

from maskedteeth.data import download as download_module
from maskedteeth.data.download import CHUNK, download, shown
from maskedteeth.errors import InputError

pytestmark = pytest.mark.usefixtures("isolated")
SECRET = "0123456789abcdef-secret"


def get(server, target, sha256=SHA256, **options):
    download(f"{server.url}/t.zip", target, sha256, **{"backoff": 0.001, "attempts": 3, **options})


def test_a_download_that_is_cut_off_is_resumed_where_it_stopped(server, tmp_path):
    cuts = [150_000, 70_000, 90_000, 80_000, 66_000]  # more than `attempts`, each with progress
    assert sum(cuts) < len(ZIP)
    server.script = list(cuts)
    get(server, tmp_path / "t.zip")
    assert (tmp_path / "t.zip").read_bytes() == ZIP
    starts = [int(r.removeprefix("bytes=").rstrip("-")) for r in server.asked[1:]]
    assert len(starts) == len(cuts)
    assert starts == sorted(set(starts)) and starts[0] > 150_000 - CHUNK
    assert server.served <= len(ZIP) + len(cuts) * CHUNK  # at most a chunk is asked for again


def test_a_later_call_goes_on_with_what_an_earlier_one_left(server, tmp_path):
    server.script = [200_000] + [(503, {}, b"")] * 3
    with pytest.raises(InputError, match=r"HTTP 503 .* bytes are kept in .*t\.zip\.part"):
        get(server, tmp_path / "t.zip")
    kept = (tmp_path / "t.zip.part").stat().st_size
    assert kept >= 200_000 - CHUNK
    get(server, tmp_path / "t.zip")
    assert server.asked[-1] == f"bytes={kept}-"
    assert not (tmp_path / "t.zip.part").exists()
    assert (tmp_path / "t.zip").read_bytes() == ZIP


def test_a_server_that_ignores_ranges_makes_it_start_anew(server, tmp_path):
    server.ranges_work = False
    server.script = [150_000]
    get(server, tmp_path / "t.zip")
    assert server.asked[1].startswith("bytes=")
    assert (tmp_path / "t.zip").read_bytes() == ZIP


def test_a_server_that_always_cuts_at_the_same_byte_is_given_up(server, tmp_path):
    server.ranges_work = False
    server.script = [150_000] * 20
    with pytest.raises(InputError, match=r"cut off.*3 attempts without progress"):
        get(server, tmp_path / "t.zip")
    assert len(server.asked) == 4  # the first one brought bytes


def test_a_complete_part_is_recognised_when_no_byte_is_left_to_send(server, tmp_path):
    (tmp_path / "t.zip.part").write_bytes(ZIP)
    get(server, tmp_path / "t.zip")
    assert server.served == 0
    assert (tmp_path / "t.zip").read_bytes() == ZIP


def test_a_part_longer_than_the_file_is_thrown_away(server, tmp_path):
    (tmp_path / "t.zip.part").write_bytes(ZIP + b"more")
    get(server, tmp_path / "t.zip")
    assert server.asked == [f"bytes={len(ZIP) + 4}-", None]
    assert (tmp_path / "t.zip").read_bytes() == ZIP


def test_a_range_that_was_not_asked_for_is_not_appended(server, tmp_path):
    (tmp_path / "t.zip.part").write_bytes(ZIP[:100_000])
    wrong = {"Content_Range": f"bytes 5-{len(ZIP) - 1}/{len(ZIP)}"}
    server.script = [(206, wrong, ZIP[5:])]
    get(server, tmp_path / "t.zip")
    assert (tmp_path / "t.zip").read_bytes() == ZIP


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_server_is_asked_again(server, tmp_path, status):
    server.script = [(status, {"Retry_After": "0"}, b"busy")]
    get(server, tmp_path / "t.zip")
    assert (tmp_path / "t.zip").read_bytes() == ZIP
    assert len(server.asked) == 2


def test_a_wait_that_the_server_asks_for_is_kept_up_to_a_limit(server, tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr(download_module.time, "sleep", waits.append)
    server.script = [(429, {"Retry_After": "7"}, b""), (503, {"Retry_After": "9999"}, b"")]
    get(server, tmp_path / "t.zip")
    assert waits == [7, download_module.LONGEST_WAIT]


def test_a_wrong_digest_removes_the_file_and_names_both(server, tmp_path):
    server.body = zip_of(dataset_members(images=2))
    found = hashlib.sha256(server.body).hexdigest()
    with pytest.raises(InputError, match=f"sha256 {found} where {SHA256} was expected"):
        get(server, tmp_path / "t.zip")
    assert list(tmp_path.glob("t.zip*")) == []


def test_a_zip_of_another_digest_is_replaced(server, tmp_path, capsys):
    (tmp_path / "t.zip").write_bytes(b"PK old")
    get(server, tmp_path / "t.zip")
    assert (tmp_path / "t.zip").read_bytes() == ZIP
    assert "downloaded again" in capsys.readouterr().err


def test_a_login_page_is_not_taken_for_the_zip_and_spares_what_is_here(server, tmp_path):
    (tmp_path / "t.zip.part").write_bytes(ZIP[:100_000])
    server.script = [(200, {"Content_Type": "text/html; charset=utf-8"}, b"<html>Log in</html>")]
    with pytest.raises(InputError, match=r"t\.zip answered with text/html where a zip") as error:
        get(server, tmp_path / "t.zip")
    assert "set data.path" in str(error.value)
    assert (tmp_path / "t.zip.part").read_bytes() == ZIP[:100_000]


@pytest.mark.parametrize(("status", "meaning"), [(403, "denied"), (404, "no such file")])
def test_a_refusal_is_final_and_says_what_to_do(server, tmp_path, status, meaning):
    server.script = [(status, {"Content_Type": "application/xml"}, b"<Error/>")]
    with pytest.raises(InputError, match=rf"HTTP {status} .*{meaning}.*set data\.path") as error:
        get(server, tmp_path / "t.zip")
    assert f"{server.url}/t.zip" in str(error.value)
    assert len(server.asked) == 1


def test_without_a_network_a_sentence_names_the_address(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/t.zip"
    with pytest.raises(InputError, match=f"{re.escape(url)} failed .connection refused.*data.path"):
        download(url, tmp_path / "t.zip", SHA256, attempts=2, backoff=0.001)


def test_a_malformed_address_is_not_tried_again(tmp_path):
    with pytest.raises(InputError, match="MissingSchema"):
        download("example.zip", tmp_path / "t.zip", SHA256)


def test_addresses_are_shown_without_secrets():
    assert shown(f"https://me:{SECRET}@host/a.zip?X-Signature={SECRET}#x") == "https://host/a.zip"


def test_progress_is_a_few_quiet_lines_where_nobody_watches(server, tmp_path, capfd):
    get(server, tmp_path / "t.zip")
    lines = capfd.readouterr().err.splitlines()
    assert 3 <= len(lines) <= 12 and lines[-1] == "t.zip: 100 %"


def test_progress_is_a_bar_with_bytes_and_rate_where_a_person_watches(
    server, tmp_path, capfd, monkeypatch
):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    get(server, tmp_path / "t.zip")
    assert re.search(r"t\.zip: 100%.*k/.*B/s", capfd.readouterr().err)
