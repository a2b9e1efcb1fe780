#!/bin/bash
# Build the image on a base made here, run the demo in it, and compare its tables with a local run's.
#
#   tests/image/build_and_run.sh [FOLDER] [SNAKEMAKE ARGUMENTS]
#
# FOLDER (a new temporary one, removed at the end) keeps base, image and results for the next time.
# The arguments, on both sides, are the demo's unless others are given. Needs root on Debian with
# buildah and debootstrap, Debian's and Python's package indices, and the `maskedteeth` environment
# active; no registry of images.
set -euo pipefail
export BUILDAH_ISOLATION=chroot
ROOT=$(cd "$(dirname "$0")/../.." && pwd)

if [ $# -gt 0 ]; then
    mkdir -p "$1"
    WORK=$(cd "$1" && pwd)
    shift
else
    WORK=$(mktemp -d)
    REMOVE=$WORK
fi
tidy() {
    [ -z "${CONTAINER:-}" ] || buildah rm "$CONTAINER" >/dev/null
    [ -z "${REMOVE:-}" ] || rm -rf "$REMOVE"
}
trap tidy EXIT
[ $# -gt 0 ] || set -- --configfile config/demo.yaml --logger rich
BASE=localhost/maskedteeth-base:trixie
NAME=localhost/maskedteeth:test

say() { echo "== $(date +%T) $*"; }
buildah() { command buildah --root "$WORK/store" --runroot "$WORK/run" "$@"; }

if ! buildah inspect --type image "$BASE" >/dev/null 2>&1; then
    say "A base image: debootstrap"
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv \
        trixie "$WORK/base" >"$WORK/debootstrap.log" || { tail "$WORK/debootstrap.log"; exit 1; }
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$WORK/base" / >/dev/null
    buildah commit --quiet --rm "$container" "$BASE" >/dev/null
    rm -rf "$WORK/base"
fi

say "The image: buildah"
# Where indices are mirrored, what pip's settings name is mounted for the build and stays out of it.
volumes=(--volume "$WORK/pip.conf:/etc/pip.conf:ro")
for path in $(python "$ROOT/tests/image/pip_conf.py" "$WORK/pip.conf"); do
    volumes+=(--volume "$path:$path:ro")
done
buildah bud --layers --network host "${volumes[@]}" --build-arg BASE_IMAGE="$BASE" \
    --build-arg IMAGE_NAME="$NAME" \
    --build-arg GIT_COMMIT="$(git -C "$ROOT" describe --always --dirty --abbrev=40 --exclude='*')" \
    --tag "$NAME" "$ROOT" >"$WORK/build.log" 2>&1 || { tail -30 "$WORK/build.log"; exit 1; }
DIGEST=$(buildah images --format '{{.Digest}}' "$NAME")
say "Built $NAME@$DIGEST, $(buildah images --format '{{.Size}}' "$NAME")"

# What an engine would run, as a user whom no password file knows, with results on a mount.
mapfile -t COMMAND < <(buildah inspect --type image "$NAME" | python -c '
import json, sys
config = json.load(sys.stdin)["OCIv1"]["config"]
assert config["User"] not in ("", "0", "root"), config["User"]
assert set(config["Volumes"]) == {"/work/results", "/work/data"}, config["Volumes"]
print(*config["Entrypoint"], sep="\n")')
CONTAINER=$(buildah from --pull-never "$NAME")
# Where the image declares a volume, buildah's own may cover the one given, from the second run on.
buildah config --volume /work/results- --volume /work/data- "$CONTAINER"
inside() {
    buildah run --network host --user 12345:12345 "${volumes[@]}" --env "MASKEDTEETH_IMAGE=$NAME@$DIGEST" \
        --volume "$WORK/inside:/work/results" "$CONTAINER" -- "$@"
}
rm -rf "$WORK/inside" "$WORK/outside"
mkdir "$WORK/inside"
chown 12345:12345 "$WORK/inside"

say "Inside: snakemake $*"
inside "${COMMAND[@]}" "$@"
say "Inside again: nothing is left to do"
inside "${COMMAND[@]}" "$@" 2>&1 | tee "$WORK/again.log"
grep -q "Nothing to be done" "$WORK/again.log"

say "Outside: snakemake $*"
mkdir "$WORK/outside"
cp -r "$ROOT"/{Snakefile,config,docs,envs,profiles,workflow} "$WORK/outside"
(cd "$WORK/outside" && PYTHONPATH="$WORK/outside/workflow" snakemake --cores all "$@")

say "Comparing"
python "$ROOT/tests/image/compare.py" "$WORK/inside" "$WORK/outside/results" "$NAME" "$DIGEST"
