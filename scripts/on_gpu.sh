#!/bin/sh
# Test and measure on one GPU what tests on a CPU cannot show, in at most nine minutes:
#
#     OUT=results sh scripts/on_gpu.sh
#     OUT=results sh scripts/on_gpu.sh --arch small --rehearse      # anywhere, on the CPU
#
# It needs a python3 with torch, but no network. WHEELS names a folder with wheels of whatever else
# is missing (diffusers, transformers, pytest and so on). With TRAIN set to options of
# scripts/train_pocket.py, the remaining time is spent on training pocket. $OUT gets a log for each
# part, painters.json, painters.png and summary.txt.
set -u
cd "$(dirname "$0")/.."
: "${OUT:?set OUT to the folder for the results}"
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
arch=sd-v1-4 device=cuda rehearsal=
while [ $# -gt 0 ]; do
    case $1 in
        --arch) arch=$2; shift 2 ;;
        --rehearse) device=cpu rehearsal=1; shift ;;
        *) echo "unknown option $1: --arch sd-v1-4, --arch small or --rehearse" >&2; exit 2 ;;
    esac
done
batch=16
[ -n "$rehearsal" ] && batch=1
begin=$(date +%s)
end=$((begin + 530))
python=${PYTHON:-python3}
if [ -n "${WHEELS:-}" ]; then
    "$python" -m venv --system-site-packages "$OUT/venv"
    python=$OUT/venv/bin/python
    "$python" -m pip install --quiet --no-index --no-deps "$WHEELS"/*.whl || exit 1
fi
export PYTHONPATH=$PWD:$PWD/scripts:$PWD/tests HF_HUB_OFFLINE=1 REHEARSAL=$rehearsal
export TORCHINDUCTOR_CACHE_DIR="$OUT/compiled"
: > "$OUT/summary.txt"

# part NAME SECONDS COMMAND...: run with a log, at most this long and not beyond the end.
part() {
    name=$1 limit=$2
    shift 2
    left=$((end - $(date +%s)))
    [ "$limit" -gt "$left" ] && limit=$left
    if [ "$limit" -lt 10 ]; then
        echo "$name: skipped, no time left" | tee -a "$OUT/summary.txt"
        return
    fi
    started=$(date +%s)
    timeout "$limit" "$@" > "$OUT/$name.log" 2>&1
    code=$?
    echo "$name: exit code $code after $(($(date +%s) - started)) s" | tee -a "$OUT/summary.txt"
}

part environment 60 "$python" -c "
import torch
print('torch', torch.__version__, 'CUDA', torch.version.cuda)
if torch.cuda.is_available():
    print(torch.cuda.get_device_name(), torch.cuda.get_device_capability())
    print(torch.cuda.mem_get_info())
"
part tests 150 "$python" -m pytest tests/on_gpu -rs --durations 5
part painters 300 "$python" scripts/bench.py painters --arch "$arch" --device "$device" \
    --repeats 3 ${rehearsal:+--images 2 --steps 4} \
    --output "$OUT/painters.json" --plot "$OUT/painters.png"
part kernels 60 "$python" scripts/bench.py kernels --arch "$arch" --device "$device" \
    --batch-size "$batch"
if [ -n "${TRAIN:-}" ]; then
    left=$((end - $(date +%s) - 10))
    # shellcheck disable=SC2086  # TRAIN holds several options
    part train "$left" "$python" scripts/train_pocket.py $TRAIN --work "$OUT/pocket" \
        --time-budget "$((left > 60 ? left - 30 : 30))s"
fi
echo "$(($(date +%s) - begin)) s in total; results in $OUT" | tee -a "$OUT/summary.txt"
! grep -q 'exit code [1-9]' "$OUT/summary.txt"
