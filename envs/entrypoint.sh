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

# tini hands a signal to Snakemake and its jobs; bash, which has it in a trap, waits for Snakemake.
stopped=
trap 'stopped=yes' TERM INT
snakemake --cores all "$@" && code=0 || code=$?

# The container's first process takes all others along when it ends, and Snakemake does not wait for
# a training that finishes its step and writes its state: a living Python in this process group.
left_over() { grep -qsE "^[0-9]+ \(python[0-9.]*\) [^Z] [0-9]+ $$ " /proc/[0-9]*/stat; }
while [ -n "$stopped" ] && left_over; do sleep 0.2; done
exit "$code"
