#!/bin/sh
# Prints running, success or failed for a job (job.batch/NAME), as Snakemake asks for it.
if answer=$(kubectl get "$1" --output 'jsonpath={.status.succeeded}/{.status.failed}' 2>&1); then
    case $answer in
    [1-9]*/*) echo success ;;
    */[1-9]*) echo failed ;;
    *) echo running ;;
    esac
else
    case $answer in
    *NotFound*)
        echo "$1 was deleted." >&2
        echo failed
        ;;
    *) # the server may be down for a moment
        echo "kubectl does not answer for $1: $answer" >&2
        echo running
        ;;
    esac
fi
