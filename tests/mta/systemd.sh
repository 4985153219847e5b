#!/bin/bash
# The service under a real systemd, which is the first process of a bare Debian with Postfix and Dovecot, and then with
# Exim: install the package, set it up in the words of README.md, send, receive, answer, reload, stop, be started by a socket,
# take it out. For maintainers: CI has no systemd.
#
#   tests/mta/systemd.sh [DIR]     DIR keeps the bare Debian for the next time
#
# With IMIP_AGENT_DIST it installs the package of that directory, in place of one of this tree.
#
# Needs root, debootstrap, Go, a package mirror as apt has it configured, and a kernel with cgroup version 2.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=${1:-${IMIP_AGENT_MTA:-/var/tmp/imip-agent-mta}/systemd}
. /etc/os-release
# It has the network of this machine.
if (exec 3<>/dev/tcp/127.0.0.1/25) 2>/dev/null; then
    echo "another mail server takes mail at port 25 of this machine: end it first" >&2
    exit 1
fi
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)

if [ ! -d "$dir" ]; then
    mkdir -p "$(dirname "$dir")"
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,adduser,procps,tzdata,ca-certificates \
        "$VERSION_CODENAME" "$dir.tmp" "$mirror" >"$dir.log" 2>&1 || { tail -n 20 "$dir.log" >&2; exit 1; }
    mv "$dir.tmp" "$dir"
fi

# commands HEADING: the commands that stand in README.md below a heading.
commands() {
    awk -v heading="$1" '$0 == heading { on = 1; next } on && /^#/ { exit } on && /^    / { print substr($0, 5) }' README.md
}
work=$(mktemp -d)
say() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# The machine has a group of processes of its own, which ends with it.
groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [ -z "$groups" ]; then
    groups=$work/groups
    mkdir "$groups"
    mount -t cgroup2 none "$groups"
fi
group=$groups/imip-agent-systemd-$$
mkdir "$group"
machine=
end() {
    [ "$?" = 0 ] || echo 'systemd.sh: failed' >&2
    [ -z "$machine" ] || kill -KILL "$machine" 2>/dev/null || true
    echo 1 >"$group/cgroup.kill" 2>/dev/null || true
    for _ in $(seq 100); do
        grep -q 'populated 0' "$group/cgroup.events" && break
        sleep 0.1
    done
    find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
    umount "$work/groups" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT

say 'build the package'
if [ -n "${IMIP_AGENT_DIST:-}" ]; then
    cp -a "$IMIP_AGENT_DIST" "$work/dist"
else
    tools/package/build.sh "$work/dist" deb >/dev/null
fi
cp README.md "$work"
# The commands of README.md, with the package in the place where they look for it.
{
    commands '## Install it' | grep -v build.sh | sed 's#\./dist/#/root/dist/#; s/apt install/apt-get -q -y install/'
} >"$work/install"
commands '### Postfix' | grep '^imip-agent ' >"$work/postfix"
commands '### Exim' | grep '^imip-agent ' >"$work/exim"
commands '### Mail that arrives' | grep '^imip-agent ' >"$work/incoming"
commands '### Rooms and equipment' >"$work/rooms"
commands '## Take it out' | sed 's/apt purge/apt-get -q -y purge/' >"$work/out"
for name in install postfix exim incoming rooms out; do
    [ -s "$work/$name" ] || { echo "README.md has other headings than this script knows" >&2; exit 1; }
done

say 'start a machine'
(
    echo "$BASHPID" >"$group/cgroup.procs"
    exec unshare --mount --pid --uts --ipc --cgroup --fork --kill-child bash -euo pipefail -c '
        mount --make-rprivate /
        mount -t tmpfs none /mnt
        mkdir /mnt/upper /mnt/work /mnt/root
        mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
        cd /mnt/root
        cp -a "$2" root/words
        mv root/words/dist root/dist
        cp /etc/resolv.conf etc/resolv.conf
        cp -a /etc/apt/. etc/apt/
        hostname mail.example.org
        mount -t proc proc proc
        mount -t sysfs -o ro sysfs sys
        mount -t cgroup2 cgroup2 sys/fs/cgroup
        mount -t tmpfs -o mode=755 tmpfs dev
        for name in null zero full random urandom tty; do
            touch dev/$name
            mount --bind /dev/$name dev/$name
        done
        ln -s /proc/self/fd dev/fd
        ln -s /proc/self/fd/0 dev/stdin
        ln -s /proc/self/fd/1 dev/stdout
        ln -s /proc/self/fd/2 dev/stderr
        mkdir dev/pts dev/shm
        mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
        ln -s pts/ptmx dev/ptmx
        mount -t tmpfs -o mode=1777 tmpfs dev/shm
        mount -t tmpfs -o mode=755 tmpfs run
        mount -t tmpfs -o mode=1777 tmpfs tmp
        exec chroot . env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --show-status=no
    ' boot "$dir" "$work"
) >"$work/boot.log" 2>&1 </dev/null &
starter=$!
disown

# inside SCRIPT: run it in the machine.
inside() {
    nsenter --target "$machine" --mount --pid --uts --ipc --cgroup --root --wdns=/ env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive bash -euo pipefail -c "$1"
}
for _ in $(seq 600); do
    for child in $(cat "/proc/$starter/task/$starter/children" 2>/dev/null); do
        case $(readlink "/proc/$child/exe") in */systemd/systemd) machine=$child ;; esac
    done
    [ -z "$machine" ] || ! inside 'systemctl is-active -q multi-user.target' 2>/dev/null || break
    sleep 0.2
done
[ -n "$machine" ] && inside 'systemctl is-active -q multi-user.target' || { cat "$work/boot.log" >&2; exit 1; }

# What the scripts inside have in common.
cat >"/proc/$machine/root/root/words/common" <<'END'
# until WHAT COMMAND...: wait until a command goes well.
until_so() {
    for _ in $(seq 600); do
        if "${@:2}" >/dev/null 2>&1; then return; fi
        sleep 0.2
    done
    echo "not within two minutes: $1" >&2
    systemctl --no-pager status imip-agent.service >&2 || true
    journalctl --no-pager -n 60 >&2 || true
    exit 1
}
# invitation TO UID OCTETS: a message that invites somebody, with as many octets of a description.
invitation() {
    printf 'From: vincent@example.net\nTo: %s\nSubject: %s\nMessage-ID: <%s@example.net>\nMIME-Version: 1.0\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\n\n' "$1" "$2" "$2"
    printf 'BEGIN:VCALENDAR\nPRODID:-//x//x//EN\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:%s\nDTSTAMP:20261120T100000Z\nDTSTART:20330301T100000Z\nDTEND:20330301T110000Z\nSUMMARY:Lunch\n' "$2"
    line=$(printf '%070d' 0)
    for _ in $(seq $(($3 / 140))); do printf 'COMMENT:%s\n %s\n' "${line:8}" "$line"; done
    printf 'ORGANIZER:mailto:vincent@example.net\nATTENDEE;RSVP=TRUE:mailto:%s\nEND:VEVENT\nEND:VCALENDAR\n' "$1"
}
records=/var/lib/imip-agent/store/mailto:paul@example.org
nothing() { [ -z "$1" ] || { echo "left: $1" >&2; exit 1; }; }
has() { grep -rq "$1" "$2"; }
END
with='. /root/words/common;'

say 'the site: Postfix, Dovecot, a user'
inside "$with"'
    useradd --create-home paul
    apt-get -qq update
    echo postfix postfix/main_mailer_type select Internet Site | debconf-set-selections
    apt-get -q -y --no-install-recommends install postfix dovecot-lmtpd curl >/tmp/site.log 2>&1 || { tail /tmp/site.log; exit 1; }
    postconf -e myhostname=mail.example.org mydestination="example.org, localhost" inet_interfaces=loopback-only mailbox_transport=lmtp:unix:private/dovecot-lmtp \
        smtpd_sasl_auth_enable=yes smtpd_sasl_type=dovecot smtpd_sasl_path=private/auth transport_maps="inline:{{example.net=discard:}}"
    postconf -Me submission/inet="submission inet n - y - - smtpd"
    cat >/etc/dovecot/conf.d/99-site.conf <<END
auth_username_format = %Ln
mail_location = maildir:~/Maildir
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    mode = 0600
    user = postfix
    group = postfix
  }
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
END
    systemctl restart dovecot postfix
    cp -a /etc/postfix /root/before'

say 'install it'
inside "$with"'
    bash -ec "$(cat /root/words/install)" >/tmp/install.log 2>&1 || { tail -n 30 /tmp/install.log; exit 1; }
    # No manual pages are read here.
    systemd-analyze --man=no verify /usr/lib/systemd/system/imip-agent*
    systemctl is-enabled imip-agent-nightly.timer
    ! systemctl is-active -q imip-agent.service'

say 'set it up with Postfix, and send'
inside "$with"'
    bash -ec "$(cat /root/words/postfix)" | tee /tmp/postfix
    tail -n 1 /tmp/postfix | grep "^ok       a message from paul@example.org has gone through the service at /var/spool/postfix/imip-agent/milter"
    ! grep -E "^(failed|unknown|warning)" /tmp/postfix'

say 'mail that arrives, and rooms'
inside "$with"'
    bash -ec "$(cat /root/words/incoming)" | tee /tmp/incoming
    tail -n 1 /tmp/incoming | grep "^ok       an invitation to paul@example.org has gone through the mail system"
    ! grep -E "^(failed|unknown|warning)" /tmp/incoming
    bash -ec "$(cat /root/words/rooms)" | tee /tmp/rooms
    ! grep -E "^(failed|unknown|warning)" /tmp/rooms
    for unit in imip-agent.service imip-agent.socket imip-agent-lmtp.socket imip-agent-metrics.socket; do
        systemctl is-active $unit
        systemctl is-enabled $unit
    done
    [ "$(systemctl show -p SubState -p Type --value imip-agent.service | sort | xargs)" = "notify running" ]
    tr "\0" "\n" </proc/$(systemctl show -p MainPID --value imip-agent)/environ | grep "^LISTEN_FDNAMES=" | grep lmtp | grep metrics
    [ "$(curl -s --unix-socket /run/imip-agent/metrics http://localhost/healthz)" = ok ]
    # A room answers by mail.
    until_so "metrics" bash -c "curl -s --unix-socket /run/imip-agent/metrics http://localhost/metrics | grep -q imip"
    sed "s/vincent@example.net/paul@example.org/g" <(invitation rooms@example.org asked 0) | sendmail -f paul@example.org rooms@example.org
    until_so "an answer of a room" has METHOD:REPLY /home/paul/Maildir/new'

say 'under its limits: large messages, reload, a socket that starts it, the end'
inside "$with"'
    # A message with more than 1 MiB of calendar data has a process of its own.
    invitation paul@example.org large 2000000 | sendmail -f vincent@example.net paul@example.org
    until_so "a large message" [ -e $records/objects/large ]
    until_so "a large message in the mailbox" has "UID:large" /home/paul/Maildir/new
    systemctl reload imip-agent
    until_so "reading again" bash -c "journalctl -u imip-agent | grep -q \"read again\""
    before=$(systemctl show -p MainPID --value imip-agent)
    systemctl stop imip-agent.service
    [ "$(systemctl show -p Result --value imip-agent)" = success ]
    journalctl -u imip-agent | grep "the service ends"
    invitation paul@example.org socket 0 | sendmail -f vincent@example.net paul@example.org
    until_so "a mail that starts the service" [ -e $records/objects/socket ]
    [ "$(systemctl show -p MainPID --value imip-agent)" != "$before" ]
    # Killed, it is there again.
    kill -KILL $(systemctl show -p MainPID --value imip-agent)
    invitation paul@example.org killed 0 | sendmail -f vincent@example.net paul@example.org
    until_so "a mail after a kill" [ -e $records/objects/killed ]
    # Doctor says how to start what does not run.
    systemctl disable --now imip-agent.service imip-agent.socket imip-agent-lmtp.socket imip-agent-metrics.socket
    imip-agent doctor >/tmp/stopped || true
    grep "^failed   no mail reaches the service through smtp/inet" /tmp/stopped
    start=$(sed -n "s/.*-> start the service: .\(systemctl enable --now [a-z. -]*\).;.*/\1/p" /tmp/stopped | sort -u)
    [ "$(wc -l <<<"$start")" = 1 ] && [ -n "$start" ] || { cat /tmp/stopped; exit 1; }
    $start
    imip-agent doctor
    systemctl start imip-agent-nightly.service
    imip-agent check
    imip-agent queue
    systemd-analyze security imip-agent.service --no-pager | tail -n 1
    systemd-analyze security --threshold=20 imip-agent.service >/dev/null
    # A newer package has its program run.
    before=$(systemctl show -p MainPID --value imip-agent)
    dpkg -i /root/dist/*.deb >/dev/null
    systemctl is-active imip-agent.service imip-agent.socket imip-agent-lmtp.socket
    [ "$(systemctl show -p MainPID --value imip-agent)" != "$before" ] || { echo "the old program still runs" >&2; exit 1; }
    imip-agent doctor --send paul@example.org'

say 'take it out'
inside "$with"'
    bash -ec "$(cat /root/words/out)" >/tmp/out.log 2>&1 || { tail -n 30 /tmp/out.log; exit 1; }
    diff -r /root/before /etc/postfix
    nothing "$(find /etc/systemd /usr/lib/systemd -name "imip-agent*")"
    nothing "$(systemctl list-units --all --no-legend "imip-agent*.socket" "imip-agent*.timer" "imip-agent.service" | grep -v "not-found .* inactive" || true)"
    nothing "$(find /run/imip-agent -type s)"
    [ ! -e /var/spool/postfix/imip-agent ]
    ls -d /var/lib/imip-agent/store
    echo "Subject: still here" | sendmail -f paul@example.org paul@example.org
    until_so "mail without us" has "still here" /home/paul/Maildir/new'

say 'the same with Exim, where nobody knows a group postfix'
inside "$with"'
    apt-get -q -y purge postfix >/tmp/exim.log 2>&1
    for name in postfix postdrop; do groupdel -f $name 2>/dev/null || true; done
    sed -i "/^service /,\$d" /etc/dovecot/conf.d/99-site.conf
    systemctl restart dovecot
    echo mail.example.org >/etc/mailname
    printf "exim4-config exim4/dc_eximconfig_configtype select local delivery only; not on a network\nexim4-config exim4/dc_other_hostnames string example.org\n" | debconf-set-selections
    apt-get -q -y --no-install-recommends install exim4-daemon-light >>/tmp/exim.log 2>&1 || { tail /tmp/exim.log; exit 1; }
    rm -rf /var/lib/imip-agent/store/* /var/lib/imip-agent/preferences/* /home/paul/Maildir
    bash -ec "$(cat /root/words/install)" >/tmp/install.log 2>&1 || { tail -n 30 /tmp/install.log; exit 1; }
    bash -ec "$(cat /root/words/exim)" | tee /tmp/exim
    tail -n 1 /tmp/exim | grep "^ok       a message from paul@example.org has gone through the mail system"
    ! grep -E "^(failed|unknown)" /tmp/exim
    bash -ec "$(sed "s/postfix/exim/" /root/words/incoming)" | tee /tmp/incoming
    tail -n 1 /tmp/incoming | grep "^ok       an invitation to paul@example.org has gone through the mail system"
    ! grep -E "^(failed|unknown)" /tmp/incoming
    stat -c %G /run/imip-agent/lmtp | grep -x Debian-exim
    bash -ec "$(sed "s/setup postfix/setup exim/" /root/words/rooms)" | tee /tmp/rooms
    ! grep -E "^(failed|unknown)" /tmp/rooms
    sed "s/vincent@example.net/paul@example.org/g" <(invitation rooms@example.org asked 0) | sendmail -f paul@example.org rooms@example.org
    until_so "an answer of a room" has METHOD:REPLY /home/paul/Maildir/new
    bash -ec "$(sed "s/postfix/exim/" /root/words/out)" >/tmp/out.log 2>&1 || { tail -n 30 /tmp/out.log; exit 1; }
    nothing "$(find /etc/systemd /usr/lib/systemd -name "imip-agent*")"'

say 'done'
