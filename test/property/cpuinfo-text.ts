/** /proc/cpuinfo as several architectures write it, for any CPUs: arch/<name>/kernel/. */

const X86 = (cpu: number) => `\
processor\t: ${cpu}
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum 8369B CPU @ 2.70GHz
cpu MHz\t\t: 2699.998
physical id\t: ${cpu >> 2}
siblings\t: 4
core id\t\t: ${(cpu >> 1) & 1}
cpu cores\t: 2
apicid\t\t: ${cpu}
initial apicid\t: ${cpu}
flags\t\t: fpu vme sse4_1
power management:

`

const AARCH64 = (cpu: number) => `\
processor\t: ${cpu}
BogoMIPS\t: 200.00
Features\t: fp asimd evtstrm aes
CPU implementer\t: 0x48
CPU architecture: 8
CPU part\t: 0xd0${cpu % 2}

`

const PPC64LE = (cpu: number) => `\
processor\t: ${cpu}
cpu\t\t: POWER9 (architected), altivec supported
clock\t\t: 2200.000000MHz
revision\t: 2.2 (pvr 004e 1202)

`

const LOONGARCH64 = (cpu: number) => `\
processor\t\t: ${cpu}
package\t\t\t: ${cpu >> 2}
core\t\t\t: ${cpu & 3}
global_id\t\t: ${cpu}
Model Name\t\t: Loongson-3A5000-HV

`

const PPC64LE_TRAILER = 'timebase\t: 512000000\nplatform\t: pSeries\n'

function s390x(cpus: readonly number[]): string {
  const lines = cpus.map(
    cpu => `processor ${cpu}: version = FF,  identification = 2733E8,  machine = 2964\n`,
  )
  const blocks = cpus.map(
    cpu =>
      `\ncpu number      : ${cpu}\nphysical id     : 1\ncore id         : ${cpu}\nsiblings        : 8\n`,
  )
  return (
    `vendor_id       : IBM/S390\n# processors    : ${cpus.length}\n` +
    `bogomips per cpu: 3033.00\n${lines.join('')}${blocks.join('')}`
  )
}

/** By architecture, for the CPUs that are online. */
export const CPUINFO = {
  x86_64: (cpus: readonly number[]) => cpus.map(X86).join(''),
  aarch64: (cpus: readonly number[]) => cpus.map(AARCH64).join(''),
  ppc64le: (cpus: readonly number[]) => cpus.map(PPC64LE).join('') + PPC64LE_TRAILER,
  loongarch64: (cpus: readonly number[]) =>
    `system type\t\t: generic-loongson-machine\n\n${cpus.map(LOONGARCH64).join('')}`,
  s390x,
}
