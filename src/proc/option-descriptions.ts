/**
 * What the options do, for procveil-config(5): the compiler reports an option or a value that is not described. Code
 * stands between backticks. Nothing but the manual loads this.
 */

import type { Choices, Options } from './options.ts'

interface Description {
  /** What is chosen. */
  text: string
}

interface ChoiceDescription<Value extends string> extends Description {
  /** What each value does. */
  values: Readonly<Record<Value, string>>
}

type Descriptions = {
  readonly [Name in keyof Options]: Name extends keyof Choices
    ? ChoiceDescription<Choices[Name]>
    : Description
}

export const OPTION_DESCRIPTIONS: Descriptions = {
  cpuQuota: {
    text: 'Whether a CPU quota counts as a number of CPUs, in every file that counts or lists CPUs.',
    values: {
      on: 'A container sees no more CPUs than its quota is worth, rounded up: one and a half are two.',
      off: 'A container sees all CPUs of its cpuset.',
    },
  },
  cpuNumbering: {
    text: 'How CPUs are numbered in `/sys/devices/system/cpu`. In `/proc/cpuinfo` and `/proc/stat` they are numbered from 0 in either case.',
    values: {
      virtual: 'From 0.',
      real: "As the host numbers them, which is what CPU affinity masks (`sched_setaffinity(2)`) go by. A container's CPUs then need not begin at 0.",
    },
  },
  topology: {
    text: 'Where `/proc/cpuinfo` says that a CPU sits: its lines `physical id`, `core id`, `siblings`, `cpu cores` and `apicid`, and their like on other architectures.',
    values: {
      openeuler: 'Each CPU is the only core of a socket of its own, as in the lxcfs of openEuler.',
      'single-socket': 'All CPUs are cores of one socket.',
      host: "The host's lines stand as they are, and may contradict the number of CPUs.",
    },
  },
  cpuDirectories: {
    text: 'Whether the directories `/sys/devices/system/cpu` and `/sys/devices/system/node` are bound as a whole, where `files` has `online`.',
    values: {
      on: "A container has a directory `cpuN` for each CPU that `online` lists, with a topology that agrees with `/proc/cpuinfo`. Everything else there is the host's, for reading only: nobody in a container can take a CPU of the host offline. `possible` stays the host's, see `maskPossible`.",
      off: "Only single files are bound. Programs that count the directories, as `htop` and the `_NPROCESSORS_CONF` of glibc before 2.36 do, find the host's CPUs, and those that ask for nodes find the host's.",
    },
  },
  fractional: {
    text: 'How `/proc/stat` shows the part of a CPU that a quota takes away, such as half of the second CPU under a quota of one and a half. All CPUs but the last are whole.',
    values: {
      steal:
        "As steal, the time that a virtual machine's host gave to others, in step with the time used. The times of a CPU add up to the clock's.",
      idle: "Not at all: idle time is what is left of the quota, and the times of the last CPU add up to less than the clock's.",
    },
  },
  maskPossible: {
    text: 'Whether `/sys/devices/system/cpu/possible` is bound too, with what `/sys/devices/system/cpu/online` says.',
    values: {
      off: "The container sees the host's.",
      on: 'It is bound. Programs that size arrays by it and index them by the real number of a CPU, as allocators and tracers do, may crash.',
    },
  },
  clampFreeToHost: {
    text: 'Whether `MemFree` and `SwapFree` of a container may exceed what the host has left. `MemAvailable` never does.',
    values: {
      off: "They tell how much of the container's own limits is left.",
      on: "They are no more than the host's, and what `/proc/swaps` has in use is the rest.",
    },
  },
  v1SwapTotal: {
    text: 'What `SwapTotal` is under cgroup v1, which limits memory and swap together. Under v2, which limits swap by itself, the option changes nothing.',
    values: {
      diff: 'The limit of memory and swap less the limit of memory.',
      memsw: 'The limit of memory and swap itself, as lxcfs has it.',
    },
  },
  swap: {
    text: 'Whether `/proc/meminfo` and `/proc/swaps` show any swap.',
    values: {
      on: 'They show what the container may use and uses of it.',
      off: 'They show none.',
    },
  },
  uptime: {
    text: 'What `/proc/uptime` counts from.',
    values: {
      container: 'The creation of the container, or what its time namespace says.',
      host: "It is the host's file.",
    },
  },
  loadavg: {
    text: 'Whether the load averages in `/proc/loadavg` are those of the container.',
    values: {
      on: "They are made of the container's own threads.",
      off: "It is the host's file.",
    },
  },
  diskstats: {
    text: 'What `/proc/diskstats` lists.',
    values: {
      container:
        "The devices of the container's `/dev`, its root's disk as `sda`, with the container's own reads and writes.",
      host: "It is the host's file.",
    },
  },
  diskTimes: {
    text: 'The times in `/proc/diskstats`, which most kernels do not count by container.',
    values: {
      zero: 'They are 0 where the kernel counts none.',
      apportion:
        "They are the host's in proportion to the container's share of the reads and writes.",
    },
  },
  openEulerEmptyNames: {
    text: 'Whether `/proc/diskstats` also lists devices that the container reads or writes but that have no node in its `/dev`.',
    values: {
      off: 'It does not.',
      on: 'It does, with an empty name, as the lxcfs of openEuler does. This breaks most programs that read the file.',
    },
  },
  slabinfo: {
    text: 'What `/proc/slabinfo` lists.',
    values: {
      empty:
        "The container's own caches where the kernel counts them, which it does no more since Linux 5.9, and else none.",
      host: "It is the host's file.",
    },
  },
  pressure: {
    text: 'What the files in `/proc/pressure` tell.',
    values: {
      on: "The stalls of the container's own cgroup, where the kernel counts them.",
      host: "They are the host's files, without triggers.",
    },
  },
  nestedMounts: {
    text: 'Whether containers in a container can mount `proc` and `sysfs`. In a user namespace of its own a program may do so only where its mount namespace has one on which nothing but empty directories is covered, and our files cover some.',
    values: {
      off: 'They cannot: `mount -t proc` fails there with EPERM, as it does in every container whose runtime masks paths in `/proc`.',
      on: "They can where they could without our files, as in a privileged container. Another mount of the container's own `/proc` and `/sys` is left below `/dev/.procveil`, with a mount of that directory on itself over it: no path leads to them, but root in the container can take that off, and finds the host's values below. Nothing is left where the runtime masks paths or makes them read-only, where such a mount is there already, as `/dev/.lxc/proc` of LXC, and where `/dev` is no `tmpfs` of the container's own.",
    },
  },
  cgroup: {
    text: "The cgroup that the files tell about: `auto` for the container's own, or an absolute path in every hierarchy for another one, such as that of the container's pod. In an annotation it must be the container's own or one above it.",
  },
  files: {
    text: "The files to bind: a list of names, or a text with commas between them, as an annotation has it. `meminfo`, `proc/meminfo` and `/proc/meminfo` are the same, and so are `online` and `sys/devices/system/cpu/online`. A container keeps seeing the host's in place of all others, and of those that its host does not have.",
  },
}
