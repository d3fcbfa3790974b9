import t from 'tap'
import * as protocol from '../../src/fuse/protocol.ts'

t.test('structs have the sizes of linux/fuse.h', async t => {
  t.equal(protocol.InHeader.size, 40)
  t.equal(protocol.OutHeader.size, 16)
  t.equal(protocol.InitIn.size + protocol.InitInExtension.size, 20)
  t.equal(protocol.InitOut.size, 64)
  t.equal(protocol.Attr.size, 88)
  t.equal(protocol.EntryOut.size + protocol.Attr.size, 128)
  t.equal(protocol.AttrOut.size + protocol.Attr.size, 104)
  t.equal(protocol.GetattrIn.size, 16)
  t.equal(protocol.ForgetIn.size, 8)
  t.equal(protocol.BatchForgetIn.size, 8)
  t.equal(protocol.ForgetOne.size, 16)
  t.equal(protocol.OpenIn.size, 8)
  t.equal(protocol.OpenOut.size, 16)
  t.equal(protocol.ReadIn.size, 40)
  t.equal(protocol.ReleaseIn.size, 24)
  t.equal(protocol.AccessIn.size, 8)
  t.equal(protocol.StatfsOut.size, 80)
  t.equal(protocol.Dirent.size, 24)
  t.equal(protocol.NotifyInvalInodeOut.size, 24)
})
