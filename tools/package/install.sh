#!/bin/sh
# Build the programs and install them where there is no package for the system:
#
#   tools/package/install.sh [PREFIX]     PREFIX is /usr/local by default
#   tools/package/install.sh --remove [PREFIX]
#
# Needs Go; as root. Programs go to PREFIX/bin, pages and completion to PREFIX/share, the nightly
# job to /etc/systemd/system or, without systemd, to /etc/cron.d, with the same prefix, user and
# group. It makes the user, the directories and /etc/imip-agent/config.txt, if they are
# missing (`imip-agent setup user`). DESTDIR in the environment goes before all paths,
# and then no user is made.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
remove=
[ "${1:-}" != --remove ] || { remove=yes; shift; }
prefix=${1:-/usr/local}
case $prefix in /*) ;; *) echo "install.sh: $prefix is not an absolute path" >&2; exit 64 ;; esac
dest=${DESTDIR:-}
units="imip-agent-nightly.service imip-agent-nightly.timer imip-agent-report@.service imip-agent.service imip-agent.socket imip-agent-lmtp.socket imip-agent-metrics.socket"
programs="imip_person_outgoing imip_person imip_resource imip-agent imip-agent-postgresql"
completions="bash:bash-completion/completions/imip-agent zsh:zsh/site-functions/_imip-agent fish:fish/vendor_completions.d/imip-agent.fish"

if [ -n "$remove" ]; then
    for system in postfix exim; do
        if "$dest$prefix/bin/imip-agent" setup $system --remove --dry-run 2>/dev/null | grep -q '^--- '; then
            echo "install.sh: remove it from the mail system first: imip-agent setup $system --remove" >&2
            exit 1
        fi
    done
    [ -n "$dest" ] || [ ! -d /run/systemd/system ] || systemctl disable --now imip-agent-nightly.timer imip-agent.service imip-agent.socket imip-agent-lmtp.socket imip-agent-metrics.socket || true
    for program in $programs imip-agent-serve; do rm -f "$dest$prefix/bin/$program"; done
    rm -f "$dest/etc/cron.d/imip-agent-go"
    rm -f "$dest$prefix"/share/man/man1/imip-agent*.1 "$dest$prefix"/share/man/man1/imip_*.1 "$dest$prefix/share/man/man5/config.txt.5"
    for file in $completions; do rm -f "$dest$prefix/share/${file#*:}"; done
    for unit in $units; do rm -f "$dest/etc/systemd/system/$unit"; done
    echo "removed; users' records and /etc/imip-agent are kept"
    exit 0
fi

cd "$here"
VERSION=${VERSION:-$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null | sed 's/^v//' || true)}
VERSION=${VERSION:-$(sed -n '1s/.*(\(.*\)).*/\1/p' tools/package/changelog)}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/man"
CGO_ENABLED=0 go build -trimpath -ldflags "-X imip-agent/cmd/internal/site.version=$VERSION" -o "$tree/" ./cmd/... ./tools/package/pages
# The command "imip-agent serve" goes on as it, and has its page.
install -D -m 755 "$tree/imip-agent-serve" "$dest$prefix/bin/imip-agent-serve"
for program in $programs; do
    install -D -m 755 "$tree/$program" "$dest$prefix/bin/$program"
    "$tree/pages" man "$tree/$program" "$tree/man" tools/package/man
done
for page in "$tree"/man/*; do install -D -m 644 "$page" "$dest$prefix/share/man/man1/$(basename "$page")"; done
"$tree/pages" config conf/config.txt tools/package/man/config.txt.rest >"$tree/config.txt.5"
install -D -m 644 "$tree/config.txt.5" "$dest$prefix/share/man/man5/config.txt.5"
for file in $completions; do
    "$tree/pages" completion "$tree/imip-agent" "${file%%:*}" >"$tree/completion"
    install -D -m 644 "$tree/completion" "$dest$prefix/share/${file#*:}"
done

owner=imip-agent
group=imip-agent
! getent group www-data >/dev/null || group=www-data # as `imip-agent setup user` has it
if [ -z "$dest" ]; then
    "$prefix/bin/imip-agent" setup user
    # Whom the store belongs to, where it was there before.
    store=$(sed -n 's/^STORE_DIR *= *"\(.*\)".*/\1/p' /etc/imip-agent/config.txt | tail -n 1)
    if [ -d "$store" ]; then
        owner=$(stat -c %U "$store")
        group=$(stat -c %G "$store")
    fi
fi
# place FILE TARGET: with the prefix, the user and the group of this machine.
place() {
    sed -e "s,/usr/bin/imip-agent,$prefix/bin/imip-agent,g" -e "s,^PATH=,PATH=$prefix/bin:," \
        -e "s/^User=.*/User=$owner/" -e "s/^Group=.*/Group=$group/" -e "s/^\(17 3 .*\*  \)imip-agent  /\1$owner  /" "$1" >"$tree/placed"
    install -D -m 644 "$tree/placed" "$2"
}
if [ -d /run/systemd/system ] || [ ! -d /etc/cron.d ]; then
    for unit in $units; do place "conf/systemd/$unit" "$dest/etc/systemd/system/$unit"; done
    if [ -z "$dest" ] && [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl enable --now imip-agent-nightly.timer
    fi
else
    place conf/cron/imip-agent "$dest/etc/cron.d/imip-agent-go"
fi
echo "installed below $prefix; next: imip-agent setup postfix --domain DOMAIN, or exim"
