#!/bin/bash
# The first process of the private namespace (see namespace.sh): tree, build, then the verb.
# Gets its settings in FB_* variables and the command of exec as arguments.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
here=$FB_SRC/tests/vm
. "$here/common.sh"
. "$here/tree.sh"
. "$here/chroot.sh"
. "$here/build.sh"
. "$here/guest.sh"
. "$here/verbs.sh"

if [[ -n $FB_HOST ]]; then
    . "$here/host.sh"
    enter_host
else
    ensure_tree
    enter_tree
fi

case $FB_VERB in
exec | shell) build_if_there_is_one plain ;;
esac
case $FB_VERB in
exec) verb_exec "$@" ;;
shell) verb_shell ;;
test) verb_test ;;
bench) verb_bench ;;
demo) verb_demo ;;
esac
