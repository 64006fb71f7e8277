// What the browser keeps for the page. It may refuse (privacy settings, some
// embedded views) or be full; then the page keeps the text itself, for as long as
// it is open, and says so.

import { signal } from '@preact/signals'

/** Names of what only this open page holds. */
export const unkept = signal(/** @type {ReadonlySet<string>} */ (new Set()))

/** @param {string} name @param {boolean} kept */
export function note(name, kept) {
  if (unkept.peek().has(name) !== kept) return
  const names = new Set(unkept.peek())
  if (kept) names.delete(name)
  else names.add(name)
  unkept.value = names
}

/** @typedef {Pick<Storage, 'getItem'|'setItem'|'removeItem'|'clear'>} Store */

/**
 * Even to name the storage throws where it is blocked.
 * @param {() => Store} find @param {(name: string, kept: boolean) => void} [told] @returns {Store}
 */
function keeper(find, told = () => {}) {
  /** @type {Map<string, string>} */
  const held = new Map()
  return {
    getItem(name) {
      const own = held.get(name)
      if (own !== undefined) return own
      try {
        return find().getItem(name)
      } catch {
        return null
      }
    },
    setItem(name, value) {
      try {
        find().setItem(name, value)
        held.delete(name)
      } catch {
        held.set(name, value)
      }
      told(name, !held.has(name))
    },
    removeItem(name) {
      held.delete(name)
      told(name, true)
      try {
        find().removeItem(name)
      } catch {
        // Nothing was kept there.
      }
    },
    clear() {
      for (const name of held.keys()) told(name, true)
      held.clear()
      try {
        find().clear()
      } catch {
        // Nothing was kept there.
      }
    },
  }
}

export const local = keeper(() => localStorage)
/** What somebody wrote and did not send yet is here. */
export const session = keeper(() => sessionStorage, note)

/** For those who want to know of a refusal themselves. */
export const bare = {
  /** @param {string} name */
  getItem: (name) => localStorage.getItem(name),
  /** @param {string} name @param {string} value */
  setItem: (name, value) => localStorage.setItem(name, value),
  /** @param {string} name */
  removeItem: (name) => localStorage.removeItem(name),
}
