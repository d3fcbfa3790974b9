#!/bin/sh
# Installs procveil from this folder, which is an unpacked release. As root:
#
#   ./install.sh              installs; where procveil runs, it goes over to this version, and no reader notices
#   ./install.sh --uninstall  gives all containers the host's files back, and takes everything off again
#   --part PART               another part than procveil itself, after it: podman, isulad or lxcfs-compat
#   --root DIRECTORY          only puts the files there: packages are made so
#
# The directories can be set in the environment, such as unitdir=/etc/systemd/system.
set -eu
cd "$(dirname "$0")"

libexecdir=${libexecdir:-/usr/libexec/procveil}
bindir=${bindir:-/usr/bin}
unitdir=${unitdir:-/usr/lib/systemd/system}
presetdir=${presetdir:-/usr/lib/systemd/system-preset}
tmpfilesdir=${tmpfilesdir:-/usr/lib/tmpfiles.d}
mandir=${mandir:-/usr/share/man}
bashdir=${bashdir:-/usr/share/bash-completion/completions}
zshdir=${zshdir:-/usr/share/zsh/site-functions}
fishdir=${fishdir:-/usr/share/fish/vendor_completions.d}
sharedir=${sharedir:-/usr/share/procveil}
hooksdir=${hooksdir:-/usr/share/containers/oci/hooks.d}

root='' part=main action=install
while [ $# -gt 0 ]; do
  case $1 in
    --root) root=${2:?install.sh: --root needs a directory}; shift 2 ;;
    --part) part=${2:?install.sh: --part needs the name of a part}; shift 2 ;;
    --uninstall) action=uninstall; shift ;;
    *) echo "install.sh: unknown option $1; its first lines say what it does" >&2; exit 2 ;;
  esac
done

# What a part is made of: the mode and the place of each file here, and where it goes. "keep" is a configuration file,
# which is left as it is where there is one. "link" is a symbolic link, with what it leads to.
files() {
  case $part in
    main) cat <<EOF
755 procveil $libexecdir/procveil
link $libexecdir/procveil $bindir/procveil
755 runtime/procveil-runtime $bindir/procveil-runtime
755 systemd/give-up $libexecdir/give-up
644 systemd/procveil.service $unitdir/procveil.service
644 systemd/90-procveil.preset $presetdir/90-procveil.preset
644 systemd/procveil.conf $tmpfilesdir/procveil.conf
keep config/config.json /etc/procveil/config.json
keep config/logrotate /etc/logrotate.d/procveil
keep cdi/procveil.json /etc/cdi/procveil.json
644 man/procveil.8 $mandir/man8/procveil.8
644 man/procveil-runtime.8 $mandir/man8/procveil-runtime.8
644 man/procveil-config.5 $mandir/man5/procveil-config.5
644 completions/procveil.bash $bashdir/procveil
644 completions/procveil.zsh $zshdir/_procveil
644 completions/procveil.fish $fishdir/procveil.fish
644 hooks/hookspec.json $sharedir/hooks/hookspec.json
644 hooks/50-procveil.json $sharedir/hooks/50-procveil.json
644 hooks/config-fragment.json $sharedir/hooks/config-fragment.json
EOF
      ;;
    podman) echo "644 hooks/50-procveil.json $hooksdir/50-procveil.json" ;;
    # What isulad-lxcfs-toolkit and lxcfs-tools have installed, under the same names. A container that was created with
    # one of these has the path of its hook in its own configuration.
    isulad) cat <<EOF
644 hooks/hookspec.json /var/lib/isulad/hooks/hookspec.json
644 hooks/hookspec.json /var/lib/lcrd/hooks/hookspec.json
link $libexecdir/procveil /var/lib/isulad/hooks/lxcfs-hook
link $libexecdir/procveil /var/lib/lcrd/hooks/lxcfs-hook
link $libexecdir/procveil /usr/local/bin/isulad-lxcfs-toolkit
link $libexecdir/procveil /usr/local/bin/lxcfs-tools
link procveil.service $unitdir/lxcfs.service
EOF
      ;;
    # Where lxcfs is mounted elsewhere, and where many a script binds files from.
    lxcfs-compat) echo "link lxc/lxcfs /var/lib/lxcfs" ;;
    *) echo "install.sh: there is no part $part: it must be main, podman, isulad or lxcfs-compat" >&2; exit 2 ;;
  esac
}

# A file that runs, or that is being read, is replaced and never written to.
install_file() { # install_file KIND SOURCE TARGET
  mkdir -p "$(dirname "$3")"
  rm -f "$3.new"
  case $1 in
    keep) [ ! -e "$3" ] || return 0; cp "$2" "$3.new"; chmod 644 "$3.new" ;;
    link) ln -s "$2" "$3.new" ;;
    *) cp "$2" "$3.new"; chmod "$1" "$3.new" ;;
  esac
  mv -fT "$3.new" "$3"
}

# Says nothing where systemd does not run.
tell_systemd() { [ ! -d /run/systemd/system ] || systemctl "$@"; }

files >/dev/null
if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
  echo "install.sh: cannot $action procveil: this takes root" >&2
  exit 1
fi

# An executable does not start where its working directory has no path, as that of a container has none for the host.
leave() { [ -n "$root" ] || cd /; }

if [ $action = uninstall ]; then
  leave
  procveil=$root$libexecdir/procveil
  if [ -z "$root" ] && [ $part = main ] && [ -x "$procveil" ]; then
    tell_systemd disable --now procveil.service || :
    "$procveil" stop 2>/dev/null || :
    "$procveil" configure --undo || :
    "$procveil" prestart --undo || :
  fi
  # What an administrator may have changed stays.
  files | while read -r kind source target; do
    if [ "$kind" != keep ]; then rm -f "$root$target"; fi
  done
  if [ $part = main ]; then
    rm -rf "$root/run/procveil"
    for directory in "$libexecdir" "$sharedir/hooks" "$sharedir" /var/lib/lxc/lxcfs /var/lib/lxc; do
      rmdir "$root$directory" 2>/dev/null || :
    done
  fi
  # A daemon that was not restarted since, and containers that run, still call procveil-runtime: a link to what it ran
  # keeps them going, and can be removed later.
  if [ -z "$root" ] && [ $part = main ] && [ -e /run/procveil-runtime.used ]; then
    for runtime in $(sed '/^#/d; /^$/d; q' /run/procveil-runtime.used) runc crun youki; do
      if path=$(command -v $runtime); then ln -sf "$path" "$bindir/procveil-runtime" && break; fi
    done
  fi
  [ -n "$root" ] || tell_systemd daemon-reload
  exit 0
fi

files | while read -r kind source target; do install_file "$kind" "$source" "$root$target"; done
[ -z "$root" ] || exit 0
leave
if [ $part = main ]; then
  tell_systemd daemon-reload
  tell_systemd enable procveil.service
  if [ -e /run/procveil/service.json ]; then "$libexecdir/procveil" upgrade; else tell_systemd start procveil.service; fi
  echo "procveil $("$libexecdir/procveil" --version | cut -d ' ' -f 2) is installed; next: procveil configure RUNTIME, and procveil doctor"
fi
