/** procveil-runtime(8): the runtime that adds the hook, as an administrator has it used. */

import { type Heading, renderHeading, renderSection, type Section } from './mdoc.ts'

const SECTIONS: readonly Section[] = [
  {
    title: 'DESCRIPTION',
    blocks: [
      '`procveil-runtime` is what docker, containerd, podman and others may call in the place of `runc(8)`. When a container is created, it has `procveil` add its hook to the `config.json` of the bundle. Then it becomes the runtime that does the work, with the same arguments, environment and descriptors. All other calls, such as `exec` or `state`, go to that runtime at once.',
      'All bytes of `config.json` but the hook stay as they are. One that has a hook of `procveil` already gets no second one. Nothing is added where the caller is not root of the host, nor to a `config.json` that belongs to somebody else. The file keeps the hook: a bundle that is used again has it already.',
      'Whatever goes wrong, and after 10 seconds at the latest, the container starts without the hook, and sees its host in `/proc`. A warning with the reason stands then in the log that the option `--log` of the caller names, in the form that `--log-format` asks for.',
      'The runtime behind it is the one that the first line of `/etc/procveil/runtime` names which is neither empty nor a comment, by its path or its name. Where there is none it is the runtime of the last container, and before the first container the first of runc, crun and youki in `PATH`. One that is not there is passed over, with a warning. No runtime knows the containers of another one: change it when none of them runs.',
    ],
  },
  {
    title: 'FILES',
    blocks: [
      {
        terms: [
          { term: '`/etc/procveil/runtime`', text: ['The runtime behind it. It need not exist.'] },
          {
            term: '`/run/procveil-runtime.used`',
            text: ['The runtime of the last container. It is gone when the machine starts again.'],
          },
          {
            term: '`/var/log/procveil.log`',
            text: ['The reasons why a hook could not be added.'],
          },
        ],
      },
    ],
  },
  {
    title: 'EXIT STATUS',
    blocks: ['The exit status is that of the runtime behind it, and 1 where there is none.'],
  },
  {
    title: 'EXAMPLES',
    blocks: [
      'Have all containers of docker use it, then one of them not:',
      {
        lines: [
          '# procveil configure docker --set-as-default --restart',
          '$ docker run --runtime runc ...',
        ],
      },
      'Use it for a container of podman:',
      { lines: ['# podman --runtime /usr/bin/procveil-runtime run ...'] },
      'Put it before crun, while none of its containers runs:',
      { lines: ['# echo crun >/etc/procveil/runtime'] },
    ],
  },
  {
    title: 'SEE ALSO',
    blocks: ['`crun(1)`, `podman(1)`, `procveil(8)`, `runc(8)`'],
  },
]

export function renderProcveilRuntime(heading: Pick<Heading, 'date' | 'version'>): string {
  const lines = [
    ...renderHeading({
      ...heading,
      name: 'procveil-runtime',
      section: 8,
      about: 'OCI runtime that gives containers their own /proc',
    }),
    ...['.Sh SYNOPSIS', '.Nm', '.Op Ar options', '.Ar command', '.Op Ar arguments'],
    ...SECTIONS.flatMap(renderSection),
  ]
  return `${lines.join('\n')}\n`
}
