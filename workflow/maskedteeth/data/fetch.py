"""Bring the paper's dataset to a folder: from a zip that is here, its publisher, or Kaggle."""

import contextlib
import io
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from maskedteeth.data.download import BY_HAND, download
from maskedteeth.data.unpack import check_layout, unpack
from maskedteeth.errors import InputError
from maskedteeth.files import ADVICE, error_number
from maskedteeth.provenance import sha256
from maskedteeth.settings.jobs import FetchJob
from maskedteeth.study.locks import alone

#: The publisher's own copy (Humans in the Loop, CC0), which needs no account.
HITL_URL = "https://hitl-public-datasets.s3.eu-central-1.amazonaws.com/Teeth+Segmentation.zip"
HITL_SHA256 = "3b628165a218a5e8d446d1313e6ecbe7cfc599a3d6418cd60b4fb78745becc2e"
#: The same dataset on Kaggle, doi 10.34740/KAGGLE/DSV/5884500. Kaggle packs it anew and promises
#: no digest.
KAGGLE_DATASET = "humansintheloop/teeth-segmentation-on-dental-x-ray-images"


def fetch(settings: FetchJob, *, raw: Path, downloads: Path) -> None:
    """Make the folder ``raw`` with the dataset: ``Teeth Segmentation JSON/`` and what lies beside.

    A zip in data.path is unpacked as it is. Without one, the publisher's copy is downloaded and
    verified, or Kaggle's with your credentials. A download that was cut off is resumed, a finished
    one is used again. The environment can name a mirror of the publisher's copy:
    MASKEDTEETH_HITL_URL, and MASKEDTEETH_HITL_SHA256 where its zip is another.

    Args:
        settings: where the radiographs come from (`data` of the configuration).
        raw: folder to make; it appears when it is complete.
        downloads: folder for zips, whole and in part; it may be shared by studies, which then
            download one after the other.

    Raises:
        InputError: nothing to fetch for these settings, no download, or not the dataset.
    """
    data = settings.data
    if data.source != "hitl":
        raise InputError(
            f"data.source is {data.source!r}, for which nothing is fetched; only 'hitl' is."
        )
    if data.path is not None:
        archive = Path(data.path).expanduser()
        if archive.is_dir():
            raise InputError(
                f"data.path names the folder {archive}, which is read where it is; only a zip is "
                "unpacked by the stage fetch."
            )
    else:
        busy = f"Another study downloads to {downloads} just now; waiting for it."
        with alone(downloads / ".lock", busy):
            archive = _downloaded(data.download, downloads)
    print(f"Unpacking {archive} to {raw}.", flush=True)
    unpack(archive, raw)


def _downloaded(source: str, downloads: Path) -> Path:
    if source == "kaggle":
        return download_from_kaggle(downloads)
    archive = downloads / "Teeth Segmentation.zip"
    url = os.environ.get("MASKEDTEETH_HITL_URL") or HITL_URL
    download(url, archive, os.environ.get("MASKEDTEETH_HITL_SHA256") or HITL_SHA256)
    return archive


def download_from_kaggle(downloads: Path) -> Path:
    """Download Kaggle's zip of the dataset with the user's credentials; return where it is.

    The kaggle package resumes and retries by itself.

    Raises:
        InputError: no credentials, Kaggle refuses them or cannot be reached, or its zip is not the
            dataset.
    """
    name = KAGGLE_DATASET.partition("/")[2]
    target = downloads / f"{name}.zip"
    if target.exists():  # it got its name when it was whole
        print(f"{target} is here already; Kaggle is not asked.", flush=True)
        return target
    part = downloads / f"{name}.part"
    part.mkdir(parents=True, exist_ok=True)

    import requests

    try:
        client = kaggle_client()
        # Where VERBOSE is set in the environment, it prints its requests with the credentials.
        with contextlib.redirect_stdout(io.StringIO()):
            client.dataset_download_files(
                KAGGLE_DATASET, path=str(part), quiet=not sys.stderr.isatty()
            )
    except InputError:
        raise
    except requests.exceptions.HTTPError as error:
        # The error's own text may hold a signed address; its status is enough.
        status = error.response.status_code if error.response is not None else "an error"
        raise InputError(
            f"Kaggle answered HTTP {status} when asked for {KAGGLE_DATASET}. "
            + (
                f"Are your credentials right? {_CREDENTIALS}"
                if status in (401, 403)
                else f"Try again later. {_OTHERWISE}"
            )
        ) from None
    except Exception as error:  # whatever it is, no text of it is shown
        number = error_number(error)
        if number in ADVICE and not isinstance(error, requests.exceptions.RequestException):
            file = getattr(error, "filename", None) or part / f"{name}.zip"
            raise OSError(number, os.strerror(number), str(file)) from None
        raise InputError(
            f"{KAGGLE_DATASET} could not be downloaded from Kaggle ({type(error).__name__}). "
            f"Is there a network? The next run goes on with what is here. {_OTHERWISE}"
        ) from None
    try:
        check_layout(part / f"{name}.zip")
        (part / f"{name}.zip").replace(target)
    except InputError as error:
        raise InputError(
            f"What Kaggle sent is not the dataset and has been removed; run again. {error}"
        ) from None
    finally:  # whole or wrong, there is nothing left to go on with
        shutil.rmtree(part)
    print(f"{target}: sha256 {sha256(target)}")
    return target


_OTHERWISE = f"With data.download set to publisher no account is needed. {BY_HAND}"
_CREDENTIALS = (
    "They are looked for in the environment (KAGGLE_API_TOKEN, or KAGGLE_USERNAME and KAGGLE_KEY), "
    "in ~/.kaggle/access_token, and in kaggle.json in KAGGLE_CONFIG_DIR, ~/.kaggle or "
    "~/.config/kaggle. Make a token in your Kaggle account's settings and put it there, or run "
    f"'kaggle auth login'. {_OTHERWISE}"
)


def kaggle_client() -> Any:
    """Return Kaggle's client, authenticated.

    Raises:
        InputError: the package cannot be imported, there are no credentials, or an access token
            is not valid any more.
    """
    # The package authenticates when it is imported, and again below; where it finds nothing, it
    # prints a page of help and exits.
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            from kaggle.api.kaggle_api_extended import KaggleApi
        except ImportError as error:
            raise InputError(
                f"The package kaggle cannot be imported ({error}); install what envs/ pins. "
                f"{_OTHERWISE}"
            ) from None
        client = KaggleApi()
        try:
            client.authenticate()
        except SystemExit:
            raise InputError(f"No valid Kaggle credentials were found. {_CREDENTIALS}") from None
    return client
