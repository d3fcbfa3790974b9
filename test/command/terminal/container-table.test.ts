import t from 'tap'
import type { ListedContainer } from '../../../src/command/containers/list.ts'
import { renderBytes, renderContainers } from '../../../src/command/terminal/container-table.ts'

const listed = (values: Partial<ListedContainer>): ListedContainer => ({
  id: 'web',
  pid: 1234,
  bound: 3,
  files: 3,
  state: 'ok',
  otherDevices: [],
  barsNesting: false,
  registered: true,
  detached: false,
  ...values,
})

t.test('a row for each container', async t => {
  const id = '0123456789abcdef'.repeat(4)
  const text = renderContainers(
    [
      listed({
        id,
        name: 'shop',
        runtime: 'docker',
        memoryLimitBytes: 96 * 2 ** 20,
        cpuLimit: 1.5,
      }),
      listed({ id: 'my-own-long-name', state: 'host', bound: 0 }),
    ],
    false,
  )
  t.equal(
    text,
    `\
ID                NAME  RUNTIME   PID  MEMORY  CPUS  FILES  STATE
0123456789ab      shop  docker   1234  96 MiB   1.5    3/3  ok
my-own-long-name  -     -        1234       -     -    0/3  host
`,
  )
})

t.test('bytes in the largest unit', async t => {
  const texts = [0, 1023, 1024, 1.5 * 2 ** 30, 64 * 2 ** 20, 1000 * 2 ** 20, 3 * 2 ** 42].map(
    renderBytes,
  )
  t.strictSame(texts, ['0 B', '1023 B', '1 KiB', '1.5 GiB', '64 MiB', '1000 MiB', '12 TiB'])
})
