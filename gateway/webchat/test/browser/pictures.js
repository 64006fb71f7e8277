// Files that a test gives to the page: real images and documents, made here; and what becomes of them.

import { crc32, deflateSync } from 'node:zlib'
import { until } from './world.js'

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}

/** An image of one colour. @param {number} width @param {number} height @param {[number, number, number]} rgb */
export function png(width, height, rgb) {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2, 0, 0, 0], 8)
  const row = Buffer.concat([Buffer.from([0]), Buffer.from(Array.from({ length: width }, () => rgb).flat())])
  const rows = Buffer.concat(Array.from({ length: height }, () => row))
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
}

export const red = png(60, 40, [200, 30, 30])
export const blue = png(60, 40, [30, 30, 200])
export const pdf = Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF')
export const zip = Buffer.from('PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.txt', 'latin1')

/** @param {string} name @param {Buffer|string} body */
export const file = (name, body) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(body) })

/** @typedef {import('./world.js').World} World */
/** @typedef {import('playwright-core').Page} Page */

/** Chooses files, as the dialog of the button does. @param {Page} page @param {ReturnType<typeof file>[]} files */
export const choose = (page, ...files) => page.locator('.composer input[type="file"]').setInputFiles(files)
/** @param {World} w */
export async function ready(w) {
  await w.open()
  await w.page.locator('#composer').waitFor()
}
/** Those of the composer. @param {Page} page */
export const chips = (page) => page.locator('.composer .chip')
/** Waits until the composer's files are with the server. @param {World} w @param {number} n */
export const uploaded = (w, n) => until(() => w.stub.workspace.files.size === n)
/** The names that each message brought. @param {import('./conversation.js').Conversation} c */
export const brought = (c) => c.bodies.map((b) => (b.attachments ?? []).map((/** @type {any} */ a) => a.path.replace(/^uploads\/\d{4}-\d\d-\d\d-\w+\//, '')))
