#!/bin/sh
# Build packages from the tree:
#
#   tools/package/build.sh [DIR [FORMAT...]]
#
# DIR is where they go, by default dist. FORMAT is deb (the default), rpm, or tar: an archive with programs that run
# from anywhere. A package of another version that was built there before is removed.
#
# Needs Go, and for packages nfpm, which it takes from $NFPM or the path, or else builds. Prints the names of the
# packages, in the order of the formats. VERSION in the environment overrides the version of the tag or the changelog.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../dist}
[ $# -eq 0 ] || shift
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
# package FORMAT TARGET: what this format says of itself, and the contents.
package() {
    cat "tools/package/$1.yaml" tools/package/contents.yaml >"$tree/$1.yaml"
    pack package --config "$tree/$1.yaml" --packager "$1" --target "$2" >&2
}

for format in "${@:-deb}"; do
    case $format in
    deb)
        rm -f "$out"/imip-agent-go_*_"$ARCH".deb # so that there is one to be installed
        file=$out/imip-agent-go_${VERSION}_$ARCH.deb
        package deb "$file"
        ;;
    rpm)
        # There no group www-data is shared with the original. What is done goes to the mail log, where
        # administrators look.
        mkdir "$tree/systemd"
        for unit in conf/systemd/*; do
            sed 's/^Group=www-data$/Group=imip-agent/' "$unit" >"$tree/systemd/$(basename "$unit")"
        done
        sed 's/^SYSLOG = None$/SYSLOG = "mail"/' conf/config.txt >"$tree/config.txt"
        case $ARCH in
        amd64) machine=x86_64 ;;
        arm64) machine=aarch64 ;;
        *) machine=$ARCH ;;
        esac
        version=$(echo "$VERSION" | tr - '~') # a hyphen begins the release there
        rm -f "$out"/imip-agent-go-*."$machine".rpm
        file=$out/imip-agent-go-$version-1.$machine.rpm
        (VERSION=$version && package rpm "$file")
        ;;
    tar)
        name=imip-agent-go-$VERSION-linux-$ARCH
        rm -f "$out"/imip-agent-go-*-linux-"$ARCH".tar.gz
        file=$out/$name.tar.gz
        archive=$tree/$name
        mkdir -p "$archive/bin" "$archive/man/man1" "$archive/man/man5" "$archive/completion"
        cp "$tree"/bin/* "$tree"/lib/* "$archive/bin/"
        cp "$tree"/man/* "$archive/man/man1/"
        cp "$tree"/man5/* "$archive/man/man5/"
        for shell in bash zsh fish; do
            cp "$tree/doc/completion.$shell" "$archive/completion/imip-agent.$shell"
        done
        cp "$tree/doc/copyright" COPYING README.md tools/package/changelog "$archive/"
        cp -R conf "$archive/"
        rm "$archive"/conf/*.go "$archive"/conf/*/*.go
        chmod -R u=rwX,go=rX "$archive"
        tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$tree" -cf - "$name" | gzip -9n >"$file"
        ;;
    *)
        echo "build.sh: $format is none of deb, rpm and tar" >&2
        exit 1
        ;;
    esac
    echo "$file"
done
rm -rf "$tree"
