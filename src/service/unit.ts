/** The unit of the service, and where units are. */

export const UNIT = 'procveil.service'

/** The directories where systemd finds units, without a leading slash: systemd.unit(5), "Unit File Load Path". */
export const UNIT_DIRECTORIES = [
  'etc/systemd/system',
  'run/systemd/system',
  'usr/local/lib/systemd/system',
  'usr/lib/systemd/system',
  'lib/systemd/system',
]
