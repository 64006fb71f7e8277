// The words for errors. They come after the page: until then the server's own do.

import { signal } from '@preact/signals'
import { language, t } from './language.js'

const words = signal(/** @type {typeof import('./faults.js').faults} */ ({}))

export function loadFaultWords() {
  import('./faults.js').then((m) => { words.value = m.faults }, () => {})
}

/**
 * What an error says to its reader: the text, what helps, and the server's own
 * words where they are not that already.
 * @param {{error?: string, message?: string, hint?: string, code?: string}} fault
 */
export function said(fault) {
  const own = fault.error || fault.message || ''
  if (fault.code === 'network') return { text: t('errorNetwork'), next: t('errorNetworkHint'), detail: '' }
  if (fault.code === 'file_gone') return { text: t('attachedGone', { name: own }), next: t('attachedGoneHint'), detail: '' }
  if (fault.code === 'file_lost') return { text: t('attachedLost', { name: own }), next: t('attachedLostHint'), detail: '' }
  const known = Object.hasOwn(words.value, fault.code ?? '') ? words.value[/** @type {string} */ (fault.code)][language.value] : undefined
  if (!known) return { text: own || t('errorUnknown'), next: fault.hint ?? '', detail: '' }
  return { text: known[0], next: known[1], detail: [own, fault.hint].filter(Boolean).join(' · ') }
}
