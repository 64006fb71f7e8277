// Which model answers. A conversation remembers its own with the server; what is
// chosen before there is one goes with its first message.

import { computed, signal } from '@preact/signals'
import * as api from '../wire/api.js'
import { requestFault } from './account.js'
import { state } from './current.js'
import { parcels, unborn } from './letters.js'
import { sessionId } from './route.js'
import { sessions } from './sessions.js'
import { session } from './storage.js'

/** @typedef {api.Model} Model */

const name = (/** @type {string} */ id) => `loongclaw.model.${id}`

/** Those that are set up; the first is the default. */
export const models = signal(/** @type {Model[]} */ ([]))
/** What was chosen and the server does not know yet, by conversation; '' is the default. */
const wishes = signal(/** @type {ReadonlyMap<string, string>} */ (new Map()))
/** Why the last choice did not count, and where. */
export const modelFault = signal(/** @type {{id: string, wanted: string, fault: import('../wire/fault.js').Fault}|null} */ (null))

/** @param {string} id @returns {string|undefined} */
const wish = (id) => wishes.value.get(id) ?? session.getItem(name(id)) ?? undefined

/** The id that is chosen in the shown conversation, as it was said; '' is the default. */
const chosen = computed(() => {
  const id = sessionId.value
  return wish(id) ?? parcels.value.findLast((p) => p.model !== undefined)?.model ?? (id ? state.value.model ?? sessions.value.find((s) => s.id === id)?.model : '') ?? ''
})

/** Who is asked first. What is no longer set up is the default. */
export const model = computed(() => models.value.find((m) => m.id === chosen.value) ?? models.value.find((m) => m.default) ?? models.value[0])

export async function readModels() {
  try {
    models.value = (await api.getModels()).models ?? []
  } catch {
    // Without it there is nothing to choose from; the default answers.
  }
}

/** @param {string} id @param {string} [wanted] */
function put(id, wanted) {
  const next = new Map(wishes.peek())
  if (wanted === undefined) next.delete(id)
  else next.set(id, wanted)
  wishes.value = next
}

/** Choices reach the server in their order. @type {Promise<unknown>} */
let last = Promise.resolve()

/** @param {string} wanted an id of those that are set up */
export function chooseModel(wanted) {
  const id = sessionId.peek()
  modelFault.value = null
  const said = models.peek().find((m) => m.id === wanted)?.default ? '' : wanted
  put(id, said)
  // There is nothing to change yet: the next message takes it along.
  if (!id || unborn.peek()) session.setItem(name(id), said)
  else last = last.then(() => change(id, wanted, said))
}

/** @param {string} id @param {string} wanted @param {string} said */
async function change(id, wanted, said) {
  try {
    const row = await api.patchSession(id, { model: said })
    if (sessionId.peek() === id) state.value = { ...state.peek(), model: row.model ?? '' }
    sessions.value = sessions.peek().map((s) => (s.id === id ? { ...s, model: row.model } : s))
  } catch (err) {
    const fault = requestFault(err)
    if (fault.status !== 401) modelFault.value = { id, wanted, fault }
  }
  // The server's own word stands from here on, whatever came of it. A later choice is another one's.
  if (wishes.peek().get(id) === said) put(id)
}

/** What a message takes along. @param {string} id @returns {{model?: string}} */
export function takeWish(id) {
  const wanted = session.getItem(name(id))
  if (wanted === null) return {}
  session.removeItem(name(id))
  put(id)
  return { model: wanted }
}
