#!/bin/sh
# clang-format.sh SOURCE CLANG_FORMAT: fails where a C or C++ file is not as clang-format would write it.
set -eu
cd "$1"
find layer tests tools \( -name '*.[ch]pp' -o -name '*.c' \) -print0 | xargs -0 "$2" --dry-run -Werror
