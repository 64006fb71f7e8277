// The conversation as a tree: user messages and the runs that answer them, in
// turn. Two runs under one message are a regenerated answer; two messages under
// one run are an edit.

/** @typedef {import('./state.js').State} State */

/** The tree's root has this key. */
const ROOT = ''

/**
 * The run that a user message follows ('' for the first ones).
 * @param {State} s @param {string} userId @returns {string}
 */
function parentRun(s, userId) {
  const parent = s.messages.get(s.messages.get(userId)?.parentId ?? '')
  if (!parent) return ROOT
  if (parent.role === 'assistant') return parent.runId
  // The answer before it never came (its run failed): it stands below that run all the same.
  return runsOf(s, parent.id).at(-1) ?? ROOT
}

/** @param {State} s @param {string} userId */
const runsOf = (s, userId) => [...s.runs.values()].filter((r) => r.userId === userId).map((r) => r.id)

/** Index of children, made once per look. @param {State} s */
function children(s) {
  /** @type {Map<string, string[]>} */
  const users = new Map()
  /** @type {Map<string, string[]>} */
  const runs = new Map()
  for (const m of s.messages.values()) if (m.role === 'user') push(users, parentRun(s, m.id), m.id)
  for (const r of s.runs.values()) push(runs, r.userId, r.id)
  return { users, runs }
}

/** @param {Map<string, string[]>} map @param {string} key @param {string} value */
function push(map, key, value) {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

/**
 * @typedef {object} Turn
 * @property {string} userId
 * @property {string[]} userSiblings its versions; some may be with the server only
 * @property {string} runId '' when nothing answers it
 * @property {string[]} runSiblings its versions: ids of runs, or of messages that are with the server only
 */

/** The branch that is shown, from the first message on. @param {State} s @returns {Turn[]} */
export function path(s) {
  const { users, runs } = children(s)
  /** @type {Turn[]} */
  const turns = []
  for (let at = ROOT; ;) {
    const userSiblings = users.get(at) ?? []
    const userId = pick(s.chosen.get('r:' + at), userSiblings)
    if (!userId || turns.length > s.messages.size) return turns
    const runSiblings = runs.get(userId) ?? []
    const runId = pick(s.chosen.get('u:' + userId), runSiblings)
    turns.push({ userId, userSiblings: userVersions(s, userSiblings), runId: runId ?? '', runSiblings: runVersions(s, runSiblings) })
    if (!runId) return turns
    at = runId
  }
}

/** @param {string|undefined} wanted @param {string[]} among */
const pick = (wanted, among) => (wanted !== undefined && among.includes(wanted) ? wanted : among.at(-1))

/** With those that only the server has, the oldest first. @param {State} s @param {string[]} here */
function userVersions(s, here) {
  const said = longest(here.map((id) => s.messages.get(id)?.siblings))
  return said.length > here.length || said.some((id) => !here.includes(id)) ? [...said, ...here.filter((id) => !said.includes(id))] : here
}

/**
 * Runs that are here by their id, those that only the server has by their first message.
 * @param {State} s @param {string[]} here
 */
function runVersions(s, here) {
  const said = longest(here.map((id) => {
    const first = s.runs.get(id)?.items.find((i) => i.kind === 'answer')
    return first?.kind === 'answer' ? s.messages.get(first.id)?.siblings : undefined
  }))
  if (!said.length) return here
  const all = said.map((id) => s.messages.get(id)?.runId || id)
  return [...all, ...here.filter((id) => !all.includes(id))]
}

/** @param {(string[]|undefined)[]} lists */
const longest = (lists) => lists.reduce((/** @type {string[]} */ a, b) => (b && b.length > a.length ? b : a), [])

/** Shows the branch that goes through a message (and a run of it). @param {State} d a draft @param {string} userId @param {string} [runId] */
export function follow(d, userId, runId) {
  if (runId) d.chosen.set('u:' + userId, runId)
  for (let id = userId, n = 0; id && n <= d.messages.size; n++) {
    const up = parentRun(d, id)
    d.chosen.set('r:' + up, id)
    const r = d.runs.get(up)
    if (!r) return
    d.chosen.set('u:' + r.userId, up)
    id = r.userId
  }
}

/**
 * Puts a message that named no parent below the answer to another.
 * @param {State} d a draft @param {string} userId @param {string} beforeId
 */
export function place(d, userId, beforeId) {
  const m = d.messages.get(userId)
  if (!m) return
  const before = beforeId !== userId ? beforeId : ''
  const last = runsOf(d, before).map((id) => d.runs.get(id)).at(-1)
  const answer = last?.items.findLast((i) => i.kind === 'answer')
  const parentId = answer?.kind === 'answer' ? answer.id : before
  d.messages.set(userId, { ...m, parentId, provisional: m.queued })
}

/**
 * Shows another branch. @param {State} s @param {string} messageId any message of it
 * @returns {State}
 */
export function showBranch(s, messageId) {
  const m = s.messages.get(messageId)
  if (!m) return s
  const d = { ...s, chosen: new Map(s.chosen) }
  if (m.role === 'user') follow(d, m.id)
  else follow(d, d.runs.get(m.runId)?.userId ?? '', m.runId)
  return d
}

/** The last message of what is shown: what the server calls the head. @param {State} s */
export function head(s) {
  const turn = path(s).at(-1)
  if (!turn) return ''
  const answer = s.runs.get(turn.runId)?.items.findLast((i) => i.kind === 'answer')
  return answer?.kind === 'answer' ? answer.id : turn.userId
}
