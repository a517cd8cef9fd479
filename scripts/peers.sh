#!/bin/sh
# Builds an environment .peers/NAME for each scripts/peers/NAME.txt; does nothing if they are up to date.
# `make bench` calls it. The benchmark skips the competitors of an environment that cannot be built.
#   sh scripts/peers.sh pins     pins the newest versions of the "roots" in each file's head
# PIP_FIND_LINKS or UV_FIND_LINKS names a folder with wheels of yours.
set -eu
CDPATH='' cd "$(dirname "$0")/.."
unset PYTHONPATH PYTHONHOME
export UV_FIND_LINKS="${UV_FIND_LINKS:-${PIP_FIND_LINKS:-}}"

pinned=scripts/peers
python=3.11 # what the versions are pinned for

say() { printf 'peers: %s\n' "$*" >&2; }

# The stamp holds what the environment depends on: its file, and the folder, whose path is in its scripts.
fingerprint() { cksum "$1" && pwd -P; }

up_to_date() {
    [ -x ".peers/$1/bin/python" ] && [ -f ".peers/$1/stamp" ] &&
        [ "$(cat ".peers/$1/stamp")" = "$(fingerprint "$pinned/$1.txt")" ]
}

# The file names every package, so dependencies are not followed. PyTorch's CPU build is not on PyPI: the second try
# takes it from PyTorch's own index.
install() {
    "$uv" pip install --quiet --no-deps --python ".peers/$1/bin/python" --requirements "$pinned/$1.txt" ||
        UV_TORCH_BACKEND=cpu "$uv" pip install --quiet --no-deps --python ".peers/$1/bin/python" \
            --requirements "$pinned/$1.txt"
}

build() {
    say "building .peers/$1"
    rm -f ".peers/$1/stamp" # first: an interrupted rm must not leave a stamp behind
    rm -rf ".peers/$1"
    mkdir -p .peers
    if "$uv" venv --quiet --no-project --python "$python" ".peers/$1" >"$log" 2>&1 </dev/null &&
        install "$1" >>"$log" 2>&1 </dev/null; then
        fingerprint "$pinned/$1.txt" >".peers/$1/stamp"
    else
        tail -n 6 "$log" | sed 's/^/  | /' >&2
        say ".peers/$1 cannot be built (see above): its peers will be skipped"
        rm -rf ".peers/$1"
    fi
}

# Words after "#   NAME:" in the head of the file $2, one a line.
head_words() { sed -n "s/^# *$1: *//p" "$2" | tr ' ' '\n'; }

pin() {
    head_words without "$1" | sed "s/\$/; python_version < '3'/" >"$log.without"
    { grep '^#' "$1" && head_words roots "$1" | "$uv" pip compile --quiet --upgrade --python-version "$python" \
        --no-annotate --no-header --override "$log.without" -; } >"$log"
    cat "$log" >"$1"
}

missing=
for file in "$pinned"/*.txt; do
    name=$(basename "$file" .txt)
    up_to_date "$name" || missing="$missing $name"
done
if [ -z "$missing" ] && [ $# = 0 ]; then exit; fi

log=$(mktemp)
trap 'rm -f "$log" "$log.without"' EXIT
trap 'exit 130' HUP INT TERM
if ! uv=$(sh scripts/setup.sh uv); then
    say "without uv none can be built: the peers in$missing will be skipped"
    exit
fi
if [ "${1:-}" = pins ]; then
    for file in "$pinned"/*.txt; do pin "$file"; done
else
    for name in $missing; do build "$name"; done
fi
