// Follows a stream of events over SSE, for as long as the signal allows or until
// the server says that nothing goes on: reconnects from the last cursor, with
// backoff. EventSource cannot send a token, so this reads the stream of a fetch.

import { EventParser } from './sse.js'
import { Fault, faultOf, isPassing, networkFault } from './fault.js'
import { headers } from './api.js'
import { backoff, pause } from './backoff.js'

/** A stream without a byte for this long is taken for dead: a sleeping laptop, a NAT that forgot. */
const SILENCE = 60_000

/** For how long after its notice a server that restarts may be away. */
const RESTART = 60_000

/** @typedef {{code: string, until: number, restart: boolean}} Wait why the stream is away, and when the next try is */

/**
 * @typedef {object} Listener
 * @property {(event: any) => void} event
 * @property {(state: 'connecting'|'open'|'lost'|'idle', wait?: Wait) => void} state idle: all is told, and following has ended
 * @property {(fault: import('./fault.js').Fault) => void} refused the server said no; following has ended
 */

/**
 * @typedef {object} Source
 * @property {() => string} address with where to go on; asked at each connection
 * @property {(signal: AbortSignal) => Promise<unknown>} [first] what has to be read before
 */

/**
 * @param {Source} source
 * @param {Listener} on
 * @param {AbortSignal} signal
 */
export async function follow(source, on, signal) {
  let announced = -Infinity
  for (let failures = 0; !signal.aborted; failures++) {
    if (failures === 0) on.state('connecting')
    let wait = backoff(failures)
    let code = 'network'
    try {
      await source.first?.(signal)
      if (signal.aborted) return
      const { got, idle, fault } = await readOnce(source.address(), on, signal)
      if (signal.aborted) return
      if (idle) return on.state('idle')
      if (got) {
        failures = 0
        wait = backoff(0)
      }
      if (fault) code = fault.code
    } catch (err) {
      if (signal.aborted) return
      const fault = networkFault(err)
      if (!fault.passing) {
        on.refused(fault)
        return
      }
      code = fault.code
      wait = Math.max(wait, fault.retryAfter * 1000)
    }
    if (signal.aborted) return
    if (code === 'draining') announced = Date.now()
    const restart = Date.now() - announced < RESTART
    if (restart) wait = Math.min(wait, 3000)
    on.state('lost', { code, until: Date.now() + wait, restart })
    await pause(wait, signal)
  }
}

/**
 * One connection, until it ends.
 * @param {string} address @param {Listener} on @param {AbortSignal} signal
 * @returns {Promise<{got: boolean, idle?: boolean, fault?: Fault}>} whether it ever gave an event, whether nothing
 *   more is to come, and the trouble that ended it
 */
async function readOnce(address, on, signal) {
  const silence = new AbortController()
  let timer = setTimeout(() => silence.abort(), SILENCE)
  const stop = () => silence.abort()
  signal.addEventListener('abort', stop)
  let got = false
  let idle = false
  /** @type {Fault|undefined} */
  let fault
  try {
    const response = await fetch(address, {
      headers: headers({ Accept: 'text/event-stream' }), signal: silence.signal, cache: 'no-store', credentials: 'same-origin',
    })
    if (!response.ok || !response.body) throw await faultOf(response)
    on.state('open')
    const parser = new EventParser((e) => {
      const event = parse(e.data)
      if (!event || signal.aborted) return
      const said = event.type === 'error' ? new Fault(event, 0) : undefined
      if (said && isPassing(said.code)) fault = said
      else {
        got = true
        on.event(event)
      }
    }, (comment) => { idle = comment === 'idle' })
    const reader = response.body.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return { got, idle, fault }
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), SILENCE)
      parser.push(value)
    }
  } catch (err) {
    // Events came before the break: that is a cut, not a refusal, and no reason to wait longer.
    if (got && !signal.aborted) return { got, fault }
    throw err
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

/** @param {string} data */
function parse(data) {
  try {
    const event = JSON.parse(data)
    return event && typeof event.type === 'string' ? event : null
  } catch {
    return null
  }
}
