#!/bin/sh
# Prepare what the tests in this directory run on: Debian's own Postfix, Exim, OpenSMTPD,
# chasquid, Sendmail and Cyrus, and the tools that look at the Debian package, each installed by
# apt into a layer over this machine's file system. Nothing is installed into the machine
# itself, and the mail systems, of which Debian allows one at a time, do not meet.
#
#   tests/mta/install.sh [DIR]     DIR defaults to $IMIP_AGENT_MTA or /var/tmp/imip-agent-mta
#
# Needs root, apt, debootstrap, Go, and a kernel that mounts overlay file systems. A layer that is there
# already is left as it is; delete DIR to have them made anew. Prints DIR.
set -eu

dir=${1:-${IMIP_AGENT_MTA:-/var/tmp/imip-agent-mta}}
mkdir -p "$dir"

# layer NAME COMMAND: run COMMAND as root in a copy of the machine, and keep the
# difference that it makes as DIR/NAME.
layer() {
    [ -d "$dir/$1" ] && return
    rm -rf "$dir/$1.tmp" "$dir/$1.work"
    mkdir "$dir/$1.tmp" "$dir/$1.work"
    IMIP_COMMAND=$2 unshare --mount --pid --fork --kill-child sh -eu -c '
        mount -t tmpfs none /mnt
        mkdir /mnt/root
        mount -t overlay overlay -o "lowerdir=/,upperdir=$1.tmp,workdir=$1.work" /mnt/root
        mount --rbind /dev /mnt/root/dev
        mount -t proc proc /mnt/root/proc
        mount -t tmpfs none /mnt/root/tmp
        # No server is to start: the tests start their own.
        printf "#!/bin/sh\nexit 101\n" > /mnt/root/usr/sbin/policy-rc.d
        chmod +x /mnt/root/usr/sbin/policy-rc.d
        export DEBIAN_FRONTEND=noninteractive
        chroot /mnt/root sh -eu -c "$IMIP_COMMAND"
        rm /mnt/root/usr/sbin/policy-rc.d
    ' layer "$dir/$1" >"$dir/$1.log" 2>&1 </dev/null || {
        echo "install.sh: layer $1 cannot be made; the end of $dir/$1.log:" >&2
        tail -n 20 "$dir/$1.log" >&2
        exit 1
    }
    rm -rf "$dir/$1.work"
    mv "$dir/$1.tmp" "$dir/$1"
}

apt='apt-get -q -y --no-install-recommends install'

layer postfix "
    apt-get -q update
    echo postfix postfix/main_mailer_type select Internet Site | debconf-set-selections
    echo postfix postfix/mailname string mail.example.com | debconf-set-selections
    $apt postfix postfix-ldap slapd ldap-utils"

layer cyrus "
    apt-get -q update
    echo postfix postfix/main_mailer_type select Internet Site | debconf-set-selections
    echo postfix postfix/mailname string mail.example.com | debconf-set-selections
    $apt postfix cyrus-imapd"

layer exim "
    apt-get -q update
    $apt exim4-daemon-light"

layer exim-ldap "
    apt-get -q update
    $apt exim4-daemon-heavy slapd ldap-utils"

layer opensmtpd "
    apt-get -q update
    echo opensmtpd opensmtpd/mailname string mail.example.com | debconf-set-selections
    $apt opensmtpd"

# Debian 12's OpenSMTPD cannot sign what TLS needs, and takes no password without it. The next Debian's is another
# version, too. It needs that Debian's libraries, so the layer is all of it.
[ -d "$dir/opensmtpd-trixie" ] || {
    rm -rf "$dir/opensmtpd-trixie.tmp"
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)
    debootstrap --variant=minbase --include=opensmtpd,adduser,procps,tzdata trixie "$dir/opensmtpd-trixie.tmp" "$mirror" \
        >"$dir/opensmtpd-trixie.log" 2>&1 </dev/null || {
        echo "install.sh: layer opensmtpd-trixie cannot be made; the end of $dir/opensmtpd-trixie.log:" >&2
        tail -n 20 "$dir/opensmtpd-trixie.log" >&2
        exit 1
    }
    rm -rf "$dir"/opensmtpd-trixie.tmp/var/cache/apt/archives/*.deb "$dir"/opensmtpd-trixie.tmp/var/lib/apt/lists/*
    rm -rf "$dir"/opensmtpd-trixie.tmp/dev/* "$dir/opensmtpd-trixie.tmp/tmp"
    mv "$dir/opensmtpd-trixie.tmp" "$dir/opensmtpd-trixie"
}

layer chasquid "
    apt-get -q update
    $apt chasquid"

layer sendmail "
    apt-get -q update
    $apt sendmail-bin sendmail-cf sasl2-bin libsasl2-modules"

layer package "
    apt-get -q update
    $apt lintian man-db bash-completion systemd cron"

# What builds the packages.
[ -x "$dir/bin/nfpm" ] || GOBIN=$dir/bin go install github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0 >&2

echo "$dir"
