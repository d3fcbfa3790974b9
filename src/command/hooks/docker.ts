/** Where docker has its configuration and looks for CDI devices. */

export const DOCKER_CONFIG = '/etc/docker/daemon.json'

/** What it calls procveil-runtime, as containers name it with --runtime. */
export const DOCKER_RUNTIME = 'procveil'

/** What `cdi-spec-dirs` is by default. */
export const CDI_DIRECTORIES: readonly string[] = ['/etc/cdi', '/var/run/cdi']
export const CDI_FILE = 'procveil.json'
