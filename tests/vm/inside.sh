#!/bin/bash
# The first process of the private namespace (see namespace.sh): tree, build, then the verb.
# Gets its settings in FB_* variables and the command of exec as arguments.
set -euo pipefail

here=$FB_SRC/tests/vm
# shellcheck source-path=SCRIPTDIR
. "$here/common.sh"
. "$here/tree.sh"
. "$here/chroot.sh"
. "$here/build.sh"
. "$here/guest.sh"

ensure_tree
enter_tree

case $FB_VERB in
exec | shell)
    build_if_there_is_one plain
    ;;&
exec) guest_command "$@" ;;
shell) guest_shell ;;
esac
