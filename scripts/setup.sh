#!/bin/sh
# Builds .venv with the pinned packages, or does nothing if it stands already. `make` calls this.
#   PYTHON=3.10 | python3.12 | /a/path   this Python, not the first of 3.11, 3.10, 3.12 that works
#   NO_UV=1                              pip, even where uv could be had
#   sh scripts/setup.sh uv               prints where uv is, installed if need be (for `make pins`)
set -eu
CDPATH='' cd "$(dirname "$0")/.."
unset PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX
export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0

uv_release=0.13.9
supported='3.11 3.10 3.12' # in the order in which they are tried
uv=                        # the command, once found
found=                     # the chosen Python, as "3.11.7 /path/to/python3.11"
can_fetch='from importlib.util import find_spec
assert sys.version_info >= (3, 8) and (find_spec("pip") or find_spec("ensurepip"))' # of a Python that can fetch uv

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
# The tools are heard only when they fail.
run() { "$@" >"$log" 2>&1 </dev/null; }
show_log() { tail -n 12 "$log" | sed 's/^/  | /' >&2; }

# Two set-ups at once would build the same .venv. The kernel drops the lock of whoever dies. macOS has no flock.
lock() {
    flock "$@" 9 2>/dev/null ||
        perl -MFcntl=:flock -e 'open F, ">&=9"; exit !flock F, LOCK_EX | (@ARGV && LOCK_NB)' -- "$@" 2>/dev/null
}

# ---- what the system has to have, seen to before any download

# MXNet's package for Linux aarch64 needs Arm's own libraries, which no package index has.
check_platform() {
    platform="$(uname -s) $(uname -m)"
    if ldd --version 2>&1 | grep -qi musl; then platform="$platform (musl)"; fi
    case $platform in
        'Linux x86_64' | 'Darwin x86_64') ;;
        *) die "MXNet 1.9.1 has no package that runs on $platform; with Docker, type:" \
            "docker build --platform linux/amd64 --tag chapter-adam . &&" \
            "docker run --platform linux/amd64 --rm chapter-adam" ;;
    esac
}

# Prints, by Debian's names, the libraries that MXNet loads and does not bring, as far as the loader does not find
# them for the chosen Python; and venv, which Debian ships apart from Python.
missing_packages() {
    if [ -n "$found" ]; then set -- "${found#* }" -c ''; else set -- true; fi
    [ "$platform" != 'Linux x86_64' ] || env LD_PRELOAD='libgomp.so.1 libquadmath.so.0' "$@" 2>&1 |
        sed -n "s/.*object '\(lib[a-z]*\)\.so\.\(.\)' from LD_PRELOAD cannot.*/\1\2/p"
    [ -n "$uv" ] || find_python 3 "$can_fetch" >/dev/null || echo python3-venv
}

check_system() {
    set -- $(missing_packages)
    [ $# -gt 0 ] || return 0
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] ||
        die "this system lacks $*; type: sudo apt-get install $*"
    say "installing $* with apt-get"
    set -- env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
    run "$@" || { run apt-get update; run "$@"; } || { show_log; die "apt-get failed (see above)"; }
}

# ---- which Python

# Prints "3.11.7 /path" if the command $1 is a Python $2 that passes the statement $3. It has to run: a pyenv
# shim is on PATH and may still fail. A shim or a venv (perhaps the one we remove) yields the Python behind it.
try_python() {
    answer=$("$1" -I -c "import sys, ctypes, ssl, zlib
assert sys.implementation.name == 'cpython' and sys.maxsize > 2**32
${3:-}
print('%d.%d.%d' % sys.version_info[:3], sys.base_prefix + '/bin/python%d.%d' % sys.version_info[:2])
" 2>/dev/null </dev/null) || return 1
    case $answer in "$2"[.\ ]*) echo "$answer" ;; *) return 1 ;; esac
}

# Prints where a Python $1 may be, one a line: everywhere on PATH, among pyenv's, among uv's.
list_pythons() {
    for name in "python$1" python3 python; do
        printf '%s\n' "$PATH" | tr : '\n' | sed "s|\$|/$name|"
    done
    printf '%s\n' "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/"$1"*/bin/python
    [ -z "$uv" ] || UV_PYTHON_PREFERENCE=only-managed "$uv" python find "$1" 2>/dev/null || true
}

# find_python VERSION [STATEMENT]: prints the first that try_python accepts.
find_python() {
    list_pythons "$1" | while IFS= read -r candidate; do
        if [ -x "$candidate" ] && try_python "$candidate" "$@"; then break; fi
    done | grep .
}

# Sets $found to what PYTHON= names, or dies: who names a Python wants no other.
find_named_python() {
    found=$(try_python "$PYTHON" 3) || case ${PYTHON#python} in
        3.[0-9]*) found=$(find_python "${PYTHON#python}") ||
            die "PYTHON=$PYTHON: no such Python on PATH or in pyenv works; install it, or leave PYTHON out" ;;
        *) die "PYTHON=$PYTHON does not work here; it takes a version (3.11), a command or a path" ;;
    esac
    case " $supported " in
        *" ${found%.* *} "*) ;;
        *) die "PYTHON=$PYTHON is Python $found, but MXNet 1.9.1 needs 3.10, 3.11 or 3.12" ;;
    esac
}

# Sets $found, or leaves it empty.
choose_python() {
    if [ -n "${PYTHON:-}" ]; then find_named_python && return; fi
    for version in $supported; do
        if found=$(find_python "$version"); then return; fi
    done
}

no_python() {
    die "no Python 3.11, 3.10 or 3.12 works here (tried: PATH, pyenv${uv:+, a download by uv}); install one," \
        "e.g. 'apt-get install python3.11 python3.11-venv' or 'pyenv install 3.11', or name it: PYTHON=/a/path"
}

# ---- what installs

# Sets $uv to a uv that works, or leaves it empty.
find_uv() {
    for uv in uv .uv/bin/uv; do
        if [ -z "${NO_UV:-}" ] && uv_works "$uv"; then return; fi
    done
    uv=
}

# Fetches uv into .uv: `pip --target` where there is pip, a venv's where there is only that.
fetch_uv() {
    [ -z "$uv${NO_UV:-}" ] && python=$(find_python 3 "$can_fetch") || return 0
    say "fetching uv"
    rm -rf .uv
    if run "${python#* }" -m pip --version; then
        pip_install "${python#* }" --target .uv "uv==$uv_release" || return 0
    else
        run "${python#* }" -m venv .uv && pip_install .uv/bin/python "uv==$uv_release" || return 0
    fi
    find_uv
}

uv_works() { case $("$1" --version 2>/dev/null) in 'uv '*) ;; *) return 1 ;; esac }

pip_install() {
    python=$1 && shift
    run "$python" -m pip install --quiet --no-compile --retries 2 "$@"
}

install_with_uv() {
    if [ -n "$found" ]; then
        run "$uv" venv --quiet --no-project --python "${found#* }" .venv || return
    else
        say "no Python 3.11, 3.10 or 3.12 here: uv fetches 3.11"
        run env UV_PYTHON_PREFERENCE=only-managed UV_HTTP_RETRIES=1 \
            "$uv" venv --quiet --no-project --python 3.11 .venv || return
        found=$(try_python .venv/bin/python 3.11) || return
    fi
    run "$uv" pip install --quiet --python .venv/bin/python --editable '.[notebook,test]' \
        --constraints constraints.txt --build-constraints constraints.txt
}

# Variables, not options, for pip: in old releases and new they also reach the environment of the build.
install_with_pip() {
    run "${found#* }" -m venv .venv || return
    export PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt
    pip_install .venv/bin/python --editable '.[notebook,test]'
}

# ---- the environment

# The stamp says what .venv was made from: the files that decide it and the folder, whose path is all over a venv.
fingerprint() { cksum setup.cfg constraints.txt pyproject.toml scripts/setup.sh && pwd -P; }

up_to_date() {
    [ -x .venv/bin/python ] && [ -f .venv/stamp ] || return
    [ "$(cat .venv/stamp)" = "$(fingerprint)" ] || return
    [ -n "${PYTHON:-}" ] || return 0
    installed=$(cat .venv/python)
    [ "${PYTHON#python}" != "${installed%.* *}" ] || return 0
    find_named_python
    [ "$found" = "$installed" ]
}

build() {
    check_platform
    find_uv
    choose_python
    check_system
    [ -n "$found" ] || choose_python # with what apt-get brought
    fetch_uv
    [ -n "$found" ] || choose_python # among uv's own this time
    [ -z "$found" ] || say "Python $found"

    rm -f .venv/stamp # first: an interrupted rm must not leave a stamp behind
    rm -rf .venv
    if [ -n "$uv" ] && say "installing with uv" && ! install_with_uv; then
        show_log
        [ -n "$found" ] || no_python
        say "uv failed, so pip"
        uv=
        rm -rf .venv
    fi
    if [ -z "$uv" ]; then
        [ -n "$found" ] || no_python
        say "installing with pip: a minute or two"
        install_with_pip || { show_log; die "the packages cannot be installed (see above; does the package index" \
            "answer, is the disk full?); once that is mended, the same command starts afresh"; }
    fi

    echo "$found" >.venv/python
    fingerprint >.venv/stamp.new
    mv .venv/stamp.new .venv/stamp
}

# Imports what every run imports: it proves that MXNet loads here, and leaves the bytecode without which each
# start takes seconds longer. Apart from the build: a missing system library costs no second installation.
check() {
    if ! run env -u PYTHONDONTWRITEBYTECODE MPLBACKEND=agg .venv/bin/python -c '
from chapter_adam.compat import mxnet
import matplotlib.backends.backend_agg, matplotlib.backends.backend_svg, matplotlib.pyplot'; then
        die "$(tail -n 1 "$log" | sed 's/^ImportError: //')"
    fi
    : >.venv/checked
}

ready() { up_to_date && [ -f .venv/checked ]; }

if [ $# = 0 ] && ready; then exit; fi
exec 9>>.venv.lock
lock -n || { say "another set-up works in this folder: waiting for it" && lock; } || true # no locks on this disk
if [ $# = 0 ] && ready; then exit; fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' HUP INT TERM
if [ "${1:-}" = uv ]; then
    find_uv
    fetch_uv
    [ -n "$uv" ] || die "no uv here, and none to be had from the package index"
    echo "$uv"
    exit
fi
start=$(date +%s)
up_to_date || build
check
say "done in $(($(date +%s) - start)) s"
