// Packages whose sources name their files without an ending, as only a bundler reads them.

import { register } from 'node:module'

const hook = `export const resolve = (specifier, context, next) =>
  next(context.parentURL?.includes('/node_modules/temml/') && /^[.]/.test(specifier) && !/[.]m?js$/.test(specifier) ? specifier + '.js' : specifier, context)`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
