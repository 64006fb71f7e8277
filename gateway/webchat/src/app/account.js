// Who is signed in. The browser keeps the session in a cookie that no script can
// read; localStorage has the name alone. Where no cookie can be set (plain HTTP from
// elsewhere, a JSON Web Token) the token lives in local. A login code in the
// address is taken out of it at once and redeemed.

import { signal } from '@preact/signals'
import * as api from '../wire/api.js'
import { Fault, networkFault } from '../wire/fault.js'
import { filePart } from './parts.js'
import { local, session } from './storage.js'

const NAME = 'loongclaw.login'
/** Says that the cookie is to go: the server could not be told yet. */
const LEAVING = 'loongclaw.leaving'

/** @typedef {'working'|'in'|'out'|'unreachable'} Phase */

export const phase = signal(/** @type {Phase} */ ('working'))
export const user = signal('')
/** Why the last try did not work: a key of the dictionary. */
export const trouble = signal(/** @type {import('../i18n/language.js').Key|''} */ (''))
export const loginFault = signal(/** @type {Fault|null} */ (null))

/** @returns {{token: string, user: string, expiresAt: string, kept?: boolean}|null} kept: it was seen that there is no cookie for it */
function saved() {
  try {
    const login = JSON.parse(local.getItem(NAME) || 'null')
    return login && typeof login.token === 'string' ? login : null
  } catch {
    return null
  }
}

/** Whose messages the outbox holds. A token without a name counts as its own owner. */
export function owner() {
  const login = saved()
  if (!login) return 'local'
  return login.user ? `user:${login.user}` : `token:${digest(login.token)}`
}

/** Tells tokens apart without storing them a second time. @param {string} text */
function digest(text) {
  let h = 0x811c9dc5
  for (const c of text) h = Math.imul(h ^ (c.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return h.toString(16)
}

/** Takes the login code out of the address, before anything can send or store it. */
function codeFromAddress() {
  const code = /^#login=(.+)$/.exec(location.hash)?.[1]
  if (!code) return ''
  history.replaceState(null, '', location.pathname + location.search)
  try {
    return decodeURIComponent(code)
  } catch {
    return code // no code of ours; the server says so
  }
}

export async function start() {
  const code = codeFromAddress()
  await leave()
  api.useToken(saved()?.token ?? '')
  if (code) await redeem(code)
  else {
    await hideToken()
    await probe()
  }
  addEventListener('hashchange', () => {
    const late = codeFromAddress()
    if (late) redeem(late)
  })
  // Another tab signed in or out.
  addEventListener('storage', (e) => { if (e.key === NAME) location.reload() })
}

/** @param {string} code */
async function redeem(code) {
  phase.value = 'working'
  try {
    const login = await api.login(code)
    keep(login)
    enter()
  } catch (err) {
    const fault = /** @type {Fault} */ (err)
    // The link may be used up because this browser used it: then it is signed in.
    if (await probe()) return
    loginFault.value = fault
    trouble.value = fault.status === 0 ? 'errorNetwork' : 'loginBadCode'
  }
}

/** The list, where asking whether we are in brought it. @type {api.ListPage|undefined} */
let probed

export function takeProbed() {
  const page = probed
  probed = undefined
  return page
}

/** Asks whether what we have is enough: a token, or nothing at all on a loopback server. @returns {Promise<boolean>} */
export async function probe() {
  phase.value = 'working'
  try {
    probed = await api.listSessions() ?? undefined
    enter()
    return true
  } catch (err) {
    const fault = /** @type {Fault} */ (err)
    if (fault.status === 401 || fault.status === 403) {
      if (saved()) trouble.value = 'loginExpired'
      loginFault.value = saved() ? fault : null
      phase.value = 'out'
    } else {
      loginFault.value = fault
      phase.value = 'unreachable'
    }
    return false
  }
}

/** @param {string} token */
export async function enterToken(token) {
  trouble.value = ''
  loginFault.value = null
  try {
    keep(await trade(token))
    enter()
  } catch (err) {
    const fault = /** @type {Fault} */ (err)
    loginFault.value = fault
    trouble.value = fault.status === 401 || fault.status === 403 ? 'loginBadToken' : 'errorNetwork'
  }
}

/** Trades a token for a session; one that gives none, such as a JSON Web Token, stays what it is. @param {string} token @returns {Promise<api.Login>} */
async function trade(token) {
  try {
    return await api.trade(token)
  } catch (err) {
    const fault = /** @type {Fault} */ (err)
    if (fault.status !== 400 && fault.status !== 404) throw fault
  }
  api.useToken(token)
  try {
    await api.listSessions()
  } catch (err) {
    api.useToken('')
    throw err
  }
  return { token, user: '', expiresAt: '' }
}

/** A token that an earlier version of this page kept goes into the cookie. */
async function hideToken() {
  const login = saved()
  if (!login?.token || login.kept) return
  await trade(login.token).then(keep, () => api.useToken(login.token)) // else later
}

/** @param {api.Login} login */
function keep(login) {
  const token = login.cookie ? '' : login.token
  local.setItem(NAME, JSON.stringify({ token, user: login.user, expiresAt: login.expiresAt, kept: token !== '' || undefined }))
  local.removeItem(LEAVING)
  api.useToken(token)
}

function enter() {
  user.value = saved()?.user ?? ''
  trouble.value = ''
  loginFault.value = null
  phase.value = 'in'
}

/** The server no longer takes our credential. @param {Fault} fault */
function expired(fault) {
  loginFault.value = fault
  trouble.value = saved() ? 'loginExpired' : ''
  phase.value = 'out'
}

/** What came of a request, as the page shows it; who is no longer signed in is asked to. @param {unknown} err @returns {Fault} */
export function requestFault(err) {
  const fault = networkFault(err)
  if (fault.status === 401) expired(fault)
  return fault
}

export async function signOut() {
  local.removeItem(NAME)
  local.setItem(LEAVING, '1')
  session.clear() // half-written messages
  await filePart.load().then((m) => m?.sweepBytes(0)) // and their files
  api.useToken('')
  user.value = ''
  await leave()
  location.assign('/')
}

/** Only the server can take the cookie away. What fails now is tried again at the next start. */
async function leave() {
  if (!local.getItem(LEAVING)) return
  await api.logout().then(() => local.removeItem(LEAVING), () => {})
}

export const hasToken = () => saved() !== null

/** Whether a page that the browser opens by itself is opened as this user. */
export const navigates = () => !saved()?.token
