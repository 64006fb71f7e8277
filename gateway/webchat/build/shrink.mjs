// What shrink.go runs: modules come as JSON on standard input, names to sources, and
// leave so on standard output.

import { text } from 'node:stream/consumers'
import { minify } from 'terser'

/** @type {Record<string, string>} */
const modules = JSON.parse(await text(process.stdin))
for (const [name, source] of Object.entries(modules)) {
  const { code } = await minify(source, { module: true, ecma: 2020, compress: { passes: 3 } })
  modules[name] = code ?? source
}
process.stdout.write(JSON.stringify(modules))
