// Files on their way to the workspace, and out of it again. An upload says how far it
// is, which fetch does not.

import { faultOf, networkFault } from './fault.js'
import { filePath, headers, send } from './api.js'

/**
 * @param {string} path @param {Blob} bytes
 * @param {(share: number) => void} told how much of it is away, 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function putFile(path, bytes, told, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const stop = () => request.abort()
    const lost = () => reject(networkFault(null))
    request.open('PUT', filePath(path))
    for (const [name, value] of Object.entries(headers({ 'Content-Type': 'application/octet-stream' }))) request.setRequestHeader(name, value)
    request.upload.onprogress = (e) => { if (e.lengthComputable) told(e.loaded / e.total) }
    request.onerror = request.ontimeout = request.onabort = lost
    request.onloadend = () => signal.removeEventListener('abort', stop)
    request.onload = () => resolve(request.status >= 200 && request.status < 300 ? undefined : refused(request))
    if (signal.aborted) return lost()
    signal.addEventListener('abort', stop)
    request.send(bytes)
  })
}

/** @param {XMLHttpRequest} request @returns {Promise<never>} */
async function refused(request) {
  const headers = ['X-Request-Id', 'Retry-After'].map((name) => /** @type {[string, string]} */ ([name, request.getResponseHeader(name) ?? '']))
  throw await faultOf(new Response(request.responseText || null, { status: request.status, headers }))
}

/** @param {string} path */
export const deleteFile = (path) => send(filePath(path), { method: 'DELETE', keepalive: true }).then(() => {}, () => {})
