# The command line of ./run. Sourced, never run. Sets the FB_* variables that every later part reads.
# shellcheck shell=bash disable=SC2034 # the other parts read what this sets

usage() {
    cat <<'END'
usage: ./run VERB [options] [-- CMD...]

Runs Fencebridge in a Debian guest with real dma-bufs and real kernel fences. The first call makes a
Debian tree (needs root, the Debian archive and about 6 GB of disk); later calls start in seconds.

verbs
  demo     show stale frames without the layer and none with it: a table and a picture
  test     build, run the tests, end with the line "N passed, N failed, N skipped"
  bench    run the measurements and print them as a table
  shell    an interactive shell in the guest
  exec     run CMD in the guest: ./run exec -- vulkaninfo --summary

options
  --driver venus|lavapipe  the guest's Vulkan driver (test, bench: both unless given; otherwise venus)
  --suite NAME             only this suite of tests (test; may be repeated; default: all)
  --host                   on this machine itself: its GPU, its kernel, no tree and no guest
  --docs                   bench: write docs/performance.md and its plots anew
  --json FILE              write the results there, also when something fails
  --timeout SEC            end the guest's command after SEC seconds
  --out DIR                folder for logs and pictures (default: out/ in the checkout)
  --help                   this text

The layer is built and its manifest is on the loader's path; set ENABLE_FENCEBRIDGE=1 to switch it on:
  ./run exec -- env ENABLE_FENCEBRIDGE=1 vulkaninfo --summary
END
}

bad_option() {
    say "error: $*"
    say "try ./run --help"
    exit 2
}

parse_options() {
    FB_VERB='' FB_DRIVER='' FB_SUITES='' FB_HOST='' FB_JSON='' FB_TIMEOUT='' FB_DOCS='' FB_OUT=$FB_SRC/out
    FB_COMMAND=()
    local option
    while (($#)); do
        option=$1
        case $option in
        -h | --help | help) usage && exit 0 ;;
        --driver=* | --suite=* | --json=* | --timeout=* | --out=*)
            shift
            set -- "${option%%=*}" "${option#*=}" "$@"
            continue
            ;;
        --driver | --suite | --json | --timeout | --out)
            [[ $# -ge 2 && -n $2 ]] || bad_option "$option needs a value"
            set_option "$option" "$2"
            shift
            ;;
        --host) FB_HOST=1 ;;
        --docs) FB_DOCS=1 ;;
        --) shift && FB_COMMAND=("$@") && break ;;
        -*) bad_option "unknown option $option" ;;
        demo | test | bench | shell | exec)
            [[ -z $FB_VERB ]] || bad_option "two verbs: $FB_VERB and $option"
            FB_VERB=$option
            ;;
        *) bad_option "unknown verb '$option' (a command for exec comes after --)" ;;
        esac
        shift
    done
    check_options
}

set_option() {
    case $1 in
    --driver)
        [[ $2 == venus || $2 == lavapipe ]] || bad_option "--driver is venus or lavapipe, not '$2'"
        FB_DRIVER=$2
        ;;
    --suite)
        [[ $2 =~ ^[A-Za-z0-9_-]+$ ]] || bad_option "--suite '$2' is no suite's name"
        FB_SUITES+=${FB_SUITES:+ }$2
        ;;
    --json) FB_JSON=$(realpath -m -- "$2") ;;
    --timeout)
        [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || bad_option "--timeout is a number of seconds, not '$2'"
        FB_TIMEOUT=$2
        ;;
    --out) FB_OUT=$(realpath -m -- "$2") ;;
    esac
}

check_options() {
    [[ -n $FB_VERB ]] || { usage >&2 && bad_option "no verb"; }
    case $FB_VERB in
    exec) ((${#FB_COMMAND[@]})) || bad_option "exec needs a command: ./run exec -- CMD" ;;
    *) ((${#FB_COMMAND[@]} == 0)) || bad_option "$FB_VERB takes no command" ;;
    esac
    [[ -z $FB_DOCS || $FB_VERB == bench ]] || bad_option "--docs goes with bench"
    [[ -z $FB_SUITES || $FB_VERB == test ]] || bad_option "--suite goes with test"
    [[ -z $FB_HOST || -z $FB_DRIVER ]] || bad_option "--driver picks a guest driver: it does not go with --host"
    if [[ -z $FB_TIMEOUT ]]; then
        case $FB_VERB in
        test | bench) FB_TIMEOUT=2400 ;;
        shell) FB_TIMEOUT=86400 ;;
        *) FB_TIMEOUT=900 ;;
        esac
    fi
    case $FB_VERB in
    test | bench) FB_DRIVERS=${FB_DRIVER:-venus lavapipe} ;;
    *) FB_DRIVERS=${FB_DRIVER:-venus} ;;
    esac
    [[ -z $FB_HOST ]] || FB_DRIVERS=host
    [[ -z $FB_JSON || ! -d $FB_JSON ]] || bad_option "--json $FB_JSON is a folder"
}
