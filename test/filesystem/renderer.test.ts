import t from 'tap'
import { Renderer } from '../../src/filesystem/renderer.ts'
import type { ProcFile } from '../../src/proc/files.ts'
import type { View } from '../../src/proc/view.ts'
import { machine } from '../machines/machine.ts'

const silent = { error: () => {} }

t.test('what cannot be rendered shows the host, and is reported once a minute', async t => {
  const host = machine(t, { 'proc/meminfo': 'the host\n' })
  const reported: unknown[] = []
  const renderer = new Renderer(host, { error: error => reported.push(error) })
  const render = (file: ProcFile, view: View | undefined) => {
    renderer.begin()
    return renderer.render(file, view).toString()
  }
  const file = {
    path: 'proc/meminfo',
    mode: 0o444,
    render(): string {
      throw new Error('Cannot do it')
    },
  } as const
  const view = {} as View
  t.equal(render(file, undefined), 'the host\n')
  t.equal(reported.length, 0, 'no view is no failure')
  t.equal(render(file, view), 'the host\n')
  t.equal(render(file, view), 'the host\n')
  t.equal(reported.length, 1)
  t.match(reported[0], {
    message: /Cannot render proc\/meminfo/,
    cause: { message: 'Cannot do it' },
  })
  host.clock.advance(61)
  render(file, view)
  t.equal(reported.length, 2)
  t.equal(render({ ...file, render: () => 'own\n' }, view), 'own\n')
})

t.test('requests that were taken together are answered with one rendering', async t => {
  let renderings = 0
  const kept: unknown[] = []
  const file = (path: ProcFile['path']): ProcFile => ({
    path,
    mode: 0o444,
    render: () => `${++renderings}`,
  })
  const [one, other] = [file('proc/meminfo'), file('proc/stat')]
  const [first, second] = [{} as View, {} as View]
  const host = machine(t, { 'proc/meminfo': 'the host\n' })
  const renderer = new Renderer(host, silent, view => kept.push(view))
  const render = (file: ProcFile, view: View | undefined) => renderer.render(file, view).toString()
  renderer.begin()
  t.strictSame([render(one, first), render(one, first)], ['1', '1'])
  t.equal(render(other, first), '2', 'another file')
  t.equal(render(one, second), '3', 'another view')
  t.equal(render(one, undefined), 'the host\n', 'no view')
  t.strictSame([render(other, first), render(one, second)], ['2', '3'])
  t.equal(kept.length, 4, 'each rendering is told once, before its text is given')
  renderer.begin()
  t.equal(render(one, first), '4', 'what is asked for later is rendered later')
})

t.test('a rendering that fails is tried again', async t => {
  const host = machine(t, {})
  const renderer = new Renderer(host, silent)
  const file: ProcFile = { path: 'proc/meminfo', mode: 0o444, render: () => 'own\n' }
  t.throws(() => renderer.render(file, undefined), { code: 'ENOENT' })
  t.equal(renderer.render(file, {} as View).toString(), 'own\n')
})
