// Messages that the server has not acknowledged yet. They live in localStorage
// until it has, each with one idempotency key for all its tries: never lost,
// never doubled.

/**
 * @typedef {object} Parcel
 * @property {string} key the Idempotency-Key
 * @property {string} owner whose message it is: another login on this browser must not send it
 * @property {string} sessionId
 * @property {string} message
 * @property {string} [parentId]
 * @property {boolean} [fresh] it begins its session
 * @property {number} at when it was written, milliseconds
 * @property {string} [messageId] acknowledged; only its event is still to come
 * @property {any} [refused] the error that a person has to look at
 */

const NAME = 'loongclaw.outbox'
/** The server remembers a key for 24 hours; after that only a person may send again. */
const KEY_LIFE = 23 * 3600_000

export class Outbox {
  /** @param {Pick<Storage, 'getItem'|'setItem'>} storage @param {() => number} now */
  constructor(storage, now = Date.now) {
    this.storage = storage
    this.now = now
  }

  /** @returns {Parcel[]} */
  all() {
    try {
      const list = JSON.parse(this.storage.getItem(NAME) || '[]')
      return Array.isArray(list) ? list : []
    } catch {
      return []
    }
  }

  /** @param {Parcel[]} list */
  save(list) {
    this.storage.setItem(NAME, JSON.stringify(list))
  }

  /** @param {Parcel} parcel */
  add(parcel) {
    this.save([...this.all(), parcel])
  }

  /** @param {string} key @param {Partial<Parcel>} change */
  update(key, change) {
    this.save(this.all().map((p) => (p.key === key ? { ...p, ...change } : p)))
  }

  /** @param {string} key */
  remove(key) {
    this.save(this.all().filter((p) => p.key !== key))
  }

  /** What the owner has waiting in a session, oldest first. @param {string} owner @param {string} sessionId */
  of(owner, sessionId) {
    return this.all().filter((p) => p.owner === owner && p.sessionId === sessionId)
  }

  /**
   * The next to send: the oldest of its session, unless a person has to decide first.
   * @param {string} owner @param {string} sessionId
   */
  next(owner, sessionId) {
    const first = this.of(owner, sessionId).find((p) => !p.messageId)
    return first && !first.refused && !this.stale(first) ? first : undefined
  }

  /** @param {Parcel} p */
  stale(p) {
    return this.now() - p.at > KEY_LIFE
  }

  /** Gives up a parcel's key for a new one, because a person said "send again". @param {string} key @param {string} fresh */
  renew(key, fresh) {
    this.save(this.all().map((p) => (p.key === key ? { ...p, key: this.stale(p) ? fresh : p.key, at: this.stale(p) ? this.now() : p.at, refused: undefined } : p)))
  }
}

/**
 * What to paint of the outbox: not what an event already shows, even if the
 * acknowledgement that says so is still on its way.
 * @param {Parcel[]} parcels @param {import('./state.js').State} state
 */
export function visible(parcels, state) {
  const taken = new Set(parcels.map((p) => p.messageId))
  const users = [...state.messages.values()].filter((m) => m.role === 'user')
  return parcels.filter((p) => {
    if (p.messageId) return !state.messages.has(p.messageId)
    if (p.refused) return true
    const twin = users.find((m) => m.content === p.message && !taken.has(m.id) && Date.parse(m.timestamp) >= p.at - 2000)
    if (twin) taken.add(twin.id)
    return !twin
  })
}
