#!/usr/bin/env bash
# Starts a node with a board that has sample posts, and prints addresses at which to open it: `make board`.
# The data are in target/board; PORT is the port (7340).
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
port=${PORT:-7340}
data=$target/board
export ROOTFOLD_PARAMS_DIR=${ROOTFOLD_PARAMS_DIR:-$target/tmp/rootfold-params}
rootfold() { "$target/release/rootfold" --data "$data" "$@"; }

# post WRITER TEXT TAG...
count=0
post() {
    local writer=$1 text=$2 tags=() marks=(--tag post) tag
    shift 2
    for tag in "$@"; do
        tags+=("\"$tag\"")
        marks+=(--tag "#$tag")
    done
    count=$((count + 1))
    rootfold put --own "post/sample-$count" --as "$writer" "${marks[@]}" --order "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" \
        "{\"text\":\"$text\",\"tags\":[$(IFS=,; echo "${tags[*]}")]}" >/dev/null
}

# A first run that was cut off begins again.
if [[ ! -f $data.complete ]]; then
    rm -rf "$data"
    rootfold space new
    for name in ada ben; do
        rootfold writer new "$name" >/dev/null
        rootfold grant "$name" >/dev/null
    done
    post owner "Welcome. Everything on this page was checked in your browser." help
    post ada "A cat sat on the keyboard and posted this." cats
    post ben "Two dogs met in the park and read a proof." dogs
    post ada "Cats and dogs agree: trust no server." cats dogs
    post ben "View source: one page, one script, one style sheet." help
    rootfold prove
    rootfold publish
    touch "$data.complete"
fi
address=127.0.0.1:$port
invite=$(rootfold invite | grep -o 'rootfold1:[0-9a-f:]*' | head -n 1)
pass() { echo "rootfold-key1:$(<"$data/keys/$1.key")"; }
page="http://$address/board/"
cat <<TEXT

the board   $page#$invite@$address
as ada      $page#$invite@$address&$(pass ada)
as ben      $page#$invite@$address&$(pass ben)

TEXT
exec "$target/release/rootfold" --data "$data" serve --listen "$address" --prove --publish-after 20 --web "$target/web"
