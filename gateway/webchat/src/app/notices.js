// Notices that somebody has read and closed.

import { signal } from '@preact/signals'
import { local } from './storage.js'

const NAME = 'loongclaw.dismissed'

export const dismissed = signal(/** @type {ReadonlySet<string>} */ (new Set((local.getItem(NAME) ?? '').split(' '))))

/** @param {string} name */
export function dismiss(name) {
  dismissed.value = new Set([...dismissed.peek(), name])
  local.setItem(NAME, [...dismissed.value].join(' ').trim())
}
