// What reads, sends and draws files is a chunk of its own, fetched with the first file.
// This is its one entry: each further one would cut the first load into more pieces.

import { fileWords } from '../i18n/dictionaries.js'
import { attached } from './attached.js'
import { chunk } from './chunk.js'
import { parcels } from './letters.js'

/** @typedef {typeof import('../ui/attach.js')} FilePart */

export const filePart = chunk(
  () => Promise.all([import('../ui/attach.js'), fileWords.load()]).then(([part]) => part),
  () => attached.peek().length > 0 || parcels.peek().some((p) => p.attachments),
)
