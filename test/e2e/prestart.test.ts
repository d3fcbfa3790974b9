/** `procveil prestart`, in a mount namespace of its own. */

import { execa } from 'execa'
import t from 'tap'
import { EXECUTABLE, needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

/** The lines of mountinfo about this path or what lies below it. */
const LIST = 'grep " $DIR" /proc/self/mountinfo || true'

t.test('the directory above the mount point becomes a shared mount', needs('unshare'), async t => {
  const here = site(t)
  const base = `${here.directory}/base`
  const options = ['--mountpoint', `${base}/mount`, '--run-dir', here.runDirectory]
  const procveil = [EXECUTABLE, ...options].join(' ')
  const inNamespace = async (script: string) => {
    const text = `set -e; DIR=${base}; PROCVEIL="${procveil}"; ${script}`
    const { stdout } = await execa('unshare', ['--mount', 'sh', '-c', text], { timeout: 30_000 })
    return stdout.split('\n').filter(line => line.includes(base))
  }
  const once = await inNamespace(`$PROCVEIL prestart; ${LIST}`)
  t.equal(once.length, 1)
  t.match(once[0], / shared:\d+ /)
  const twice = await inNamespace(`$PROCVEIL prestart; $PROCVEIL prestart; ${LIST}`)
  t.equal(twice.length, 1, 'a second time changes nothing')
  t.strictSame(await inNamespace(`$PROCVEIL prestart; $PROCVEIL prestart --undo; ${LIST}`), [])

  // Where the root's mount is shared, as under systemd, a bind of it starts in its peer group.
  const shared = 'mount --make-rshared /; mkdir -p $DIR'
  const group = 'grep -o " / / .*shared:[0-9]*" /proc/self/mountinfo | grep -o "shared:.*"'
  const old = 'mount --bind $DIR $DIR; mount --make-shared $DIR'
  for (const before of ['true', old]) {
    const lines = await inNamespace(
      `${shared}; ${before}; $PROCVEIL prestart; mkdir -p $DIR/mount; mount -t tmpfs x $DIR/mount; ${LIST}; echo "${base} root $(${group})"`,
    )
    const [bind, mounted, root] = lines
    t.equal(lines.length, 3, 'what is mounted there is mounted once')
    t.match(mounted, / tmpfs /)
    t.match(bind, / shared:\d+ /)
    const [tag] = / (shared:\d+)$/.exec(root ?? '')?.slice(1) ?? []
    t.type(tag, 'string')
    t.notMatch(bind, new RegExp(` ${tag} `))
  }

  const isMounted = 'grep -q " $DIR/mount .* fuse.lxcfs " /proc/self/mountinfo'
  const serve = `mkdir -p $DIR; setsid $PROCVEIL serve </dev/null >/dev/null 2>&1 & until ${isMounted} && [ -e ${here.runDirectory}/service.json ]; do sleep 0.05; done`
  // The shell that says this has the path in its command line, too, and another name.
  const kill =
    'p=$(pgrep -f "^[^ ]*procveil .*$DIR/mount"); kill -STOP $p; kill -KILL $p; sleep 0.3'
  const answers = `[ ! -e $DIR/mount/proc/meminfo ] || echo "${base} answers"`
  const live = await inNamespace(
    `${serve}; $PROCVEIL prestart; ${LIST}; ${answers}; $PROCVEIL stop`,
  )
  t.ok(
    live.some(line => line.includes('fuse.lxcfs')),
    'a mount that is served stays',
  )
  t.ok(live.includes(`${base} answers`), 'and is not hidden')
  const undone = await inNamespace(
    `$PROCVEIL prestart; ${serve}; $PROCVEIL prestart --undo 2>/dev/null || echo "${base} refused"; ${LIST}; $PROCVEIL stop`,
  )
  t.equal(undone.filter(line => line.includes('refused')).length, 1)
  t.equal(undone.length, 3, 'neither is taken off below a service')
  const dead = await inNamespace(`${serve}; ${kill}; $PROCVEIL prestart; ${LIST}`)
  t.strictSame(
    dead.filter(line => line.includes('fuse.lxcfs')),
    [],
    'a dead one does not',
  )
})
