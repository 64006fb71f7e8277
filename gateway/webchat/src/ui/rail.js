// Where the list of conversations stands: beside the conversation where there is
// room, and then it can be folded away; over it on narrow screens.

import { computed, signal } from '@preact/signals'
import { local } from '../app/storage.js'

const NAME = 'loongclaw.rail'
const media = matchMedia('(max-width: 47.5rem)') // as in layout.css

export const narrow = signal(media.matches)
const over = signal(false)
const folded = signal(local.getItem(NAME) === 'folded')

/** Whether the list can be seen. */
export const listShown = computed(() => (narrow.value ? over.value : !folded.value))
/** Whether it covers the page. */
export const listCovers = computed(() => narrow.value && over.value)

/** @param {boolean} shown */
export function showList(shown) {
  if (narrow.peek()) {
    over.value = shown
    return
  }
  folded.value = !shown
  if (shown) local.removeItem(NAME)
  else local.setItem(NAME, 'folded')
}

/** Folds the list away for good, or closes what covers the page. The focus stays where one can see it. */
export function hideList() {
  const inside = document.getElementById('sessions')?.contains(document.activeElement)
  showList(false)
  if (inside || narrow.peek()) focusSoon('open-list')
}

/** After a choice in it, a list that covers the page goes. */
export function closeCover() {
  over.value = false
}

/** @param {string} id of something that can be seen in a moment, when what covers or hides it has gone */
export function focusSoon(id) {
  let frames = 0
  const look = () => {
    const el = document.getElementById(id)
    el?.focus()
    if ((!el || document.activeElement !== el) && frames++ < 30) requestAnimationFrame(look)
  }
  setTimeout(look)
}

/** The composer; not where that would raise a keyboard over the page. */
export function focusComposer() {
  if (matchMedia('(hover: hover)').matches) document.getElementById('composer')?.focus()
}

export function watchWidth() {
  media.addEventListener('change', () => {
    over.value = false
    narrow.value = media.matches
  })
}
