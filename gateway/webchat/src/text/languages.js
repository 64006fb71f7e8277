// Colours for code, by highlight.js. Each language is a file of its own that is
// loaded with the first code in it, and the core with the first code at all.

/** @typedef {import('highlight.js').HLJSApi} Core */
/** What a part of a program looks like, and whether the next part can be read without it. @typedef {(code: string) => {html: string, whole: boolean}|null} Highlighter */

/** @type {Record<string, [load: () => Promise<{default: import('highlight.js').LanguageFn}>, ...alias: string[]]>} */
const languages = {
  bash: [() => import('highlight.js/lib/languages/bash'), 'sh', 'shell', 'zsh', 'console', 'shellsession', 'shell-session', 'terminal'],
  c: [() => import('highlight.js/lib/languages/c'), 'h'],
  cmake: [() => import('highlight.js/lib/languages/cmake')],
  cpp: [() => import('highlight.js/lib/languages/cpp'), 'c++', 'cc', 'cxx', 'hpp', 'h++', 'cuda', 'arduino', 'ino'],
  csharp: [() => import('highlight.js/lib/languages/csharp'), 'cs', 'c#'],
  css: [() => import('highlight.js/lib/languages/css'), 'scss', 'sass', 'less'],
  dart: [() => import('highlight.js/lib/languages/dart')],
  diff: [() => import('highlight.js/lib/languages/diff'), 'patch'],
  dockerfile: [() => import('highlight.js/lib/languages/dockerfile'), 'docker', 'containerfile'],
  elixir: [() => import('highlight.js/lib/languages/elixir'), 'ex', 'exs'],
  go: [() => import('highlight.js/lib/languages/go'), 'golang'],
  graphql: [() => import('highlight.js/lib/languages/graphql'), 'gql'],
  groovy: [() => import('highlight.js/lib/languages/groovy'), 'gradle'],
  haskell: [() => import('highlight.js/lib/languages/haskell'), 'hs'],
  http: [() => import('highlight.js/lib/languages/http'), 'https'],
  ini: [() => import('highlight.js/lib/languages/ini'), 'toml', 'conf', 'cfg', 'editorconfig'],
  java: [() => import('highlight.js/lib/languages/java')],
  javascript: [() => import('highlight.js/lib/languages/javascript'), 'js', 'jsx', 'mjs', 'cjs', 'node'],
  json: [() => import('highlight.js/lib/languages/json'), 'jsonc', 'json5', 'jsonl', 'geojson'],
  julia: [() => import('highlight.js/lib/languages/julia'), 'jl'],
  kotlin: [() => import('highlight.js/lib/languages/kotlin'), 'kt', 'kts'],
  latex: [() => import('highlight.js/lib/languages/latex'), 'tex'],
  lua: [() => import('highlight.js/lib/languages/lua'), 'luau'],
  makefile: [() => import('highlight.js/lib/languages/makefile'), 'make', 'mk', 'mak'],
  markdown: [() => import('highlight.js/lib/languages/markdown'), 'md', 'mdx'],
  nginx: [() => import('highlight.js/lib/languages/nginx'), 'nginxconf'],
  objectivec: [() => import('highlight.js/lib/languages/objectivec'), 'objc', 'objective-c', 'mm'],
  perl: [() => import('highlight.js/lib/languages/perl'), 'pl', 'pm'],
  php: [() => import('highlight.js/lib/languages/php')],
  powershell: [() => import('highlight.js/lib/languages/powershell'), 'ps1', 'ps', 'pwsh'],
  properties: [() => import('highlight.js/lib/languages/properties'), 'env', 'dotenv'],
  protobuf: [() => import('highlight.js/lib/languages/protobuf'), 'proto'],
  python: [() => import('highlight.js/lib/languages/python'), 'py', 'python3', 'ipython', 'pyi'],
  r: [() => import('highlight.js/lib/languages/r'), 'rlang'],
  ruby: [() => import('highlight.js/lib/languages/ruby'), 'rb', 'rake', 'gemfile'],
  rust: [() => import('highlight.js/lib/languages/rust'), 'rs'],
  scala: [() => import('highlight.js/lib/languages/scala'), 'sbt'],
  sql: [() => import('highlight.js/lib/languages/sql'), 'mysql', 'postgresql', 'postgres', 'psql', 'plsql', 'tsql', 'sqlite'],
  swift: [() => import('highlight.js/lib/languages/swift')],
  typescript: [() => import('highlight.js/lib/languages/typescript'), 'ts', 'tsx', 'mts', 'cts'],
  xml: [() => import('highlight.js/lib/languages/xml'), 'html', 'xhtml', 'svg', 'vue', 'svelte', 'rss', 'plist'],
  yaml: [() => import('highlight.js/lib/languages/yaml'), 'yml'],
}
/** What is embedded in them. @type {Record<string, string[]>} */
const embedded = { xml: ['css', 'javascript'], markdown: ['xml'], php: ['xml'], dockerfile: ['bash'], http: ['json'] }

/** @type {Map<string, string>} */
const names = new Map(Object.entries(languages).flatMap(([name, [, ...aliases]]) => [name, ...aliases].map((a) => [a, name])))

/** @type {Promise<Core>|undefined} */
let core
/** @type {Map<string, Promise<unknown>>} */
const loaded = new Map()

/** @param {string} lang as it stands at the fence @returns {string|undefined} */
export const languageOf = (lang) => names.get(lang.toLowerCase())

/** @param {Core} hljs @param {string} name */
function register(hljs, name) {
  let one = loaded.get(name)
  if (!one) {
    one = languages[name][0]().then((m) => hljs.registerLanguage(name, m.default))
    loaded.set(name, one)
  }
  return one
}

/** @param {string} lang @returns {Promise<Highlighter|null>} null where there are no colours, or none now */
export async function highlighter(lang) {
  const name = languageOf(lang)
  if (!name) return null
  try {
    core ??= import('highlight.js/lib/core').then((m) => m.default)
    const hljs = await core
    await Promise.all([name, ...(embedded[name] ?? [])].map((n) => register(hljs, n)))
    return (code) => {
      const result = /** @type {any} */ (hljs.highlight(code, { language: name, ignoreIllegals: true }))
      return result.errorRaised ? null : { html: result.value, whole: !result._top?.parent }
    }
  } catch {
    core = undefined // offline: plain code is fine, the next block tries again
    loaded.clear()
    return null
  }
}
