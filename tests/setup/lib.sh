# What the scripts of this folder share; sourced by them, not run.

say() { echo "$(basename "$0"): $*" >&2; }

# A port of 127.0.0.1 at which nobody listens.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}

# ask_apt PROGRAM PACKAGE   installs a Debian package where that is allowed; tells whether the program is there
ask_apt() {
    command -v "$1" >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2"; } >&2 || true
    fi
    command -v "$1" >/dev/null
}

# keep_venv DIR MODULE REQUIREMENT…   a virtual environment in DIR that can import MODULE, installed from PyPI if it cannot.
# A kept one may have been moved, or its Python replaced, so it is asked each time; and what is in it is run by
# `python -m`, because the programs of a virtual environment hold the path at which it was made.
keep_venv() {
    local venv=$1 module=$2
    shift 2
    "$venv/bin/python" -c "import $module" 2>/dev/null && return
    command -v python3 >/dev/null || { say "Python 3 is not installed."; return 3; }
    say "installing $* from PyPI into $venv"
    rm -rf "$venv"
    python3 -m venv "$venv" >&2 && "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2 ||
        { rm -rf "$venv"; say "$* could not be installed"; return 3; }
}

# come_up DIR TENTHS PROBE COMMAND…   runs COMMAND behind, its number in DIR/pid and what it says in DIR/server.log, and waits
# so many tenths of a second at the most until PROBE succeeds
come_up() {
    local dir=$1 tenths=$2 probe=$3
    shift 3
    "$@" >"$dir/server.log" 2>&1 &
    echo $! >"$dir/pid"
    for _ in $(seq "$tenths"); do
        if "$probe"; then return; fi
        sleep 0.1
    done
    cat "$dir/server.log" >&2
    say "the server does not answer"
    return 1
}

# go_down DIR   ends what come_up began
go_down() {
    [ -e "$1/pid" ] || return 0
    kill "$(cat "$1/pid")" 2>/dev/null || true
    rm -f "$1/pid"
}

# start_or_stop start|stop DIR   calls the function of that name with the folder, whole; anything else is told how it is used
start_or_stop() {
    case "$#:${1:-}" in
        2:start | 2:stop) "$1" "$(realpath -m "$2")" ;;
        *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
    esac
}
