// This browser's outbox, and what of it belongs to the session on the page.

import { computed, signal } from '@preact/signals'
import { Outbox } from '../chat/outbox.js'
import { owner } from './account.js'
import { sessionId } from './route.js'
import { bare, note } from './storage.js'

export const outbox = new Outbox(bare, Date.now, (kept) => note('outbox', kept))

/** What the shown session has waiting. */
export const parcels = signal(/** @type {import('../chat/outbox.js').Parcel[]} */ ([]))

/** The shown session exists only here so far: there is nothing to follow. */
export const unborn = computed(() => parcels.value.some((p) => p.fresh && !p.messageId))

export function showParcels() {
  parcels.value = sessionId.value ? outbox.of(owner(), sessionId.value) : []
}

/** A session that is deleted or cleared takes its letters with it. @param {string} id */
export function forgetParcels(id) {
  for (const p of outbox.of(owner(), id)) outbox.remove(p.key)
  showParcels()
}
