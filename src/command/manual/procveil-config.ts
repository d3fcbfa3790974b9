/** procveil-config(5): the configuration file and the annotations, with every option. */

import { OPTION_DESCRIPTIONS } from '../../proc/option-descriptions.ts'
import { DEFAULT_OPTIONS, type Options } from '../../proc/options.ts'
import { FILE_PATHS } from '../../proc/paths.ts'
import {
  argument,
  type Block,
  type Heading,
  renderBlocks,
  renderHeading,
  renderList,
  renderSection,
  type Section,
} from './mdoc.ts'

const BEFORE: readonly Section[] = [
  {
    title: 'DESCRIPTION',
    blocks: [
      'The options here choose what the files of `procveil(8)` tell a container, and which files it gets. The defaults are right for nearly everybody, and the file `/etc/procveil/config.json` need not exist.',
      'The file holds a JSON object, with options by their names:',
      { lines: ['{ "cpuQuota": "off", "files": ["meminfo", "cpuinfo", "stat"] }'] },
      "Another file is named with `--config`, before the command; that one must exist. The file is about all containers. For one container, an option in an annotation counts more than the file's.",
    ],
  },
]

const AFTER: readonly Section[] = [
  {
    title: 'THE SERVICE',
    blocks: [
      'One more name in the file is about the service itself, and no annotation can set it:',
      {
        terms: [
          {
            term: '`watch`',
            text: [
              'Whether the service does what `procveil watch` does: with `on` containers get their files as they start, also where their runtime runs no hook, and are forgotten when they end. The default is `off`, since a service gives files to nobody who was not named: with `on` all containers of the host get them.',
            ],
          },
        ],
      },
    ],
  },
  {
    title: 'ANNOTATIONS',
    blocks: [
      'An annotation `io.procveil.OPTION` of a container sets an option for that container: `io.procveil.cpuQuota` with the value `off`, say. Annotations stand in `annotations` of the `config.json` of a bundle; `podman run --annotation` and the annotations of a pod under CRI-O end up there.',
      'The annotation `io.procveil.enabled` with the value `off` (or `false`) keeps a container from getting any of the files by a hook, by `watch` or by `remount --all`; `on` (or `true`) has the plugin for NRI give it the hook where that is only for annotated pods. It is no option, and cannot stand in the file.',
      "Of an option's values, that in an annotation counts first, then that in the configuration file, then the default. An annotation may set every option; but with `cgroup` it may only name the container's own cgroup or one above it, since whoever may annotate a container may not look into others with it. Where the files are mounted, and where `procveil(8)` keeps its state, no annotation can say.",
    ],
  },
  {
    title: 'WHEN IT IS READ',
    blocks: [
      'The service reads the file when it starts and when it is upgraded, with `procveil upgrade` or `systemctl reload procveil`, and then shows all containers accordingly. The options `files`, `maskPossible` and `nestedMounts`, which say what is mounted, are read by each hook and each `procveil remount`. `procveil show` and the other commands that print what containers see read it each time.',
      "The annotations of a container are read when it is registered: by the hook, or by `procveil remount` where the container was not hooked. They are kept for the container's life.",
    ],
  },
  {
    title: 'FILES',
    blocks: [
      {
        terms: [
          {
            term: '`/etc/procveil/config.json`',
            text: ['The configuration file, where `--config` names no other.'],
          },
        ],
      },
    ],
  },
  {
    title: 'EXAMPLES',
    blocks: [
      'All containers see all CPUs of their cpuset, under the numbers of the host, and swap as `lxcfs(1)` shows it:',
      {
        lines: [
          '{',
          '  "cpuQuota": "off",',
          '  "cpuNumbering": "real",',
          '  "v1SwapTotal": "memsw"',
          '}',
        ],
      },
      'Have the service read it:',
      { lines: ['# procveil upgrade'] },
      "A container sees its host's uptime, and only two files are bound into it:",
      {
        lines: [
          '# podman run --annotation io.procveil.uptime=host \\',
          '    --annotation io.procveil.files=meminfo,stat ...',
        ],
      },
    ],
  },
  {
    title: 'DIAGNOSTICS',
    blocks: [
      'An option or a value that is not known is refused, with a message that lists the known ones:',
      {
        lines: ['Cannot use swap "maybe" in /etc/procveil/config.json: it must be on or off'],
      },
      'A configuration file in which anything cannot be used is not used at all. The service does not start with it; a service that runs already goes on with the options that it has read before, also through an upgrade. A hook logs it and binds the files of the default options, or fails when it was given `--strict`. Commands that need it, such as `procveil remount`, fail, and `procveil doctor` reports it.',
      'An annotation that cannot be used is logged, and the other ones count; `procveil hook --strict` fails.',
    ],
  },
  {
    title: 'SEE ALSO',
    blocks: ['`podman(1)`, `proc(5)`, `cgroups(7)`, `procveil(8)`'],
  },
]

export function renderProcveilConfig(heading: Pick<Heading, 'date' | 'version'>): string {
  const options = Object.keys(OPTION_DESCRIPTIONS) as (keyof Options)[]
  const lines = [
    ...renderHeading({
      ...heading,
      name: 'procveil-config',
      section: 5,
      about: 'what the files of procveil tell containers',
    }),
    ...BEFORE.flatMap(renderSection),
    '.Sh OPTIONS',
    ...renderList(options.flatMap(renderOption), false),
    ...AFTER.flatMap(renderSection),
  ]
  return `${lines.join('\n')}\n`
}

function renderOption(name: keyof Options): string[] {
  const { text } = OPTION_DESCRIPTIONS[name]
  return [`.It Ic ${argument(name)}`, ...renderBlocks([text, renderValues(name)], true)]
}

function renderValues(name: keyof Options): Block {
  if (name === 'cgroup') return `The default is \`${DEFAULT_OPTIONS.cgroup}\`.`
  if (name === 'files') {
    const others = FILE_PATHS.filter(path => !DEFAULT_OPTIONS.files.includes(path))
    return `The default is all of ${list(DEFAULT_OPTIONS.files)}; besides these there is ${list(others)}.`
  }
  const values = Object.entries<string>(OPTION_DESCRIPTIONS[name].values)
  return {
    terms: values.map(([value, text]) => ({
      term: `\`${value}\``,
      text: [value === DEFAULT_OPTIONS[name] ? `${text} This is the default.` : text],
    })),
  }
}

const list = (names: readonly string[]) => names.map(name => `\`${name}\``).join(', ')
