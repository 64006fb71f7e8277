// The words for errors. They come after the page: until then the server's own do.

import { faultWords } from './dictionaries.js'
import { t } from './language.js'

export function loadFaultWords() {
  faultWords.load().catch(() => {})
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
  const words = faultWords.words()
  const known = words && Object.hasOwn(words, fault.code ?? '') ? words[/** @type {string} */ (fault.code)] : undefined
  if (!known) return { text: own || t('errorUnknown'), next: fault.hint ?? '', detail: '' }
  return { text: known[0], next: known[1], detail: [own, fault.hint].filter(Boolean).join(' · ') }
}
