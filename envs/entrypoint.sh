#!/bin/bash
# What the image runs: `snakemake --cores all` with the arguments, or one of a few programs.
set -euo pipefail

case "${1:-}" in
maskedteeth | python | bash | sh) exec "$@" ;;
snakemake) shift ;;
esac

mkdir -p results/.snakemake || {
    echo "results cannot be written to by user $(id -u). Mount a folder that this user owns at" \
        "$PWD/results, or start the container as its owner: --user \"\$(id -u):\$(id -g)\"." >&2
    exit 1
}
exec snakemake --cores all "$@"
