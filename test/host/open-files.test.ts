import t from 'tap'
import { loneFile, NONE } from '../../src/host/directory-file.ts'
import { OpenFiles } from '../../src/host/open-files.ts'

t.test('a descriptor has one owner, also when another file was closed elsewhere', async t => {
  const closed: number[] = []
  const files = new OpenFiles({ open: () => 7, close: fd => closed.push(fd) }, 2)
  const [first, second, third] = ['a', 'b', 'c'].map(name => loneFile(name, false, 100))
  if (first === undefined || second === undefined || third === undefined) return
  t.ok(files.keep(first, 7))
  t.ok(files.keep(second, 7), 'somebody has closed 7, and it was given again')
  t.equal(first.fd, NONE, 'the first would be read from the second')
  t.equal(second.fd, 7)
  files.close(first)
  t.strictSame(closed, [])
  t.ok(files.keep(third, 8), 'one is open, and not two')
  files.close(second)
  t.strictSame(closed, [7])
})
