// The stub's files, and what it says of those that stand with a message.

import { createHash } from 'node:crypto'
import { lookAt } from '../../src/chat/filekind.js'

export class Workspace {
  constructor() {
    /** @type {Map<string, Buffer|string>} */
    this.files = new Map()
    /** What messages brought along, by its SHA-256. @type {Map<string, Buffer>} */
    this.kept = new Map()
    /** Every PUT, in order. @type {string[]} */
    this.puts = []
    /** Files that were removed. @type {string[]} */
    this.removed = []
    /** Uploads wait for it. @type {Promise<unknown>|null} */
    this.gate = null
  }

  /** @param {import('node:http').IncomingMessage} req @param {string} path @param {any} body @returns {Promise<[number, any]>} */
  async answer(req, path, body) {
    if (req.method === 'PUT') {
      this.puts.push(path)
      await this.gate
      this.files.set(path, body)
      return [200, { success: true, path, size: body.length }]
    }
    if (req.method === 'DELETE') {
      this.removed.push(path)
      this.files.delete(path)
      return [200, { success: true, path }]
    }
    const found = this.files.get(path)
    return found !== undefined ? [200, Buffer.from(found)] : [404, { error: `there is no ${path} in the workspace`, code: 'not_found', requestId: 'q-404' }]
  }

  /**
   * What a message brings along, as its event says it; or why it is refused.
   * @param {{path: string}[]} wanted @returns {{attachments: any[], refusal?: undefined} | {attachments?: undefined, refusal: [number, any]}}
   */
  bring(wanted) {
    const attachments = []
    for (const [i, { path }] of wanted.entries()) {
      const found = this.files.get(path)
      const body = Buffer.from(found ?? '')
      if (found === undefined) return { refusal: [404, { error: `there is no ${path} in the workspace`, code: 'not_found', requestId: 'q-404' }] }
      const look = lookAt(body)
      if (look.kind === 'other') return { refusal: [415, { error: `attachments[${i}]: "${path}" is nothing that can be read`, code: 'unsupported_media', requestId: 'q-415' }] }
      const sha256 = createHash('sha256').update(body).digest('hex')
      this.kept.set(sha256, body)
      attachments.push({
        path, name: path.split('/').at(-1), mediaType: look.mediaType, size: body.length, sha256,
        ...(look.problem === 'pixels' ? { error: `it has ${look.width} × ${look.height} pixels; at most 40 megapixels are read` } : {}),
      })
    }
    return { attachments }
  }
}
