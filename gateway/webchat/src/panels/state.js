// What these places know of servers and skills, and what their buttons do.

import { signal } from '@preact/signals'
import { getConfig } from '../wire/api.js'
import { requestFault } from '../app/account.js'
import { removal } from '../app/removal.js'
import * as api from './api.js'

/** @typedef {import('./standing.js').Server} Server */
/** @typedef {import('./standing.js').Skill} Skill */
/** @typedef {import('../wire/fault.js').Fault} Fault */

/** When a server that connects is looked at again: soon, then less and less often. */
const SOON = 800
const SELDOM = 10_000

/** null: not known yet. */
export const servers = signal(/** @type {Server[]|null} */ (null))
export const skills = signal(/** @type {Skill[]|null} */ (null))
export const serversFault = signal(/** @type {Fault|null} */ (null))
export const skillsFault = signal(/** @type {Fault|null} */ (null))
/** What who looks may do; undefined: the server does not say. */
export const scopes = signal(/** @type {string[]|undefined} */ (undefined))
export const version = signal('')

let asked = 0

export async function loadServers() {
  const mine = ++asked
  try {
    const found = (await api.listServers()).servers ?? []
    if (mine !== asked) return
    servers.value = found
    serversFault.value = null
  } catch (err) {
    if (mine === asked) serversFault.value = requestFault(err)
  }
}

export async function loadSkills() {
  try {
    skills.value = (await api.listSkills()).skills ?? []
    skillsFault.value = null
  } catch (err) {
    skillsFault.value = requestFault(err)
  }
}

export async function loadConfig() {
  try {
    const config = await getConfig()
    scopes.value = Array.isArray(config.scopes) ? config.scopes : undefined
    version.value = config.version ?? ''
  } catch {
    // Then nothing is held back, and the server says no itself.
  }
}

/** Keeps what is shown true: when the reader comes back, and while a server connects. @returns {() => void} ends it */
export function watchTools() {
  let pause = SOON
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer
  const load = () => {
    loadServers()
    loadSkills()
  }
  const later = () => {
    clearTimeout(timer)
    const connects = servers.value?.some((s) => s.state === 'connecting')
    if (!connects) pause = SOON
    else if (document.visibilityState === 'visible') {
      timer = setTimeout(loadServers, pause)
      pause = Math.min(SELDOM, pause * 1.6)
    }
  }
  const back = () => { if (document.visibilityState === 'visible') load() }
  const over = servers.subscribe(later)
  document.addEventListener('visibilitychange', back)
  addEventListener('focus', back)
  load()
  loadConfig()
  return () => {
    clearTimeout(timer)
    over()
    document.removeEventListener('visibilitychange', back)
    removeEventListener('focus', back)
    removeNow()
  }
}

/** @param {Server} server as it is now */
function take(server) {
  asked++ // a list that was asked for before says less
  const all = servers.peek() ?? []
  servers.value = all.some((s) => s.name === server.name) ? all.map((s) => (s.name === server.name ? server : s)) : [...all, server]
}

/** @param {unknown} err @returns {Promise<Fault>} */
async function refusedBy(err, /** @type {() => Promise<void>} */ reload) {
  const fault = requestFault(err)
  if (fault.code === 'conflict' || fault.code === 'not_found') await reload()
  return fault
}

/** Approves what was shown, by its hash. @param {string} name @param {string} hash @returns {Promise<Fault|null>} why not */
export async function approveServer(name, hash) {
  try {
    take(await api.approveServer(name, hash))
    return null
  } catch (err) {
    return refusedBy(err, loadServers)
  }
}

/** @param {string} name @param {string} hash @returns {Promise<Fault|null>} */
export async function approveSkill(name, hash) {
  try {
    const skill = await api.approveSkill(name, hash)
    skills.value = (skills.peek() ?? []).map((s) => (s.name === name ? skill : s))
    return null
  } catch (err) {
    return refusedBy(err, loadSkills)
  }
}

/** @param {string} name @param {{url: string, headers?: Record<string, string>}} body @returns {Promise<Fault|null>} */
export async function putServer(name, body) {
  try {
    take(await api.putServer(name, body))
    return null
  } catch (err) {
    return requestFault(err)
  }
}

/** @param {string} name @returns {Promise<{location?: string, fault?: Fault}>} */
export async function authorizeServer(name) {
  try {
    return await api.authorizeServer(name)
  } catch (err) {
    return { fault: requestFault(err) }
  }
}

/** @param {Server} gone @param {boolean} leaving */
async function remove(gone, leaving) {
  asked++
  servers.value = (servers.peek() ?? []).filter((s) => s.name !== gone.name)
  try {
    await api.deleteServer(gone.name, leaving)
  } catch (err) {
    const fault = requestFault(err)
    await loadServers()
    if (fault.status !== 404) serversFault.value = fault
  }
}

/** A server that is about to be removed. */
export const { removing, soon: removeSoon, undo: undoRemove, now: removeNow } = removal(remove)
