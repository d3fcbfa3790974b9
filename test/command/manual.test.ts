/** The manual says what the program and its options are, and README says the same. */

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import t from 'tap'
import { COMMAND_PROSE } from '../../src/command/manual/commands.ts'
import { renderBlocks, renderProse } from '../../src/command/manual/mdoc.ts'
import { renderProcveil } from '../../src/command/manual/procveil.ts'
import { DEFAULT_OPTIONS, parseOptions } from '../../src/proc/options.ts'
import { FILE_PATHS } from '../../src/proc/paths.ts'
import { EXECUTABLE, isInPath } from '../kit/requirements.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

// The build defines this. What uses it is loaded behind it.
Object.assign(globalThis, { PROCVEIL_VERSION: '1.2.3' })
const { makeProgram } = await import('../../src/command/program.ts')
const { renderPage } = await import('../../src/command/man.ts')

const program = makeProgram(() => {})
const PAGES = ['procveil.8', 'procveil-runtime.8', 'procveil-config.5'] as const
const commandsPage = renderPage(program, 'procveil.8')
const optionsPage = renderPage(program, 'procveil-config.5')

interface Listed {
  names: string
  /** A line for each option, such as `-a, --all: all containers`. */
  options: string[]
}

/** Reads what --help prints. */
function readHelp(command: Command): Listed {
  const text = command.configureHelp({ helpWidth: 1000 }).helpInformation()
  const [, names = ''] = /^Usage: (?:procveil )?(\S*)/.exec(text) ?? []
  const [, options = ''] = /\nOptions:\n((?: {2}.*\n)*)/.exec(text) ?? []
  return {
    names,
    options: options
      .split('\n')
      .filter(line => line !== '')
      .map(line => line.trim().replace(/ {2,}/, ': ').replaceAll('"', '')),
  }
}

/** Reads the items of a page's list and of the lists in it, in the form of --help. */
function readItems(page: string, section: string): Listed[] {
  const [, text = ''] = new RegExp(`\\n\\.Sh ${section}\\n([^]*?)\\n\\.Sh `).exec(page) ?? []
  const found: Listed[] = []
  for (const item of text.split('\n.It ').slice(1)) {
    const [head = '', ...lines] = item.split('\n')
    if (head.startsWith('Ic ')) {
      found.push({ names: readNames(head), options: [] })
      continue
    }
    if (found.length === 0) found.push({ names: '', options: [] })
    const end = lines.findIndex(line => /^\.(El|Pp)$/.test(line))
    const said = readText(lines.slice(0, end < 0 ? undefined : end))
    const flags = readText([`.${head}`]).replaceAll(' , ', ', ')
    found.at(-1)?.options.push(`${flags}: ${said}`)
  }
  return found
}

/** The names come first, with bars between them. */
const readNames = (head: string) =>
  readText([/^Ic \S+(?: \| \S+)*/.exec(head)?.[0].slice(3) ?? '']).replaceAll(' | ', '|')

/** Undoes the markup, and says a sentence as the help does. */
function readText(lines: readonly string[]): string {
  const words = lines
    .map(line =>
      line
        .replace(/^\.(?:Ql|Pa|Cm|Ev|Nm) /, '')
        .replace(/(^\.| )Fl /g, '$1\\-')
        .replace(/^\./, '')
        .replace(/ Ar (\S+)( \.\.\.)?/g, (_, value, more) => ` <${value}${more ? '...' : ''}>`)
        .replace(/ \.$/, '.'),
    )
    .join(' ')
  return words
    .replaceAll('\\%', '')
    .replaceAll('\\&', '')
    .replaceAll('\\-', '-')
    .replace(/\. The default is (.*)\.$/, ' (default: $1).')
    .replace(/\.$/, '')
}

const lowered = (text: string) => text.replace(/: ([A-Z])/g, word => word.toLowerCase())

t.test('every command, alias, option and default of the help is in procveil(8)', async t => {
  const visible = program.createHelp().visibleCommands(program)
  t.ok(visible.length > 10)
  const inHelp = visible.map(readHelp).map(({ names, options }) => ({
    names,
    options: options.filter(line => !line.startsWith('-h, --help')).map(lowered),
  }))
  const inPage = readItems(commandsPage, 'COMMANDS').map(({ names, options }) => ({
    names,
    options: options.map(lowered),
  }))
  t.strictSame(inPage, inHelp)
  const [before] = readItems(commandsPage, 'OPTIONS')
  t.strictSame(before?.options.map(lowered), readHelp(program).options.map(lowered))
})

t.test('a description of the help begins what procveil(8) says of a command', async t => {
  for (const command of program.createHelp().visibleCommands(program)) {
    const description = renderProse(command.description()).join('\n').slice(1)
    t.ok(commandsPage.includes(description), command.name())
  }
})

t.test('a command without prose is refused, and so is prose without a command', async t => {
  const heading = { date: 'May 1, 2026', version: '1' }
  const more = makeProgram(() => {})
  more.command('unheard-of')
  t.throws(() => renderProcveil(more, heading), /says nothing of unheard-of/)
  const fewer = makeProgram(() => {})
  const commands = fewer.commands as Command[]
  commands.splice(0, 1)
  t.throws(() => renderProcveil(fewer, heading), /there is no command hook/)
  for (const { exitStatus } of Object.values(COMMAND_PROSE)) t.match(exitStatus, /exit status is/)
})

t.test('procveil(8) names every file', async t => {
  for (const path of FILE_PATHS) t.ok(commandsPage.includes(`/${path}`), path)
})

/** The values that an option takes, the default first, by the program's own message. */
function valuesOf(name: string): string[] {
  try {
    parseOptions({ [name]: '' }, 'a test')
  } catch (error) {
    const [, values = ''] = / in a test: it must be (.*)$/.exec((error as Error).message) ?? []
    return values.split(' or ')
  }
  throw new Error(`Cannot find the values of ${name}`)
}

const FREE = ['cgroup', 'files']
const choices = Object.keys(DEFAULT_OPTIONS).filter(name => !FREE.includes(name))

t.test('procveil-config(5) has every option, with its values and its default', async t => {
  const listed = readItems(optionsPage, 'OPTIONS')
  t.strictSame(listed.map(({ names }) => names).sort(), Object.keys(DEFAULT_OPTIONS).sort())
  for (const { names: name, options } of listed) {
    if (FREE.includes(name)) continue
    const values = options.map(line => line.replace(/: .*/, ''))
    t.strictSame(values, valuesOf(name), name)
    const isDefault = options.map(line => line.endsWith(' This is the default'))
    t.strictSame(isDefault.indexOf(true), 0, name)
    t.equal(isDefault.lastIndexOf(true), 0, name)
  }
  for (const path of FILE_PATHS) t.ok(optionsPage.includes(path), path)
})

t.test("README's table has the same options, values and defaults", async t => {
  const [, table = ''] =
    /\n\| option \| default, others \|.*\n.*\n((?:\|.*\n)+)/.exec(read('README.md')) ?? []
  const rows = table
    .trimEnd()
    .split('\n')
    .map(row => row.split('|').map(cell => cell.trim()))
    .flatMap(([, names = '', values = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => ({ name, values })),
    )
  t.strictSame(rows.map(({ name }) => name).sort(), Object.keys(DEFAULT_OPTIONS).sort())
  for (const { name, values } of rows) {
    if (choices.includes(name)) t.strictSame(values.split(', '), valuesOf(name), name)
  }
})

t.test('the pages bear the day of the release, if there is one', async t => {
  const [newest = ''] = /^## .*$/m.exec(read('CHANGELOG.md')) ?? []
  const [day] = /\d{4}-\d\d-\d\d/.exec(newest) ?? []
  const [, date = ''] = /^\.Dd (.*)$/m.exec(commandsPage) ?? []
  const stated = new Date(`${date} UTC`).toISOString().slice(0, 10)
  if (day !== undefined) t.equal(stated, day)
  t.match(optionsPage, `.Dd ${date}\n`)
  t.match(commandsPage, '.Os procveil 1.2.3\n')
})

t.test('prose becomes mdoc', async t => {
  t.strictSame(renderProse('Plain text. And more.'), ['Plain text.', 'And more.'])
  t.strictSame(renderProse("'Tis `-a` of `/proc`, `proc(5)`:"), [
    "\\&'Tis",
    '.Fl a',
    'of',
    '.Pa /proc ,',
    '.Xr proc 5 :',
  ])
  t.strictSame(renderProse("(`On`), `procveil`'s `a-b`"), [
    ...['.Ql ( \\&On ) ,', ".Nm procveil Ns \\&'s", '.Ql a\\-b'],
  ])
  t.throws(() => renderProse('`one`/`two`'), SyntaxError)
  t.strictSame(renderBlocks([{ lines: ['# a\\b --c', ".'"] }]), [
    ...['.Bd -literal -offset indent', '# a\\eb \\-\\-c', '\\&.\\(aq', '.Ed'],
  ])
})

const installed = (name: string, debian = name) =>
  isInPath(name) ? {} : { skip: `needs ${name}: apt-get install ${debian}` }

for (const page of PAGES) {
  const text = renderPage(program, page)
  t.test(`mandoc takes ${page} without a warning`, installed('mandoc'), async t => {
    const { stdout } = spawnSync('mandoc', ['-Tlint', '-Wwarning'], {
      input: text,
      encoding: 'utf8',
    })
    t.equal(stdout, '')
    const shown = execFileSync('mandoc', ['-Tutf8'], { input: text, encoding: 'utf8' })
    t.notMatch(shown, /`|\\[-&%e(]|^\s*\.[A-Z][a-z]\b/m, 'no markup is left over')
  })
  t.test(`groff takes ${page} without a warning`, installed('groff', 'groff-base'), async t => {
    const args = ['-wall', '-mandoc', '-Tutf8']
    const { stderr } = spawnSync('groff', args, { input: text, encoding: 'utf8' })
    t.equal(stderr, '')
  })
}

const built = existsSync(EXECUTABLE) ? {} : { skip: 'needs dist/procveil: npm run build' }

t.test('the executable prints the pages and the help that were compared', built, async t => {
  const run = (...args: string[]) => execFileSync(EXECUTABLE, args, { encoding: 'utf8' })
  const { version } = JSON.parse(read('package.json'))
  for (const page of PAGES) {
    const text = renderPage(program, page).replace('procveil 1.2.3', `procveil ${version}`)
    t.equal(run('man', page), text, page)
  }
  for (const command of program.commands) {
    const help = run('help', command.name()).replace(/\s+/g, ' ')
    t.equal(help, command.helpInformation().replace(/\s+/g, ' '), command.name())
  }
})
