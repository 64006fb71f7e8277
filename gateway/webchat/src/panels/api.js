// The paths of the API that only these places ask.

import { getFile, json, send } from '../wire/api.js'

/** @typedef {import('./standing.js').Server} Server */
/** @typedef {import('./standing.js').Skill} Skill */

const server = (/** @type {string} */ name) => `/api/mcp/${encodeURIComponent(name)}`

/** @returns {Promise<{servers: Server[]}>} */
export const listServers = () => json('/api/mcp')
/** @param {string} name @param {{url: string, headers?: Record<string, string>}} body @returns {Promise<Server>} */
export const putServer = (name, body) => json(server(name), { method: 'PUT', body })
/** @param {string} name @param {boolean} [leaving] the page is about to go: let the request outlive it */
export const deleteServer = (name, leaving) => send(server(name), { method: 'DELETE', keepalive: leaving })
/** @param {string} name @param {string} hash @returns {Promise<Server>} */
export const approveServer = (name, hash) => json(`${server(name)}/approve`, { method: 'POST', body: { hash } })
/** @param {string} name @returns {Promise<{location: string}>} where its authorization is given */
export const authorizeServer = (name) => json(`${server(name)}/authorize`)

/** @returns {Promise<{skills: Skill[]}>} */
export const listSkills = () => json('/api/skills')
/** @param {string} name @param {string} hash @returns {Promise<Skill>} */
export const approveSkill = (name, hash) => json(`/api/skills/${encodeURIComponent(name)}/approve`, { method: 'POST', body: { hash } })
/** @param {string} path of a file of the workspace @returns {Promise<string>} */
export const readFile = async (path) => (await getFile(path)).text()
