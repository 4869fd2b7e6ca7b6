#!/bin/sh
# clang-tidy.sh SOURCE BUILD CLANG_TIDY: fails where clang-tidy finds a mistake in layer/. One process a
# processor; what each has to say comes out in one piece.
#
# A source takes seconds, nearly all of them in the headers. So what has passed is remembered, beside the
# compiler's cache or in the build folder, by the content of the source, of every header of the layer and of
# the settings: only what has changed is looked at again.
set -eu

if [ "$1" = --one ]; then
    key=$(printf '%s' "$HEADERS" | cat - "$2" | sha256sum | cut -d ' ' -f 1)
    [ ! -e "$PASSED/$key" ] || exit 0
    said=$("$CLANG_TIDY" --quiet -p "$BUILD" "$2" 2>&1) || {
        printf '%s\n' "$said"
        exit 1
    }
    touch "$PASSED/$key"
    exit 0
fi

cd "$1"
export BUILD="$2" CLANG_TIDY="$3" PASSED="${CCACHE_DIR:-$2}/clang-tidy-passed" HEADERS
HEADERS=$({ "$3" --version && find layer -name '*.hpp' | sort | xargs cat .clang-tidy "$BUILD/layer/config.hpp"; } | sha256sum)
mkdir -p "$PASSED"
find layer -name '*.cpp' -print0 | xargs -0 -n 1 -P "$(nproc)" "$0" --one
