/** Set by the build from package.json. */
declare const PROCVEIL_VERSION: string

export const VERSION = PROCVEIL_VERSION
