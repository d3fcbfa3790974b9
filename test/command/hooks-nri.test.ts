import t, { type Test } from 'tap'
import { findOff, findRejection } from '../../src/command/hooks/nri.ts'
import { machine } from '../machines/machine.ts'

const CONTAINERD = 'etc/containerd/config.toml'
const DROP_IN = 'etc/containerd/conf.d/nri.toml'
const CRIO = 'etc/crio/crio.conf'
const CRIO_DROP_IN = 'etc/crio/crio.conf.d/20-nri.conf'

const NRI = '[plugins."io.containerd.nri.v1.nri"]\n'
const VALIDATOR = '[plugins."io.containerd.nri.v1.nri".default_validator]\n'
const CRIO_VALIDATOR = '[crio.nri.default_validator]\n'
const REJECTS = 'reject_oci_hook_adjustment'

const rejectedBy = (t: Test, name: 'containerd' | 'crio', files: Record<string, string>) =>
  findRejection(machine(t, files), name)

t.test('that NRI is off somewhere keeps no plugin that is connected from anything', async t => {
  const files = {
    [CONTAINERD]: `${NRI}disable = true\n`,
    [CRIO]: '[crio.nri]\nenable_nri = false\n',
  }
  t.equal(rejectedBy(t, 'containerd', files), undefined)
  t.equal(rejectedBy(t, 'crio', files), undefined)
})

t.test('one runtime is not bound by what the other is told', async t => {
  const containerd = { [CONTAINERD]: `${VALIDATOR}enable = true\n${REJECTS} = true\n` }
  t.strictSame(rejectedBy(t, 'containerd', containerd), {
    path: `/${CONTAINERD}`,
    line: `${REJECTS} = true`,
  })
  t.equal(rejectedBy(t, 'crio', containerd), undefined)
  const crio = {
    [CRIO]: `${CRIO_VALIDATOR}nri_enable_default_validator = true\nnri_validator_${REJECTS} = true\n`,
  }
  t.strictSame(rejectedBy(t, 'crio', crio), {
    path: `/${CRIO}`,
    line: `nri_validator_${REJECTS} = true`,
  })
  t.equal(rejectedBy(t, 'containerd', crio), undefined)
  const damaged = { [CRIO]: 'no TOML' }
  t.equal(rejectedBy(t, 'containerd', damaged), undefined)
  t.throws(() => rejectedBy(t, 'crio', damaged), /^Cannot read \/etc\/crio\/crio.conf/)
})

t.test('key by key the file that is read last counts', async t => {
  const main = `imports = ["conf.d/*.toml"]\n${VALIDATOR}`
  const containerd = (first: string, second: string) =>
    rejectedBy(t, 'containerd', { [CONTAINERD]: main + first, [DROP_IN]: VALIDATOR + second })
  const both = `enable = true\n${REJECTS} = true\n`
  t.equal(containerd(both, `${REJECTS} = false\n`), undefined)
  t.equal(containerd(both, 'enable = false\n'), undefined)
  t.match(containerd(both, ''), { path: `/${CONTAINERD}` })
  t.match(containerd('enable = true\n', `${REJECTS} = true\n`), { path: `/${DROP_IN}` })
  t.match(containerd(`${REJECTS} = true\n`, 'enable = true\n'), { path: `/${CONTAINERD}` })
  const crio = machine(t, {
    [CRIO]: '[crio.nri]\nenable_nri = false\n',
    [CRIO_DROP_IN]: '[crio.nri]\nenable_nri = true\n',
  })
  t.equal(findOff(crio, 'crio'), undefined)
})
