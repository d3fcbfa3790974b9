/** The build sets this from package.json. */
declare const PROCVEIL_VERSION: string

export const VERSION = PROCVEIL_VERSION
