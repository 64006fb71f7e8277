// Whether somebody is here. An open event stream keeps the agent's container
// awake, so a tab that nobody touched for a while, and in which nothing runs,
// lets go of its stream; any touch, or another tab that sends, takes it up again.

import { signal } from '@preact/signals'

/** Below SLEEP_AFTER's default of 5 minutes: a stream that breaks when the container goes would wake it again. */
const REST_AFTER = 4 * 60_000

export const resting = signal(false)

const channel = openChannel()
let last = Date.now()

/** Where storage is blocked, this may be, too. */
function openChannel() {
  try {
    return new BroadcastChannel('loongclaw')
  } catch {
    return null
  }
}

function touch() {
  last = Date.now()
  if (document.visibilityState === 'visible') resting.value = false
}

/** Something happens in this session: wakes this browser's other tabs. */
export function stir() {
  touch()
  channel?.postMessage('stir')
}

/** An event came in. */
export function noteEvent() {
  last = Date.now()
}

/** @param {() => boolean} busy whether something is being done; a question that is open is not */
export function watchPresence(busy) {
  for (const name of ['pointerdown', 'keydown', 'focus', 'online', 'pointermove']) addEventListener(name, touch, { passive: true })
  document.addEventListener('visibilitychange', touch)
  channel?.addEventListener('message', () => { last = Date.now(); resting.value = false })
  setInterval(() => {
    if (!busy() && Date.now() - last > REST_AFTER) resting.value = true
  }, 15_000)
}
