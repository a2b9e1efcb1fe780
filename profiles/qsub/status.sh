#!/bin/sh
# Prints running, success or failed for a job id, as Snakemake asks for it.
id=$1
ended=.snakemake/qsub/$id.exit

verdict() {
    [ -f "$ended" ] || return 1
    if [ "$(cat "$ended")" = 0 ]; then echo success; else echo failed; fi
}

verdict && exit
# -j: SGE's way to ask for one job; PBS lists one by its id alone.
if [ -n "${SGE_ROOT:-}" ]; then answer=$(qstat -j "$id" 2>&1); else answer=$(qstat "$id" 2>&1); fi
asked=$?
case $answer in
*nknown\ [Jj]ob* | *do\ not\ exist* | *has\ finished*) # it left the queue
    sleep "${QSUB_LATENCY:-10}"                         # for the file of a slow file system
    verdict && exit
    echo "Job $id left the queue and does not say how it ended: it was deleted or killed." >&2
    echo failed
    ;;
*) # also when qstat fails for another reason: the server may be down for a moment
    [ $asked = 0 ] || echo "qstat does not answer for job $id: $answer" >&2
    echo running
    ;;
esac
