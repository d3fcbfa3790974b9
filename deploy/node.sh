#!/bin/sh
# Puts procveil onto the node that this container runs on, and takes it away again. The container has to be privileged, with
# the host's pid namespace.
#
#   node.sh run      installs or upgrades, configures the node's runtime, and waits. When it is told to end it takes everything
#                    away if its DaemonSet was deleted, and leaves everything as it is for any other reason
#   node.sh ready    exits with 0 when the node has what run was asked for
#   node.sh remove   takes everything away, for a node on which no run goes on: that would install it again
#
# What is on the node goes on without this container: files are copied there, and the node's systemd runs what is to be run.
#
#   MODE             nri, runtimeclass or base-spec
#   RUNTIME          containerd, crio or auto
#   RULES            for nri: the text of /etc/procveil/nri.json
#   OPTIONS          the text of /etc/procveil/config.json; {} for none
#   POD              what tells this pod from all others
#   INTERVAL         seconds until a node is looked at again, 60
#   NAMESPACE, DAEMONSET   the DaemonSet of this pod
set -u

release=${RELEASE:-/procveil}
host=${HOST_ROOT:-/proc/1/root}
credentials=${CREDENTIALS:-/var/run/secrets/kubernetes.io/serviceaccount}
scratch=${SCRATCH:-/tmp}
[ -n "${OPTIONS:-}" ] || OPTIONS='{}'
[ -n "${RULES:-}" ] || RULES='{}'
MODE=${MODE:-nri} RUNTIME=${RUNTIME:-auto} POD=${POD:-by-hand} INTERVAL=${INTERVAL:-60}

executable=/usr/libexec/procveil/procveil

say() { echo "procveil: $*"; }
die() { echo "procveil: $*" >&2; exit 1; }

on_host() { "${CHROOT:-chroot}" "$host" "$@"; }

place() { path=$(on_host readlink -f "$1") && echo "$host$path"; }

# Where this container sees the node's directories: an absolute link there, as of /var/lib, means the node's own root.
find_places() {
  { etc=$(place /etc) && usr=$(place /usr) && lib=$(place /var/lib) && log=$(place /var/log) && run=$(place /run); } ||
    die "Cannot find the node's directories: its readlink -f failed"
  # What this script knows of the node: who has installed, the mode, and the sums of the files that it has written there.
  state=$lib/procveil/node
  configuration=$etc/procveil/config.json
  rules=$etc/procveil/nri.json
  installed=$usr/libexec/procveil/procveil
}

# A path may lead through links that mean the node's own root.
# shellcheck disable=SC2016
has_socket() { on_host /bin/sh -c '[ -S "$1" ]' sh "$1"; }

# One pod at a time works on a node. The lock is on a directory of systemd's, so that no file of ours is left; it is the shell's
# own until that ends, whichever program has taken it, flock(2).
lock() { { exec 9<"$run/systemd" && on_host flock 9; } || die "Cannot wait for other pods on this node: flock does not run there"; }

# Runs a command in a unit of the node's systemd: neither this container's end nor its limits touch it. By this name one waits
# for the other, also where a container was killed meanwhile.
by_systemd() {
  while on_host systemctl is-active --quiet procveil-node.service; do sleep 1; done
  on_host systemd-run --quiet --wait --pipe --collect --unit=procveil-node.service \
    --description="Puts procveil onto this node, or takes it away" "$@"
}

require_node() {
  if [ "$host" = /proc/1/root ] && { own=$(readlink /proc/self/ns/mnt); [ "$(readlink /proc/1/ns/mnt)" = "$own" ]; }; then
    die "Cannot reach the node: this container is not in the host's pid namespace; set hostPID: true"
  fi
  on_host /bin/sh -c : || die "Cannot run the node's programs: this container must be privileged, and the node have /bin/sh"
  find_places
  if [ ! -d "$run/systemd/system" ]; then
    die "Cannot install procveil on this node: systemd does not run there; keep the DaemonSet from it by a nodeSelector"
  fi
}

require_writable() {
  libexec=${installed%/*}
  { mkdir -p "$libexec" && touch "$libexec/.writable" && rm -f "$libexec/.writable"; } 2>/dev/null ||
    die "Cannot install procveil on this node: its /usr is read-only, and hooks name $executable; put procveil into the node's image, or keep the DaemonSet from it by a nodeSelector"
}

# What a package or an administrator has installed is theirs.
require_ours() {
  [ -e "$state/owner" ] || [ ! -e "$installed" ] ||
    die "Cannot install procveil on this node: $executable is there already, and was not installed by this DaemonSet; uninstall it, or keep the DaemonSet from the node by a nodeSelector"
}

note() { # note NAME VALUE
  { echo "$2" >"$state/$1.new" && mv -f "$state/$1.new" "$state/$1"; } || die "Cannot write ${state#"$host"}/$1, without which nobody knows what to take away later"
}
noted() { cat "$state/$1" 2>/dev/null; }
sum_of() { sha256sum <"$1" | cut -d ' ' -f 1; }

is_installed() {
  for file in procveil systemd/give-up; do
    cmp -s "$release/$file" "${installed%/*}/${file#systemd/}" || return 1
  done
  cmp -s "$release/systemd/procveil.service" "$usr/lib/systemd/system/procveil.service"
}

version_of_node() { on_host $executable --version | cut -d ' ' -f 2; }

# The node sees this container's files below /proc/PID/root.
install() {
  if ! is_installed; then
    cp "$release/install.sh" "$state/install.sh"
    by_systemd /bin/sh "/proc/$$/root$release/install.sh" || die "Cannot install procveil: install.sh failed, see above"
  fi
  on_host systemctl enable --quiet --now procveil.service || die "Cannot start procveil.service: see journalctl -u procveil on the node"
  # An upgrade that was not waited for long enough.
  if ! grep -q "\"version\": *\"$(version_of_node)\"" "$run/procveil/service.json"; then
    by_systemd $executable upgrade || die "Cannot have the service go over to the new version: see above"
  fi
}

# Writes a file of the node's that is absent, or as this script or install.sh has written it. Returns whether it has changed.
write_ours() { # write_ours NAME FILE TEXT
  if [ -e "$2" ] && [ "$(sum_of "$2")" != "$(noted "$1")" ] && ! cmp -s "$2" "$release/config/config.json"; then
    say "left ${2#"$host"} alone: it was not written by this DaemonSet, and what that file says holds"
    return 1
  fi
  printf '%s\n' "$3" >"$scratch/text"
  if cmp -s "$scratch/text" "$2"; then note "$1" "$(sum_of "$2")"; return 1; fi
  mkdir -p "${2%/*}"
  rm -f "$scratch/before"
  [ ! -e "$2" ] || cp "$2" "$scratch/before"
  put "$1" "$scratch/text" "$2"
  say "wrote ${2#"$host"}"
}

put() { # put NAME SOURCE TARGET
  { cp "$2" "$3.new" && chmod 644 "$3.new"; } || die "Cannot write ${3#"$host"}"
  note "$1" "$(sum_of "$3.new")"
  mv -f "$3.new" "$3"
}

remove_ours() { # remove_ours NAME FILE [RELEASED]
  [ -e "$2" ] || return 0
  if [ "$(sum_of "$2")" = "$(noted "$1")" ] || cmp -s "$2" "${3:-/dev/null}"; then rm -f "$2"; else say "kept ${2#"$host"}, which others have written"; fi
}

find_runtime() {
  [ "$RUNTIME" = auto ] || { echo "$RUNTIME"; return; }
  if has_socket /run/crio/crio.sock; then echo crio; else echo containerd; fi
}

# The service reads both files when it starts, and its readers notice nothing of a reload. It goes on as it was where it cannot
# read what is new.
reload() { # reload NAME FILE
  by_systemd systemctl reload procveil.service && return 0
  if [ -e "$scratch/before" ]; then put "$1" "$scratch/before" "$2"; else rm -f "$2"; fi
  die "Cannot have procveil read ${2#"$host"}, which is as before again: see journalctl -u procveil on the node"
}

# Configures it, and makes up for a restart that failed before: `configure` restarts only for what it has changed just then.
configure_containerd() { # configure_containerd OPTION...
  pending=$(noted restart)
  note restart pending
  by_systemd $executable configure containerd "$@" --restart || return 1
  [ -z "$pending" ] || by_systemd systemctl restart containerd.service || return 1
  rm -f "$state/restart"
}

undo_mode() {
  case $(noted mode) in
    *' containerd') configure_containerd --undo ;;
    *' crio') by_systemd $executable configure crio --undo ;;
    nri*) remove_ours rules "$rules" ;;
  esac
}

choose_mode() {
  runtime=$(find_runtime)
  case "$MODE $runtime" in
    nri\ *) wanted=nri ;;
    'runtimeclass containerd' | 'base-spec containerd' | 'base-spec crio') wanted="$MODE $runtime" ;;
    'runtimeclass crio')
      die "Cannot configure CRI-O by a RuntimeClass: its hook is for all containers; use the mode nri, or base-spec for all of them" ;;
    runtimeclass\ * | base-spec\ *) die "Cannot configure $runtime: known are containerd and crio" ;;
    *) die "Cannot configure the node: MODE is $MODE, and known are nri, runtimeclass and base-spec" ;;
  esac
}

configure() {
  before=$(noted mode)
  if [ -n "$before" ] && [ "$before" != "$wanted" ]; then undo_mode || die "Cannot take the mode $before back: see above"; fi
  note mode "$wanted"
  case $wanted in
    nri) if write_ours rules "$rules" "$RULES"; then reload rules "$rules"; fi; return 0 ;;
    'runtimeclass containerd') configure_containerd ;;
    'base-spec containerd') configure_containerd --set-as-default ;;
    'base-spec crio') by_systemd $executable configure crio ;;
  esac || die "Cannot configure $runtime: see above"
}

# Why the node is not as it should be.
find_missing() {
  [ -e "$scratch/installed" ] || { echo "it is not installed and configured yet"; return; }
  timeout 5 head -c 1 "$lib/lxc/lxcfs/proc/uptime" >/dev/null 2>&1 || { echo "its files are not served"; return; }
  [ "$MODE" = nri ] || return 0
  socket=$(sed -n 's/.*"socket": *"\([^"]*\)".*/\1/p' "$rules" 2>/dev/null)
  has_socket "${socket:-/run/nri/nri.sock}" || has_socket "${socket:-/var/run/nri/nri.sock}" ||
    echo "no runtime listens at ${socket:-/run/nri/nri.sock}: NRI is on by default since containerd 2.0 and CRI-O 1.30; switch it on, or choose another mode"
}

# Exits with 0 when the DaemonSet is deleted, and with 3 when it is there.
ask() { # ask [--wait]
  # A link of the image's, such as /var/run, would lead elsewhere on the node.
  directory=$(cd -P "$credentials" && pwd -P) || return 1
  on_host "/proc/$$/root$release/procveil" daemonset --credentials "/proc/$$/root$directory" "$@" "$NAMESPACE" "$DAEMONSET"
}

has_api() { [ -n "${KUBERNETES_SERVICE_HOST:-}" ] && [ -n "${NAMESPACE:-}" ] && [ -n "${DAEMONSET:-}" ]; }

# With the DaemonSet also the right to ask may have gone: then what counts is what was heard before.
is_deleted() {
  if ! has_api; then say "there is no API server to ask"; return 1; fi
  ask
  case $? in
    0) return 0 ;;
    3) say "the DaemonSet is there"; return 1 ;;
  esac
  for _ in 1 2 3 4 5; do
    [ ! -e "$scratch/deleted" ] || return 0
    sleep 1
  done
  say "the API server does not say that the DaemonSet was deleted"
  return 1
}

is_owner() { [ "$(noted owner)" = "$POD" ]; }

remove() {
  if [ ! -e "$state/owner" ] && [ -e "$installed" ]; then die "Cannot take procveil away: it was not installed by this DaemonSet"; fi
  undo_mode || say "went on: what is left of the configuration is taken back without a restart"
  by_systemd /bin/sh "/proc/$$/root$release/install.sh" --uninstall || die "Cannot take procveil away: install.sh --uninstall failed, see above"
  remove_ours config "$configuration" "$release/config/config.json"
  remove_ours rules "$rules"
  remove_ours logrotate "$etc/logrotate.d/procveil" "$release/config/logrotate"
  remove_ours cdi "$etc/cdi/procveil.json" "$release/cdi/procveil.json"
  rm -f "$log/procveil.log"
  rm -rf "$state"
  rmdir "$etc/procveil" "$lib/procveil" 2>/dev/null
  say "is taken away, and all containers see the host's files"
}

leave() { # leave STATUS
  # shellcheck disable=SC2086
  kill ${watcher:-} ${sleeper:-} 2>/dev/null
  exit "$1"
}

end() {
  trap '' TERM INT
  status=0
  if is_owner && is_deleted; then
    say "the DaemonSet was deleted"
    lock
    # Another pod may have come meanwhile.
    if is_owner; then (remove) || status=1; else say "another pod looks after this node by now"; fi
  elif ! is_owner; then
    say "another pod looks after this node by now, or none"
  fi
  say "ends; the node stays as it is now"
  leave $status
}

# Hears of the DaemonSet's deletion from its start on, by the executable of the image. A pod that was left alone may be adopted by
# another DaemonSet of this name: then that one counts.
listen() {
  while :; do
    until ask --wait; do sleep 10; done
    touch "$scratch/deleted"
    while [ -e "$scratch/deleted" ]; do
      sleep "$INTERVAL"
      ask
      [ $? != 3 ] || rm -f "$scratch/deleted"
    done
  done
}

# Runs in a shell of its own, so that what cannot be done ends nothing else, and the lock is free afterwards.
set_up() {
  # Another pod may be about to take everything away.
  lock
  require_ours
  # Only then is anything changed.
  if [ ! -e "$state/owner" ]; then choose_mode; require_writable; mkdir -p "$state"; fi
  note owner "$POD"
  choose_mode
  if write_ours config "$configuration" "$OPTIONS" && [ -e "$run/procveil/service.json" ]; then is_reloaded=no; fi
  install
  [ "${is_reloaded:-}" != no ] || reload config "$configuration"
  configure
}

# Who deletes the DaemonSet wants the node as it was: no pod hears of that while a kubelet waits to start it again. So where
# something of ours is there the pod stays, not ready, whatever fails.
run() {
  require_node
  mkdir -p "$scratch"
  rm -f "$scratch/installed" "$scratch/deleted"
  trap end TERM INT
  if has_api; then listen & watcher=$!; fi
  while :; do
    if [ ! -e "$scratch/installed" ] || [ ! -e "$installed" ]; then
      rm -f "$scratch/installed"
      if (set_up); then tell; elif [ -e "$state/owner" ]; then say "tries again in $INTERVAL s"; else leave 1; fi
    fi
    sleep "$INTERVAL" &
    sleeper=$!
    wait $sleeper
  done
}

tell() {
  touch "$scratch/installed"
  say "$(version_of_node) serves this node, by $(noted mode)"
  missing=$(find_missing)
  [ -z "$missing" ] || say "is not ready: $missing"
}

case ${1:-run} in
  run) run ;;
  ready)
    find_places
    missing=$(find_missing)
    [ -z "$missing" ] || die "is not ready: $missing"
    ;;
  remove)
    require_node
    lock
    remove
    ;;
  *) die "unknown command $1; the first lines of node.sh say what it does" ;;
esac
