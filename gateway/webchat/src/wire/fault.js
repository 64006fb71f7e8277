// An error of the API as the page shows it: what happened, what to do, which request.

/** Codes that come without a status, in a stream, or with one that says less. */
const passing = new Set(['session_busy', 'rate_limited', 'too_many_runs', 'unavailable', 'draining', 'agent_failed', 'agent_timeout', 'store_unavailable'])

/** @param {string} code */
export const isPassing = (code) => passing.has(code)

export class Fault extends Error {
  /**
   * @param {{error?: string, code?: string, hint?: string, requestId?: string}} body
   * @param {number} status 0: no answer came
   * @param {number} retryAfter seconds; 0: not said
   */
  constructor(body, status, retryAfter = 0) {
    super(body.error || 'error')
    this.name = 'Fault'
    this.code = body.code || 'internal'
    this.hint = body.hint || ''
    this.requestId = body.requestId || ''
    this.status = status
    this.retryAfter = retryAfter
    /** When it may be tried again, milliseconds; 0: not said. */
    this.until = retryAfter ? Date.now() + retryAfter * 1000 : 0
  }

  /** Whether the same request may succeed later without anybody doing anything. */
  get passing() {
    if (this.status === 0 || this.status === 429 || passing.has(this.code)) return true
    return this.status === 502 || this.status === 503 || this.status === 504
  }

  /** As much of it as can be stored. */
  get record() {
    const { message: error, code, hint, requestId, until } = this
    return { error, code, hint, requestId, until }
  }
}

/**
 * @param {Response} response
 * @returns {Promise<Fault>}
 */
export async function faultOf(response) {
  /** @type {any} */
  let body = {}
  try {
    body = await response.json()
  } catch {
    // Not ours (a proxy's page): the status alone has to do.
  }
  if (typeof body?.error !== 'string') body = { error: `HTTP ${response.status}`, code: response.status === 401 ? 'unauthorized' : response.status === 413 ? 'too_large' : 'internal' }
  body.requestId ||= response.headers.get('X-Request-Id') || ''
  return new Fault(body, response.status, Number(response.headers.get('Retry-After')) || 0)
}

/** @param {unknown} err */
export const networkFault = (err) =>
  err instanceof Fault ? err : new Fault({ error: '', code: 'network' }, 0)
