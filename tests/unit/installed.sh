#!/bin/sh
# installed.sh BUILD: what `meson install` leaves is the library, a manifest that points to it, the command,
# and nothing else.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
meson install -C "$1" --no-rebuild --quiet --destdir "$folder"
find "$folder" -type f | sed "s|^$folder||" | sort

manifest=$(find "$folder" -path '*/vulkan/implicit_layer.d/*.json')
library=$(sed -n 's/.*"library_path": "\(.*\)",*/\1/p' "$manifest")
case $library in
/*) ;;
*)
    echo "the manifest's library_path is not absolute: $library"
    exit 1
    ;;
esac
[ -e "$folder$library" ] || {
    echo "the manifest points to $library, which was not installed"
    exit 1
}
"$(find "$folder" -path '*/bin/fencebridge')" --help >/dev/null
count=$(find "$folder" -type f | wc -l)
[ "$count" -eq 3 ] || {
    echo "3 files were to be installed, $count were"
    exit 1
}
