/** What containers and users say is shown to an operator, and steers neither a terminal nor a log. */

import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import t from 'tap'
import { attackIn } from './attackers.ts'
import { HOSTILE, type Stage, TWO_TRIALS_MS, trial } from './trial.ts'

const ESCAPE = '\u001b]0;owned\u0007\u001b[2J'
const FORGED = '2026-01-01T00:00:00.000Z hook: forged'

/** Control characters other than the ends of lines, and a line of the container's own. */
function isClean({ t }: Stage, text: string, what: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for.
  t.notMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/, `${what} is plain`)
  t.notOk(
    text.split('\n').some(line => line.startsWith(FORGED)),
    `${what} has no forged line`,
  )
}

t.setTimeout(TWO_TRIALS_MS)

t.test('escape sequences and lines in annotations and paths', HOSTILE, t =>
  trial(t, {
    start: async ({ t, here }) => {
      const parent = join(here.directory, `${ESCAPE}\n${FORGED}`)
      mkdirSync(parent)
      const annotations = {
        [`io.procveil.${ESCAPE}\n${FORGED}`]: 'on',
        'io.procveil.cpuQuota': `${ESCAPE}\n${FORGED}`,
      }
      const args = ['threads', '/tmp', '1', '/proc/stat']
      return [await attackIn(t, here, 'words', args, { annotations, parent })]
    },
    meanwhile: async stage => {
      const { here, t } = stage
      const roots = ['--runtime-root', `${here.directory}/runc`]
      for (const args of [
        ['ps'],
        ['ps', '--json'],
        ['doctor'],
        ['remount', '--all'],
        ['umount', '-c', 'words'],
        ['remount', '-c', 'words'],
        ['diff', '-c', 'words'],
        ['show', 'meminfo', '-c', 'words'],
      ]) {
        const { stdout, stderr } = await here.toolkit(...args, ...roots)
        isClean(stage, stdout, args.join(' '))
        isClean(stage, stderr, `stderr of ${args.join(' ')}`)
      }
      isClean(stage, here.readLog(), 'the log')
      t.match(here.readLog(), 'owned', 'the log tells what was refused')
    },
  }),
)

t.test("capture into a user's folder", HOSTILE, t =>
  trial(t, {
    start: async () => [],
    meanwhile: async ({ t, here, victim }) => {
      const user = join(here.directory, 'user')
      const secret = join(here.directory, 'secret')
      for (const directory of [user, join(user, 'his'), secret]) mkdirSync(directory)
      execaSync('sh', ['-c', `echo precious >${secret}/README.md`])
      symlinkSync(secret, join(user, 'link'))
      symlinkSync(`${secret}/new`, join(user, 'dangling'))
      mkdirSync(join(user, 'his/containers'))
      symlinkSync(secret, join(user, `his/containers/${victim.box.id}`))
      execaSync('chown', ['-hR', '1000:1000', user])
      for (const name of ['link', 'link/', 'dangling', 'his', 'his/containers/victim']) {
        const to = `${user}/${name}`
        const { exitCode, stderr } = await here.procveil(['capture', '-c', 'victim', '-o', to])
        t.equal(exitCode, 1, `${name} is refused`)
        t.match(stderr, 'Cannot write into')
      }
      t.equal(readFileSync(`${secret}/README.md`, 'utf8'), 'precious\n')
      t.notOk(existsSync(`${secret}/new`))

      const own = join(user, 'report')
      const { exitCode, stdout } = await here.procveil(['capture', '-c', 'victim', '-o', own])
      t.equal(exitCode, 0, 'a new folder is written')
      const slabinfo = execaSync('find', [own, '-path', '*/proc/slabinfo']).stdout
      t.equal(slabinfo !== '', existsSync('/proc/slabinfo'), 'it has what the kernel has')
      const modes = execaSync('find', [own, '-perm', '/077', '-path', '*/proc/slabinfo']).stdout
      t.equal(modes, '', 'and shows nobody what the kernel shows to root alone')
      t.match(stdout, 'README.md')
    },
  }),
)
