// Parts of the page that are chunks of their own, fetched when they are first wanted.

import { signal } from '@preact/signals'

/** When a part that could not be fetched is asked for again: soon, then less and less often. */
const AGAIN = 5000
const SELDOM = 120_000

/**
 * @template T
 * @param {() => Promise<T>} fetch brings it, and the words that it is shown with
 * @param {() => boolean} [wanted] whether somebody still waits for it when it is time to ask again
 */
export function chunk(fetch, wanted = () => true) {
  const here = signal(/** @type {T|null} */ (null))
  /** It could not be fetched: a server of another version may no longer have it. */
  const away = signal(false)
  /** @type {Promise<T|null>|undefined} */
  let loading
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer
  let pause = AGAIN
  const failed = () => {
    away.value = true
    loading = undefined
    timer ??= setTimeout(() => {
      timer = undefined
      pause = Math.min(SELDOM, pause * 2)
      if (wanted()) load()
    }, pause)
    return null
  }
  /** Has it here before it is shown. @returns {Promise<T|null>} null: it could not be fetched now */
  function load() {
    loading ??= fetch().then((part) => {
      away.value = false
      return (here.value = part)
    }).catch(failed)
    return loading
  }
  /** As load, for what is drawn often: what has just failed is not asked for at each drawing. */
  const want = () => { if (timer === undefined) load() }
  return { here, away, load, want }
}
