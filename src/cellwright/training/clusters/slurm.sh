#!/bin/bash
# Slurm: several machines with eight GPUs each, by FSDP2; sbatch slurm.sh DATASET OUT [OPTIONS OF `cellwright train sft`]
#SBATCH --job-name=cellwright-sft
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --time=12:00:00
#SBATCH --requeue
# A job that is requeued goes on from its last checkpoint: the command is the same.
set -euo pipefail

if [ $# -lt 2 ]; then
  echo "usage: sbatch slurm.sh DATASET OUT [OPTIONS]; DATASET and OUT on a disk that all nodes share" >&2
  exit 2
fi
dataset=$1 out=$2
shift 2
export MASTER_ADDR MASTER_PORT=29500
MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)

srun --kill-on-bad-exit=1 bash -c 'exec accelerate launch \
  --config_file "$(cellwright train files fsdp2.yaml)" \
  --num_machines "$SLURM_NNODES" --num_processes "$((SLURM_NNODES * 8))" --machine_rank "$SLURM_NODEID" \
  --main_process_ip "$MASTER_ADDR" --main_process_port "$MASTER_PORT" --rdzv_backend static \
  -m cellwright train sft "$@"' _ "$dataset" --out "$out" "$@"
