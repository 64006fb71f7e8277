// An image, drawn on a canvas: its pixels and nothing else. No address of it is made,
// so the page's policy allows none, and what only calls itself an image draws nothing.

import { html } from 'htm/preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { lookAt } from '../chat/filekind.js'

/** Beside a name, in CSS pixels. */
const SMALL = 44
/** In a window of its own, at most. */
const LARGE = 2000

/** @param {Blob} bytes @param {(width: number, height: number) => ResizeOptions} to @returns {Promise<ImageBitmap|null>} */
async function decode(bytes, to) {
  const look = lookAt(new Uint8Array(await bytes.arrayBuffer()))
  if (look.kind !== 'image' || look.problem || !look.width || !look.height) return null
  try {
    return await createImageBitmap(new Blob([bytes], { type: look.mediaType }), { ...to(look.width, look.height), resizeQuality: 'medium' })
  } catch {
    return null // damaged
  }
}

/** @typedef {{resizeWidth?: number, resizeHeight?: number}} ResizeOptions */

/** One side is given, so that the other follows: a camera's picture may lie on its side. @param {number} width @param {number} height @param {number} shorter */
const cover = (width, height, shorter) => {
  if (Math.min(width, height) <= shorter) return {}
  return width < height ? { resizeWidth: shorter } : { resizeHeight: shorter }
}
/** @param {number} width @param {number} height @param {number} longer */
const within = (width, height, longer) => {
  if (Math.max(width, height) <= longer) return {}
  return width < height ? { resizeHeight: longer } : { resizeWidth: longer }
}

/**
 * @param {{bytes: Blob, label?: string, undrawn?: () => void}} props label: it stands alone, large, under this name;
 *   without one it is a sign beside a name
 */
export function Picture({ bytes, label, undrawn }) {
  const canvas = useRef(/** @type {HTMLCanvasElement|null} */ (null))
  const [drawn, setDrawn] = useState(false)
  useEffect(() => {
    let over = false
    decode(bytes, (w, h) => (label ? within(w, h, LARGE) : cover(w, h, SMALL * 2))).then((bitmap) => {
      const at = canvas.current
      if (!over && at && bitmap) {
        draw(at, bitmap, label === undefined)
        setDrawn(true)
      } else if (!over) undrawn?.()
      bitmap?.close()
    })
    return () => { over = true }
  }, [bytes])
  return html`<canvas ref=${canvas} class=${label ? 'picture' : 'thumb'} hidden=${!drawn} width="0" height="0"
    role=${label ? 'img' : undefined} aria-label=${label} aria-hidden=${label ? undefined : 'true'}></canvas>`
}

/** @param {HTMLCanvasElement} canvas @param {ImageBitmap} bitmap @param {boolean} square only its middle */
function draw(canvas, bitmap, square) {
  const { width: w, height: h } = bitmap
  const side = Math.min(w, h)
  canvas.width = square ? SMALL * 2 : w
  canvas.height = square ? SMALL * 2 : h
  const to = canvas.getContext('2d')
  if (square) to?.drawImage(bitmap, (w - side) / 2, (h - side) / 2, side, side, 0, 0, canvas.width, canvas.height)
  else to?.drawImage(bitmap, 0, 0)
}
