#!/usr/bin/env bash
# Publishes a space to a server of the S3 protocol and starts a replica from it. The server is s3rver, from npm.
# Where it cannot be had, says so and succeeds.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
rootfold=$target/release/rootfold
version=3.7.1
tools=$target/tools/s3rver
held=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$tools/node_modules/s3rver/package.json" 2>/dev/null || true)
if [[ "$held" != "$version" ]]; then
    npm install --silent --no-fund --no-audit --prefix "$tools" "s3rver@$version" >&2 || {
        echo "NOT CHECKED: publishing to a store of the S3 protocol: npm cannot install s3rver@$version"
        exit 0
    }
fi

work=$(mktemp -d)
"$tools/node_modules/.bin/s3rver" --directory "$work/store" --address 127.0.0.1 --port 0 \
    --configure-bucket spaces >"$work/log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 100); do
    address=$(sed -n 's/.*listening on //p' "$work/log")
    [[ -z "$address" ]] || break
    sleep 0.1
done
[[ -n "$address" ]] || { cat "$work/log" >&2; exit 1; }
export AWS_ENDPOINT=http://$address AWS_ALLOW_HTTP=true AWS_REGION=us-east-1
export AWS_ACCESS_KEY_ID=S3RVER AWS_SECRET_ACCESS_KEY=S3RVER

a() { "$rootfold" --data "$work/a" "$@"; }
b() { "$rootfold" --data "$work/b" "$@"; }
a space new
a put colour blue
a put long "$(head -c 20000 /dev/zero | tr '\0' x)"
a prove
a publish --to s3://spaces/one
a put colour green
a publish --to s3://spaces/one
invite=$(a invite | grep -o 'rootfold1:[^ ]*' | head -1)
b bootstrap --from s3://spaces/one --invite "$invite"
[[ "$(b get colour)" == green ]]
# A browser or a CDN reads the same objects without the protocol.
"$rootfold" --data "$work/c" bootstrap --from "$AWS_ENDPOINT/spaces/one" --invite "$invite"
[[ "$("$rootfold" --data "$work/c" get colour)" == green ]]
echo "published to a store of the S3 protocol, and read from it"
