import t from 'tap'
import { ByAge, type Linked, Lists } from '../../src/filesystem/by-age.ts'

class Item implements Linked<Item> {
  older: Item | undefined
  newer: Item | undefined
}

function list(things: ByAge<Item>): Item[] {
  const found: Item[] = []
  for (let item = things.oldest; item !== undefined; item = item.newer) found.push(item)
  return found
}

t.test('the oldest is first, whichever are taken out', async t => {
  const things = new ByAge<Item>()
  const items = Array.from({ length: 5 }, () => new Item())
  for (const item of items) things.add(item)
  t.strictSame(list(things), items)
  const [first, second, third, fourth, last] = items as [Item, Item, Item, Item, Item]
  for (const [taken, left] of [
    [third, [first, second, fourth, last]],
    [first, [second, fourth, last]],
    [last, [second, fourth]],
  ] as const) {
    things.remove(taken)
    t.strictSame([list(things), things.count], [left, left.length])
  }
  things.add(first)
  t.equal(list(things).at(-1), first, 'one that comes again is the newest')
  for (const item of [second, fourth, first]) things.remove(item)
  t.strictSame([things.oldest, things.count], [undefined, 0])
})

t.test('lists that have become empty are dropped when there are many', async t => {
  const lists = new Lists(() => new ByAge<Item>())
  t.notOk(lists.has(1))
  const [kept, passing] = [new Item(), new Item()]
  lists.of(1).add(kept)
  for (let number = 2; number < 10_000; number++) {
    lists.of(number).add(passing)
    t.equal(lists.of(number).oldest, passing)
    lists.of(number).remove(passing)
    if (lists.has(number)) t.fail('it is empty')
  }
  t.ok([...lists.all()].length < 200)
  t.ok(lists.has(1))
  t.equal(lists.of(1).oldest, kept)
})
