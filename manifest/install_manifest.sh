#!/bin/sh
# install_manifest.sh FROM TO : Meson's install_data() cannot rename what configure_file() made.
set -eu
mkdir -p "$(dirname "$MESON_INSTALL_DESTDIR_PREFIX/$2")"
install -m 644 "$1" "$MESON_INSTALL_DESTDIR_PREFIX/$2"
