// Keeps the end of the conversation in view while the reader is there. Whatever
// moves the view up lets go: a wheel's smallest turn, a finger, a key, the
// scrollbar, a search in the page. Only moving down to the very end holds on again.
// What is put above the view does not move it.

import { useLayoutEffect, useRef } from 'preact/hooks'
import { signal } from '@preact/signals'
import { onLeave } from '../app/route.js'
import { keepView, keptView, showView, viewOf } from './view.js'

/** How near to the end counts as there, for somebody who moves down. */
const NEAR = 8
/** How far from the end the button to it is worth showing. */
const FAR = 80
/** Who reached what was the end this long ago is there: it grew while they moved. */
const LATELY = 200

export const farFromEnd = signal(false)
/** How near to the first turn that is here the ones before it are fetched, in heights of the view. */
const EARLY = 1.5
/** Turns that were not laid out yet find their heights when they come into view; so long is a restored view held. */
const SETTLES = 600

/** @param {HTMLElement} box @param {HTMLElement} content @param {() => void} nearStart */
function hold(box, content, nearStart) {
  let held = true
  /** What is in view, unless the end is held. @type {import('./view.js').View|null} */
  let view = null
  /** A view that is being brought back, and until when. @type {{view: import('./view.js').View, until: number}|null} */
  let wanted = null
  let saving = 0
  const save = () => {
    clearTimeout(saving)
    if (!wanted) keepView(held ? null : view)
  }
  /** Where the view was when we last looked, and how high everything was. */
  let top = 0
  let height = 0
  let touch = 0
  /** How high it was lately, the oldest first. @type {{at: number, height: number}[]} */
  let past = []
  const rest = () => box.scrollHeight - box.scrollTop - box.clientHeight
  /** @param {import('./view.js').View|null} [kept] what is in view, where that is known */
  const look = (kept) => {
    top = box.scrollTop
    height = box.scrollHeight
    const now = performance.now()
    const old = past.findLastIndex((p) => now - p.at > LATELY)
    past = [...past.slice(Math.max(0, old)), { at: now, height }]
    farFromEnd.value = !held && rest() > FAR
    view = held ? null : kept ?? viewOf(box, content)
    if (!wanted && top < EARLY * box.clientHeight && box.scrollHeight > box.clientHeight) nearStart()
  }
  const bringBack = () => {
    if (!wanted || !showView(box, wanted.view)) return false
    held = false
    wanted.until ||= performance.now() + SETTLES
    if (performance.now() > wanted.until) wanted = null
    return true
  }
  /** Whether somebody moved the view up: it is higher although nothing became shorter. */
  const movedUp = () => box.scrollTop < top - 0.5 && box.scrollHeight >= height - 0.5
  /** @param {boolean} [above] whether something was put above the view */
  const keep = (above) => {
    if (bringBack()) return look()
    if (above && view && !held && showView(box, view)) return look(view)
    if (held && movedUp()) held = false
    if (held) box.scrollTop = box.scrollHeight
    look()
  }
  const release = () => {
    wanted = null
    if (box.scrollTop <= 0) return nearStart()
    held = false
    look()
  }
  const scrolled = () => {
    saving = (clearTimeout(saving), window.setTimeout(save, 150))
    if (wanted) return look()
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
  const sizes = new ResizeObserver(() => keep())
  onLeave(save)
  sizes.observe(content)
  sizes.observe(box)
  return {
    keep,
    /** What is in view, also where no event has told of the last move yet: something is about to be put above it. */
    remember() {
      if (movedUp()) held = false
      view = held ? null : viewOf(box, content)
    },
    /** Which turn is still to come into view. */
    wants: () => (wanted && !wanted.until ? wanted.view.turn : ''),
    /** To where this entry of the history was left. */
    open() {
      clearTimeout(saving)
      const kept = keptView()
      held = true
      wanted = kept && { view: kept, until: 0 }
      this.keep()
    },
    /** What was wanted is not there. */
    giveUp() {
      wanted = null
    },
    toEnd() {
      wanted = null
      held = true
      box.scrollTop = box.scrollHeight
      look()
    },
    end() {
      clearTimeout(saving)
      onLeave(() => {})
      sizes.disconnect()
      for (const [event, f] of listeners) box.removeEventListener(event, f)
    },
  }
}

/**
 * @param {{current: HTMLElement|null}} box what scrolls; its first child is the content
 * @param {string} name of the conversation @param {string|undefined} sent the reader's newest message
 * @param {string} first what stands above the turns, and the first of them that is drawn @param {() => void} nearStart called when the reader comes near to it
 */
export function useScroll(box, name, sent, first, nearStart) {
  const handle = useRef(/** @type {ReturnType<typeof hold>|null} */ (null))
  const early = useRef(nearStart)
  early.current = nearStart
  useLayoutEffect(() => {
    const el = /** @type {HTMLElement} */ (box.current)
    handle.current = hold(el, /** @type {HTMLElement} */ (el.firstElementChild), () => early.current())
    return () => handle.current?.end()
  }, [])
  const before = useRef({ name: '', sent, first: '' })
  if (before.current.name === name && before.current.first !== first) handle.current?.remember()
  useLayoutEffect(() => {
    const was = before.current
    before.current = { name, sent, first }
    if (was.name !== name) handle.current?.open()
    else if (was.sent !== sent && sent) handle.current?.toEnd()
    else handle.current?.keep(was.first !== first)
  })
  return handle
}
