/**
 * What procveil(8) says of each command besides its help: an entry for each that the help lists. Code stands between
 * backticks.
 */

import type { Term } from './mdoc.ts'

export interface CommandProse {
  /** The paragraphs that follow the command's description. */
  text: readonly string[]
  exitStatus: string
  /** What the command alone adds to the section FILES. */
  files?: readonly Term[]
}

export const COMMAND_PROSE: Readonly<Record<string, CommandProse>> = {
  hook: {
    text: [
      'A container runtime runs this in one of the stages `createRuntime` and `prestart`, and again in `poststop`. With a state that names a process the container is registered, the service is started where none serves, and the files are bound into the container. With a state that names none the container is forgotten. A container that has the files already keeps them.',
      'A hook that fails says why on standard error and in the log, and undoes what it had done: the container then sees what its host has. An annotation that cannot be used is reported, and the others count.',
      'It ends after 12 seconds at the latest, also where the service or the file systems of the container hang. Where a runtime waits for longer, `--timeout` gives it more time, for a machine that is very slow.',
    ],
    exitStatus:
      'The exit status is 0 whatever went wrong, so that no container fails to start. With `--strict` it is 1 when anything did, be it an annotation.',
  },
  serve: {
    text: [
      'Two processes serve. This one, the keeper, holds the mount; it starts the other one, which answers readers, and replaces it at once when it ends, and within 2 seconds when it hangs. When the keeper dies, the other process starts a keeper again. Under `systemd(1)` both may die at once: its file descriptor store keeps `/dev/fuse`, and the next keeper goes on with the mount. A service that cannot live (5 crashes in 10 seconds, with no answer between) is given up, and the files are taken out of all containers.',
      'SIGTERM and SIGINT end the service as `stop` does. On SIGHUP it goes over to the executable on the disk as `upgrade` does.',
    ],
    exitStatus:
      'The exit status is 0 after the service was told to stop, and 1 when the mount cannot be made, when another process serves already, or when no server can be kept alive.',
  },
  'check-lxcfs': {
    text: [
      'Where the processes of the service were killed, and nobody has started them again within 2 seconds, the service is started, which heals the containers. So it is where the kernel refuses all requests, or a dead mount lies on that of the service. A service whose mount somebody has taken off puts it back. Where nothing is mounted, as after `stop`, nothing is started.',
    ],
    exitStatus:
      'The exit status is 0 as soon as the file system answers, and 1 after the time-out.',
  },
  stop: {
    text: [
      'The containers then see what their host has. A program that keeps one of the files open gets errors from it from then on. Under `systemd(1)` use `systemctl stop procveil` instead, or the unit starts the service again.',
    ],
    exitStatus:
      'The exit status is 0 when the service has ended, and 1 when none runs or when it has not ended after 90 seconds.',
  },
  upgrade: {
    text: [
      'The executable at the path from which the service was started has to prove itself first: it must run, render a whole view on this host, and understand this version. Else the running version goes on. The configuration file is read again; if it cannot be used, the earlier options stay. The process keeps its id, and what containers have accumulated stays.',
    ],
    exitStatus:
      'The exit status is 0 when the executable on the disk serves, and 1 when it was refused or when no service runs.',
  },
  prestart: {
    text: [
      'The unit of `systemd(1)` does this with `serve --prestart`. A container that has the directory as a slave mount then sees the file system also when that is mounted after the container was started. A mount of a service that is gone is taken off; one that merely hangs is left alone.',
    ],
    exitStatus:
      'The exit status is 0 when the directory is prepared, and 1 when a mount cannot be made.',
  },
  remount: {
    text: [
      'Give either `--all` or `--container-id`. Containers are found in the state that runc, crun, youki, containerd, docker, podman, CRI-O, iSulad, LXC and systemd-nspawn keep. Nothing is needed inside a container: no shell, no writable root. Files that are there already stay; those of a service that is gone are replaced. The service is started where none serves. The failure of one container does not keep the others from theirs.',
    ],
    exitStatus:
      'The exit status is 1 when a container failed or none fits, with `--all` also when the state of a runtime cannot be read, and else 0. A container that ended meanwhile is skipped.',
  },
  watch: {
    text: [
      'It stays in the foreground until SIGTERM or SIGINT. The kernel tells it when runc, crun or youki, by themselves or below docker, containerd, podman or CRI-O, or iSulad, LXC or systemd-nspawn change the directories that they keep for root; nothing is looked at again and again. When it starts, and when the kernel had to leave out events, it looks at all containers once as `remount --all` does, those of users among them.',
      'A hook is better where there can be one: it runs before the first program of a container, while a container is seen here some milliseconds after its runtime has written down that it is there. A container that has the files already, or from which an operator took them out, is left alone. One that cannot be attached is reported once. Containers that have ended, and whose state the runtime has removed, are forgotten, those of hooks too. With the option `watch` of `procveil-config(5)` the service does all of this by itself.',
      'Each line of standard output tells of one container, as `attached ID` or `forgotten ID`.',
    ],
    exitStatus:
      'The exit status is 0 after a signal, and 1 when nothing can be watched or the configuration cannot be read.',
  },
  umount: {
    text: [
      'Give either `--all` or `--container-id`. The containers see what their host has from then on, and stay registered: when the files are put in again, counters go on. The service does not put them in by itself again; `remount` does.',
    ],
    exitStatus:
      'The exit status is 1 when a container failed or none fits, with `--all` also when the state of a runtime cannot be read, and else 0.',
  },
  show: {
    text: [
      'The text is rendered here and now, without the mount and without the service, also for a container that was not hooked. A file is named as `meminfo`, `proc/meminfo` or `/proc/meminfo`. Counters that the service has accumulated for a container, such as its CPU time, begin anew here.',
    ],
    exitStatus: 'The exit status is 0, and 1 when the container or the file cannot be found.',
  },
  ps: {
    text: [
      'MEMORY and CPUS are limits; a hyphen stands where there is none below what the host has. FILES tells how many of the files that have a place in the container are bound there. STATE is `ok` when all of them are, `partial` when some are, `host` when none is, and `stale` when some are of a service that is gone or of another one: `remount` replaces them.',
    ],
    exitStatus:
      'The exit status is 0, also when no container runs, and 1 when the list cannot be made, or without `--watch` when the state of a runtime cannot be read.',
  },
  diff: {
    text: [
      'The lines of a file that are the same on both sides are left out. As for `show`, neither the mount nor the service is needed.',
    ],
    exitStatus:
      'The exit status is 0, whether or not anything differs, and 1 when the container cannot be found.',
  },
  doctor: {
    text: [
      'It looks at the kernel and its cgroups, the mount and its service, the unit, the configuration file, the hooks of runtimes, and the running containers, and changes nothing. What is not as it should be comes with what to do next.',
    ],
    exitStatus:
      'The exit status is 1 when there is a problem, and 0 when there are warnings at most.',
  },
  configure: {
    text: [
      'For docker this is the feature `cdi` in `/etc/docker/daemon.json`: containers that are started with `--device procveil.io/proc=view` get the hook. For containerd it is a runtime `procveil` in `/etc/containerd/config.toml`, a copy of the default one with the hook in its base specification: the handler of a RuntimeClass in Kubernetes, and what all pods get with `--set-as-default`. With `--as-runtime` both call `procveil-runtime(8)` in the place of `runc(8)` instead: docker for containers that are started with `--runtime procveil`, and for all of them but the steps of a build with `--set-as-default`, which it needs; containerd for those of the RuntimeClass. For podman and CRI-O it is a file of `oci-hooks(5)`, for iSulad the file of its `hook-spec`; both give the hook to all containers. With `nri` nothing is written for a runtime: containerd from 1.7 on and CRI-O from 1.26 on ask the service about each container of a pod. Containers of pods with the annotation `io.procveil.enabled: "on"` get the hook, and with `--set-as-default` those of all pods but those in the namespace `kube-system` and those with `"off"`.',
      'What others have written in these files stays as it is. Before a file is replaced the daemon is asked whether it accepts the new one, where it has a check for that. The daemon that has to be restarted, or to read its configuration again, is named, and that is done only with `--restart`; a container that runs is not touched, `remount` gives it the files. A second time changes nothing.',
      '`--undo` restores the files to the byte, or takes out what is ours where somebody has edited them since. Without a runtime it does so for all of them, as packages do when they are erased. Where containers of docker were created with the runtime `procveil`, an entry by that name stays in its `daemon.json`, by which they start without `procveil`: undone once more, when they are gone, it is taken out.',
    ],
    exitStatus:
      'The exit status is 0, also when nothing had to be done, and 1 when a file cannot be read or written or the daemon refuses it; the files are then as they were.',
    files: [
      {
        term: '`/etc/cdi/procveil.json`',
        text: ['The device `procveil.io/proc=view` of the Container Device Interface.'],
      },
      {
        term: '`/etc/procveil/nri.json`',
        text: [
          'Which pods get the hook by NRI: `pods` is `annotated` or `all`, `exceptNamespaces` a list of namespaces that `all` leaves out, and `socket` the path of the runtime, where that is not `/run/nri/nri.sock`. The service has its plugin where the file is there when it starts or is reloaded; what the file says counts for the next container. Where it is removed, no container gets the hook any more.',
        ],
      },
      {
        term: '`/var/lib/procveil/configured`',
        text: ['What `configure` has changed, for `--undo`.'],
      },
    ],
  },
  completion: {
    text: [
      'The script completes commands, options, files, and the ids of registered containers. For zsh it can also lie in a directory of `fpath` under the name `_procveil`.',
    ],
    exitStatus: 'The exit status is 0, and 1 for a shell that is not known.',
  },
  capture: {
    text: [
      'It saves exactly the host and cgroup files that are read for this container, and what the container sees; no environment, no command lines, and of the mounts only those of cgroups. The names of the saved files are printed. `show` and `diff` read such a folder with `--from`, on any machine.',
    ],
    exitStatus:
      'The exit status is 0, and 1 when the container cannot be found or the folder cannot be written.',
  },
  help: {
    text: ['Each command also takes `-h` or `--help` itself.'],
    exitStatus: 'The exit status is 0, and 1 for a command that is not known.',
  },
}
