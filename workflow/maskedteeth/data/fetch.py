"""Bring the paper's dataset to a folder: from a zip that is here, its publisher, or Kaggle."""

import contextlib
import errno
import io
import os
import sys
import zipfile
from pathlib import Path

from filelock import FileLock

from maskedteeth.data.sources.hitl import DATASET
from maskedteeth.errors import InputError
from maskedteeth.files import replacing_folder

#: The publisher's own copy (Humans in the Loop, CC0), which needs no account.
HITL_URL = "https://hitl-public-datasets.s3.eu-central-1.amazonaws.com/Teeth+Segmentation.zip"
HITL_SHA256 = "3b628165a218a5e8d446d1313e6ecbe7cfc599a3d6418cd60b4fb78745becc2e"
#: The same dataset on Kaggle, doi 10.34740/KAGGLE/DSV/5884500. Kaggle packs it anew and promises
#: no digest.
KAGGLE = "humansintheloop/teeth-segmentation-on-dental-x-ray-images"

#: Downloads that are tried again, the publisher's, before giving up.
RETRIES = 4
#: More than the dataset could ever be: bytes unpacked, and members.
MOST_BYTES = 8 << 30
MOST_MEMBERS = 50_000

BY_HAND = "You can also download the zip by hand and set data.path to it."
CREDENTIALS = (
    "They are looked for in KAGGLE_API_TOKEN, in KAGGLE_USERNAME and KAGGLE_KEY, in "
    "~/.kaggle/access_token and in ~/.kaggle/kaggle.json. With data.download set to publisher no "
    f"account is needed. {BY_HAND}"
)


def fetch(
    dataset: str,
    *,
    raw: Path,
    downloads: Path,
    archive: Path | None = None,
    download: str = "publisher",
) -> None:
    """Make the folder ``raw`` with the dataset, as it is in its zip.

    The environment can name a mirror of the publisher's copy: MASKEDTEETH_HITL_URL, and
    MASKEDTEETH_HITL_SHA256 where its zip is another.

    Args:
        dataset: size and time of the zip that the user has: another one is unpacked again.
        raw: folder to make; it appears when it is complete.
        downloads: folder that keeps downloaded zips, which are used again.
        archive: the dataset's zip; nothing is downloaded then.
        download: where the zip comes from: "publisher", whose sha256 is checked, or "kaggle", with
            the user's credentials.

    Raises:
        InputError: no download, or not the dataset.
    """
    if archive is None:
        print(f"Getting the dataset from {download}, or {downloads}.", flush=True)
        archive = from_kaggle(downloads) if download == "kaggle" else from_publisher(downloads)
    print(f"Unpacking {archive} to {raw}.", flush=True)
    unpack(archive, raw)


def from_publisher(downloads: Path) -> Path:
    """Download and verify the publisher's zip, unless it is here; return where it is.

    Raises:
        InputError: it cannot be reached, or its sha256 is wrong.
    """
    import pooch
    import requests

    url = os.environ.get("MASKEDTEETH_HITL_URL") or HITL_URL
    sha256 = os.environ.get("MASKEDTEETH_HITL_SHA256") or HITL_SHA256
    name = "Teeth Segmentation.zip"
    shelf = pooch.create(
        downloads, "", registry={name: sha256}, urls={name: url}, retry_if_failed=RETRIES
    )
    pooch.get_logger().setLevel("WARNING")  # it would print the address, which may hold a key
    try:
        return Path(shelf.fetch(name, progressbar=sys.stderr.isatty()))
    except requests.exceptions.RequestException as error:  # its text may hold a secret address
        status = f", HTTP {error.response.status_code}" if error.response is not None else ""
        raise InputError(
            f"{name} could not be downloaded from its publisher ({type(error).__name__}{status}). "
            f"Is there a network? MASKEDTEETH_HITL_URL can name a mirror. {BY_HAND}"
        ) from None
    except ValueError:
        raise InputError(
            f"{name} came with another sha256 than {sha256} and was removed. Run the same command "
            f"again; if this remains, the file has changed or is a login page. {BY_HAND}"
        ) from None


def from_kaggle(downloads: Path) -> Path:
    """Download Kaggle's zip with the user's credentials, unless it is here; return where it is.

    Raises:
        InputError: no credentials, Kaggle refuses them or cannot be reached.
    """
    target = downloads / "kaggle" / f"{KAGGLE.partition('/')[2]}.zip"
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):  # another study may be fetching it, too
        if not zipfile.is_zipfile(target):
            _download_from_kaggle(target.parent)
    return target


def _download_from_kaggle(folder: Path) -> None:
    try:
        # The client prints a page of help, and with VERBOSE set its requests with the key.
        with contextlib.redirect_stdout(io.StringIO()):
            from kaggle.api.kaggle_api_extended import KaggleApi

            client = KaggleApi()
            client.authenticate()
            client.dataset_download_files(KAGGLE, path=str(folder), quiet=not sys.stderr.isatty())
    except SystemExit:
        raise InputError(f"No valid Kaggle credentials were found. {CREDENTIALS}") from None
    except Exception as error:  # whatever it is, no text of it is shown: it may hold the key
        status = getattr(getattr(error, "response", None), "status_code", None)
        reason = type(error).__name__ + (f", HTTP {status}" if status else "")
        raise InputError(
            f"{KAGGLE} could not be downloaded from Kaggle ({reason}). Is there a network, is "
            f"there room on the disk, and are your credentials right? {CREDENTIALS}"
        ) from None


def unpack(archive: Path, raw: Path) -> None:
    """Unpack the dataset's zip to the folder ``raw``.

    No member can leave the folder, and links become files: `zipfile` sees to that.

    Raises:
        InputError: ``archive`` is no whole zip, far too large, or not the dataset.
    """
    try:
        with zipfile.ZipFile(archive) as content, replacing_folder(raw) as folder:
            members = [m for m in content.infolist() if not m.filename.startswith("__MACOSX/")]
            size = sum(member.file_size for member in members)
            if size > MOST_BYTES or len(members) > MOST_MEMBERS:
                raise InputError(
                    f"{archive} would unpack to {size / 1e9:.1f} GB in {len(members)} files, far "
                    "more than the dataset; it is not unpacked. Check where it comes from."
                )
            content.extractall(folder, members)
            if not any(folder.rglob(f"{DATASET}/d2/img")):
                raise InputError(
                    f"{archive} has no folder '{DATASET}/d2/img'; set data.path to the zip that "
                    "the publisher or Kaggle gives, or to its unpacked folder. If it holds "
                    "radiographs of your own, unpack it, set data.path to the folder and "
                    "data.source to 'auto'."
                )
    except InputError:
        raise
    except FileNotFoundError as error:
        if error.filename != str(archive):
            raise
        raise InputError(f"The zip {archive} does not exist; correct data.path.") from None
    except Exception as error:  # zipfile raises whatever it stumbles over
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # a place before the start
            raise
        raise InputError(
            f"{archive} is not a complete, plain zip ({error}); remove it and run the same command "
            "again, or replace it with a complete copy."
        ) from None
