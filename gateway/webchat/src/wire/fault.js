// An error of the API as the page shows it: what happened, what to do, which request.

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
  }

  /** Whether the same request may succeed later without anybody doing anything. */
  get passing() {
    if (this.status === 0 || this.status === 429 || this.code === 'session_busy') return true
    return this.status === 502 || this.status === 503 || this.status === 504
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
  if (typeof body?.error !== 'string') body = { error: `HTTP ${response.status}`, code: response.status === 401 ? 'unauthorized' : 'internal' }
  body.requestId ||= response.headers.get('X-Request-Id') || ''
  return new Fault(body, response.status, Number(response.headers.get('Retry-After')) || 0)
}

/** @param {unknown} err */
export const networkFault = (err) =>
  err instanceof Fault ? err : new Fault({ error: '', code: 'network' }, 0)
