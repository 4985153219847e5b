#!/bin/sh
# Build the Debian package from the tree:
#
#   tools/package/build.sh [DIR]     DIR is where the package goes, by default dist
#
# Needs Go, and nfpm, which it takes from $NFPM or the path, or else builds. Prints
# the package's name. VERSION in the environment overrides the changelog's version.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../dist}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$here/../.."

VERSION=${VERSION:-$(sed -n '1s/.*(\(.*\)).*/\1/p' tools/package/changelog)}
ARCH=${ARCH:-$(go env GOARCH)}
# The same sources give the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date -d "$(sed -n 's/^ -- .*>  //p' tools/package/changelog | head -n 1)" +%s)}
tree=$out/tree
rm -rf "$tree"
mkdir -p "$tree/bin" "$tree/man" "$tree/doc"
export VERSION ARCH SOURCE_DATE_EPOCH PACKAGE_TREE="$tree"

# Without cgo: one program for every release of Debian. The time zones are Debian's own.
CGO_ENABLED=0 GOARCH=$ARCH go build -trimpath -ldflags '-s -w' -o "$tree/bin/" ./cmd/...
# The pages are made from the programs' own help, by programs that run here.
mkdir "$tree/host"
GOARCH= CGO_ENABLED=0 go build -o "$tree/host/" ./cmd/... ./tools/package/pages
for program in imip_person_outgoing imip-agent; do
    "$tree/host/pages" man "$tree/host/$program" tools/package/man/$program.rest | gzip -9n >"$tree/man/$program.1.gz"
done
"$tree/host/pages" completion "$tree/host/imip-agent" >"$tree/doc/completion"
gzip -9n <tools/package/changelog >"$tree/doc/changelog.gz"

pack() {
    if [ -n "${NFPM:-}" ]; then "$NFPM" "$@"
    elif command -v nfpm >/dev/null; then nfpm "$@"
    else GOARCH= go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0 "$@"
    fi
}
package=$out/imip-agent-go_${VERSION}_$ARCH.deb
pack package --config tools/package/nfpm.yaml --packager deb --target "$package" >&2
rm -rf "$tree"
echo "$package"
