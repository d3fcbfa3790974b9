import t from 'tap'
import { Progress } from '../../../src/service/server/progress.ts'

t.test('each reply counts, and the first is told of', async t => {
  const seen: string[] = []
  const progress = new Progress({ count: () => seen.push('counted') }, () => seen.push('first'))
  progress.replied()
  progress.replied()
  t.strictSame(seen, ['counted', 'first', 'counted'])
})
