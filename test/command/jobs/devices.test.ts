import t from 'tap'
import { findDevices } from '../../../src/command/jobs/devices.ts'
import { DeviceFiles } from '../../../src/container/device-files.ts'
import { machine, mountIdOf } from '../../machines/machine.ts'

const INIT = { pid: 42, startTicks: 900, rootMount: 5 }
const STAT = `42 (sh) S${' 0'.repeat(18)} 900 0\n`

t.test('devices are written down, and are no answer', async t => {
  const host = machine(t, { 'proc/42/stat': STAT })
  const id = mountIdOf(host.directory)
  host.set({ 'proc/42/mountinfo': `${id} 1 8:1 / / rw - ext4 /dev/sda1 rw\n` })
  const files = new DeviceFiles(host.directory)
  t.equal(findDevices(host, host.directory, INIT), undefined)
  t.strictSame(files.find(INIT), {
    nodes: [],
    rootDisk: { major: 8, minor: 1 },
    collectedUsec: host.clock.usec,
    isEarly: false,
  })
})

t.test('of an init that has ended nothing is written', async t => {
  const host = machine(t, { 'proc/42/stat': STAT.replace('900', '901') })
  findDevices(host, host.directory, INIT)
  t.equal(new DeviceFiles(host.directory).find(INIT), undefined)
})
