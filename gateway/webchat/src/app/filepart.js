// What reads, sends and draws files is a chunk of its own, fetched with the first file.
// This is its one entry: each further one would cut the first load into more pieces.

/** @typedef {typeof import('../ui/attach.js')} FilePart */

/** @returns {Promise<FilePart>} */
export const filePart = () => import('../ui/attach.js')
