#!/bin/bash
# make-tree.sh DIR: makes the bench's Debian tree in DIR. Its text is part of the tree's cache key.
#
# Debian forky, because older suites' QEMU and Mesa give the guest's Venus no SYNC_FD and no swapchain; and of
# trixie what forky does not have (of two versions apt takes the newer).
# The archive is the one this machine already uses: the project names no host of its own.
set -euo pipefail

dir=$1
here=$(dirname "$(realpath "$0")")
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
    echo "make-tree: $*"
    exit 1
}

# Suites are tried in apt's own words, so that one-line and deb822 sources and apt's proxies all work.
archive_with() {
    local suite=$1 codename uri probe
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    probe=$(mktemp -d)
    # shellcheck disable=SC2016 # these are apt's words, not the shell's
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v name="$codename" '$3 == "main" && ($2 == name || $2 ~ /^(stable|testing|unstable|sid)$/) { print $1 }' |
        sort -u >"$probe/candidates"
    while IFS= read -r uri; do
        if /usr/lib/apt/apt-helper download-file "${uri%/}/dists/$suite/InRelease" "$probe/InRelease" >&2; then
            rm -rf "$probe"
            echo "${uri%/}"
            return
        fi
    done <"$probe/candidates"
    rm -rf "$probe"
    return 1
}

[[ $(id -u) == 0 ]] || fail "not root"
[[ -r $keyring ]] || fail "no Debian archive keyring ($keyring): install debian-archive-keyring"
if ! command -v mmdebstrap >/dev/null; then
    echo "make-tree: installing mmdebstrap on this machine"
    { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install mmdebstrap; } ||
        fail "no mmdebstrap on this machine and apt-get could not install it"
fi
archive=$(archive_with forky) ||
    fail "no Debian archive reachable: none of this machine's apt sources answered with the suite forky"

proxies=()
while IFS= read -r line; do proxies+=(--aptopt="$line"); done < <(apt-config dump Acquire | grep -iE '::proxy' || true)

# No documentation and no translations: they are a fifth of the tree and nobody reads them in there. And no
# initrd: the kernel's package makes one of 40 MB, twice, which takes a minute and is never booted.
# shellcheck disable=SC2016 # mmdebstrap's hook is to expand its own $1
mmdebstrap --mode=root --variant=apt --verbose \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    --aptopt='Acquire::Languages "none"' \
    --aptopt='APT::Install-Recommends "false"' \
    "${proxies[@]}" \
    --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --essential-hook='ln -s /bin/true "$1/usr/local/sbin/dracut"; ln -s /bin/true "$1/usr/local/sbin/update-initramfs"' \
    --include="$(grep -vE '^(#|$)' "$here/packages.txt" | paste -sd,)" \
    forky "$dir" "deb [signed-by=$keyring] $archive forky main" "deb [signed-by=$keyring] $archive trixie main"

bash "$here/finish-tree.sh" "$dir" "$archive"
