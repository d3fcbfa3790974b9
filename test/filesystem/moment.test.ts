import t from 'tap'
import { Moment } from '../../src/filesystem/moment.ts'
import type { ProcFile } from '../../src/proc/files.ts'
import { FILES } from '../../src/proc/files.ts'

const [one, other] = FILES as [ProcFile, ProcFile]
const views = [undefined, {}, {}] as unknown as Parameters<Moment['render']>[1][]

t.test('what was asked for before is rendered once', async t => {
  let renderings = 0
  const moment = new Moment(() => `${++renderings}`)
  const read = (file: ProcFile, view = views[1]) => moment.render(file, view).toString()
  moment.begin()
  t.strictSame([read(one), read(one)], ['1', '1'])
  t.equal(read(other), '2', 'another file')
  t.equal(read(one, views[2]), '3', 'another view')
  t.equal(moment.render(one, undefined).toString(), '4', 'the host')
  t.strictSame([read(other), read(one, views[2])], ['2', '3'])
  moment.begin()
  t.equal(read(one), '5', 'what is asked for later sees its own moment')
})

t.test('a rendering that fails is tried again', async t => {
  let fails = true
  const moment = new Moment(() => {
    if (fails) throw new Error('broken')
    return 'text'
  })
  t.throws(() => moment.render(one, undefined), { message: 'broken' })
  fails = false
  t.equal(moment.render(one, undefined).toString(), 'text')
})
