/** What is said of many numbers. */

/** The value below which a `part` of the sorted numbers lies; NaN of none. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  const at = Math.min(Math.floor(sorted.length * part), sorted.length - 1)
  return sorted[at] ?? Number.NaN
}

export const sort = (values: Iterable<number>): Float64Array => Float64Array.from(values).sort()

export const median = (values: Iterable<number>): number => quantile(sort(values), 0.5)

export interface Interval {
  median: number
  low: number
  high: number
}

/** The median with its confidence interval of 95 %, by resampling. The same numbers give the same interval. */
export function bootstrap(values: readonly number[], resamples = 2000): Interval {
  let seed = 1
  // Park and Miller's generator: https://doi.org/10.1145/63039.63042
  const random = () => {
    seed = (seed * 48_271) % 0x7fffffff
    return seed / 0x7fffffff
  }
  const medians = Array.from({ length: resamples }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN)),
  )
  const sorted = sort(medians)
  return {
    median: median(values),
    low: quantile(sorted, 0.025),
    high: quantile(sorted, 0.975),
  }
}
