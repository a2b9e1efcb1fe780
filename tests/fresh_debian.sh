#!/bin/bash
# Make a Debian, clone the project into it, and run commands there as a newcomer without root would.
#
#   tests/fresh_debian.sh [COMMAND ...]
#
# The commands are the README's two, `make demo` and `make test`, unless others are given. The Debian
# is trixie (Python 3.13) with make, git and python3-venv only; RELEASE=sid is another one (bookworm
# has Python 3.11), and PACKAGES="gcc libgl1" are further packages. What is committed is cloned. The
# commands' results come back to RESULTS, a folder, where one is named. Needs root, debootstrap, and
# Debian's and Python's package indices.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
RELEASE=${RELEASE:-trixie}
INCLUDE="ca-certificates git make python3-venv ${PACKAGES:-}"
[ $# -gt 0 ] || set -- "make demo" "make test"

# All mounts are in a namespace of this script's own and end with it, before anything is removed.
if [ -z "${IN_NAMESPACE:-}" ]; then
    WORK=$(mktemp -d)
    trap 'rm -rf --one-file-system "$WORK"' EXIT
    IN_NAMESPACE=yes WORK=$WORK unshare --mount --propagation private "$0" "$@"
    exit
fi

timed() { # SENTENCE COMMAND ...
    local started=$SECONDS
    "${@:2}" || { echo "== $1: failed after $((SECONDS - started)) s" >&2; return 1; }
    echo "== $1: $((SECONDS - started)) s"
}

bootstrap() {
    debootstrap --variant=minbase --include="$INCLUDE" \
        "$RELEASE" "$WORK/root" >"$WORK/log" || { tail "$WORK/log" >&2; return 1; }
}
timed "debootstrap $RELEASE" bootstrap
cd "$WORK/root"
mount -t proc proc proc
mount --rbind /dev dev
for folder in $(python3 "$ROOT/tests/image/pip_conf.py" etc/pip.conf); do
    mkdir -p ".$folder"
    mount --bind --options ro "$folder" ".$folder"
done

chroot . useradd --create-home --shell /bin/bash newcomer
git clone --quiet --no-hardlinks "$ROOT" home/newcomer/maskedteeth
chown -R "$(stat --format %u:%g home/newcomer)" home/newcomer
newcomer() {
    chroot --userspec=newcomer:newcomer . /usr/bin/env -i HOME=/home/newcomer LANG=C.UTF-8 \
        PATH=/usr/local/bin:/usr/bin:/bin bash -c "cd ~/maskedteeth && $1"
}
newcomer "python3 --version"
for command; do
    timed "$command" newcomer "$command" </dev/null
done
[ -z "${RESULTS:-}" ] || cp -r home/newcomer/maskedteeth/results "$RESULTS"
