/** /sys/devices/system/cpu as programs in a container see it. */

import t from 'tap'
import { started } from '../kit/box.ts'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

t.test('a container has directories for its own CPUs', needs('runc'), async t => {
  const here = site(t)
  const box = await started(t, here, 'cpus', { cpus: '1', hostPrograms: true })
  console.error(
    await box.sh(
      'cd /sys/devices/system/cpu; ls -l . cpu0 cpu0/topology; grep . cpu0/topology/* cpu0/cache/*/shared*; mount | grep cpu; cat /sys/devices/system/cpu/present; lscpu; echo 0 > cpu0/online; echo $?; stat cpu0/topology/core_id; ls vulnerabilities; cat kernel_max',
    ),
  )
})
