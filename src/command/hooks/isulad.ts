/** Where iSulad has its configuration. */

export const ISULAD_CONFIG = '/etc/isulad/daemon.json'
