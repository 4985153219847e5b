#!/bin/bash
# The first hour of an administrator, in the words of README.md, on a bare Debian: try it,
# install it, set it up with Postfix and Dovecot, send, look, take it out. Every command is one that
# stands in README.md; what is between them is the site that an administrator has already.
#
#   tests/mta/first-hour.sh [DIR]     DIR keeps the bare Debian for the next time
#
# Needs root, debootstrap, Go, and a package mirror as apt has it configured.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=${1:-${IMIP_AGENT_MTA:-/var/tmp/imip-agent-mta}/bare}
. /etc/os-release
# It has the network of this machine.
if (exec 3<>/dev/tcp/127.0.0.1/25) 2>/dev/null; then
    echo "another mail server takes mail at port 25 of this machine: end it first" >&2
    exit 1
fi

if [ ! -d "$dir" ]; then
    mkdir -p "$(dirname "$dir")"
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)
    debootstrap --variant=minbase --cache-dir=/var/cache/apt/archives "$VERSION_CODENAME" "$dir.tmp" "$mirror" >"$dir.log" 2>&1 ||
        { tail -n 20 "$dir.log" >&2; exit 1; }
    mv "$dir.tmp" "$dir"
fi

# commands HEADING: the commands that stand in README.md below a heading.
commands() {
    awk -v heading="$1" '$0 == heading { on = 1; next } on && /^#/ { exit } on && /^    / { print substr($0, 5) }' README.md
}
try=$(commands '## Try it' | grep '^sed ')
install=$(commands '## Install it')
setup=$(commands '### Postfix')
incoming=$(commands '### Mail that arrives' | grep '^imip-agent ')
out=$(commands '## Take it out')
for words in "$try" "$install" "$setup" "$incoming" "$out"; do
    [ -n "$words" ] || { echo "README.md has other headings than this script knows" >&2; exit 1; }
done
export try install setup incoming out
export IMIP_GOCACHE=$(go env GOCACHE) IMIP_GOROOT=$(go env GOROOT) IMIP_GOMODCACHE=$(go env GOMODCACHE) IMIP_SOURCE=$PWD IMIP_ROOT=$dir
export IMIP_SUMS="$(go env GOFLAGS)" IMIP_PROXY="$(go env GOPROXY)"

exec unshare --mount --pid --fork --kill-child bash -euo pipefail -c '
    mount --make-rprivate /
    mount -t tmpfs none /mnt
    mkdir /mnt/upper /mnt/work /mnt/root
    mount -t overlay overlay -o "lowerdir=$IMIP_ROOT,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
    mount --rbind /dev /mnt/root/dev
    mount -t proc proc /mnt/root/proc
    mount -t tmpfs -o mode=1777 none /mnt/root/tmp
    mkdir -p /mnt/root/usr/local/go /mnt/root/root/go/pkg/mod /mnt/root/root/.cache/go-build /mnt/root/root/source
    mount --bind "$IMIP_GOROOT" /mnt/root/usr/local/go
    mount --bind "$IMIP_GOMODCACHE" /mnt/root/root/go/pkg/mod
    mount --bind "$IMIP_GOCACHE" /mnt/root/root/.cache/go-build
    cp -a "$IMIP_SOURCE/." /mnt/root/root/source/
    rm -rf /mnt/root/root/source/.git
    cp /etc/resolv.conf /mnt/root/etc/resolv.conf
    [ ! -d /etc/apt ] || cp -a /etc/apt/. /mnt/root/etc/apt/
    cp /etc/ssl/certs/ca-certificates.crt /mnt/root/root/ca.crt # whom this machine trusts
    printf "#!/bin/sh\nexit 101\n" >/mnt/root/usr/sbin/policy-rc.d
    chmod +x /mnt/root/usr/sbin/policy-rc.d
    exec chroot /mnt/root /bin/bash -euo pipefail -c '"'"'
        export PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
        export SSL_CERT_FILE=/root/ca.crt DEBIAN_FRONTEND=noninteractive GOFLAGS="$IMIP_SUMS -buildvcs=false" GOPROXY="$IMIP_PROXY" LC_ALL=C.UTF-8
        say() { printf "\n== %s (%ss)\n" "$1" "$SECONDS"; }
        cd /root/source

        say "the site: Postfix, Dovecot, a user, submission"
        apt-get -qq update 2>/dev/null
        echo postfix postfix/main_mailer_type select Internet Site | debconf-set-selections
        apt-get -q -y --no-install-recommends install postfix dovecot-lmtpd ca-certificates >/tmp/site.log 2>&1 || { tail /tmp/site.log; exit 1; }
        useradd --create-home paul
        postconf -e myhostname=mail.example.org mydestination="example.org, localhost" inet_interfaces=loopback-only maillog_file=/var/log/postfix.log
        postconf -Me submission/inet="submission inet n - y - - smtpd"
        # The mailboxes, as the manual of Dovecot says.
        postconf -e mailbox_transport=lmtp:unix:private/dovecot-lmtp
        cat >/etc/dovecot/conf.d/99-site.conf <<END
auth_username_format = %Ln
mail_location = maildir:~/Maildir
log_path = /var/log/dovecot.log
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    mode = 0600
    user = postfix
    group = postfix
  }
}
END
        dovecot
        newaliases
        cp -a /etc/postfix /root/before
        postfix start

        say "try it"
        bash -ec "$try" | tee /tmp/tried
        grep -q Lunch /tmp/tried

        say "install it"
        bash -ec "${install//apt install/apt-get -q -y install}" >/tmp/install.log 2>&1 || { tail -n 30 /tmp/install.log; exit 1; }
        imip-agent --version

        say "set it up, and send"
        bash -ec "$(head -n 1 <<<"$setup")" | tee /tmp/set-up
        # No systemd runs here, which setup has said: the service is started as README says.
        serve() {
            setsid setpriv --reuid=imip-agent --regid=www-data --clear-groups imip-agent serve </dev/null >>/var/log/imip-agent.log 2>&1 &
            service=$!
            for _ in $(seq 300); do [ -S "/var/spool/postfix/imip-agent/$1" ] && break; sleep 0.2; done
        }
        serve milter
        bash -ec "$(tail -n +2 <<<"$setup")" | tee -a /tmp/set-up
        tail -n 1 /tmp/set-up | grep "^ok       a message from paul@example.org has gone through the service at "
        if grep -E "^(failed|unknown)" /tmp/set-up; then exit 1; fi

        say "mail that arrives"
        bash -ec "$(head -n 1 <<<"$incoming")" | tee /tmp/incoming
        kill "$service"
        wait "$service" || true
        serve lmtp
        bash -ec "$(tail -n +2 <<<"$incoming")" | tee -a /tmp/incoming
        tail -n 1 /tmp/incoming | grep "^ok       an invitation to paul@example.org has gone through the mail system"
        if grep -E "^(failed|unknown)" /tmp/incoming; then exit 1; fi
        grep -rq "X-IMIP-Agent: info" /home/paul/Maildir/new

        say "look"
        imip-agent show paul@example.org
        imip-agent check

        say "take it out"
        kill "$service"
        bash -ec "${out//apt purge/apt-get -q -y purge}" >/tmp/out.log 2>&1 || { tail -n 30 /tmp/out.log; exit 1; }
        diff -r /root/before /etc/postfix
        [ ! -e /usr/bin/imip-agent ]
        echo "Subject: still here" | sendmail -f paul@example.org paul@example.org
        for _ in $(seq 100); do grep -rq "still here" /home/paul/Maildir/new && break; sleep 0.2; done
        grep -rq "still here" /home/paul/Maildir/new
        ls -d /var/lib/imip-agent/store
        say "done"
        postfix stop
        dovecot stop
    '"'"'
'
