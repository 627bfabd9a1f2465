#!/usr/bin/env bash
# walk.sh < COMMANDS   runs commands one after another in one shell, as somebody does who pastes them, and stops at the first that
# fails, with its status. It ends what they have left running. A line that begins with "#= " is said again, to tell what follows it.
set -o pipefail
trap 'kill $(jobs -p) 2>/dev/null' EXIT

# Whether the lines so far are whole: no quote, no bracket and no text of a here-document is open.
is_whole() { [[ $1 != *\\$'\n' ]] && [ -z "$(bash -n <<<"$1" 2>&1)" ]; }

run() {
    eval "$command" < /dev/null || { status=$?; printf 'It failed with %s:\n%s' "$status" "$command"; exit "$status"; }
}

exec 3<&0
command=
while IFS= read -r line <&3; do
    if [ -z "$command" ] && [[ $line == '#= '* ]]; then echo "$line"; continue; fi
    command+=$line$'\n'
    if is_whole "$command"; then run; command=; fi
done
