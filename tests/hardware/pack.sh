#!/bin/bash
# pack.sh BUILD FOLDER: puts what the hardware tests need into FOLDER, so that they run on a server that
# has neither a compiler nor a Vulkan loader (see run-there.sh, which goes along).
#
# Every library that the programs are linked with goes too, down to the C library and its dynamic loader:
# the server's may be older than those that the programs were built with. What they load at run time, the
# Vulkan driver and CUDA, is the server's own.
set -euo pipefail

(($# == 2)) || { echo "usage: $0 BUILD FOLDER" >&2 && exit 2; }
build=$(realpath "$1") folder=$(realpath -m "$2")
here=$(dirname "$(realpath "$0")")

# The same places as in the build folder: the manifest names the library by a path relative to itself.
rm -rf "${folder:?}"/{bin,lib,layer,manifest}
mkdir -p "$folder"/{bin,lib,layer,manifest}
cp "$build"/manifest/*.json "$folder/manifest"
cp "$here/run-there.sh" "$folder"

# Without debug information they are a tenth of the size.
strip --strip-unneeded -o "$folder/bin/hardware" "$build/tests/hardware/hardware"
if [[ -e $build/tools/fencebridge ]]; then
    strip --strip-unneeded -o "$folder/bin/fencebridge" "$build/tools/fencebridge"
fi
for library in "$build"/layer/libVkLayer_*.so; do
    strip --strip-unneeded -o "$folder/layer/${library##*/}" "$library"
done

# ldd names the dynamic loader by its absolute path alone, and the others as "name => path".
ldd "$folder"/bin/* "$folder"/layer/*.so | grep -oE '/[^ :]+ \(0x' | sed 's/ (0x$//' | sort -u |
    while IFS= read -r library; do cp -L "$library" "$folder/lib"; done
compgen -G "$folder/lib/ld-linux*" >/dev/null || { echo "pack.sh: ldd has named no dynamic loader" >&2 && exit 1; }

du -sh "$folder"
