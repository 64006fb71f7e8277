// Keeps the end of the conversation in view while the reader is there. Whatever
// moves the view up lets go: a wheel's smallest turn, a finger, a key, the
// scrollbar, a search in the page. Only moving down to the very end holds on again.

import { useLayoutEffect, useRef } from 'preact/hooks'
import { signal } from '@preact/signals'

/** How near to the end counts as there, for somebody who moves down. */
const NEAR = 8
/** How far from the end the button to it is worth showing. */
const FAR = 80
/** Who reached what was the end this long ago is there: it grew while they moved. */
const LATELY = 200

export const farFromEnd = signal(false)


/** @param {HTMLElement} box @param {HTMLElement} content */
function hold(box, content) {
  let held = true
  /** Where the view was when we last looked, and how high everything was. */
  let top = 0
  let height = 0
  let touch = 0
  /** How high it was lately, the oldest first. @type {{at: number, height: number}[]} */
  let past = []
  const rest = () => box.scrollHeight - box.scrollTop - box.clientHeight
  const look = () => {
    top = box.scrollTop
    height = box.scrollHeight
    const now = performance.now()
    const old = past.findLastIndex((p) => now - p.at > LATELY)
    past = [...past.slice(Math.max(0, old)), { at: now, height }]
    farFromEnd.value = !held && rest() > FAR
  }
  /** Whether somebody moved the view up: it is higher although nothing became shorter. */
  const movedUp = () => box.scrollTop < top - 0.5 && box.scrollHeight >= height - 0.5
  const keep = () => {
    if (held && movedUp()) held = false
    if (held) box.scrollTop = box.scrollHeight
    look()
  }
  const release = () => {
    if (box.scrollTop <= 0) return
    held = false
    look()
  }
  const scrolled = () => {
    if (movedUp()) held = false
    else if (box.scrollHeight <= box.clientHeight) held = true
    else if (box.scrollTop > top + 0.5 && box.scrollTop + box.clientHeight >= Math.min(...past.map((p) => p.height), box.scrollHeight) - NEAR) held = true
    look()
  }
  const wheel = (/** @type {WheelEvent} */ e) => { if (e.deltaY < 0) release() }
  const start = (/** @type {TouchEvent} */ e) => { touch = e.touches[0]?.clientY ?? 0 }
  const move = (/** @type {TouchEvent} */ e) => {
    const y = e.touches[0]?.clientY ?? 0
    if (y > touch) release()
    touch = y
  }
  const key = (/** @type {KeyboardEvent} */ e) => {
    const typing = e.target instanceof HTMLElement && /^(INPUT|TEXTAREA)$/.test(e.target.tagName)
    if (!typing && (['ArrowUp', 'PageUp', 'Home'].includes(e.key) || (e.key === ' ' && e.shiftKey))) release()
  }
  const listeners = /** @type {[string, any][]} */ ([['scroll', scrolled], ['wheel', wheel], ['touchstart', start], ['touchmove', move], ['keydown', key]])
  for (const [event, f] of listeners) box.addEventListener(event, f, { passive: true })
  const sizes = new ResizeObserver(keep)
  sizes.observe(content)
  sizes.observe(box)
  return {
    keep,
    toEnd() {
      held = true
      box.scrollTop = box.scrollHeight
      look()
    },
    end() {
      sizes.disconnect()
      for (const [event, f] of listeners) box.removeEventListener(event, f)
    },
  }
}

/**
 * @param {{current: HTMLElement|null}} box what scrolls; its first child is the content
 * @param {string} name of the conversation @param {string|undefined} sent the reader's newest message
 */
export function useScroll(box, name, sent) {
  const handle = useRef(/** @type {ReturnType<typeof hold>|null} */ (null))
  useLayoutEffect(() => {
    const el = /** @type {HTMLElement} */ (box.current)
    handle.current = hold(el, /** @type {HTMLElement} */ (el.firstElementChild))
    return () => handle.current?.end()
  }, [])
  useLayoutEffect(() => handle.current?.toEnd(), [name, sent])
  useLayoutEffect(() => handle.current?.keep())
  return () => handle.current?.toEnd()
}
