// Files of the workspace, as the page reads them.

import * as api from '../wire/api.js'
import { requestFault } from './account.js'

/** As much of a file as is read to be compared. */
const COMPARED = 256 * 1024

/** @typedef {{text: string} | {why: 'missing'|'unfit'|'failed'}} Content unfit: too large, or no text */

/** @param {string} path @returns {Promise<Content>} */
export async function readText(path) {
  try {
    const response = await api.getFile(path)
    if (Number(response.headers.get('Content-Length')) > COMPARED) {
      response.body?.cancel()
      return { why: 'unfit' }
    }
    const bytes = await response.arrayBuffer()
    if (bytes.byteLength > COMPARED) return { why: 'unfit' }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return text.includes('\0') ? { why: 'unfit' } : { text }
  } catch (err) {
    if (err instanceof TypeError) return { why: 'unfit' } // no UTF-8
    return { why: requestFault(err).status === 404 ? 'missing' : 'failed' }
  }
}

/** Has the browser keep a file under its own name. @param {string} path @returns {Promise<'kept'|'missing'|'failed'>} */
export async function download(path) {
  try {
    saveFile(await (await api.getFile(path)).blob(), path.split('/').at(-1) ?? '')
    return 'kept'
  } catch (err) {
    return requestFault(err).status === 404 ? 'missing' : 'failed'
  }
}

/** Gives a file to the browser, under a name; what it calls itself is left out, so that none opens it here. @param {Blob} bytes @param {string} name */
export function saveFile(bytes, name) {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }))
  const a = document.createElement('a')
  a.href = url
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
