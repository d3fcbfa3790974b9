import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { SavedTexts } from '../../src/filesystem/saved-texts.ts'

function runDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-texts-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  return directory
}

const names = (directory: string) => readdirSync(join(directory, 'texts'))
const text = (bytes: number) => Buffer.alloc(bytes, 'x')

function bytesIn(directory: string): number {
  return names(directory)
    .map(name => statSync(join(directory, 'texts', name)).size)
    .reduce((sum, size) => sum + size, 0)
}

t.test('a container that begins texts without end loses its oldest, and no other’s', async t => {
  const directory = runDirectory(t)
  const texts = new SavedTexts(directory)
  texts.save(1, 7, Buffer.from('of the victim'))
  for (let fh = 2; fh < 1002; fh++) texts.save(fh, 8, text(10))
  t.equal(names(directory).length, 257)
  t.equal(texts.load(1)?.toString(), 'of the victim')
  t.equal(texts.load(2), undefined)
  t.equal(texts.load(1001)?.length, 10)
  texts.remove(1001)
  texts.save(2000, 8, text(10))
  t.ok(texts.load(747), 'what was removed made room')
})

t.test('a container has a bounded number of bytes', async t => {
  const directory = runDirectory(t)
  const texts = new SavedTexts(directory)
  for (let fh = 1; fh <= 20; fh++) texts.save(fh, 7, text(2 ** 20))
  t.equal(bytesIn(directory), 4 * 2 ** 20)
  texts.save(20, 7, text(5 * 2 ** 20))
  t.equal(
    texts.load(20),
    undefined,
    'a text that is too large is not saved, nor is its old one left',
  )
})

t.test('many containers have a bounded number of texts, of which the largest loses', async t => {
  const directory = runDirectory(t)
  const texts = new SavedTexts(directory)
  texts.save(1, 1, text(10))
  for (let fh = 2; fh < 6000; fh++) texts.save(fh, 2 + (fh % 30), text(10))
  t.equal(names(directory).length, 4096)
  t.ok(texts.load(1))
  for (let fh = 6000; fh < 6100; fh++) texts.save(fh, 2 + (fh % 30), text(2 ** 20))
  t.ok(bytesIn(directory) <= 32 * 2 ** 20)
  t.ok(texts.load(1))
})

t.test('texts of an earlier server count, and are read', async t => {
  const directory = runDirectory(t)
  const first = new SavedTexts(directory)
  first.save(5, 7, text(10))
  for (let fh = 100; fh < 5100; fh++) writeFileSync(join(directory, `texts/${fh}`), 'x')
  const second = new SavedTexts(directory)
  t.equal(second.highest, 5099)
  t.equal(names(directory).length, 4096)
  t.equal(second.load(5099)?.toString(), 'x')
  second.save(6000, 7, text(10))
  t.equal(names(directory).length, 4096)
  t.ok(second.load(6000))
})

t.test('a name that can be no handle counts for none', async t => {
  const directory = runDirectory(t)
  new SavedTexts(directory).save(5, 7, text(10))
  writeFileSync(join(directory, `texts/${2 ** 53 - 1}`), 'x')
  t.equal(new SavedTexts(directory).highest, 5)
})
