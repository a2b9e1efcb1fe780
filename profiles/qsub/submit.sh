#!/bin/sh
# Submits one job and prints its id: submit.sh pbs|sge RULE THREADS MEMORY_MB MINUTES GPUS JOBSCRIPT
# A site's own wishes (queue, account) are added by QSUB_OPTIONS, e.g. "-q gpu -A mylab".
set -eu
kind=$1 rule=$2 threads=$3 memory=$4 minutes=$5 gpus=$6 script=$7

state=$PWD/.snakemake/qsub # how jobs ended, and what they printed
mkdir -p "$state"
time=$(printf '%02d:%02d:00' $((minutes / 60)) $((minutes % 60)))

case $kind in
pbs)
    needs="select=1:ncpus=$threads:mem=${memory}mb"
    [ "$gpus" = 0 ] || needs="$needs:ngpus=$gpus"
    set -- -l "$needs" -l "walltime=$time" -j oe -o "$state/"
    ;;
sge) # memory is asked for per slot; -notify warns a job before it is killed
    set -- -terse -notify -pe smp "$threads" -l "h_vmem=$(((memory + threads - 1) / threads))M" \
        -l "h_rt=$time" -j y -o "$state/"
    [ "$gpus" = 0 ] || set -- "$@" -l "gpu=$gpus"
    ;;
*)
    echo "submit.sh: '$kind' is neither pbs nor sge; mend profiles/qsub/profile.yaml" >&2
    exit 1
    ;;
esac

# The job says itself how it ended, since not every site keeps finished jobs for qstat. What warns it
# of its end is passed on as SIGTERM, at which a training writes its state.
job=$script.qsub
cat > "$job" <<JOB
#!/bin/sh
trap 'trap "" TERM; kill -TERM 0' TERM USR1 USR2
cd "$PWD"
id=\${PBS_JOBID:-\$JOB_ID}
sh "$script" &
while true; do
    ended=0
    wait \$! || ended=\$?
    kill -0 \$! 2> /dev/null || break
done
echo \$ended > "$state/\$id.part" && mv "$state/\$id.part" "$state/\$id.exit"
exit \$ended
JOB
# shellcheck disable=SC2086
exec qsub -N "$rule" "$@" ${QSUB_OPTIONS:-} "$job"
