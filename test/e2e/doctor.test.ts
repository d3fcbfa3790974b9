/** What doctor says where it cannot do all that it does. */

import { execa } from 'execa'
import t from 'tap'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

t.test('without a worker the other checks go on', needs('prlimit'), async t => {
  const here = site(t)
  await here.hook({ id: 'x', status: 'creating', pid: process.pid, root: '/nowhere' })
  // These are enough for the command, and not for a process of its own.
  const command = [here.executable, ...here.options, 'doctor']
  const { stdout, stderr, exitCode } = await execa('prlimit', ['--nofile=10', ...command], {
    reject: false,
    timeout: 30_000,
  })
  t.equal(exitCode, 1)
  t.match(stderr, `Cannot ask ${here.mountPoint} whether it answers: it cannot be started`)
  t.match(stdout, `problem  ${here.mountPoint} could not be asked whether it answers\n`)
  t.match(stdout, /^problem +some containers may not have been found$/m)
  t.match(stdout, /^ok +Linux /m)
  t.match(stdout, /^\d+ problems, \d+ warnings?$/m)
})
