// The list of conversations as data: pages of it, changes of rows, days.

import { activeRuns, waitsForDecision, works } from './state.js'

/** @typedef {import('../wire/api.js').Session} Session */
/** @typedef {import('./state.js').State} State */

const used = (/** @type {Session} */ row) => Date.parse(row.updatedAt)

/** A page that follows what is there. @param {Session[]} rows @param {Session[]} page */
export function append(rows, page) {
  const known = new Set(rows.map((r) => r.id))
  return [...rows, ...page.filter((r) => !known.has(r.id))]
}

/**
 * The first page, fetched anew: it says all about its own stretch, and nothing of what follows.
 * @param {Session[]} rows @param {Session[]} page @param {boolean} whole nothing follows
 */
export function renew(rows, page, whole) {
  const last = page.at(-1)
  if (whole || !last) return page
  return append(page, rows.filter((r) => used(r) < used(last)))
}

/**
 * One row as it is now. A row that belongs to a page that is not here yet comes with that page.
 * @param {Session[]} rows @param {Session} row @param {boolean} whole every page is here @returns {Session[]}
 */
export function put(rows, row, whole) {
  const at = rows.findIndex((r) => r.id === row.id)
  const last = rows.at(-1)
  if (at < 0 && !whole && last && used(row) < used(last)) return rows
  if (at >= 0 && rows[at].updatedAt === row.updatedAt) return rows.with(at, row)
  const others = rows.filter((r) => r.id !== row.id)
  const before = others.findIndex((r) => used(r) <= used(row))
  return others.toSpliced(before < 0 ? others.length : before, 0, row)
}

/**
 * Whether a row says more than what is here of its conversation.
 * @param {State} s @param {Session} row
 */
export function isNews(s, row) {
  if (row.state === 'running') return !works(s)
  if (row.state === 'waiting') return !waitsForDecision(s)
  if (activeRuns(s).length) return true
  if (row.messages === 0) return s.messages.size > 0
  return Boolean(row.head) && !s.messages.has(/** @type {string} */ (row.head))
}

/**
 * The days of the list, each with its rows, in the order of the rows.
 * @param {Session[]} rows @param {Date} now
 * @returns {{key: 'today'|'yesterday'|'week'|'month', at: Date, rows: Session[]}[]}
 */
export function days(rows, now) {
  const day = (/** @type {number} */ back) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - back).getTime()
  const borders = /** @type {const} */ ([['today', day(0)], ['yesterday', day(1)], ['week', day(7)]])
  /** @type {ReturnType<typeof days>} */
  const groups = []
  for (const row of rows) {
    const at = new Date(row.updatedAt)
    const key = borders.find(([, since]) => at.getTime() >= since)?.[0] ?? 'month'
    const group = groups.at(-1)
    const same = group?.key === key && (key !== 'month' || (group.at.getMonth() === at.getMonth() && group.at.getFullYear() === at.getFullYear()))
    if (group && same) group.rows.push(row)
    else groups.push({ key, at, rows: [row] })
  }
  return groups
}
