#!/bin/bash
# instructions.sh PROGRAM: the pass-through bench under callgrind, which counts instructions.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Without --instr-atstart=no all of the driver's start would be counted, at a fiftieth of its speed.
valgrind --quiet --tool=callgrind --instr-atstart=no --separate-threads=yes \
    --callgrind-out-file="$folder/callgrind" "$1" --instructions "$folder"
