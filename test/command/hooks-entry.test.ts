import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  EXECUTABLE,
  GUARDED_HOOK,
  renderCdi,
  renderConfigFragment,
  renderHookSpec,
  renderHooksDirectoryEntry,
} from '../../src/command/hooks/entry.ts'
import { isOurs, programOf } from '../../src/command/hooks/ours.ts'

const file = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

t.test('the files that are handed out hold what is rendered', async t => {
  t.equal(file('hooks/50-procveil.json'), renderHooksDirectoryEntry())
  t.equal(file('hooks/config-fragment.json'), renderConfigFragment())
  t.equal(file('hooks/hookspec.json'), renderHookSpec())
  t.equal(file('cdi/procveil.json'), renderCdi())
})

t.test(
  'a hook is ours by its path, its first argument, its link, or what its shell runs',
  async t => {
    t.ok(isOurs({ path: EXECUTABLE }))
    t.ok(isOurs({ path: '/opt/lxcfs-hook', args: ['procveil', 'hook'] }))
    t.ok(isOurs({ path: '/opt/lxcfs-hook' }, () => EXECUTABLE))
    t.ok(isOurs(GUARDED_HOOK))
    t.equal(programOf(GUARDED_HOOK), EXECUTABLE)
    t.notOk(isOurs({ path: '/bin/sh', args: ['sh', '-c', 'exec /usr/bin/nvidia-hook'] }))
    t.notOk(isOurs({ path: '/bin/sh', args: ['sh', '-c', 'echo procveil'] }))
    for (const none of [undefined, {}, { path: 3 }, 'procveil']) t.notOk(isOurs(none))
  },
)

t.test('a guarded hook passes stdin on, and is silent where the executable is gone', async t => {
  const [, , script = ''] = GUARDED_HOOK.args
  const run = (text: string) =>
    spawnSync('/bin/sh', ['-c', text], { input: '{"ociVersion"}', encoding: 'utf8' })
  const called = `${EXECUTABLE} --log /var/log/procveil.log hook`
  t.match(script, called)
  const passed = run(script.replace(called, '/bin/cat').replaceAll(EXECUTABLE, '/bin/cat'))
  t.match(passed, { status: 0, stdout: '{"ociVersion"}' })
  t.match(run(script.replaceAll(EXECUTABLE, '/gone/procveil')), {
    status: 0,
    stdout: '',
    stderr: '',
  })
})
