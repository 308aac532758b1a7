#!/usr/bin/env bash
# Every relative link of every Markdown file leads to a file that is there.
set -euo pipefail
cd "$(dirname "$0")/.."

broken=0
while IFS= read -r file; do
    while IFS= read -r target; do
        path=${target%%#*}
        [[ -z "$path" || "$path" == *://* || "$path" == mailto:* ]] && continue
        if [[ ! -e "$(dirname "$file")/$path" ]]; then
            echo "$file: broken link to $target" >&2
            broken=1
        fi
    done < <(grep -oE '\]\([^) ]+\)' "$file" | sed -E 's/^\]\(//; s/\)$//')
done < <(git ls-files '*.md')
exit $broken
