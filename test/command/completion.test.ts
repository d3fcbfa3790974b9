import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Argument, Command, Option } from 'commander'
import t, { type Test } from 'tap'
import { renderBash } from '../../src/command/completion/bash.ts'
import { renderFish } from '../../src/command/completion/fish.ts'
import { readGrammar } from '../../src/command/completion/grammar.ts'
import { renderZsh } from '../../src/command/completion/zsh.ts'
import { isInPath } from '../kit/requirements.ts'

/** A program of the same kind as ours: what is completed is read from it. */
function program(): Command {
  const made = new Command('procveil')
  made
    .option('--run-dir <directory>', "where the run's files are")
    .option('--log <file>', 'log')
    .option('--root <directory...>', 'more')
  made
    .command('show')
    .description("what a container sees: [all] of it's files")
    .argument('[file]')
    .option('-c, --container-id <id>', 'the container')
    .option('--all-files', 'all')
  made.command('umount').alias('detach').option('-c, --container-id <id>', 'the container')
  made.command('serve', { hidden: true }).option('--adopt <json>')
  made
    .command('completion')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addOption(new Option('--secret').hideHelp())
  return made
}

function registrations(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), "procveil-completion-it's-"))
  t.teardown(() => rmSync(directory, { recursive: true }))
  mkdirSync(join(directory, 'containers'))
  for (const id of ['web-1', 'web-2', 'db']) {
    writeFileSync(join(directory, 'containers', `${id}.json`), '{}')
  }
  return join(directory, 'containers')
}

t.test('the grammar has what the help has', async t => {
  const grammar = readGrammar(program(), '/run/procveil/containers')
  const names = grammar.commands.map(({ name }) => name)
  t.strictSame(names, ['show', 'umount', 'detach', 'completion', 'help'], 'aliases, nothing hidden')
  t.match(grammar.flags, [
    { names: ['--run-dir'], value: 'directory' },
    { names: ['--log'], value: 'file' },
    { names: ['--root'], value: 'directory' },
    { names: ['-h', '--help'], value: undefined },
  ])
  const [show, , detach, completion, help] = grammar.commands
  t.match(show?.flags[0], { names: ['-c', '--container-id'], value: 'container' })
  t.match(show?.flags[1], { names: ['--all-files'], value: undefined })
  const [files] = show?.arguments ?? []
  t.ok(typeof files === 'object' && files.words.includes('pressure/cpu'))
  t.match(detach?.flags[0], { value: 'container' })
  t.strictSame(completion?.arguments, [{ words: ['bash', 'zsh', 'fish'] }])
  t.notOk(completion?.flags.some(flag => flag.names.includes('--secret')))
  t.strictSame(help?.arguments, [{ words: names }])
})

t.test('bash completes', async t => {
  const directory = registrations(t)
  const script = renderBash(readGrammar(program(), directory))
  const complete = (...words: string[]) => {
    const list = words.map(word => `'${word}'`).join(' ')
    const call = `COMP_WORDS=(${list}) COMP_CWORD=${words.length - 1}; _procveil; printf '%s\\n' "\${COMPREPLY[@]}"`
    const text = execFileSync('bash', ['--norc', '-uc', `${script}\n${call}`], {
      encoding: 'utf8',
    })
    return text.split('\n').filter(word => word !== '')
  }
  t.strictSame(complete('procveil', ''), ['show', 'umount', 'detach', 'completion', 'help'])
  t.strictSame(complete('procveil', '--'), ['--run-dir', '--log', '--root', '--help'])
  t.strictSame(complete('procveil', 'sh'), ['show'])
  t.strictSame(complete('procveil', '--log', 'x', 'sh'), ['show'], 'a value is no command')
  t.strictSame(complete('procveil', '--log', '=', 'x', 'sh'), ['show'])
  t.strictSame(complete('procveil', 'show', '-c', 'we'), ['web-1', 'web-2'])
  t.strictSame(complete('procveil', 'detach', '--container-id', '=', 'd'), ['db'])
  t.strictSame(complete('procveil', 'show', '--container-id', '='), ['db', 'web-1', 'web-2'])
  t.strictSame(complete('procveil', 'show', '-c', 'db', 'mem'), ['meminfo'])
  t.strictSame(complete('procveil', 'show', 'meminfo', ''), [], 'there is one file')
  t.strictSame(complete('procveil', 'show', '--a'), ['--all-files'])
  t.strictSame(complete('procveil', 'completion', ''), ['bash', 'zsh', 'fish'])
  t.strictSame(complete('procveil', '--run-dir', '/pro'), ['/proc'])
  const empty = renderBash(readGrammar(program(), '/nowhere'))
  t.equal(
    execFileSync('bash', ['-euc', `${empty}\n_procveil_containers`], { encoding: 'utf8' }),
    '',
  )
})

const inPath = (shell: string) => (isInPath(shell) ? {} : { skip: `needs ${shell}` })

t.test('zsh takes the script', inPath('zsh'), async t => {
  const directory = registrations(t)
  const script = renderZsh(readGrammar(program(), directory))
  const head = 'autoload -Uz compinit && compinit -D\n'
  const call = `compadd() { print -l -- \${@:2} }; _procveil_containers; print -- $_comps[procveil]`
  const text = execFileSync('zsh', ['-fc', `${head}${script}\n${call}`], { encoding: 'utf8' })
  t.equal(text, 'db\nweb-1\nweb-2\n_procveil\n')
})

t.test('fish completes', inPath('fish'), async t => {
  const directory = registrations(t)
  const script = renderFish(readGrammar(program(), directory))
  const complete = (line: string) => {
    const text = execFileSync('fish', ['-N', '-c', `${script}\ncomplete -C '${line}'`], {
      encoding: 'utf8',
    })
    return text
      .split('\n')
      .map(each => each.split('\t')[0])
      .filter(each => each !== '')
  }
  t.strictSame(complete('procveil sh'), ['show'])
  t.strictSame(complete('procveil --log x sh'), ['show'])
  t.strictSame(complete('procveil show -c we'), ['web-1', 'web-2'])
  t.strictSame(complete('procveil detach --container-id d'), ['db'])
  t.strictSame(complete('procveil show mem'), ['meminfo'])
  t.strictSame(complete('procveil completion z'), ['zsh'])
})

t.test('texts with quotes and brackets stay texts', async t => {
  const grammar = readGrammar(program(), '/run')
  t.match(renderZsh(grammar), "'show:what a container sees: [all] of it'\\''s files'")
  t.match(renderFish(grammar), "-d 'what a container sees: [all] of it\\'s files'")
  t.match(renderFish(grammar), "-l 'container-id' -x -a '(__procveil_containers)'")
})
