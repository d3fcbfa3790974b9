import t from 'tap'
import { Renderer } from '../../src/filesystem/renderer.ts'
import type { View } from '../../src/proc/view.ts'
import { machine } from '../machines/machine.ts'

t.test('what cannot be rendered shows the host, and is reported once a minute', async t => {
  const host = machine(t, { 'proc/meminfo': 'the host\n' })
  const reported: unknown[] = []
  const { render } = new Renderer(host, { error: error => reported.push(error) })
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
