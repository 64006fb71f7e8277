// Messages that the server has not acknowledged yet. They live in localStorage
// until it has, each with one idempotency key for all its tries: never lost,
// never doubled. What the browser does not take (its storage is full, or closed to
// this page) stays in this object, and is sent all the same.

/**
 * @typedef {object} Parcel
 * @property {string} key the Idempotency-Key
 * @property {string} owner whose message it is: another login on this browser must not send it
 * @property {string} sessionId
 * @property {string} message
 * @property {string} [parentId]
 * @property {string} [edits] the message that it is another version of
 * @property {boolean} [fresh] it begins its session
 * @property {import('./attachment.js').Attachment[]} [attachments] files that stand with it; it goes when they are with the server
 * @property {string} [model] who is asked first from it on
 * @property {number} at when it was written, milliseconds
 * @property {string} [messageId] acknowledged; only its event is still to come
 * @property {any} [refused] the error that a person has to look at
 */

const NAME = 'loongclaw.outbox'
/** The server remembers a key for 24 hours; after that only a person may send again. */
const KEY_LIFE = 23 * 3600_000

export class Outbox {
  /**
   * @param {Pick<Storage, 'getItem'|'setItem'|'removeItem'>} storage @param {() => number} now
   * @param {(kept: boolean) => void} told whether all of it outlives the page
   */
  constructor(storage, now = Date.now, told = () => {}) {
    this.storage = storage
    this.now = now
    this.told = told
    /** @type {Parcel[]} what the storage did not take */
    this.held = []
    /** What lies in the storage can no longer be changed: it is none of ours any more. */
    this.stuck = false
  }

  /** @returns {Parcel[]} oldest first */
  all() {
    const held = new Set(this.held.map((p) => p.key))
    const kept = this.stored().filter((p) => !held.has(p.key))
    return held.size ? [...kept, ...this.held].sort((a, b) => a.at - b.at) : kept
  }

  /** @returns {Parcel[]} */
  stored() {
    if (this.stuck) return []
    try {
      const list = JSON.parse(this.storage.getItem(NAME) || '[]')
      return Array.isArray(list) ? list : []
    } catch {
      return []
    }
  }

  /** Stores what finds room, the smallest first, and holds the rest. @param {Parcel[]} list */
  save(list) {
    this.held = []
    for (let rest = list; ;) {
      try {
        this.storage.setItem(NAME, JSON.stringify(rest))
        this.stuck = false
        break
      } catch {
        const largest = rest.reduce((a, b) => (b.message.length >= a.message.length ? b : a), rest[0])
        if (!largest) {
          this.forget()
          break
        }
        this.held.push(largest)
        rest = rest.filter((p) => p !== largest)
      }
    }
    this.told(this.held.length === 0)
  }

  forget() {
    try {
      this.storage.removeItem(NAME)
    } catch {
      this.stuck = true
    }
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

/** @param {readonly {path?: string}[]} [files] */
const paths = (files = []) => files.map((a) => a.path).join('\n')

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
    const files = paths(p.attachments)
    const twin = users.find((m) => m.content === p.message && !taken.has(m.id) && Date.parse(m.timestamp) >= p.at - 2000 && paths(m.attachments) === files)
    if (twin) taken.add(twin.id)
    return !twin
  })
}
