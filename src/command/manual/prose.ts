/** What procveil(8) says besides its commands. Code stands between backticks. */

import type { Block, Section, Term } from './mdoc.ts'

export const DESCRIPTION: readonly Block[] = [
  "`procveil` gives every container its own `/proc`. A container sees its host's: programs that look there for memory, CPUs, load or uptime, such as `free(1)`, `top(1)` or a run time that sizes a pool of threads, get the wrong numbers. `procveil` binds files over these that tell what the container may use and uses.",
  'It is one executable: the hook that a container runtime runs, the FUSE file system behind the files, and the tools for containers that run already. It takes the place of `lxcfs(1)` and of the tools for it.',
  'A container sees the following of its own.',
  {
    terms: [
      {
        term: '`/proc/meminfo`, `/proc/swaps`',
        text: [
          "The smallest limit of memory and swap among the container's cgroup and those above it, and what the container uses.",
        ],
      },
      {
        term: '`/proc/cpuinfo`, `/sys/devices/system/cpu/online`',
        text: ['The CPUs of its cpuset, no more than its quota is worth, numbered from 0.'],
      },
      {
        term: '`/sys/devices/system/cpu`',
        text: [
          "A directory for each of its CPUs, with their topology and which of them share a cache. The rest is the host's, for reading only, without what only root may read and `thermal_throttle`.",
        ],
      },
      {
        term: '`/sys/devices/system/node`',
        text: [
          "Where it may allocate on some of the host's nodes, or the host has one: these, by their real numbers, with its CPUs and its memory there. Else it is the host's. `numactl --cpunodebind` binds by the CPU numbers there, which are the container's: see `cpuNumbering` in `procveil-config(5)`.",
        ],
      },
      {
        term: '`/sys/devices/system/cpu/offline`, `/sys/devices/system/cpu/present`',
        text: [
          'The possible CPUs that it does not see, and those of `/sys/devices/system/cpu/online`.',
        ],
      },
      {
        term: '`/proc/stat`',
        text: [
          'Its CPU time since it was created; the part of a CPU that a quota takes away counts as steal.',
        ],
      },
      {
        term: '`/proc/vmstat`',
        text: [
          'Its memory as in `/proc/meminfo`, in pages, and its own faults, reclaim, swap and block I/O as far as the kernel counts them. What is about the machine stays.',
        ],
      },
      {
        term: '`/proc/uptime`, `/proc/loadavg`',
        text: ['The time since its creation, and the load of its own threads.'],
      },
      {
        term: '`/proc/pressure/cpu`, `/proc/pressure/io`, `/proc/pressure/irq`, `/proc/pressure/memory`',
        text: ['The stalls of its own cgroup, for reading only.'],
      },
      {
        term: '`/proc/diskstats`, `/proc/partitions`',
        text: ['The devices of its `/dev`, under their names there, and its own reads and writes.'],
      },
      {
        term: '`/proc/slabinfo`',
        text: ['Its own caches where the kernel still counts them, and else none.'],
      },
      {
        term: '`/sys/devices/system/cpu/possible`',
        text: [
          "The host's, unless the option `maskPossible` says otherwise: programs size arrays by it.",
        ],
      },
    ],
  },
  'A limit that changes while the container runs shows in the next read. Whoever reads a file of a container gets the same text. What is shown, and which files are bound, can be chosen for all containers and for each: see `procveil-config(5)`.',
  'The file system also has what the container of the calling process sees, at its top, as `lxcfs(1)` does: `/var/lib/lxc/lxcfs/proc/meminfo` and so on.',
]

export const COMMANDS_INTRODUCTION =
  'A command is about the service at the mount point and the run directory that the options before it name. Where a container is named, it is by its id, by the beginning of its id, or by its name.'

export const ENVIRONMENT: Section = {
  title: 'ENVIRONMENT',
  blocks: [
    'No setting comes from the environment, and a service that a command starts gets none of it. These variables matter to the command alone.',
    {
      terms: [
        {
          term: '`NO_COLOR`, `TERM`',
          text: [
            'On a terminal `ps`, `diff` and `doctor` use colours, unless `NO_COLOR` is set and not empty or `TERM` is `dumb`.',
          ],
        },
        {
          term: '`PATH`',
          text: ['Where `systemctl` and, to list the containers of iSulad, `isula` are found.'],
        },
      ],
    },
    "The JavaScript run time in the executable reads variables of its own, whose names begin with `BUN_`. Some stages of some runtimes hand a hook the container's environment: give each entry of a hook one of its own, as those that come with `procveil` have it.",
  ],
}

export const FILES: readonly Term[] = [
  {
    term: '`/etc/procveil/config.json`',
    text: ['Options for all containers: `procveil-config(5)`. It need not exist.'],
  },
  {
    term: '`/etc/systemd/system/procveil.service`',
    text: [
      'The unit of the service. Where it is installed, there or in another directory of `systemd.unit(5)`, a hook has `systemd(1)` start the service.',
    ],
  },
  {
    term: '`/usr/libexec/procveil/give-up`',
    text: [
      'What the unit runs when the service has ended: where five starts in a row have failed it takes the files out of all containers.',
    ],
  },
  {
    term: '`/run/procveil`',
    text: [
      'What outlives the processes: a registration for each container in `containers/`, what each has accumulated in `records/`, and locks. Only root can read it.',
    ],
  },
  {
    term: '`/usr/libexec/procveil/procveil`',
    text: [
      'The executable, as the hook entries and the unit name it. It must not be stripped: that leaves a bare JavaScript run time.',
    ],
  },
  {
    term: '`/usr/share/containers/oci/hooks.d`',
    text: [
      'Where podman and CRI-O look for hooks, `oci-hooks(5)`: a copy of `50-procveil.json` there is run for every container. A file of the same name in `/etc/containers/oci/hooks.d` is used instead.',
    ],
  },
  {
    term: '`/var/lib/lxc/lxcfs`',
    text: ['Where the file system is mounted.'],
  },
  {
    term: '`/var/lib/lxc/lxcfs/containers/ID/proc/meminfo`',
    text: ['What is bound into the container ID, and so on for each of its files.'],
  },
  {
    term: '`/var/lib/lxc/lxcfs/metrics/procveil.prom`',
    text: ['What the service counts, in the text format of Prometheus.'],
  },
  {
    term: '`/var/lib/lxc/lxcfs/proc/meminfo`',
    text: ["What the calling process's own container sees, and so on."],
  },
  {
    term: '`/var/log/procveil.log`',
    text: [
      "The hook's messages, since the hook entries that come with `procveil` give it `--log`.",
    ],
  },
]

export const CLOSING: readonly Section[] = [
  {
    title: 'EXIT STATUS',
    blocks: [
      'The exit status is 0 on success and 1 on failure, be it a command line that cannot be understood. COMMANDS tells what counts as failure, and that `hook` is an exception. The reason is printed on standard error, mostly with what to do next.',
    ],
  },
  {
    title: 'EXAMPLES',
    blocks: [
      'Give all running containers their files, and see what came of it:',
      { lines: ['# procveil remount --all', '# procveil ps'] },
      'Print the memory that a container sees, and all that it sees otherwise than its host:',
      { lines: ['# procveil show meminfo -c web', '# procveil diff -c web'] },
      'Count no CPU quota as a number of CPUs in one container of podman:',
      { lines: ['# podman run --annotation io.procveil.cpuQuota=off ...'] },
      'Find out what keeps a container from its files:',
      { lines: ['# procveil doctor'] },
      'Install a new version without a reader noticing:',
      {
        lines: ['# install -m 755 procveil /usr/libexec/procveil/procveil', '# procveil upgrade'],
      },
      'Save what a wrong number is made of, and look at it elsewhere:',
      {
        lines: ['# procveil capture -c web -o /tmp/web', '$ procveil show stat --from /tmp/web'],
      },
    ],
  },
  {
    title: 'COMPATIBILITY',
    blocks: [
      'Called as `isulad-lxcfs-toolkit` or `lxcfs-tools`, by a symbolic link of that name, `procveil` answers to the commands and options of these tools: `remount`, `umount`, `check-lxcfs` and `prestart`. Called as `lxcfs-hook` it is the command `hook`, and takes `--log` as that tool did.',
      'In a container `mount(8)` lists the files as `lxcfs on /proc/meminfo type fuse.lxcfs`, as tools for `lxcfs(1)` expect, and the mount point is the one that `lxcfs(1)` has.',
    ],
  },
  {
    title: 'LIMITS',
    blocks: [
      'Linux 5.10 or newer is needed.',
      'When both processes of the service are killed at once, the files in running containers fail with ENOTCONN until the next hook, `remount`, or start of the service.',
      'Programs that ask the kernel instead of `/proc` see the host: `sysinfo(2)`, as busybox and musl use it, and `sched_getaffinity(2)`, which knows the cpuset but no quota.',
      "A process's age as `ps(1)` has it counts from the boot of the host, so its ELAPSED and %CPU are off in a container. The line `btime` of `/proc/stat` stays the host's.",
      'A container within a container mounts a `/proc` of its own, which is not covered.',
      'On arm64 a 32-bit program sees the 64-bit form of `/proc/cpuinfo`.',
      'Devices in a `/dev` or on a root that is a FUSE or network file system are not listed.',
    ],
  },
  {
    title: 'SEE ALSO',
    blocks: [
      '`lxcfs(1)`, `podman(1)`, `systemd(1)`, `oci-hooks(5)`, `proc(5)`, `procveil-config(5)`, `cgroups(7)`, `procveil-runtime(8)`, `runc(8)`',
    ],
  },
]
