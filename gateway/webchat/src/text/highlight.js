// Colours for code. Loaded with the first code block, never before.

import { sanitize } from './sanitize.js'

/** @type {Promise<typeof import('./languages.js')>|undefined} */
let loading

/** @param {HTMLElement} root */
export async function highlightIn(root) {
  const blocks = [...root.querySelectorAll('pre code[class*="language-"]:not([data-lit])')]
  if (blocks.length === 0) return
  loading ??= import('./languages.js')
  const languages = await loading.catch(() => {
    loading = undefined // offline: plain code is fine, the next block tries again
    return null
  })
  if (!languages) return
  for (const block of blocks) {
    const name = /language-([\w+#.-]+)/.exec(block.className)?.[1] ?? ''
    const html = languages.highlight(name, block.textContent ?? '')
    if (html === null || !block.isConnected) continue
    block.innerHTML = sanitize(html)
    block.setAttribute('data-lit', '')
  }
}
