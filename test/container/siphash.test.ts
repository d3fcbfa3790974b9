import t from 'tap'
import { sipHash } from '../../src/container/siphash.ts'

const bytes = (count: number) => Buffer.from(Array.from({ length: count }, (_, at) => at))

t.test('the hash is that of the paper', async t => {
  // Appendix A of the paper has the hash of 15 bytes; the others are the first ones of its reference code.
  const key = bytes(16)
  t.equal(sipHash(key, bytes(15)), 0xa129ca6149be45e5n)
  t.equal(sipHash(key, bytes(0)), 0x726fdb47dd0e0e31n)
  t.equal(sipHash(key, bytes(1)), 0x74f839c593dc67fdn)
  t.equal(sipHash(key, bytes(8)), 0x93f5f5799a932462n)
})
