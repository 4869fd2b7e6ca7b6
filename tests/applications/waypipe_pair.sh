#!/bin/bash
# waypipe_pair.sh COMMAND...: a Wayland application through waypipe, both of whose ends run here. The layers of the
# caller's environment are theirs alone. Ends as the application does.
set -uo pipefail

node=/dev/dri/renderD128
folder=$(mktemp -d)
waypipe --oneshot --socket "$folder/socket" --drm-node "$node" client &
client=$!
trap 'kill "$client" 2>/dev/null; wait "$client"; rm -rf "$folder"' EXIT
while [[ ! -S $folder/socket ]] && kill -0 "$client" 2>/dev/null; do sleep 0.1; done
waypipe --oneshot --socket "$folder/socket" --drm-node "$node" server -- \
    env -u ENABLE_FENCEBRIDGE -u VK_INSTANCE_LAYERS -u VK_LOADER_DEBUG "$@"
status=$?
wait "$client"
exit "$status"
