#!/bin/sh
# Proves the first two commands in a bare Debian: git, make and python3, a clone of what is committed, nothing typed.
# Needs root, debootstrap and chroot; says so and ends well where they are not. Takes four minutes.
set -eu
CDPATH='' cd "$(dirname "$0")/.."

skip() { echo "skipped: $*"; exit; }

if [ $# = 0 ]; then # the outer half makes the folder, and removes it whatever happens
    [ "$(id -u)" = 0 ] || skip "not root"
    for tool in debootstrap chroot unshare apt-get; do
        command -v "$tool" >/dev/null || skip "no $tool"
    done
    folder=$(mktemp -d)
    # What the inner half mounts or starts ends with it: rm finds plain files.
    unshare --pid --fork --kill-child --mount-proc sh scripts/fresh.sh "$folder" &
    trap 'kill -9 $! 2>/dev/null || true; wait; rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }' EXIT
    trap 'exit 130' HUP INT TERM
    wait $!
    exit
fi

root=$1/root
. /etc/os-release
echo "fresh: a bare $PRETTY_NAME"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $VERSION_CODENAME" | head -n 1)
debootstrap --variant=minbase --include=git,make,python3 "$VERSION_CODENAME" "$root" "$mirror" >"$1/log" ||
    { tail "$1/log"; exit 1; }

# The network, as this machine is told to reach it.
cp -a /etc/apt/apt.conf* "$root/etc/apt"
cp -L /etc/resolv.conf /etc/hosts "$root/etc"
if [ -d /usr/local/share/ca-certificates ]; then cp -a /usr/local/share/ca-certificates "$root/usr/local/share"; fi
if [ -n "${SSL_CERT_FILE:-}" ]; then install -D "$SSL_CERT_FILE" "$root$SSL_CERT_FILE"; fi
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"

git clone --quiet . "$root/chapter_adam"
inside() { env HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"; }
for command in run test; do
    echo "fresh: make $command"
    inside make --no-print-directory -C /chapter_adam "$command"
done
[ -z "$(inside git -C /chapter_adam status --porcelain)" ] || { echo "fresh: git status is not clean"; exit 1; }
echo "fresh: it works"
