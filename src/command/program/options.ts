/** Options that several commands have. */

import { Option } from 'commander'

export const containerId = () =>
  new Option('-c, --container-id <id>', 'the container: its id, the beginning of it, or its name')

export const runtimeRoot = () =>
  new Option(
    '--runtime-root <directory...>',
    'where runc keeps its state besides its default, or another runtime: docker=DIRECTORY',
  )
