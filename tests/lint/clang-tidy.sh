#!/bin/sh
# clang-tidy.sh SOURCE BUILD CLANG_TIDY: fails where clang-tidy finds a mistake in layer/. One process a
# processor; what each has to say comes out in one piece.
#
# A source takes seconds, nearly all of them in the headers. So what has passed is remembered, beside the
# compiler's cache or in the build folder, by the content of the source, of the layer's headers that it was
# built from and of the settings: only what has changed is looked at again.
set -eu

if [ "$1" = --one ]; then
    # The first dependency of an object is its source.
    headers=$(awk -v RS= -v source="/$2" 'index($0, source "\n") {
        for (i = 1; i <= NF; ++i) if ($i ~ /\/layer\/.*\.hpp$/) print $i }' "$DEPENDENCIES" | sort -u)
    [ -n "$headers" ] || headers=$(find "$PWD/layer" -name '*.hpp' | sort)
    key=$({ printf '%s' "$SETTINGS"; cat "$2"; cd "$BUILD" && cat $headers; } | sha256sum | cut -d ' ' -f 1)
    [ ! -e "$PASSED/$key" ] || exit 0
    said=$("$CLANG_TIDY" --quiet -p "$BUILD" "$2" 2>&1) || {
        printf '%s\n' "$said"
        exit 1
    }
    touch "$PASSED/$key"
    exit 0
fi

cd "$1"
export BUILD="$2" CLANG_TIDY="$3" PASSED="${CCACHE_DIR:-$2}/clang-tidy-passed" SETTINGS DEPENDENCIES="$2/clang-tidy-dependencies"
SETTINGS=$({ "$3" --version && cat .clang-tidy "$BUILD/layer/config.hpp"; } | sha256sum)
mkdir -p "$PASSED"
ninja -C "$BUILD" -t deps > "$DEPENDENCIES"
find layer -name '*.cpp' -print0 | xargs -0 -n 1 -P "$(nproc)" "$0" --one
