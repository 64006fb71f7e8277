// Files on their way to the workspace, and out of it again. An upload says how far it
// is, which fetch does not.

import { Fault, networkFault } from './fault.js'
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
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) return resolve()
      reject(refusal(request))
    }
    if (signal.aborted) return lost()
    signal.addEventListener('abort', stop)
    request.send(bytes)
  })
}

/** @param {XMLHttpRequest} request */
function refusal(request) {
  /** @type {any} */
  let body
  try {
    body = JSON.parse(request.responseText)
  } catch {
    // Not ours (a proxy's page): the status alone has to do.
  }
  if (typeof body?.error !== 'string') body = { error: `HTTP ${request.status}`, code: request.status === 401 ? 'unauthorized' : request.status === 413 ? 'too_large' : 'internal' }
  body.requestId ||= request.getResponseHeader('X-Request-Id') || ''
  return new Fault(body, request.status, Number(request.getResponseHeader('Retry-After')) || 0)
}

/** @param {string} path */
export const deleteFile = (path) => send(filePath(path), { method: 'DELETE', keepalive: true }).then(() => {}, () => {})
