// Who is signed in. The token lives in localStorage; a login code in the
// address is taken out of it at once and redeemed.

import { signal } from '@preact/signals'
import * as api from '../wire/api.js'
import { Fault } from '../wire/fault.js'

const NAME = 'loongclaw.login'

/** @typedef {'working'|'in'|'out'|'unreachable'} Phase */

export const phase = signal(/** @type {Phase} */ ('working'))
export const user = signal('')
/** Why the last try did not work: a key of the dictionary. */
export const trouble = signal(/** @type {import('../i18n/language.js').Key|''} */ (''))
export const loginFault = signal(/** @type {Fault|null} */ (null))

/** @returns {{token: string, user: string, expiresAt: string}|null} */
function saved() {
  try {
    const login = JSON.parse(localStorage.getItem(NAME) || 'null')
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
  api.useToken(saved()?.token ?? '')
  if (code) await redeem(code)
  else await probe()
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

/** Asks whether what we have is enough: a token, or nothing at all on a loopback server. @returns {Promise<boolean>} */
export async function probe() {
  phase.value = 'working'
  try {
    await api.listSessions()
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
  api.useToken(token)
  trouble.value = ''
  loginFault.value = null
  try {
    await api.listSessions()
    keep({ token, user: '', expiresAt: '' })
    enter()
  } catch (err) {
    const fault = /** @type {Fault} */ (err)
    api.useToken('')
    loginFault.value = fault
    trouble.value = fault.status === 401 || fault.status === 403 ? 'loginBadToken' : 'errorNetwork'
  }
}

/** @param {{token: string, user: string, expiresAt: string}} login */
function keep(login) {
  localStorage.setItem(NAME, JSON.stringify({ token: login.token, user: login.user, expiresAt: login.expiresAt }))
  api.useToken(login.token)
}

function enter() {
  user.value = saved()?.user ?? ''
  trouble.value = ''
  loginFault.value = null
  phase.value = 'in'
}

/** The server no longer takes our credential. @param {Fault} fault */
export function expired(fault) {
  loginFault.value = fault
  trouble.value = saved() ? 'loginExpired' : ''
  phase.value = 'out'
}

export function signOut() {
  localStorage.removeItem(NAME)
  sessionStorage.clear() // half-written messages
  api.useToken('')
  user.value = ''
  location.assign('/')
}

export const hasToken = () => saved() !== null
