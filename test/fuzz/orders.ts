/** What our own processes and an operator hand to us: the configuration, and the arguments of a handover. */

import fc from 'fast-check'
import { DEFAULT_OPTIONS, filesToBind, type Options } from '../../src/proc/options.ts'
import { parseConfig, parseDefaults } from '../../src/service/config.ts'
import {
  parseKeeperOrders,
  parseSelfCheck,
  parseServerOrders,
  renderKeeperOrders,
  renderSelfCheck,
  renderServerOrders,
  takesRequests,
} from '../../src/service/handover.ts'
import { ensure } from '../property/runs.ts'
import { attempt, fuzzer } from './fuzzer.ts'
import { anyJson, damaged, NUMBERS } from './mutations.ts'

const CONFIGS: readonly unknown[] = [
  { cpuQuota: 'off' },
  { files: 'meminfo,stat', cgroup: '/a/b', swap: 'off' },
  { ...DEFAULT_OPTIONS, maskPossible: 'on' },
]

const config = anyJson(CONFIGS).map(bytes => bytes.toString())
const number = fc.oneof(fc.constantFrom(...NUMBERS), fc.nat().map(String), fc.string())
const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined })

const values = fc.record({
  config,
  keeper: fc.record({
    readyFd: maybe(number),
    adopt: maybe(config),
    before: maybe(number),
    fuseFd: maybe(number),
    requestsFd: maybe(number),
  }),
  server: fc.record({
    options: maybe(config),
    resume: fc.boolean(),
    blame: maybe(number),
  }),
  selfCheck: damaged([Buffer.from(renderSelfCheck('1.2.3'))]),
})

export const FUZZER = fuzzer(values, ({ config, keeper, server, selfCheck }) => {
  attempt(() => parseConfig(config, 'a file'))
  const options = attempt(() => parseDefaults(config, 'a file'))
  if (options !== undefined) checkOptions(options)
  attempt(() => parseKeeperOrders(withoutNothing(keeper)))
  const orders = attempt(() => parseServerOrders(withoutNothing(server)))
  if (orders !== undefined) {
    checkOptions(orders.options)
    ensure(
      orders.blameUsec === undefined || Number.isSafeInteger(orders.blameUsec),
      () => `${orders.blameUsec} is blamed`,
    )
    const [flag, text, ...others] = renderServerOrders(orders)
    ensure(flag === '--options' && others.every(each => !each.includes('\0')), () => `${others}`)
    const again = parseServerOrders({ options: text ?? '' })
    ensure(isSame(again.options, orders.options), () => `${text} is not what was parsed`)
  }
  parseSelfCheck(selfCheck.toString())
  takesRequests(selfCheck.toString())
})

/** An option that is `undefined` is one that was not given. */
function withoutNothing<T extends object>(given: T) {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}

function checkOptions(options: Options): void {
  const names = Object.keys(DEFAULT_OPTIONS).sort().join()
  ensure(Object.keys(options).sort().join() === names, () => `${Object.keys(options)}`)
  for (const file of filesToBind(options)) ensure(!file.includes('..'), () => file)
  ensure(!options.cgroup.split('/').includes('..'), () => options.cgroup)
  const [, text] = renderKeeperOrders({
    adopted: { fuseFd: 3, serverPid: 9, options },
  })
  ensure(isSame(parseDefaults(text ?? '', 'a text'), options), () => `${text}`)
}

const isSame = (one: Options, other: Options) => JSON.stringify(one) === JSON.stringify(other)
