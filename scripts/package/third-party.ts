/** What the executable contains besides our own code: THIRD-PARTY.md, and the software bill of materials. */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import { VERSION } from '../build.ts'
import { PROJECT } from './release.ts'

interface Manifest {
  version: string
  license: string
  homepage?: string
}

const readManifest = (name: string): Manifest =>
  JSON.parse(readFileSync(join(PROJECT, 'node_modules', name, 'package.json'), 'utf8'))

const libraries = (): string[] =>
  Object.keys(
    (readManifest('..') as unknown as { dependencies?: Record<string, string> }).dependencies ?? {},
  ).sort()

/** Renders the licences of everything in the executable. Throws for a library that comes without its licence. */
export function renderThirdParty(): string {
  const bun = readManifest('bun')
  const parts = libraries().map(name => {
    const { version, license } = readManifest(name)
    return `## ${name} ${version} (${license})\n\n${indent(readLicence(name))}`
  })
  return `\
# What procveil's executable contains

It is compiled by Bun ${bun.version} (${bun.license}): the executable is that run time with our program behind it. Bun links
JavaScriptCore, which is under the GNU Lesser General Public License 2.1 or later, and other libraries: their licences,
sources and how to link them anew are at https://bun.com/docs/project/license. Our own sources, which such an executable
is made from by \`npm ci && npm run build\`, are in this project.

${parts.join('\n\n')}
`
}

function readLicence(name: string): string {
  const directory = join(PROJECT, 'node_modules', name)
  const file = readdirSync(directory).find(each => /^(licen[cs]e|copying)/i.test(each))
  if (file !== undefined) return readFileSync(join(directory, file), 'utf8').trimEnd()
  const sources = SOURCES_WITH_LICENCE[name]
  if (sources === undefined) throw new Error(`Cannot find the licence of ${name} in ${directory}`)
  const notices = sources.map(each => readNotice(join(directory, each)))
  // The notices name the Apache License, which is our own, too.
  return [...notices, readFileSync(join(PROJECT, 'LICENSE'), 'utf8').trimEnd()].join('\n\n')
}

/** Libraries whose packages have their licences in the files that we use alone. */
const SOURCES_WITH_LICENCE: Readonly<Record<string, readonly string[]>> = {
  '@bufbuild/protobuf': ['dist/esm/wire/binary-encoding.js', 'dist/esm/wire/varint.js'],
}

/** Returns the comment that a file begins with. Throws where that is no notice of a copyright. */
function readNotice(file: string): string {
  const [comment = ''] = /^(\/\/.*\n)+/.exec(readFileSync(file, 'utf8')) ?? []
  if (!comment.startsWith('// Copyright ')) throw new Error(`Cannot find a licence in ${file}`)
  return comment.replace(/^\/\/ ?/gm, '').trimEnd()
}

const indent = (text: string) => text.replace(/^(?=.)/gm, '    ')

/**
 * Renders a software bill of materials in CycloneDX's JSON: npm's own, with the run time, which npm takes for a tool of
 * developers. The same release gives the same text.
 */
export function renderBillOfMaterials(date: Date): string {
  const form = ['--sbom-format', 'cyclonedx', '--sbom-type', 'application']
  // Of what is installed, npm would look at all that these were developed with.
  const args = ['sbom', '--package-lock-only', '--omit', 'dev', ...form]
  const { stdout } = execaSync('npm', args, { cwd: PROJECT })
  const bom = JSON.parse(stdout)
  const { version, license } = readManifest('bun')
  const reference = `bun@${version}`
  bom.components.push({
    'bom-ref': reference,
    type: 'platform',
    name: 'bun',
    version,
    purl: `pkg:npm/bun@${version}`,
    description: 'The run time, which is part of the executable',
    licenses: [{ license: { id: license } }],
  })
  bom.dependencies.push({ ref: reference, dependsOn: [] })
  for (const entry of bom.dependencies) {
    if (entry.ref === `procveil@${VERSION}`) entry.dependsOn.push(reference)
  }
  // npm takes the name of the folder.
  bom.metadata.component.name = 'procveil'
  bom.metadata.timestamp = date.toISOString()
  delete bom.serialNumber
  const digest = createHash('sha256').update(JSON.stringify(bom)).digest('hex')
  bom.serialNumber = `urn:uuid:${toUuid(digest)}`
  return `${JSON.stringify(bom, undefined, 2)}\n`
}

/** A name-based UUID of version 8: RFC 9562, section 5.8. */
function toUuid(hex: string): string {
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(18, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
