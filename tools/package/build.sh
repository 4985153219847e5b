#!/bin/sh
# Build the Debian package from the tree:
#
#   tools/package/build.sh [DIR]     DIR is where the package goes, by default dist
#
# A package of another version that was built there before is removed.
#
# Needs Go, and nfpm, which it takes from $NFPM or the path, or else builds. Prints
# the package's name. VERSION in the environment overrides the version of the tag or the changelog.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../dist}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$here/../.."

# The version is that of the tag, if this is one, else the changelog's.
tag=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null || true)
VERSION=${VERSION:-${tag#v}}
VERSION=${VERSION:-$(sed -n '1s/.*(\(.*\)).*/\1/p' tools/package/changelog)}
ARCH=${ARCH:-$(go env GOARCH)}
# The same sources give the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date -d "$(sed -n 's/^ -- .*>  //p' tools/package/changelog | head -n 1)" +%s)}
tree=$out/tree
rm -rf "$tree"
mkdir -p "$tree/bin" "$tree/man" "$tree/doc"
export VERSION ARCH SOURCE_DATE_EPOCH PACKAGE_TREE="$tree"

# Without cgo: one program for every release of Debian. The time zones are Debian's own.
CGO_ENABLED=0 GOARCH=$ARCH go build -trimpath -ldflags "-s -w -X imip-agent/cmd/internal/site.version=$VERSION" -o "$tree/bin/" ./cmd/...
# Beside the original, whose programs of these names go on until a site puts ours in their place.
mkdir "$tree/lib"
mv "$tree/bin/imip_person" "$tree/bin/imip_resource" "$tree/lib/"
# The pages are made from the programs' own help, by programs that run here.
mkdir "$tree/host"
GOARCH= CGO_ENABLED=0 go build -o "$tree/host/" ./cmd/... ./tools/package/pages
mkdir "$tree/man5"
for program in imip_person_outgoing imip_person imip_resource imip-agent imip-agent-postgresql; do
    "$tree/host/pages" man "$tree/host/$program" "$tree/man" tools/package/man
done
"$tree/host/pages" config conf/config.txt tools/package/man/config.txt.rest >"$tree/man5/config.txt.5"
gzip -9n "$tree"/man/* "$tree"/man5/*
for shell in bash zsh fish; do
    "$tree/host/pages" completion "$tree/host/imip-agent" $shell >"$tree/doc/completion.$shell"
done
"$tree/host/pages" copyright tools/package/copyright ./cmd/... >"$tree/doc/copyright"
gzip -9n <tools/package/changelog >"$tree/doc/changelog.gz"

pack() {
    if [ -n "${NFPM:-}" ]; then "$NFPM" "$@"
    elif command -v nfpm >/dev/null; then nfpm "$@"
    else GOARCH= go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0 "$@"
    fi
}
rm -f "$out"/imip-agent-go_*_"$ARCH".deb # so that there is one to be installed
package=$out/imip-agent-go_${VERSION}_$ARCH.deb
pack package --config tools/package/nfpm.yaml --packager deb --target "$package" >&2
rm -rf "$tree"
echo "$package"
